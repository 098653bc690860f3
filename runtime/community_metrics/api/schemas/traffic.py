"""Lists of places: where the visitors of a repository came from, and which of its pages they viewed."""

from __future__ import annotations

from datetime import date, datetime

from community_metrics.api.schemas.base import Body, Freshness, Versions
from community_metrics.api.schemas.points import MetricIdentity


class Place(Body):
    """One place of a list."""

    name: str
    """The site, or the path of the page."""
    title: str | None
    """Title of the page; null where the source lists no titles."""
    count: int
    """Views in the days that the list covers. Counts of two lists overlap and do not add up."""
    uniques: int
    """Different visitors among them; those of two places or two lists do not add up."""


class TrafficList(Body):
    """One list as the source returned it; a place that it lacks is unknown, not 0."""

    day: date
    """UTC day on which it was read; it covers the days up to the reading, of GitHub 14."""
    observed_at: datetime
    """When it was read at the source."""
    source_ref: str
    """The URL that it was read from."""
    places: list[Place]
    """The places, in the source's order."""


class ListVersions(Versions):
    """Versions of the tables; no other body has that of the lists, most of which are for the team only."""

    traffic_items: int
    """Version of the lists; 0 before a job has created their table."""


class ListFreshness(Freshness):
    """How fresh the data are, and the versions of the tables with that of the lists."""

    versions: ListVersions
    """Versions of the tables that the body was read from."""


class TrafficItems(Body):
    """The lists of one metric."""

    metric: MetricIdentity
    """What is listed."""
    lists: list[TrafficList]
    """One list for each day on which it was read, oldest first; empty when none is stored."""
    freshness: ListFreshness
    """How fresh the data are."""
