"""A metric in the days before and after a day."""

from __future__ import annotations

from datetime import date
from typing import Literal

from community_metrics.api.schemas.base import Body, Freshness
from community_metrics.api.schemas.points import MetricIdentity
from community_metrics.model import Measure


class EventOfDay(Body):
    """The event that a comparison is about. It happened then; that it changed anything is not said."""

    event_id: str
    """Its id."""
    day: date
    """Its UTC day."""
    kind: Literal["release", "pre_release", "post", "mention", "note", "outage"]
    """What kind of thing happened."""
    title: str
    """What its origin calls it."""
    product: str | None
    """The product; null for all of them."""
    author: str | None
    """The person who says it; null unless it is a note."""


class Side(Body):
    """The days of one side."""

    first: date
    """First UTC day."""
    last: date
    """Last UTC day, inclusive."""
    days: int
    """How many of its days count."""
    mean: float
    """The mean a day, in the metric's unit; of a level the mean growth a day."""


class NetOfRegistry(Body):
    """What the registry did in the same days, and the metric's change without it."""

    metric_id: str
    """The registry's own daily series."""
    before: float
    """The registry's mean a day before."""
    after: float
    """The registry's mean a day after."""
    fraction: float
    """The change of the registry as a fraction (0.05 is 5 % up)."""
    net_difference: float
    """The part of the mean after, in the metric's unit a day, that is beyond the registry's change."""
    net_fraction: float
    """The change of the metric over that of the registry, as a fraction."""


class BeforeAfter(Body):
    """A metric in the days before and after a day: what happened together, not why."""

    metric: MetricIdentity
    """The metric."""
    event: EventOfDay | None
    """The event of the day, if `event_id` named one."""
    day: date
    """The UTC day, which is on neither side."""
    days: int
    """Days on each side, whole weeks."""
    measure: Measure
    """What is compared of each day: its value, or the growth of a level."""
    on_the_day: int | None
    """What the day itself has; null if it is not known."""
    before: Side
    """The days before."""
    after: Side
    """The days after."""
    difference: float
    """The mean after minus the mean before, in the metric's unit a day."""
    fraction: float | None
    """The difference as a fraction of the mean before; null unless that is positive."""
    missing_days: list[date]
    """Days without a complete value; they count on no side, and only with `skip_missing` are there any."""
    unpaired_days: list[date]
    """Days with a value that do not count, because the other side has none of their weekday."""
    provisional_days: list[date]
    """Days that count and may still change at the source."""
    low_days: list[date]
    """Days that count and that the registry counted low for everybody."""
    net: NetOfRegistry | None
    """The change without that of the registry; null where it is not known."""
    net_reason: str | None
    """Why it is not known; null where it is."""
    meaning: Literal["what happened together, not why"]
    """What a comparison says: always these words."""
    sentence: str
    """The comparison in plain English, made of its numbers."""
    rule: Literal["before-and-after"]
    """Id of the rule; docs/insights.md has it with its parameters."""
    link: str
    """Path of the API that has the days."""
    freshness: Freshness
    """How fresh the data are."""
