"""From views to the answers of the tools; each number is that of the API's body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.api.mappers import (
    before_after_body,
    definitions_body,
    disputes_body,
    freshness_body,
    insights_body,
    outages_body,
    overview_body,
)
from community_metrics.api.schemas.dashboard import LeftOut
from community_metrics.api.schemas.insights import HeadlineNumbers, MissingNumbers, SilenceNumbers
from community_metrics.api.schemas.points import LevelBreak, MetricIdentity
from community_metrics.config import PROJECT_URL
from community_metrics.mcp_server import answers
from community_metrics.mcp_server.figures import (
    change_of_point,
    change_of_product,
    completeness_of,
    figure_of_point,
    figure_of_product,
    figure_of_reading,
    figure_of_sum,
    quoted,
)
from community_metrics.model import OutageKind, ValueKind
from community_metrics.text import counted, ranges_text
from community_metrics.views.explanation import sum_problem
from community_metrics.views.report import shown_change, shown_point, shown_reading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.api.schemas.insights import Insight
    from community_metrics.api.schemas.outages import Outage
    from community_metrics.model import MetricDefinition
    from community_metrics.series.grid import Point
    from community_metrics.views.before_after import BeforeAfter
    from community_metrics.views.dashboard import Dashboard, MetricView
    from community_metrics.views.explanation import Explanation
    from community_metrics.views.insights import Insights
    from community_metrics.views.outages import Ledger
    from community_metrics.views.overview import Overview
    from community_metrics.views.runs import Freshness
    from community_metrics.views.selection import Definitions
    from community_metrics.views.series import MetricSeries
    from community_metrics.views.sums import Sum

    TableVersions = Mapping[str, int]

_MEANINGS: Final[Mapping[ValueKind, str]] = {
    ValueKind.FLOW: "A count of events in a period. The values of days add up to that of the week.",
    ValueKind.LEVEL: "A total read at an instant, which may fall. The last reading of a period counts; two "
    "readings are never added.",
    ValueKind.COUNTER: "A total that only grows, read at an instant. The value of a period is how much it "
    "grew between the two edges, and is not known where an edge was not read.",
    ValueKind.ROLLING: "The total of the days up to the reading. Its windows overlap, so readings are never "
    "added, and a change is from the reading a whole window earlier.",
}
_COUNTED: Final = {OutageKind.PARTIAL: ", counted in part", OutageKind.LOW: ", counted low"}
_DOCUMENTATION: Final = f"{PROJECT_URL}/blob/main/docs/data.md"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of metrics in a period: their definitions, and the point of each that has one."""

    metrics: Mapping[str, MetricDefinition]
    points: Mapping[str, Point]

    def read_at(self, metrics: Sequence[MetricDefinition]) -> datetime | None:
        """Return when the newest value that some metrics have in the period was read."""
        points = [self.points[one.metric_id] for one in metrics if one.metric_id in self.points]
        return max((one.observed_at for one in points if one.observed_at is not None), default=None)


def metric_list(view: Definitions, versions: TableVersions, product: str | None) -> answers.MetricList:
    """Return the stored metrics, of one product or of all."""
    body = definitions_body(view, versions)
    problems = {metric.metric_id: sum_problem(metric) for metric in view.metrics}
    metrics = [
        answers.MetricEntry(**dict(one), may_be_summed=problems[one.metric_id] is None)
        for one in body.metrics
        if product is None or one.product == product
    ]
    return answers.MetricList(metrics=metrics, freshness=body.freshness)


def series(
    views: Sequence[MetricSeries], total: Sum | None, unlike: Sequence[str], versions: TableVersions
) -> answers.Series:
    """Return one or several metrics by period, and their sum."""
    return answers.Series.model_validate(
        {
            "grain": views[0].grain.value,
            "series": [_series_of_metric(view) for view in views],
            "total": None if total is None else _sum(total),
            "unlike": list(unlike),
            "freshness": freshness_body(views[0].freshness, versions),
        }
    )


def report(
    overview: Overview,
    insights: Insights,
    dashboard: Dashboard,
    known: Known,
    versions: TableVersions,
) -> answers.Report:
    """Return how the products of the dashboard are doing; `known` has all metrics that the others name."""
    body = overview_body(overview, versions)
    shown = {product.product: product for product in dashboard.products}
    found = _quoted_insights(insights, known, versions)
    return answers.Report(
        week=body.week,
        complete=body.complete,
        series=body.series,
        headline=body.headline and _quoted_insight(body.headline, body.week, known, overview.freshness),
        foremost=[found[at] for at in insights.foremost],
        products=[
            answers.ReportedProduct(
                product=product.product,
                display_name=product.display_name,
                total=figure_of_product(product, known.metrics.values(), overview.freshness),
                change=change_of_product(product, known.metrics.values(), overview.freshness),
                metrics=[_reported(one, dashboard.freshness) for one in shown[product.product].metrics],
            )
            for product in overview.products
            if product.product in shown
        ],
        freshness=body.freshness,
    )


def insights_answer(view: Insights, known: Known, versions: TableVersions) -> answers.Insights:
    """Return the insights of a period; `known` has the metrics that they name."""
    return answers.Insights(
        period=view.period.label,
        period_start=view.period.start,
        period_end=view.period.end,
        insights=_quoted_insights(view, known, versions),
        foremost=list(view.foremost),
        freshness=freshness_body(view.freshness, versions),
    )


def comparison(view: BeforeAfter, versions: TableVersions) -> answers.Comparison:
    """Return a metric before and after a day."""
    body = before_after_body(view, versions)
    days = [f"{side.days} of {counted(body.days, 'day')}" for side in (body.before, body.after)]
    known = f"{days[0]} before and {days[1]} after"
    source = f"{body.metric.source} ({body.metric.subject})"
    sentence = f"{body.sentence.rstrip('.')} ({known})"
    return answers.Comparison(
        **dict(body),
        completeness=known,
        read_at=view.observed_at,
        citation=quoted(sentence, view.observed_at, view.freshness, source),
    )


def outages_answer(view: Ledger, versions: TableVersions, limit: int) -> answers.Outages:
    """Return the last outages of the registries."""
    body = outages_body(view, versions)
    metrics = {metric.metric_id: metric for metric in view.registries}
    found = [
        _quoted_outage(one, metrics[one.metric_id], seen.read_at, view.freshness)
        for one, seen in zip(body.outages[:limit], view.outages, strict=False)
    ]
    return answers.Outages(
        registries=body.registries,
        outages=found,
        has_more=len(body.outages) > limit,
        freshness=body.freshness,
    )


def explanation(view: Explanation, versions: TableVersions) -> answers.Explanation:
    """Return what one metric counts."""
    metric, recent = view.metric, view.recent
    entry = {
        name: getattr(metric, name) for name in answers.MetricEntry.model_fields if hasattr(metric, name)
    }
    newest = None
    if recent.shown_reading is not None:
        newest = figure_of_reading(metric, recent.shown_reading, recent.freshness)
    elif recent.latest is not None:
        newest = figure_of_point(metric, recent.latest, recent.freshness)
    return answers.Explanation(
        metric=answers.MetricEntry.model_validate(
            entry | {"watch": view.is_watched, "may_be_summed": view.sum_problem is None}
        ),
        meaning=_MEANINGS[metric.value_kind],
        sum_problem=view.sum_problem,
        level_breaks=[LevelBreak.model_validate(one, from_attributes=True) for one in view.breaks],
        first_day=view.first_day,
        registry_id=view.registry_id,
        newest=newest,
        documentation=_DOCUMENTATION,
        freshness=freshness_body(recent.freshness, versions),
    )


def _series_of_metric(view: MetricSeries) -> answers.SeriesOfMetric:
    return answers.SeriesOfMetric(
        metric=MetricIdentity.model_validate(view.metric, from_attributes=True),
        figures=[figure_of_point(view.metric, point, view.freshness) for point in view.points],
        disputes=disputes_body(view.disputes),
    )


def _sum(view: Sum) -> answers.SumOfMetrics:
    return answers.SumOfMetrics(
        metric_ids=[metric.metric_id for metric in view.metrics],
        figures=[figure_of_sum(view, point) for point in view.points],
        left_out=[LeftOut.model_validate(one, from_attributes=True) for one in view.left_out],
    )


def _quoted_outage(
    one: Outage, metric: MetricDefinition, read_at: datetime | None, freshness: Freshness
) -> answers.QuotedOutage:
    known = "0 of 1 day" if one.value is None else "1 of 1 day"
    completeness = known + _COUNTED.get(one.kind, "")
    sentence = f"{one.sentence.rstrip('.')}; {completeness}, first seen {one.seen_at:%Y-%m-%d %H:%M} UTC"
    return answers.QuotedOutage(
        **dict(one),
        unit=metric.unit,
        value_kind=metric.value_kind,
        source=metric.source,
        completeness=completeness,
        read_at=read_at,
        citation=quoted(sentence, read_at, freshness, f"{metric.source} ({metric.metric_id})"),
    )


def _reported(view: MetricView, freshness: Freshness) -> answers.ReportedMetric:
    reading, point = shown_reading(view), shown_point(view)
    newest = None
    if reading is not None:
        newest = figure_of_reading(view.metric, reading, freshness)
    elif point is not None:
        newest = figure_of_point(view.metric, point, freshness)
    return answers.ReportedMetric(
        metric=MetricIdentity.model_validate(view.metric, from_attributes=True),
        newest=newest,
        change=change_of_point(view.metric, point, shown_change(view), freshness),
    )


def _quoted_insights(view: Insights, known: Known, versions: TableVersions) -> list[answers.QuotedInsight]:
    body = insights_body(view, versions)
    return [_quoted_insight(one, body.period, known, view.freshness) for one in body.insights]


def _quoted_insight(one: Insight, period: str, known: Known, freshness: Freshness) -> answers.QuotedInsight:
    own = [known.metrics[name] for name in one.metric_ids if name in known.metrics]
    completeness, read_at = _completeness(one, own, known, freshness), known.read_at(own)
    sources = sorted({metric.source for metric in own})
    basis = [period, completeness, f"rule {one.rule}"]
    sentence = f"{one.sentence.rstrip('.')} ({'; '.join(part for part in basis if part)})"
    return answers.QuotedInsight(
        **dict(one),
        period=period,
        completeness=completeness,
        kinds=sorted({metric.value_kind for metric in own}),
        sources=sources,
        read_at=read_at,
        citation=quoted(sentence, read_at, freshness, *sources),
    )


def _completeness(
    one: Insight, own: Sequence[MetricDefinition], known: Known, freshness: Freshness
) -> str | None:
    """Return how much of what an insight is about is known; None where its metrics have no such period."""
    numbers = one.numbers
    if isinstance(numbers, HeadlineNumbers):
        return f"{len(numbers.complete)} of {numbers.series} series are complete"
    if isinstance(numbers, MissingNumbers):
        return f"missing: {ranges_text(numbers.days)}" if numbers.days else "missing"
    if isinstance(numbers, SilenceNumbers):
        return f"{numbers.judged} of {numbers.series} series were judged"
    points = [known.points[metric.metric_id] for metric in own if metric.metric_id in known.points]
    if not own or len(points) < len(own):
        return None
    if len(own) == 1:
        return completeness_of(own[0], points[0], freshness)
    return f"{sum(point.complete for point in points)} of {len(own)} series are complete"
