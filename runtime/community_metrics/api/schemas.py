"""The bodies of the API, field by field: what each means, in which unit. Strict: no field more, none less."""

from __future__ import annotations

from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from community_metrics.model import (
    Provenance,
    SourceWindow,
    Status,
    ValueKind,
)


class Body(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Health(Body):
    """The process runs; nothing is said of storage."""

    status: Literal["ok"] = "ok"
    """Always `ok`."""


class Ready(Body):
    """Storage answers."""

    status: Literal["ready"] = "ready"
    """Always `ready`; a service that is not answers 503 with the reason."""


class Versions(Body):
    """Versions of the tables that the body was read from; it never mixes two versions of one table."""

    metrics: int
    """Version of the catalogue as stored."""
    stats: int
    """Version of the observations."""
    history: int
    """Version of the runs."""
    run_outcomes: int
    """Version of the outcomes of each metric in each run."""


class Freshness(Body):
    """How fresh the data of this body are. Instants, never ages: the reader knows what time it is."""

    last_success_at: datetime | None
    """When the last run that asked every registry and got everything ended; null when there was none."""
    is_stale: bool
    """Whether that is more than 8 days before the body was made, or never was."""
    storage_reachable: bool = True
    """False when the database did not answer and this is the last good body."""
    data_as_of: datetime | None = None
    """When the database was last known to hold this; null while it answers."""
    versions: Versions
    """Which versions of the tables the body was read from."""


class Change(Body):
    """How far a value moved between two complete periods."""

    absolute: int
    """Difference, in the metric's unit."""
    fraction: float
    """Difference divided by the base: 0.05 is five per cent up."""


class Point(Body):
    """What is known of one metric in one period."""

    period_start: date
    """First UTC day of the period."""
    period_end: date
    """Last UTC day of the period, inclusive."""
    value: int | None
    """Downloads in the period, or stars at its end; null when nothing is known, never filled or scaled up."""
    days_present: int
    """Days of the period that are in the value; for a level, 1 when it was read."""
    days_expected: int
    """Days that a complete period has; 1 for a level."""
    complete: bool
    """The period is over and nothing is missing from it; never true of an estimate."""
    estimated: bool
    """The value stands in from a wider reading, `fallback_id`; it enters no change, share or total."""
    fallback_id: str | None
    """Which metric the estimate comes from; null for an own value."""
    provenance: Provenance | None
    """The least trusted way one of its values came here; null without a value."""
    status: Status | None
    """Provisional while the registry may still change one of its values; null without a value."""
    revised: bool
    """A registry changed one of its values after it was stored; see `/restatements`."""
    observed_at: datetime | None
    """When its newest value was read at the source; null without a value."""
    duplicated: bool
    """One of its values is stored more than once and the newest copy counts; `repair` deletes the others."""


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


class RunningWeek(WeekPoint):
    """The week that is not over."""

    partial: Literal[True] = True
    """Always true: the value is not the last word on this week."""


class RunningDay(DayPoint):
    """The day that is not over."""

    partial: Literal[True] = True
    """Always true: the value is not the last word on this day."""


class RunningMonth(MonthPoint):
    """The month that is not over."""

    partial: Literal[True] = True
    """Always true: the value is not the last word on this month."""


P = TypeVar("P", bound=Point)
R = TypeVar("R", bound=Point)


class MetricIdentity(Body):
    """What a metric counts."""

    metric_id: str
    """`family:product:detail`, for example `downloads:lance:python`."""
    display_name: str
    """The name for people."""
    metric_family: str
    """First part of the id: `downloads`, `stars`, `stars_retained`."""
    product: str
    """Id of the product it belongs to."""
    source: str
    """Where it is read: `pypistats`, `npm`, `crates`, `github`, `github-history`, `seed`, or a plug-in."""
    subject: str
    """Package or repository, as the source writes it."""
    sdk: str | None
    """The language the package is for; null for a repository."""
    unit: str
    """What is counted: `downloads` or `stars`."""
    value_kind: ValueKind
    """A flow adds over time; a stock is a level, and the last reading counts."""
    source_window: SourceWindow
    """Length of the interval that one stored value covers."""


class MetricSeries(MetricIdentity, Generic[P, R]):
    """One metric over the periods asked for, oldest first, and what is said of its newest complete period."""

    points: list[P]
    """One point for each period, those without data among them."""
    running: R
    """The period that is not over, apart from the others."""
    latest_complete: P | None
    """The newest complete period of the last 64 weeks, 448 days or 15 months; null when there is none."""
    change: Change | None
    """From the period before; null unless both are complete and the base is not 0."""
    four_period_change: Change | None
    """Sum of the last four periods against the four before (a level: against four periods earlier)."""
    year_on_year_change: Change | None
    """Against 52 weeks, 364 days or 12 months earlier."""
    share: float | None
    """Fraction of the product's downloads in that period, 0 to 1; null when one of them is incomplete."""


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
    metric_ids: list[str]
    """The metrics that are added."""
    missing: list[str]
    """Metrics of which not a single day of the last year is known; then there is no value."""


class StarReading(Body):
    """The newest level of one repository."""

    metric_id: str
    """Id of the metric."""
    value: int
    """Stars."""
    observed_at: datetime
    """When they were read."""


class StarsTotal(Body):
    """Stars over all repositories, each as last read."""

    value: int | None
    """Sum of the readings; null when there is none."""
    readings: list[StarReading]
    """What is added."""
    missing: list[str]
    """Repositories never read, which are not in the sum."""


M = TypeVar("M", bound=MetricIdentity)


class ProductSeries(Body, Generic[M]):
    """One product: its metrics and the total of its downloads."""

    product: str
    """Id of the product."""
    display_name: str
    """The name for people; the id where the catalogue has none."""
    metrics: list[M]
    """Its metrics, in the order of the catalogue."""
    downloads_30d: DownloadsTotal | None
    """Its downloads over 30 days; null for a product without download metrics."""


G = TypeVar("G", bound=ProductSeries)  # type: ignore[type-arg]  # bound by each dashboard below


class Dashboard(Body, Generic[G]):
    """Everything a dashboard shows, at one grain."""

    period_start: date
    """First UTC day of the oldest period."""
    period_end: date
    """Last UTC day of the newest period that is over."""
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


class MonthlyMetric(MetricSeries[MonthPoint, RunningMonth]):
    """One metric by calendar month."""


class WeeklyProduct(ProductSeries[WeeklyMetric]):
    """One product by ISO week."""


class DailyProduct(ProductSeries[DailyMetric]):
    """One product by UTC day."""


class MonthlyProduct(ProductSeries[MonthlyMetric]):
    """One product by calendar month."""


class WeeklyDashboard(Dashboard[WeeklyProduct]):
    """Everything a dashboard shows, by ISO week."""

    grain: Literal["week"] = "week"
    """Always `week`."""


class DailyDashboard(Dashboard[DailyProduct]):
    """Everything a dashboard shows, by UTC day."""

    grain: Literal["day"] = "day"
    """Always `day`."""


class MonthlyDashboard(Dashboard[MonthlyProduct]):
    """Everything a dashboard shows, by calendar month."""

    grain: Literal["month"] = "month"
    """Always `month`."""


class Series(Body):
    """One metric between two days."""

    metric: MetricIdentity
    """What is counted."""
    grain: Literal["day", "week", "month"]
    """Length of the periods."""
    points: list[DayPoint | WeekPoint | MonthPoint]
    """One point for each period that holds a day of the range, oldest first; a running one is incomplete."""
    freshness: Freshness
    """How fresh the data are."""


class Definition(MetricIdentity):
    """One metric of the catalogue, as stored."""

    fallbacks: list[str]
    """Metrics that may stand in for it, marked estimated, in this order."""
    is_active: bool
    """Whether it is still collected."""
    created_at: datetime
    """When it was first stored."""


class Definitions(Body):
    """The catalogue as stored."""

    metrics: list[Definition]
    """Every metric ever collected, by id."""
    freshness: Freshness
    """How fresh the data are."""


class Failure(Body):
    """Metrics that failed for one cause."""

    cause: str
    """The error, the same for all of them: host, HTTP status, detail."""
    error_class: str
    """The kind of error: `SourceUnreachable`, `UnknownSubject`, …"""
    url: str | None
    """The address that failed, only its origin for several addresses; null where no request failed."""
    metric_ids: list[str]
    """Ids of the metrics."""
    message: str
    """Cause and metrics in one line."""


class RunRecord(Body):
    """One execution of a job."""

    run_id: str
    """Id of the run."""
    job_name: str
    """The job: `weekly_refresh`, `update_all`, `seed_from_csv`, …"""
    state: Literal["running", "success", "partial", "failed", "abandoned"]
    """How it stands; `abandoned`: it never ended, and its lease on the database expired."""
    started_at: datetime
    """When it began."""
    finished_at: datetime | None
    """When it ended; null while it has not."""
    rows_inserted: int
    """Observations that were new."""
    rows_updated: int
    """Observations that were stored with another value, status or provenance."""
    rows_unchanged: int
    """Observations that were stored already, and were not written."""
    window_start: date | None
    """First day the run asked for."""
    window_end: date | None
    """Last day the run asked for."""
    error_summary: str | None
    """What failed, one line for each cause, for display; null when nothing did."""
    failures: list[Failure]
    """What failed, one entry for each cause."""
    scope: str | None
    """The metrics or globs it was narrowed to, comma separated; null when it asked for every metric."""


class History(Body):
    """Runs, newest first."""

    runs: list[RunRecord]
    """Up to `limit` runs."""
    next_before: datetime | None
    """Give this as `before` for the next page; null on the last one."""
    freshness: Freshness
    """How fresh the data are."""


class MetricStatus(Body):
    """How fresh and how whole one metric is."""

    metric_id: str
    """Id of the metric."""
    source: str
    """Where it is read."""
    newest_day: date | None
    """Newest stored UTC day; null when nothing is stored."""
    settled_through: date | None
    """Last day that its source is known to have published; null for a level and for seed files."""
    missing_days: list[date]
    """Days of the last 12 weeks that are settled and not stored, oldest first."""
    observed_at: datetime | None
    """When its newest value was read."""
    last_error: str | None
    """The error of the last run that reached it; null when that run succeeded."""


class ServiceStatus(Body):
    """How the collecting goes."""

    last_success_at: datetime | None
    """When the last run that got everything ended; null when there was none."""
    last_success_age_hours: int | None
    """Whole hours since then, when the body was made; null when there was none, or while storage is away."""
    is_stale: bool
    """Whether that is more than 8 days, or never was."""
    metrics: list[MetricStatus]
    """Every metric that people look at, in the order of the catalogue."""
    failures: list[Failure]
    """The last errors of these metrics, one entry for each cause."""
    runs: list[RunRecord]
    """The last ten runs, newest first."""
    freshness: Freshness
    """How fresh the data are."""


class Restatement(Body):
    """A value that a registry changed after it was stored."""

    metric_id: str
    """Id of the metric."""
    period_start: date
    """First UTC day the value covers."""
    period_end: date
    """Last UTC day the value covers."""
    first_value: int
    """What was stored first."""
    value: int
    """What the registry says now."""
    revision: int
    """How often it changed."""
    revised_at: datetime
    """When the last change was seen."""


class Restatements(Body):
    """Values that registries changed, last changed first."""

    restatements: list[Restatement]
    """Up to `limit` values."""
    has_more: bool
    """There are more; ask for a later `since`, for one metric, or with a higher `limit`."""
    freshness: Freshness
    """How fresh the data are."""
