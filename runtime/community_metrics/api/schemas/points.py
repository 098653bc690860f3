"""Points and series: one metric in a period, and between two days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from community_metrics.api.schemas.base import Body, Freshness
from community_metrics.model import Provenance, SourceWindow, Status, ValueKind


class Change(Body):
    """How far a value moved between two complete periods."""

    absolute: int
    """Difference from the base, in the metric's unit. A month's base is the earlier daily mean, as long."""
    fraction: float
    """Difference divided by the base: 0.05 is five per cent up."""


class LevelBreak(Body):
    """A day from which on a source counts in another way; no change is computed across it."""

    day: date
    """First day that is counted in the new way."""
    reason: str
    """What changed, as the source declares it."""


class Point(Body):
    """What is known of one metric in one period."""

    period_start: date
    """First UTC day of the period."""
    period_end: date
    """Last UTC day of the period, inclusive."""
    value: int | None
    """Downloads in the period, or stars at its end; null when nothing is known, never filled or scaled up.

    A counter: how much it grew between the edges of the period. A rolling total: its last reading in the
    period. Uniques: those of a day, null for a week or a month, because they do not add up.
    """
    days_present: int
    """Days of the period that are in the value; for a level or a rolling total, 1 when it was read."""
    days_expected: int
    """Days that a complete period has; 1 for a level or a rolling total."""
    complete: bool
    """The period is over and no day of it is missing; never true of an estimate."""
    estimated: bool
    """The value comes from a wider reading, `fallback_id`; it enters no change, share or total."""
    fallback_id: str | None
    """Which metric the estimate comes from; null for an own value."""
    provenance: Provenance | None
    """The lowest-ranked provenance among its values; null without a value."""
    status: Status | None
    """Provisional while the registry may still change one of its values; null without a value."""
    restated: bool
    """A registry changed one of its values after it was stored; see `/restatements`."""
    observed_at: datetime | None
    """When its newest value was read at the source; null without a value."""
    duplicated: bool
    """One of its values is stored more than once and the newest copy counts; `repair` deletes the others."""
    reset: bool
    """The counter was reset in the period, so that its flow is not known and `value` is null."""


class WeekPoint(Point):
    """One ISO week."""

    week: str
    """ISO name of the week: `2026-W47`, by ISO year."""


class DayPoint(Point):
    """One UTC day."""

    day: date
    """The day."""


class MonthPoint(Point):
    """One calendar month, in UTC."""

    month: str
    """The month: `2026-11`."""


class Dispute(Body):
    """A day that a second witness counts otherwise; nothing is corrected."""

    metric_id: str
    """Id of the metric."""
    day: date
    """The UTC day."""
    value: int
    """What is stored, from the metric's own source."""
    witness: str
    """Who counted otherwise: `clickpy`."""
    witness_value: int
    """What it counted. The two differ by more than 5 % of `value`."""


class MetricIdentity(Body):
    """What a metric counts."""

    metric_id: str
    """`family:product:detail`, for example `downloads:lance:python`."""
    display_name: str
    """The display name."""
    metric_family: str
    """First part of the id: `downloads`, `stars`, `stars_retained`; `registry` is the total of a registry."""
    product: str
    """Id of the product it belongs to; of the total of a registry, the registry: `npm`."""
    source: str
    """Where it is read: `pypistats`, `npm`, `crates`, `github`, `github-history`, `seed`, or a plug-in."""
    subject: str
    """Package or repository, as the source writes it."""
    sdk: str | None
    """The language the package is for; null for a repository."""
    unit: str
    """What is counted: `downloads`, `stars`, `views`. What is in `uniques` is never added up."""
    value_kind: ValueKind
    """How values combine over time.

    A flow adds up. Of a level the last reading counts. The difference of two readings of a counter is a flow.
    A rolling total is compared with the reading one whole window earlier, and never added up.
    """
    source_window: SourceWindow
    """Length of the interval that one stored value covers."""


class Series(Body):
    """One metric between two days."""

    metric: MetricIdentity
    """What is counted."""
    grain: Literal["day", "week", "month"]
    """Length of the periods."""
    points: list[DayPoint | WeekPoint | MonthPoint]
    """One point for each period that holds a day of the range, oldest first; a running one is incomplete."""
    disputes: list[Dispute]
    """Days of these periods that a second witness counts otherwise, oldest first."""
    freshness: Freshness
    """How fresh the data are."""


class RegistryPoint(Body):
    """One period of a metric and of its registry, over the days that both have."""

    period: str
    """Name of the period: `2026-11-18`, `2026-W47` or `2026-11`."""
    period_start: date
    """First UTC day of the period."""
    period_end: date
    """Last UTC day of the period, inclusive."""
    value: int | None
    """The metric's sum over the days that both have; null without one. Estimates are left out."""
    registry_value: int | None
    """The sum over the same days of everything that the registry counted; null without one."""
    days_present: int
    """Days that both have. A day that the registry did not count, or only in part, is none."""
    days_expected: int
    """Days that a complete period has."""
    complete: bool
    """The period is over and both have every day of it."""
    share_ppm: float | None
    """Share of the registry in parts per million; null without a day that both have."""
    growth: float | None
    """Change of the metric from the period before, by the daily mean: 0.05 is five per cent up.

    Null, like the other two, unless both periods are complete, and across a change of counting.
    """
    registry_growth: float | None
    """Change of the registry from the period before."""
    net_growth: float | None
    """The metric's growth without the registry's: (1 + growth) / (1 + registry_growth) - 1."""


class BesideRegistry(Body):
    """One metric beside the total of its registry."""

    metric: MetricIdentity
    """What is counted."""
    registry: MetricIdentity
    """The total of its registry, counted in the same way."""
    grain: Literal["day", "week", "month"]
    """Length of the periods."""
    points: list[RegistryPoint]
    """One point for each period that holds a day of the range, oldest first; a running one is incomplete."""
    freshness: Freshness
    """How fresh the data are."""


class Definition(MetricIdentity):
    """One metric of the catalogue, as stored."""

    fallbacks: list[str]
    """Metrics that may replace its missing periods, marked as estimates, in this order."""
    is_active: bool
    """Whether it is still collected."""
    visibility: Literal["public", "team"]
    """Who may see it: everybody, or only who sends an accepted token."""
    watch: bool
    """Whether it is somebody else's: it may be compared with, and is in no total, insight or table."""
    created_at: datetime
    """When it was first stored."""


class Definitions(Body):
    """The catalogue as stored."""

    metrics: list[Definition]
    """Every metric ever collected, by id."""
    freshness: Freshness
    """How fresh the data are."""
