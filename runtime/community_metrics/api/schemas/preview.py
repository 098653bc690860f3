"""What a link to the page says of itself."""

from __future__ import annotations

from community_metrics.api.schemas.base import Body, Freshness


class Preview(Body):
    """The words and the picture of a link, for Open Graph tags."""

    week: str
    """The ISO week."""
    title: str
    """Whose numbers, and of which week."""
    description: str
    """The headline of the week and what is foremost in it, in sentences; in a demo first that it is one."""
    image: str | None
    """The path of the picture with its query; null where none can be drawn."""
    freshness: Freshness
    """How fresh the data are."""
