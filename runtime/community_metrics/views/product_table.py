"""The products of one period: what each counts, how it changed, its SDKs and its stars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from community_metrics.model import ValueKind
from community_metrics.periods import ONE_DAY, last_completed, today
from community_metrics.readings import day_of_number, number_of_day
from community_metrics.series.additive import adds_up
from community_metrics.series.insights import Total
from community_metrics.series.period_totals import level_of_period, period_total
from community_metrics.series.totals import left_out, level_total
from community_metrics.text import named
from community_metrics.views.selection import STARS, by_product, declared_breaks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.model import LevelBreak, MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.readings import Readings
    from community_metrics.series.grid import PointGrid
    from community_metrics.series.period_totals import LevelOfPeriod, PeriodTotal
    from community_metrics.series.totals import LeftOut, Reading
    from community_metrics.views.runs import Freshness
    from community_metrics.views.selection import StoredMetrics


@dataclass(frozen=True, slots=True)
class Stars:
    """Stars at the end of the period, or as last read (`read`) where no repository was read then."""

    value: int
    of_period: LevelOfPeriod | None
    read: tuple[Reading, ...]
    repositories: int


@dataclass(frozen=True, slots=True)
class ProductOfPeriod:
    """One product: what it counts by the period, and its stars.

    `unit` is None where no metric adds up; then there is no total. `left_out` are series that have failed for
    more than two weeks.
    """

    product: str
    display_name: str
    unit: str | None
    total: PeriodTotal | None
    left_out: tuple[LeftOut, ...]
    stars: Stars | None

    @property
    def is_known(self) -> bool:
        """Whether there is a value to show: stars, or a total or an estimate of any period."""
        values = () if self.total is None else (*self.total.totals, *self.total.estimates)
        return self.stars is not None or any(value is not None for value in values)

    @property
    def size(self) -> int:
        """The value by which products of one unit are sorted; -1 without one."""
        return -1 if self.total is None or self.total.value is None else self.total.value


@dataclass(frozen=True)
class ProductTable:
    """Computes the products of the grid's last period; a total is searched in the last `shown` periods."""

    stored: StoredMetrics
    period: Period
    readings: Readings
    newest_stars: Readings
    freshness: Freshness
    grid: PointGrid
    rows: Mapping[str, int]
    shown: int

    def product(self, product: str, metrics: Sequence[MetricDefinition]) -> ProductOfPeriod:
        """Return a product whose value is the sum of `metrics`."""
        failed = left_out_of(self.period, metrics, self.readings, self.freshness)
        return ProductOfPeriod(
            product=product,
            display_name=self.stored.product_names.get(product, product),
            unit=metrics[0].unit if metrics else None,
            total=self.total(metrics, failed) if metrics else None,
            left_out=failed,
            stars=self.stars([one for one in self.stored.stars if one.product == product]),
        )

    def total(self, metrics: Sequence[MetricDefinition], failed: Sequence[LeftOut]) -> PeriodTotal:
        """Return the total of metrics without those that have failed for more than two weeks."""
        excluded = {one.metric_id for one in failed}
        own = [metric for metric in metrics if metric.metric_id not in excluded]
        return period_total(self.grid, own, self.rows, shown=self.shown, breaks=_breaks(own))

    def stars(self, metrics: Sequence[MetricDefinition]) -> Stars | None:
        """Return the stars of some repositories; None where none was read."""
        of_period = level_of_period(self.grid, metrics, self.rows, _breaks(metrics))
        if of_period is not None:
            return Stars(of_period.value, of_period, (), len(metrics))
        last = level_total(self.newest_stars, metrics)
        is_last = self.period == last_completed(self.freshness.now, self.period.grain)
        if last.value is None or not is_last:
            return None
        return Stars(last.value, None, last.readings, len(metrics))


def measured_of(stored: StoredMetrics) -> dict[str, Sequence[MetricDefinition]]:
    """Return the series that the value of each product is the sum of, by product.

    Its daily downloads; without any, the metrics of its first family that adds up by the period. Stars have
    a column of their own.
    """
    return {product: _measured(stored, product) for product in by_product(stored.shown)}


def _measured(stored: StoredMetrics, product: str) -> Sequence[MetricDefinition]:
    if downloads := stored.downloads.get(product):
        return downloads
    flows = [
        metric
        for metric in stored.shown
        if metric.product == product
        and metric.value_kind in {ValueKind.FLOW, ValueKind.COUNTER}
        and adds_up(metric)
        and metric.unit != STARS
    ]
    return [one for one in flows if (one.metric_family, one.unit) == (flows[0].metric_family, flows[0].unit)]


def table_order(product: ProductOfPeriod) -> tuple[int, str, int, int]:
    """Return the place in the table: a value of one unit is never compared with one of another."""
    rank = {"downloads": 0, None: 2}.get(product.unit, 1)
    return rank, product.unit or "", -product.size, -(product.stars.value if product.stars else -1)


def totals_of(
    stored: StoredMetrics,
    chosen: Sequence[MetricDefinition],
    readings: Readings,
    period: Period,
    freshness: Freshness,
) -> tuple[Total, ...]:
    """Return the totals of products, and before them, where there are several, the one of all products."""
    of_products = []
    for product in by_product(chosen):
        if downloads := stored.downloads.get(product):
            failed = left_out_of(period, downloads, readings, freshness)
            name = stored.product_names.get(product, product)
            left = frozenset(one.metric_id for one in failed)
            of_products.append(Total(name, product, tuple(downloads), left))
    if len(of_products) < 2:  # noqa: PLR2004  one product is its own total
        return tuple(of_products)
    every = tuple(metric for total in of_products for metric in total.metrics)
    left = frozenset(name for total in of_products for name in total.left_out)
    names = [total.name for total in of_products]
    name = "All products" if stored.downloads.keys() <= set(by_product(chosen)) else named(names)
    return (Total(name, None, every, left), *of_products)


def left_out_of(
    period: Period, metrics: Sequence[MetricDefinition], readings: Readings, freshness: Freshness
) -> tuple[LeftOut, ...]:
    """Return what had failed for two weeks when the period was over; of the last one, what has by now."""
    until = last_day_read(period, freshness.now)
    last = number_of_day(until)
    newest: dict[str, date] = {}
    for metric in metrics:
        first_day, last_day = readings.spans.get(metric.metric_id, (last + 1, last + 1))
        if last_day > last >= first_day:
            numbers = readings.of_metric(metric.metric_id)["last_day"]
            last_day = int(numbers[np.searchsorted(numbers, last, side="right") - 1])
        if last_day <= last:
            newest[metric.metric_id] = day_of_number(last_day)
    published = {
        source: None if day is None else min(day, until) for source, day in freshness.newest_days.items()
    }
    return left_out(metrics, newest, published)


def last_day_read(period: Period, now: datetime) -> date:
    """Return the last day that a reading may have: a level's edge is up to a day after the period."""
    is_last = period.end >= last_completed(now, period.grain).end
    return today(now) if is_last else period.end + ONE_DAY


def _breaks(metrics: Sequence[MetricDefinition]) -> dict[str, tuple[LevelBreak, ...]]:
    return {metric.metric_id: declared_breaks(metric) for metric in metrics}
