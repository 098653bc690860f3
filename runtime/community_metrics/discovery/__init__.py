"""What an owner on GitHub publishes, as the manifests of its repositories state it."""

from community_metrics.discovery.discover import discover
from community_metrics.discovery.model import Discovery, Evidence, NotProposed, Proposal, Unread

__all__ = ["Discovery", "Evidence", "NotProposed", "Proposal", "Unread", "discover"]
