"""The tools. Each reads a view of the API and returns it with a sentence for each number; none writes.

The SDK makes the schemas from these signatures and docstrings, so the annotations are needed at run time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from community_metrics.api.params import MAX_POINTS
from community_metrics.api.problems import invalid
from community_metrics.errors import UnknownName
from community_metrics.mcp_server import answers, mappers
from community_metrics.mcp_server import arguments as a
from community_metrics.model import USUAL_SIDE_DAYS, Visibility
from community_metrics.periods import Grain, last_completed, last_periods, period_named, period_of, today
from community_metrics.suggestions import similar_ids
from community_metrics.views.before_after import load_before_after
from community_metrics.views.compare import load_compared
from community_metrics.views.dashboard import read_dashboard
from community_metrics.views.explanation import load_explanation
from community_metrics.views.insights import read_insights
from community_metrics.views.outages import load_outages
from community_metrics.views.overview import read_overview
from community_metrics.views.selection import load_definitions
from community_metrics.views.series import DayRange, load_series
from community_metrics.views.sums import read_sum

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.mcp_server.reading import Readings
    from community_metrics.model import MetricDefinition
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.dashboard import DashboardRows
    from community_metrics.views.insights import InsightRows
    from community_metrics.views.overview import OverviewRows
    from community_metrics.views.selection import Definitions
    from community_metrics.views.series import MetricSeries
    from community_metrics.views.sums import SumRows

    Versions = Mapping[str, int]

_ONE: Final = "one of event_id and day, a day such as 2026-11-22"
USUAL_PERIODS: Final = 12
MOST_FIGURES: Final = 400
"""Numbers in one answer: about 250 kB, since each has its sentence."""


class Tools:
    """The tools for one viewer."""

    def __init__(self, readings: Readings, viewer: Visibility) -> None:
        self._readings = readings
        self._viewer = viewer

    async def list_metrics(self, product: a.Product = None) -> answers.MetricList:
        """List what is counted: the id, name, source, unit and kind of each metric.

        Call this first: every other tool takes these ids.
        """

        def build(view: Definitions, versions: Versions) -> answers.MetricList:
            products = {metric.product: () for metric in view.metrics}
            if product is not None and product not in products:
                raise UnknownName("product", product, similar_ids(product, products))
            return mappers.metric_list(view, versions, product)

        return await self._readings.answer(self._viewer, load_definitions, build)

    async def series(
        self,
        metric_ids: a.MetricIds,
        grain: a.SeriesGrain = "week",
        from_day: a.FromDay = None,
        to_day: a.ToDay = None,
        total: a.Total = False,
    ) -> answers.Series:
        """Return metrics by day, week or month: each number with its period, completeness and citation.

        Never add the numbers yourself: `total` returns the sum where there is one, and says why where there
        is none. A number that is not complete is no total of its period; null is not known, and not 0.
        """
        asked = _AskedSeries(list(dict.fromkeys(metric_ids)), Grain(grain), from_day, to_day, total)
        return await self._readings.answer(self._viewer, asked.load, _FoundSeries.build)

    async def report(self, product: a.Product = None) -> answers.Report:
        """Say how the products are doing: the headline, what changed, and each product with its metrics.

        It is of the newest week in which a series is complete.
        """
        load = partial(_ReportRows.load, products=None if product is None else [product])
        return await self._readings.answer(self._viewer, load, _ReportRows.build)

    async def insights(self, period: a.PeriodName = None, product: a.Product = None) -> answers.Insights:
        """Say what changed in a week, a month or a quarter, by printed rules, in sentences to quote."""
        found = next((one for grain in Grain if (one := period_named(period or "", grain))), None)
        products = None if product is None else [product]

        def build(rows: InsightRows, versions: Versions) -> answers.Insights:
            metrics: dict[str, MetricDefinition] = {one.metric_id: one for one in rows.stored.definitions}
            return mappers.insights_answer(rows.build(), mappers.Known(metrics, rows.points()), versions)

        load = partial(read_insights, period=found, products=products)
        return await self._readings.answer(self._viewer, load, build)

    async def before_after(
        self,
        metric_id: a.MetricId,
        day: a.EventDay = None,
        event_id: a.EventId = None,
        days: a.SideDays = USUAL_SIDE_DAYS,
        skip_missing: a.SkipMissing = False,
    ) -> answers.Comparison:
        """Compare the mean a day before and after a day or an event: what happened together, not why.

        Name one of `day` and `event_id`. Do not say that the event caused the change.
        """
        if day is not None and event_id is not None:
            raise invalid("day", "cannot be combined with event_id", _ONE)
        if (at := event_id if day is None else day) is None:
            raise invalid("day", "is missing", _ONE)
        load = partial(load_before_after, metric_id=metric_id, at=at, days=days, skip_missing=skip_missing)
        return await self._readings.answer(self._viewer, load, mappers.comparison)

    async def outages(self, limit: a.Limit = 50) -> answers.Outages:
        """List the days that a registry did not count, counted low or late, or restated.

        Look here before you explain a fall.
        """
        build = partial(mappers.outages_answer, limit=limit)
        return await self._readings.answer(self._viewer, load_outages, build)

    async def explain_metric(self, metric_id: a.MetricId) -> answers.Explanation:
        """Explain one metric: what a value means, what may be done with it, and its newest value."""
        load = partial(load_explanation, metric_id=metric_id)
        return await self._readings.answer(self._viewer, load, mappers.explanation)

    @property
    def all(self) -> tuple[Callable[..., Awaitable[object]], ...]:
        """Every tool, in the order of a conversation."""
        return (
            self.list_metrics,
            self.report,
            self.series,
            self.insights,
            self.before_after,
            self.outages,
            self.explain_metric,
        )


@dataclass(frozen=True, slots=True)
class _ReportRows:
    """What was read for a report: one week as the first screen has it, what changed in it, each metric."""

    overview: OverviewRows
    insights: InsightRows
    dashboard: DashboardRows

    @classmethod
    async def load(
        cls, reader: LanceDBReader, catalog: Catalog, now: datetime, *, products: list[str] | None
    ) -> Self:
        """Read the newest week in which a series is complete."""
        overview = await read_overview(reader, catalog, now)
        insights = await read_insights(reader, catalog, now, period=overview.week, products=products)
        dashboard = await read_dashboard(
            reader,
            catalog,
            now,
            grain=Grain.WEEK,
            count=USUAL_PERIODS,
            products=products,
            max_points=MAX_POINTS,
        )
        return cls(overview, insights, dashboard)

    def build(self, versions: Versions) -> answers.Report:
        """Compute all three, and make the answer."""
        metrics = {metric.metric_id: metric for metric in self.overview.stored.definitions}
        known = mappers.Known(metrics, self.insights.points() | self.overview.points())
        return mappers.report(
            self.overview.build(), self.insights.build(), self.dashboard.build(), known, versions
        )


@dataclass(frozen=True, slots=True)
class _FoundSeries:
    """Metrics by period, what their sum is made of if it was asked for, and why some have no sum."""

    views: list[MetricSeries]
    summed: SumRows | None
    unlike: tuple[str, ...] = ()

    def build(self, versions: Versions) -> answers.Series:
        """Compute the sum, and make the answer."""
        total = None if self.summed is None else self.summed.build()
        return mappers.series(self.views, total, self.unlike, versions)


@dataclass(frozen=True, slots=True)
class _AskedSeries:
    """Metrics between two days, with their sum if `is_total`; without `first` the usual number of periods."""

    metric_ids: list[str]
    grain: Grain
    first: date | None
    last: date | None
    is_total: bool

    async def load(self, reader: LanceDBReader, catalog: Catalog, now: datetime) -> _FoundSeries:
        """Read each metric, and what their sum needs or else which of them have none."""
        ids, first, last = self.metric_ids, self.first or self._usual_first(now), self.last
        days = DayRange(self.grain, first, last, MOST_FIGURES // len(ids))
        views = [await load_series(reader, catalog, now, metric_id=name, days=days) for name in ids]
        if self.is_total:
            rows = await read_sum(
                reader, catalog, now, metric_ids=ids, grain=self.grain, first=first, last=last
            )
            return _FoundSeries(views, rows)
        compared = await load_compared(reader, catalog, now, metric_ids=ids, first=first, last=last)
        return _FoundSeries(views, None, tuple(one.sentence for one in compared.alike.refused))

    def _usual_first(self, now: datetime) -> date:
        newest = last_completed(now, self.grain)
        if self.last is not None:
            newest = period_of(min(self.last, today(now)), self.grain)
        return last_periods(newest, USUAL_PERIODS)[0].start
