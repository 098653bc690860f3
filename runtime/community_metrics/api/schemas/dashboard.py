"""The dashboard by week, day and month."""

from __future__ import annotations

from datetime import date, datetime
from typing import Generic, Literal, TypeAlias, TypeVar

from community_metrics.api.schemas.base import Body, Freshness
from community_metrics.api.schemas.points import (
    Change,
    DayPoint,
    Dispute,
    LevelBreak,
    MetricIdentity,
    MonthPoint,
    Point,
    WeekPoint,
)
from community_metrics.model import Provenance, Status

T = TypeVar("T")
Column: TypeAlias = T | list[T]
"""One item for each period, in their order, or the item alone when it is the same in every period."""


class Periods(Body):
    """The periods of a dashboard, oldest first; every list has one item for each."""

    period_start: list[date]
    """First UTC day of each period."""
    period_end: list[date]
    """Last UTC day of each period, inclusive."""


class Weeks(Periods):
    """The ISO weeks of a dashboard, oldest first; every list has one item for each."""

    week: list[str]
    """ISO name of each week: `2026-W47`, by ISO year."""


class Days(Periods):
    """The UTC days of a dashboard, oldest first; every list has one item for each."""

    day: list[date]
    """Each day."""


class Months(Periods):
    """The calendar months of a dashboard, in UTC, oldest first; every list has one item for each."""

    month: list[str]
    """Each month: `2026-11`."""


class PointColumns(Body):
    """What is known of one metric in each of the dashboard's `periods`: the points of a series, by field.

    Item `i` of every list belongs to item `i` of the lists in `periods`. `value` is always a list. Any other
    field is a list, or the single item that all periods share.
    """

    value: list[int | None]
    """Downloads in the period, or stars at its end; null when nothing is known, never filled or scaled up.

    A counter: how much it grew between the edges of the period. A rolling total: its last reading in the
    period. Uniques: those of a day, null for a week or a month, because they do not add up.
    """
    days_present: Column[int]
    """Days of the period that are in the value; for a level or a rolling total, 1 when it was read."""
    days_expected: Column[int]
    """Days that a complete period has; 1 for a level or a rolling total."""
    complete: Column[bool]
    """The period is over and no day of it is missing; never true of an estimate."""
    estimated: Column[bool]
    """The value comes from a wider reading, `fallback_id`; it enters no change, share or total."""
    fallback_id: Column[str | None]
    """Which metric the estimate comes from; null for an own value."""
    provenance: Column[Provenance | None]
    """The lowest-ranked provenance among its values; null without a value."""
    status: Column[Status | None]
    """Provisional while the registry may still change one of its values; null without a value."""
    restated: Column[bool]
    """A registry changed one of its values after it was stored; see `/restatements`."""
    observed_at: Column[datetime | None]
    """When its newest value was read at the source; null without a value."""
    duplicated: Column[bool]
    """One of its values is stored more than once and the newest copy counts; `repair` deletes the others."""
    reset: Column[bool]
    """The counter was reset in the period, so that its flow is not known and `value` is null."""


class Reading(Body):
    """The newest reading of a metric."""

    metric_id: str
    """Id of the metric."""
    value: int
    """What was read, in the metric's unit."""
    period_end: date
    """Last UTC day that the value covers; the day of the reading for a level or a counter."""
    observed_at: datetime
    """When it was read."""


class LeftOut(Body):
    """A metric that has failed for more than two weeks, and so is in no total."""

    metric_id: str
    """Id of the metric."""
    newest_day: date | None
    """Its newest day of the last year; null when there is none."""


class RunningWeek(WeekPoint):
    """The week that is not over."""

    partial: Literal[True] = True
    """Always true: the value of this week will still change."""


class RunningDay(DayPoint):
    """The day that is not over."""

    partial: Literal[True] = True
    """Always true: the value of this day will still change."""


class RunningMonth(MonthPoint):
    """The month that is not over."""

    partial: Literal[True] = True
    """Always true: the value of this month will still change."""


P = TypeVar("P", bound=Point)
R = TypeVar("R", bound=Point)


class MetricSeries(MetricIdentity, Generic[P, R]):
    """One metric over the periods of the dashboard, oldest first, and what its newest complete one means."""

    points: PointColumns
    """What is known in each of the dashboard's `periods`, also in those without data."""
    running: R
    """The period that is not over, apart from the others."""
    latest_reading: Reading | None
    """The newest reading, in whatever period, of a level, a counter (its total), a rolling total or uniques.

    Null for any other flow, or when never read.
    """
    latest_complete: P | None
    """The newest complete period of the last 64 weeks, 448 days or 15 months, even if not in `periods`."""
    change: Change | None
    """From the period before, months by daily mean; null unless both are complete and the base is not 0.

    Of a rolling total from the reading one whole window earlier.
    """
    four_period_change: Change | None
    """Sum of the last four periods against the four before (a level: against four periods earlier).

    Null for a rolling total and for uniques.
    """
    year_on_year_change: Change | None
    """Against 52 weeks, 364 days or 12 months earlier; null for a rolling total."""
    level_break: LevelBreak | None
    """The newest change of counting that one of the changes would cross and so is null; null without one."""
    share: float | None
    """Fraction of the product's downloads in that period, 0 to 1; null when one of them is incomplete."""
    disputes: list[Dispute]
    """Days of the periods that a second witness counts otherwise, oldest first."""


class DownloadsTotal(Body):
    """Downloads of a product over the last 30 days that all of its metrics have."""

    value: int | None
    """Downloads; null when no day of the last year is known of all of them."""
    period_start: date | None
    """First UTC day of the 30."""
    period_end: date | None
    """Last UTC day of the 30: the newest that all metrics have."""
    days_present: int
    """Days that are in the value: those that every metric has."""
    days_expected: int
    """Always 30."""
    missing_days: list[date]
    """Days of the 30 that are not in the value, because a metric lacks them; oldest first."""
    metric_ids: list[str]
    """The metrics that are added."""
    waits_for: list[str]
    """Metrics that lack the day after `period_end`, which another one has; without a value: any day."""
    left_out: list[LeftOut]
    """Metrics that have failed for more than two weeks: not added, and not waited for; no share either."""


class StarsTotal(Body):
    """Stars over all repositories, each as last read."""

    value: int | None
    """Sum of the readings; null when there is none."""
    readings: list[Reading]
    """What is added."""
    missing: list[str]
    """Repositories never read, which are not in the sum."""
    left_out: list[LeftOut]
    """Repositories whose newest reading is over two weeks older than the newest of all; not in the sum."""


M = TypeVar("M", bound=MetricIdentity)


class ProductSeries(Body, Generic[M]):
    """One product: its metrics and the total of its downloads."""

    product: str
    """Id of the product."""
    display_name: str
    """The display name; the id where the catalogue has none."""
    metrics: list[M]
    """Its metrics, in the order of the catalogue."""
    downloads_30d: DownloadsTotal | None
    """Its downloads over 30 days; null for a product without download metrics."""


G = TypeVar("G", bound=ProductSeries)  # type: ignore[type-arg]  # bound by each dashboard below
S = TypeVar("S", bound=Periods)


class Dashboard(Body, Generic[S, G]):
    """Everything a dashboard shows, at one grain."""

    period_start: date
    """First UTC day of the oldest period."""
    period_end: date
    """Last UTC day of the newest period that is over."""
    periods: S
    """The periods of `points`, which all metrics share."""
    products: list[G]
    """Products in the order of the catalogue."""
    stars: StarsTotal
    """Stars over all repositories, whatever the filter."""
    freshness: Freshness
    """How fresh the data are."""


class WeeklyMetric(MetricSeries[WeekPoint, RunningWeek]):
    """One metric by ISO week."""


class DailyMetric(MetricSeries[DayPoint, RunningDay]):
    """One metric by UTC day."""

    average_7d: list[float | None] | None
    """Mean of the seven days that end with each day, to one decimal; null where one of them is not complete.

    Null as a whole for a level or a rolling total, whose readings are not amounts of a day.
    """


class MonthlyMetric(MetricSeries[MonthPoint, RunningMonth]):
    """One metric by calendar month."""


class WeeklyProduct(ProductSeries[WeeklyMetric]):
    """One product by ISO week."""


class DailyProduct(ProductSeries[DailyMetric]):
    """One product by UTC day."""


class MonthlyProduct(ProductSeries[MonthlyMetric]):
    """One product by calendar month."""


class WeeklyDashboard(Dashboard[Weeks, WeeklyProduct]):
    """Everything a dashboard shows, by ISO week."""

    grain: Literal["week"] = "week"
    """Always `week`."""


class DailyDashboard(Dashboard[Days, DailyProduct]):
    """Everything a dashboard shows, by UTC day."""

    grain: Literal["day"] = "day"
    """Always `day`."""


class MonthlyDashboard(Dashboard[Months, MonthlyProduct]):
    """Everything a dashboard shows, by calendar month."""

    grain: Literal["month"] = "month"
    """Always `month`."""
