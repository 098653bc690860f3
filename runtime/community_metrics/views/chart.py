"""Several metrics, or their total, over the same periods, with what happened in them: the content of a chart.

Reading and computing are two steps, so that the API can compute in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import NoSuchFamily, NotComparable, TooManyLines, TooManyPoints
from community_metrics.model import EventKind, ValueKind, event_order
from community_metrics.periods import Grain, last_completed, period_of, today
from community_metrics.series.additive import is_by_day_only, require_additive, require_grain
from community_metrics.series.alike import Candidate, require_alike
from community_metrics.series.points import points
from community_metrics.views.events import outage_events
from community_metrics.views.product_table import left_out_of
from community_metrics.views.rows import newest_readings, since_edge, with_fallbacks
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import DOWNLOADS, StoredMetrics, declared_breaks
from community_metrics.views.series import DayRange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import Event, LevelBreak, MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.readings import Readings
    from community_metrics.series.freshness import SourceFreshness
    from community_metrics.series.grid import PointGrid, PointSeries
    from community_metrics.series.totals import LeftOut
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness

MOST_LINES: Final = 8
"""Lines of one chart: more do not differ."""
MOST_SUMMED: Final = 50
"""Metrics of one total."""
MOST_DOTS: Final = 530
"""Values of one chart, lines times periods; a picture of them has at most 20 kB."""
_LONGEST_WINDOW: Final = timedelta(days=31)
_WIDER: Final = {Grain.DAY: Grain.WEEK, Grain.WEEK: Grain.MONTH, Grain.MONTH: Grain.QUARTER}
_ORDER: Final = (
    *(EventKind.NOTE, EventKind.POST, EventKind.MENTION),
    *(EventKind.OUTAGE, EventKind.RELEASE),
)
"""Kinds of events by what a reader of a chart looks for; of previews there are too many."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days that a chart is asked for: so many up to the newest data, or from a day to a day.

    Without both, since the oldest stored day.
    """

    days: int | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a chart is asked to show: metrics by their ids, else those of a family, of some products or all.

    `is_total` asks for their sum in place of each.
    """

    metric_ids: Sequence[str] = ()
    family: str | None = None
    products: Sequence[str] = ()
    grain: Grain = Grain.WEEK
    span: Span = Span()
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of the metrics in each period, None where one of them is not complete.

    `provisional` says of each period whether a part of the sum may still change, `restated` whether a part
    was changed after it had settled. `waits_for` are not complete in the last period; `left_out` have failed
    for more than two weeks, and are in no sum.
    """

    values: tuple[int | None, ...]
    provisional: tuple[bool, ...]
    restated: tuple[bool, ...]
    waits_for: tuple[str, ...]
    left_out: tuple[LeftOut, ...]

    def since(self, at: int) -> Total:
        """Return the total without the periods before a position."""
        return replace(
            self,
            values=self.values[at:],
            provisional=self.provisional[at:],
            restated=self.restated[at:],
        )


@dataclass(frozen=True, slots=True)
class ChartView:
    """What a chart shows.

    `metrics` has the points of each metric; with a `total`, of each that is in it. `grain` may be wider than
    the `asked` one, where the periods are more than a chart has room for. `events` come with the most
    important ones first.
    """

    metrics: tuple[PointSeries, ...]
    total: Total | None
    periods: tuple[Period, ...]
    asked: Grain
    asked_periods: int
    events: tuple[Event, ...]
    breaks: tuple[LevelBreak, ...]
    newest_day: date | None
    product_names: Mapping[str, str]
    freshness: Freshness

    @property
    def grain(self) -> Grain:
        """The length of the periods."""
        return self.periods[0].grain

    @property
    def definitions(self) -> tuple[MetricDefinition, ...]:
        """The metrics."""
        return tuple(series.metric for series in self.metrics)

    @property
    def stale(self) -> tuple[SourceFreshness, ...]:
        """The stale sources of the metrics."""
        used = {metric.source for metric in self.definitions}
        return tuple(source for source in self.freshness.stale if source.source in used)


@dataclass(frozen=True, slots=True)
class ChartRows:
    """What was read for a chart."""

    asked: Request
    stored: StoredMetrics
    metrics: tuple[MetricDefinition, ...]
    periods: tuple[Period, ...]
    asked_periods: int
    readings: Readings
    newest: Mapping[str, date]
    events: tuple[Event, ...]
    freshness: Freshness

    def build(self) -> ChartView:
        """Compute the chart.

        Raises:
            NotAlike: the parts of the total are of several kinds, count in several ways, or one changed its
                way within the days that are shown.
            NotComparable: they have several units.
        """
        failed: tuple[LeftOut, ...] = ()
        if self.asked.is_total:
            failed = left_out_of(self.periods[-1], self.metrics, self.readings, self.freshness)
        if len(failed) == len(self.metrics):  # nothing else is left to sum
            failed = ()
        excluded = {one.metric_id for one in failed}
        shown = [metric for metric in self.metrics if metric.metric_id not in excluded]
        grid = points(shown, self.readings, self.periods, self.freshness.now)
        breaks = {one for metric in shown for one in declared_breaks(metric)}
        series = tuple(grid.series(row) for row in range(len(shown)))
        total = _total(grid, failed) if self.asked.is_total else None
        first = self._first_known(total)
        if total is not None:
            parts = [Candidate(one, self.stored.way_of(one), declared_breaks(one)) for one in shown]
            start = self.periods[first].start  # may be before the first day that is asked for
            require_alike(parts, max(start, self.asked.span.first or start), self.periods[-1].end)
        return ChartView(
            metrics=tuple(one[first:] for one in series),
            total=None if total is None else total.since(first),
            periods=self.periods[first:],
            asked=self.asked.grain,
            asked_periods=self.asked_periods,
            events=tuple(event for event in self.events if event.day >= self.periods[first].start),
            breaks=tuple(sorted(breaks, key=lambda one: one.day)),
            newest_day=max(self.newest.values(), default=None),
            product_names=self.stored.product_names,
            freshness=self.freshness,
        )

    def _first_known(self, total: Total | None) -> int:
        """Return the first period of a chart of all that is stored: a sum begins with its youngest part."""
        if total is None or self.asked.span != Span():
            return 0
        return next((at for at, value in enumerate(total.values) if value is not None), 0)


def _total(grid: PointGrid, failed: tuple[LeftOut, ...]) -> Total:
    rows = range(len(grid.metrics))
    return Total(
        values=tuple(grid.complete_totals(rows)),
        provisional=tuple(bool(grid.provisional[:, at].any()) for at in range(len(grid.periods))),
        restated=tuple(bool(grid.restated[:, at].any()) for at in range(len(grid.periods))),
        waits_for=tuple(grid.metrics[row].metric_id for row in rows if not grid.complete[row, -1]),
        left_out=failed,
    )


async def read_chart(reader: LanceDBReader, catalog: Catalog, now: datetime, asked: Request) -> ChartRows:
    """Read what a chart needs.

    Raises:
        UnknownName: a metric or a product is not stored.
        NoSuchFamily: no metric of the family is shown.
        TooManyLines: the metrics are more than a chart, or a total, can have.
        NotComparable: the metrics do not count the same thing, so that they have no axis in common; of a
            total the chart says so once it is built.
        NotAdditive: the metrics have no total, or no values of this grain.
        NotAlike: the total would count what one metric counts twice, as beside the total of its registry.
        InvalidRange: the first day is after the last.
        TooManyPoints: no wider periods make the chart small enough.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    metrics = _chosen(stored, asked)
    ids = with_fallbacks(metrics)
    newest = await newest_readings(reader, ids, today(now))
    newest_days = {name: days[-1] for name in ids if (days := newest.days(name))}
    end = min(max(newest_days.values(), default=today(now)), today(now))
    first = asked.span.first or await _first_day(reader, ids, end)
    periods, count = _periods(asked, metrics, first, end, now)
    readings = await reader.readings(
        ids, since=since_edge(periods), until=min(periods[-1].end + _LONGEST_WINDOW, today(now))
    )
    return ChartRows(
        asked=asked,
        stored=stored,
        metrics=metrics,
        periods=periods,
        asked_periods=count,
        readings=readings,
        newest={
            metric.metric_id: newest_days[metric.metric_id]
            for metric in metrics
            if metric.metric_id in newest_days
        },
        events=await _events(reader, stored, metrics, periods, now),
        freshness=await load_freshness(reader, now, stored.definitions),
    )


def _chosen(stored: StoredMetrics, asked: Request) -> tuple[MetricDefinition, ...]:
    found = stored.chosen(asked.products or None, asked.metric_ids or None)
    family = asked.family or (None if asked.metric_ids else DOWNLOADS)
    chosen = tuple(metric for metric in found if family in {None, metric.metric_family})
    if not chosen:
        raise NoSuchFamily(family or DOWNLOADS, sorted({metric.metric_family for metric in found}))
    most = MOST_SUMMED if asked.is_total else MOST_LINES
    if len(chosen) > most:
        raise TooManyLines(len(chosen), most)
    require_grain(chosen, asked.grain)
    if asked.is_total:
        require_additive(chosen)  # whether the parts are alike depends on the days that are shown
        return chosen
    first = chosen[0]
    for metric in chosen[1:]:
        if _counted(metric) != _counted(first):
            raise NotComparable(
                metric.metric_id,
                f"has another unit or kind of value than {first.metric_id}: one chart has one axis",
            )
    return chosen


def _counted(metric: MetricDefinition) -> tuple[object, ...]:
    """Return what must be equal for an axis in common; a counter's periods are flows."""
    kind = ValueKind.FLOW if metric.value_kind is ValueKind.COUNTER else metric.value_kind
    window = metric.source_window if kind is ValueKind.ROLLING else None
    return metric.unit, kind, window


async def _first_day(reader: LanceDBReader, ids: Sequence[str], end: date) -> date:
    days = [await reader.first_day(name) for name in ids]
    return min([end, *(day for day in days if day is not None)])


def _periods(
    asked: Request, metrics: Sequence[MetricDefinition], oldest: date, newest: date, now: datetime
) -> tuple[tuple[Period, ...], int]:
    """Return the periods to draw, of the asked grain or a wider one, and how many the asked grain has."""
    may_widen = not any(is_by_day_only(metric) for metric in metrics)
    lines = 1 if asked.is_total else len(metrics)
    grain, count = asked.grain, 0
    while True:
        found = _periods_of(asked.span, grain, oldest, newest, now)
        count = count or len(found)
        if len(found) * lines <= MOST_DOTS:
            return tuple(found), count
        if grain not in _WIDER or not may_widen:
            raise TooManyPoints(MOST_DOTS)
        grain = _WIDER[grain]


def _periods_of(span: Span, grain: Grain, oldest: date, newest: date, now: datetime) -> list[Period]:
    """Return the completed periods of a span: the newest one has data, or is the last one that is over."""
    last = min(period_of(span.last or newest, grain), last_completed(now, grain))
    first = oldest if span.days is None else last.end - timedelta(days=span.days - 1)
    if span.first is None:
        first = min(first, last.end)
    return DayRange(grain, first, last.end, MOST_DOTS * 100).periods(oldest, now)


async def _events(
    reader: LanceDBReader,
    stored: StoredMetrics,
    metrics: Sequence[MetricDefinition],
    periods: Sequence[Period],
    now: datetime,
) -> tuple[Event, ...]:
    """Return what happened to the products of the metrics, or to all, and what their registries lost."""
    since, until = periods[0].start, periods[-1].end
    products = {metric.product for metric in metrics}
    totals = {total.metric_id for metric in metrics if (total := stored.registry_of(metric))}
    found = [
        event
        for event in await reader.events(since=since, until=until)
        if event.kind in _ORDER and (event.product is None or event.product in products)
    ]
    if totals:
        outages = await outage_events(reader, stored.catalog, now, since=since, until=until)
        found += [event for event in outages if event.metric_id in totals]
    newest_first = sorted(found, key=event_order, reverse=True)
    return tuple(sorted(newest_first, key=lambda event: _ORDER.index(event.kind)))
