"""Insights: sentences about a period, each with the numbers that it rests on."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from community_metrics.api.schemas.base import Body, Freshness
from community_metrics.api.schemas.points import Change
from community_metrics.model import Cause, Direction, InsightKind, MissingReason


class HeadlineNumbers(Body):
    """A total of the period."""

    type: Literal["headline"] = "headline"
    """Always `headline`."""
    total: int
    """The sum over the series in `complete`."""
    change: Change | None
    """From the period before, months and quarters by daily mean; null where it is not known."""
    year_on_year: Change | None
    """From 52 weeks, 12 months or 4 quarters earlier; null where it is not known."""
    complete: list[str]
    """Metrics that are complete in the period, and so in the sum."""
    series: int
    """How many metrics the total should have."""
    waits_for: list[str]
    """Metrics that are not complete in the period."""
    left_out: list[str]
    """Metrics that have failed for more than two weeks."""
    level_break: date | None
    """The change of counting that a change would cross; null without one."""


class MoverNumbers(Body):
    """A series that moved."""

    type: Literal["mover"] = "mover"
    """Always `mover`."""
    value: int
    """The value of the period."""
    change: Change
    """From the period before; of a rolling total from a whole window earlier."""
    direction: Direction
    """Whether it is a gain or a fall."""


class UnusualDay(Body):
    """A day outside its usual range."""

    day: date
    """The UTC day."""
    value: int
    """Its value."""
    usual: int
    """The median of the same weekday in the weeks before, by the recent trend."""
    low: int
    """Lower end of the usual range."""
    high: int
    """Upper end of the usual range."""


class UnusualNumbers(Body):
    """Neighbouring days outside their usual range."""

    type: Literal["unusual"] = "unusual"
    """Always `unusual`."""
    days: list[UnusualDay]
    """The days, oldest first."""
    cause: Cause
    """Who else moved on these days."""
    is_one_day: bool
    """One day, not a trend: the other known days of its week, up to the period's end, are usual."""
    also: list[str]
    """The registries that moved too, or the releases."""


class ShiftNumbers(Body):
    """A level break."""

    type: Literal["level_break"] = "level_break"
    """Always `level_break`."""
    day: date
    """First day of the new level."""
    before: int | None
    """Median of the weeks before; null for a break that the source declares."""
    after: int | None
    """Median of the weeks since; null for a break that the source declares."""
    reason: str | None
    """What changed, as the source declares it; null for a shift that was found."""


class RecordNumbers(Body):
    """The highest value of about a year."""

    type: Literal["record"] = "record"
    """Always `record`."""
    value: int
    """The value of the period."""
    previous: int
    """The highest of the periods before."""
    previous_period: str
    """The period of that value."""
    compared: int
    """How many periods before were compared, all of them complete."""


class MilestoneNumbers(Body):
    """A round number that was passed for the first time."""

    type: Literal["milestone"] = "milestone"
    """Always `milestone`."""
    mark: int
    """The round number."""
    value: int
    """The level at the end of the period, or the sum up to there."""
    since: date | None
    """First day of the sum; null for a level or a counter."""
    day: date | None
    """The day on which the sum passed the number; null for a level or a counter."""
    level_break: date | None
    """The newest change of counting that the value includes; null without one."""


class SettlingNumbers(Body):
    """A value back in its usual range after a peak."""

    type: Literal["settling"] = "settling"
    """Always `settling`."""
    value: int
    """The value of the period."""
    peak: int
    """The value of the peak."""
    peak_period: str
    """The period of the peak."""
    usual: int
    """The median of the periods before the peak."""


class GapNumbers(Body):
    """Days that a registry did not count."""

    type: Literal["registry_gap"] = "registry_gap"
    """Always `registry_gap`."""
    source: str
    """The source."""
    lacking: list[date]
    """Days that each of the metrics lacks, because the source did not count them."""
    low: list[date]
    """Days that are marked as low for everybody."""
    series: int
    """How many of our series of the source should have the days; the metrics are those concerned."""


class RestatedNumbers(Body):
    """Values that a source changed."""

    type: Literal["restated"] = "restated"
    """Always `restated`."""
    days: int
    """How many values."""
    first: date
    """First day of them."""
    last: date
    """Last day of them."""
    difference: int | None
    """Sum of the differences from the settled values first read; null for what is not summed."""
    largest: int
    """The largest difference by size."""
    has_more: bool
    """Whether there are more than were read."""


class DisputedNumbers(Body):
    """Days that a second witness counts otherwise."""

    type: Literal["disputed"] = "disputed"
    """Always `disputed`."""
    days: list[date]
    """The days, oldest first."""
    witness: str
    """Who counts otherwise: `clickpy`."""
    values: list[int]
    """The stored value of each day."""
    witness_values: list[int]
    """What the witness counts on each day."""


class MissingNumbers(Body):
    """What is not known."""

    type: Literal["missing"] = "missing"
    """Always `missing`."""
    days: list[date]
    """The missing days; empty for what is read at an instant."""
    reason: MissingReason
    """Why it is not known."""


class SilenceNumbers(Body):
    """How much was judged."""

    type: Literal["silence"] = "silence"
    """Always `silence`."""
    judged: int
    """Series of which every day was judged, and found usual."""
    series: int
    """Series that have days."""


Numbers = Annotated[
    HeadlineNumbers
    | MoverNumbers
    | UnusualNumbers
    | ShiftNumbers
    | RecordNumbers
    | MilestoneNumbers
    | SettlingNumbers
    | GapNumbers
    | RestatedNumbers
    | DisputedNumbers
    | MissingNumbers
    | SilenceNumbers,
    Field(discriminator="type"),
]


class Insight(Body):
    """One sentence about the period, and what it rests on."""

    kind: InsightKind
    """What it is about."""
    rule: str
    """Id of the rule that made it; docs/insights.md has each with its parameters."""
    importance: int
    """Size of the effect in `unit`, never a per cent: ranks insights of one unit."""
    unit: str
    """What `importance` counts."""
    product: str | None
    """The product; null for several."""
    metric_ids: list[str]
    """The metrics it is about."""
    sentence: str
    """The insight in plain English, made of its numbers."""
    numbers: Numbers
    """The numbers that it rests on."""
    link: str
    """Path of the API that has these numbers."""


class Insights(Body):
    """The insights of a period."""

    grain: Literal["week", "month", "quarter"]
    """Length of the period."""
    period: str
    """The period: `2026-W47`, `2026-11` or `2026-Q4`."""
    period_start: date
    """First UTC day of the period."""
    period_end: date
    """Last UTC day of the period, inclusive."""
    insights: list[Insight]
    """By kind, then by unit and importance; without anything unusual one of them says so."""
    foremost: list[int]
    """Positions in `insights` of at most four for a first screen, the most important first."""
    freshness: Freshness
    """How fresh the data are."""
