"""`community-metrics report`: the last weeks of every product, on one page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.model import SourceWindow, ValueKind
from community_metrics.periods import Grain, last_completed, last_periods, period_of, today
from community_metrics.series.points import latest_complete, points
from community_metrics.series.summary import Summary, flow_total, level_total, summarize
from community_metrics.views.runs import newest_success
from community_metrics.views.stored import load_holdings, newest_day, product_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.model import Run, StatRow
    from community_metrics.periods import Period
    from community_metrics.series.points import Point
    from community_metrics.series.summary import FlowTotal, LevelTotal
    from community_metrics.storage import LanceDBReader
    from community_metrics.views.stored import Holding

OLD_AFTER_DAYS = 10
"""Newest data older than this are pointed out: a week that is over and three days for late registries."""


@dataclass(frozen=True, slots=True)
class Line:
    """One metric over the window; `running` is a level read in the week that is not over yet."""

    metric: Metric
    series: tuple[Point, ...]
    summary: Summary
    running: Point | None = None

    @property
    def shown(self) -> Point | None:
        """The point in the table: the newest complete, else the newest known, else this week's level."""
        known = [point for point in self.series if point.value is not None]
        return self.summary.latest or (known[-1] if known else self.running)

    @property
    def complete_weeks(self) -> int:
        """How many weeks of the window are complete."""
        return sum(point.complete for point in self.series)

    @property
    def is_duplicated(self) -> bool:
        """Say whether a value of the window is stored more than once."""
        return any(point.duplicated for point in (*self.series, *([self.running] if self.running else [])))


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the report says. `newest_day` is None when nothing is stored."""

    now: datetime
    window: tuple[Period, ...]
    newest_day: date | None
    products: Mapping[str, str]
    lines: tuple[Line, ...]
    downloads: Mapping[str, FlowTotal]
    stars: LevelTotal
    success: Run | None

    @property
    def age_days(self) -> int | None:
        """How many days ago the newest data ended."""
        return None if self.newest_day is None else (today(self.now) - self.newest_day).days

    @property
    def is_old(self) -> bool:
        """Say whether the window ends at the newest data because they are old."""
        return self.age_days is not None and self.age_days > OLD_AFTER_DAYS


async def load_report(reader: LanceDBReader, catalog: Catalog, *, weeks: int, now: datetime) -> Report:
    """Read what the report of the last `weeks` weeks needs; the window ends at the newest data."""
    newest = await newest_day(reader, catalog.shown)
    end = last_completed(now, Grain.WEEK)
    if newest is not None:
        end = min(end, period_of(newest, Grain.WEEK))
    # twice the window: a look back to the week before the first, and to 30 days before the last day
    since = end.shifted(-weeks - 6).start
    holdings = await load_holdings(reader, catalog.shown, since)
    success = await newest_success(reader)
    return build_report(
        holdings, product_names(catalog), weeks=weeks, end=end, newest=newest, success=success, now=now
    )


def build_report(
    holdings: Sequence[Holding],
    products: Mapping[str, str],
    *,
    weeks: int,
    end: Period,
    newest: date | None,
    success: Run | None,
    now: datetime,
) -> Report:
    """Turn rows into the report; `end` is the last week to show, unless nothing is known of it."""
    window = last_periods(_last_known(holdings, end, now), weeks)
    # one more week, so that the first of the window has a week before it
    series = {
        holding.metric.metric_id: _series(holding, [window[0].shifted(-1), *window], now)
        for holding in holdings
    }
    downloads = {product: _downloads(holdings, product) for product in products}
    return Report(
        now=now,
        window=tuple(window),
        newest_day=newest,
        products=products,
        lines=tuple(_line(holding, series, holdings, now) for holding in holdings),
        downloads={product: flow_total(rows) for product, rows in downloads.items() if rows},
        stars=level_total(_star_readings(holdings)),
        success=success,
    )


def _series(holding: Holding, periods: Sequence[Period], now: datetime) -> list[Point]:
    return points(
        holding.rows, periods, window=holding.metric.window, now=now, fallbacks=holding.fallback_rows
    )


def _line(
    holding: Holding, series: Mapping[str, list[Point]], holdings: Sequence[Holding], now: datetime
) -> Line:
    metric = holding.metric
    siblings = [
        h.metric for h in holdings if h.metric.product == metric.product and h.metric.unit == "downloads"
    ]
    own = series[metric.metric_id]
    shared = [series[sibling.metric_id] for sibling in siblings] if metric in siblings else []
    running = _running_level(holding, now)
    # the week before the window serves the change of its first week; it is not shown itself
    summary = summarize(own, metric.value_kind, shared) if latest_complete(own[1:]) else Summary()
    return Line(metric, tuple(own[1:]), summary, running)


def _running_level(holding: Holding, now: datetime) -> Point | None:
    """Return the level read in the running week; a flow says nothing before its week is over."""
    if holding.metric.value_kind is not ValueKind.LEVEL:
        return None
    (point,) = _series(holding, [period_of(today(now), Grain.WEEK)], now)
    return None if point.value is None else point


def _last_known(holdings: Sequence[Holding], end: Period, now: datetime) -> Period:
    """Return `end`, or the week before it when a fallback's reading stops in the midst of `end`."""
    for week in (end, end.shifted(-1)):
        if any(_series(holding, [week], now)[0].value is not None for holding in holdings):
            return week
    return end


def _downloads(holdings: Sequence[Holding], product: str) -> dict[str, Sequence[StatRow]]:
    return {
        holding.metric.metric_id: holding.rows
        for holding in holdings
        if (holding.metric.product, holding.metric.unit) == (product, "downloads")
        and holding.metric.window is SourceWindow.DAY
    }


def _star_readings(holdings: Sequence[Holding]) -> dict[str, Sequence[StatRow]]:
    return {
        holding.metric.metric_id: (holding.newest,) if holding.newest else ()
        for holding in holdings
        if holding.metric.unit == "stars" and holding.metric.value_kind is ValueKind.LEVEL
    }
