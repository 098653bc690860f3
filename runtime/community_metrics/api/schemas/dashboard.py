"""The dashboard by week, day and month."""

from __future__ import annotations

from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from community_metrics.api.schemas.base import Body, Freshness
from community_metrics.api.schemas.points import (
    Change,
    DayPoint,
    MetricIdentity,
    MonthPoint,
    Point,
    WeekPoint,
)


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

    points: list[P]
    """One point for each period, also for those without data."""
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
    """Metrics without a single known day in the last year; then there is no value."""


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
    """The display name; the id where the catalogue has none."""
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
