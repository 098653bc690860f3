"""What an owner on GitHub publishes, as the manifests of its repositories state it."""

from community_metrics.discovery.back_links import BackLink, back_links
from community_metrics.discovery.discover import discover
from community_metrics.discovery.model import Discovery, Evidence, NotProposed, Proposal, Unread

__all__ = [
    "BackLink",
    "Discovery",
    "Evidence",
    "NotProposed",
    "Proposal",
    "Unread",
    "back_links",
    "discover",
]
