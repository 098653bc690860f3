"""The sum of several metrics by period, where they count the same thing; else the sum is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.errors import TooManyPoints
from community_metrics.views.chart import MOST_DOTS, Request, Span, read_chart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Grain, Period
    from community_metrics.series.totals import LeftOut
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.chart import ChartRows, ChartView
    from community_metrics.views.runs import Freshness


@dataclass(frozen=True, slots=True)
class SumPoint:
    """The sum in one period, None where one of the series is not complete.

    `complete` is how many of the series are. `observed_at` is when the newest value of the sum was read.
    """

    period: Period
    value: int | None
    complete: int
    is_provisional: bool
    is_restated: bool
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of `metrics` by period, oldest first.

    `left_out` have failed for more than two weeks, and are in no sum; `without` are their definitions.
    """

    metrics: tuple[MetricDefinition, ...]
    points: tuple[SumPoint, ...]
    left_out: tuple[LeftOut, ...]
    without: tuple[MetricDefinition, ...]
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class SumRows:
    """What was read for a sum."""

    rows: ChartRows

    def build(self) -> Sum:
        """Compute the sum.

        Raises:
            NotAlike: the metrics are of several kinds, count in several ways, or one changed its way within
                the days.
            NotComparable: they have several units.
            TooManyPoints: the periods are more than a chart has room for.
        """
        view = self.rows.build()
        if view.grain is not view.asked:
            raise TooManyPoints(MOST_DOTS)
        points = tuple(_point(view, at) for at in range(len(view.periods)))
        left_out = () if view.total is None else view.total.left_out
        excluded = {one.metric_id for one in left_out}
        without = tuple(metric for metric in self.rows.metrics if metric.metric_id in excluded)
        return Sum(view.definitions, points, left_out, without, view.freshness)


async def read_sum(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    metric_ids: Sequence[str],
    grain: Grain,
    first: date,
    last: date | None,
) -> SumRows:
    """Read what the sum of some metrics needs, over the completed periods with a day of the range.

    Raises:
        UnknownName: one of the metrics is not stored.
        NotAlike: one counts what another one counts too.
        NotAdditive: their values do not add up.
        InvalidRange: `first` is after `last`.
        TooManyPoints: no wider periods make it small enough.
    """
    asked = Request(metric_ids=metric_ids, grain=grain, span=Span(first=first, last=last), is_total=True)
    return SumRows(await read_chart(reader, catalog, now, asked))


def _point(view: ChartView, at: int) -> SumPoint:
    total = view.total
    of_period = [series[at] for series in view.metrics]
    read = [point.observed_at for point in of_period if point.observed_at is not None]
    return SumPoint(
        period=view.periods[at],
        value=None if total is None else total.values[at],
        complete=sum(point.complete for point in of_period),
        is_provisional=total is not None and total.provisional[at],
        is_restated=total is not None and total.restated[at],
        observed_at=max(read, default=None),
    )
