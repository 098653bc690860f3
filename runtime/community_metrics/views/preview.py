"""What a link to the page says of itself: the numbers of its week and product, before anybody opens it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.model import InsightKind
from community_metrics.periods import Grain, period_of
from community_metrics.series.change import break_between
from community_metrics.views.chart import MOST_SUMMED, Request, Span
from community_metrics.views.events import require_products
from community_metrics.views.insights import read_insights
from community_metrics.views.overview import read_overview
from community_metrics.views.selection import StoredMetrics, declared_breaks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.insights import Insight
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness

_YEAR: Final = timedelta(days=363)


@dataclass(frozen=True, slots=True)
class Preview:
    """What is shown of a link: whose numbers, of which week, and what is said of them.

    `name` is that of the product, else of the catalogue, None without one. `chart` asks for the chart beside
    the words, None where no metrics add up to one.
    """

    name: str | None
    week: Period
    headline: Insight | None
    foremost: Insight | None
    chart: Request | None
    freshness: Freshness


async def load_preview(
    reader: LanceDBReader, catalog: Catalog, now: datetime, *, week: Period | None, product: str | None
) -> Preview:
    """Return what a link says, by default of the newest week with complete data, and of all products.

    Raises:
        UnknownName: the product has no shown metric.
        PeriodNotOver: the week is not over.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    if product is not None:
        require_products(sorted({metric.product for metric in stored.shown}), [product])
    shown = week or (await read_overview(reader, catalog, now)).week
    read = await read_insights(
        reader, catalog, now, period=shown, products=None if product is None else [product]
    )
    built = read.build()
    headlines = [one for one in built.insights if one.kind is InsightKind.HEADLINE]
    return Preview(
        name=catalog.name if product is None else stored.product_names.get(product, product),
        week=shown,
        headline=headlines[0] if headlines else None,
        foremost=next((built.insights[at] for at in built.foremost), None),
        chart=chart_request(stored, shown, product),
        freshness=built.freshness,
    )


def chart_request(stored: StoredMetrics, week: Period, product: str | None) -> Request | None:
    """Return the chart of a link: the sum of the downloads in the year to its week, else of the stars.

    It begins after the newest change of counting, across which there is no sum.
    """
    downloads = [metric for own in stored.downloads.values() for metric in own]
    for metrics in (downloads, stored.stars):
        found = [metric for metric in metrics if product in {None, metric.product}]
        if found and len(found) <= MOST_SUMMED and (first := _first_day(found, week)) <= week.start:
            ids = tuple(metric.metric_id for metric in found)
            return Request(metric_ids=ids, span=Span(first=first, last=week.end), is_total=True)
    return None


def _first_day(metrics: Sequence[MetricDefinition], week: Period) -> date:
    """Return the first day of the chart, that of a week that is counted in one way, as are all after it."""
    breaks = [one for metric in metrics for one in declared_breaks(metric)]
    crossed = break_between(breaks, week.end - _YEAR, week.end)
    if crossed is None:
        return week.end - _YEAR
    changed = period_of(crossed.day, Grain.WEEK)
    return changed.start if changed.start == crossed.day else changed.shifted(1).start
