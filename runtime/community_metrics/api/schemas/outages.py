"""The outage ledger: days that a registry did not count, counted low or late, or restated."""

from __future__ import annotations

from datetime import date, datetime

from community_metrics.api.schemas.base import Body, Freshness
from community_metrics.model import OutageKind


class Outage(Body):
    """What was wrong with one day of a registry."""

    outage_id: str
    """Identifies it forever: `registry:npm:all|2024-08-28|not_counted`."""
    metric_id: str
    """The total of the registry, whose stored values it follows from."""
    registry: str
    """The registry: `pypi`, `npm`, `crates`."""
    day: date
    """The UTC day."""
    kind: OutageKind
    """What was wrong, by the rule `outage-ledger` of docs/insights.md."""
    value: int | None
    """Downloads of everything on that day as the registry states them now; null where it states none."""
    usual: int | None
    """The median of the same weekdays up to four weeks before and after; null where none is known."""
    share: float | None
    """`value` as a share of `usual`; null where one of them is."""
    first_value: int | None
    """What the registry stated before it restated the day; null for any other kind."""
    seen_at: datetime
    """When we first saw it, as far as the stored values show: it may have been to see before."""
    sentence: str
    """The same in words."""


class Outages(Body):
    """The outages of the registries that the catalogue uses."""

    registries: list[str]
    """The registries of which a total is stored."""
    outages: list[Outage]
    """Every outage that the stored totals show, last seen first."""
    freshness: Freshness
    """How fresh the data are."""
