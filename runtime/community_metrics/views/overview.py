"""One week of every product: its total, how it changed, a year of weeks, its SDKs and its stars.

Reading and computing are two steps, so that the API can compute in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import PeriodNotOver
from community_metrics.model import ValueKind
from community_metrics.periods import Grain, last_completed, last_periods, period_of, today
from community_metrics.readings import number_of_day
from community_metrics.series.change import YEAR
from community_metrics.series.insights import Material
from community_metrics.series.insights.headline import headlines
from community_metrics.series.points import points, points_of_period
from community_metrics.views.product_table import (
    ProductTable,
    last_day_read,
    measured_of,
    table_order,
    totals_of,
)
from community_metrics.views.rows import newest_readings, since_edge, with_fallbacks
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics, declared_breaks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.readings import Readings
    from community_metrics.series.grid import Point, PointGrid
    from community_metrics.series.insights import Insight
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.product_table import ProductOfPeriod, Stars
    from community_metrics.views.runs import Freshness

SHOWN: Final = 52
"""Weeks of a sparkline; a total is searched in the same weeks."""
_READ: Final = SHOWN + YEAR[Grain.WEEK]
"""Weeks that are read, so that the oldest week shown has one a year earlier."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The products of a week, the largest first; those with downloads come before all others.

    `complete` of `series` are complete in the week. `headline` is the total of all products, where one is
    known. `previous` and `next` are the weeks beside it that can be shown.
    """

    name: str | None
    week: Period
    previous: Period | None
    next: Period | None
    weeks: tuple[Period, ...]
    complete: int
    series: int
    headline: Insight | None
    products: tuple[ProductOfPeriod, ...]
    stars: Stars | None
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class OverviewRows:
    """What was read for the overview of a week."""

    stored: StoredMetrics
    week: Period
    readings: Readings
    newest_stars: Readings
    freshness: Freshness

    def build(self) -> Overview:
        """Compute the overview."""
        measured = measured_of(self.stored)
        counted = [metric for metrics in measured.values() for metric in metrics]
        metrics = {metric.metric_id: metric for metric in (*counted, *self.stored.stars)}
        grid = points(
            list(metrics.values()), self.readings, last_periods(self.week, _READ), self.freshness.now
        )
        table = ProductTable(
            stored=self.stored,
            period=self.week,
            readings=self.readings,
            newest_stars=self.newest_stars,
            freshness=self.freshness,
            grid=grid,
            rows={name: row for row, name in enumerate(metrics)},
            shown=SHOWN,
        )
        products = [table.product(product, own) for product, own in measured.items()]
        last = last_completed(self.freshness.now, Grain.WEEK)
        complete = sum(bool(grid.complete[table.rows[metric.metric_id], -1]) for metric in counted)
        return Overview(
            name=self.stored.catalog.name,
            week=self.week,
            previous=self.week.shifted(-1) if self._has_earlier(grid) else None,
            next=self.week.shifted(1) if self.week.start < last.start else None,
            weeks=grid.periods[-SHOWN:],
            complete=complete,
            series=len(counted),
            headline=self._headline(),
            products=tuple(sorted(products, key=table_order)),
            stars=table.stars(self.stored.stars),
            freshness=self.freshness,
        )

    def points(self) -> dict[str, Point]:
        """Return the point in the week of each metric that the products are made of."""
        measured = [metric for own in measured_of(self.stored).values() for metric in own]
        return points_of_period(measured, self.readings, self.week, self.freshness.now)

    def _headline(self) -> Insight | None:
        """Return the headline of `views.insights`: the same rule over the same series."""
        totals = totals_of(self.stored, self.stored.shown, self.readings, self.week, self.freshness)[:1]
        metrics = tuple(metric for total in totals for metric in total.metrics)
        material = Material(
            period=self.week,
            now=self.freshness.now,
            metrics=metrics,
            readings=self.readings,
            totals=totals,
            breaks={one.metric_id: declared_breaks(one) for one in metrics},
        )
        return next(headlines(material), None)

    def _has_earlier(self, grid: PointGrid) -> bool:
        return any(not grid.is_unknown(row)[:-1].all() for row in range(len(grid.metrics)))


async def read_overview(
    reader: LanceDBReader, catalog: Catalog, now: datetime, *, week: Period | None = None
) -> OverviewRows:
    """Read the overview of a week, by default of the newest completed week that has a complete series.

    Where no series has a complete week, the default is the week of the newest data.

    Raises:
        PeriodNotOver: the week is not over.
    """
    if week is not None and not week.is_over(now):
        raise PeriodNotOver(week.grain.value, week.label, last_completed(now, week.grain).label)
    stored = StoredMetrics(await reader.metrics(), catalog)
    metrics = [
        *(metric for own in measured_of(stored).values() for metric in own),
        *stored.stars,
    ]
    ids, most = with_fallbacks(metrics), stored.are_most(with_fallbacks(metrics))
    freshness = await load_freshness(reader, now, stored.definitions)
    last = week or await _newest_week(reader, stored, ids, now)
    readings = await reader.readings(
        ids, since=since_edge(last_periods(last, _READ)), until=last_day_read(last, now), most_of_table=most
    )
    shown = week or _default_week(metrics, readings, last, now)
    if shown != last:
        until = number_of_day(last_day_read(shown, now))
        readings = type(readings)(readings.metric_ids, readings.rows[readings.rows["last_day"] <= until])
    stars = await newest_readings(reader, [metric.metric_id for metric in stored.stars], today(now))
    return OverviewRows(stored, shown, readings, stars, freshness)


async def _newest_week(
    reader: LanceDBReader, stored: StoredMetrics, ids: Sequence[str], now: datetime
) -> Period:
    """Return the week of the newest data, or the last one that is over."""
    newest = await newest_readings(reader, ids, today(now), most_of_table=stored.are_most(ids))
    days = [day for metric_id in ids for day in newest.days(metric_id)]
    last = last_completed(now, Grain.WEEK)
    found = period_of(max(days, default=last.end), Grain.WEEK)
    return last if found.start > last.start else found


def _default_week(
    metrics: Sequence[MetricDefinition], readings: Readings, last: Period, now: datetime
) -> Period:
    """Return the newest of the last weeks in which a flow is complete, else the newest with any value."""
    periods = last_periods(last, 1 + timedelta(days=21).days // 7)
    grid = points(list(metrics), readings, periods, now)
    flows = [row for row, metric in enumerate(metrics) if metric.value_kind is not ValueKind.LEVEL]
    for at in reversed(range(len(periods))):
        if flows and grid.complete[flows, at].any():
            return periods[at]
    known = [at for at in range(len(periods)) if any(not grid.is_unknown(row)[at] for row in flows)]
    return periods[known[-1]] if known else last
