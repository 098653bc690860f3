"""From points, readings and sums of the views to figures: the number, and the sentence that quotes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from community_metrics.mcp_server.answers import Figure, QuotedChange
from community_metrics.model import Status, ValueKind
from community_metrics.periods import Grain, period_of
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.change import Change
    from community_metrics.series.grid import Point
    from community_metrics.series.period_totals import PeriodTotal
    from community_metrics.series.totals import Reading
    from community_metrics.views.product_table import ProductOfPeriod
    from community_metrics.views.runs import Freshness
    from community_metrics.views.sums import Sum, SumPoint

_ONE_READING: Final = {ValueKind.LEVEL, ValueKind.ROLLING}
"""Kinds of which one reading is the value of a period."""


def figure_of_point(metric: MetricDefinition, point: Point, freshness: Freshness) -> Figure:
    """Return a metric in one period."""
    known = completeness_of(metric, point, freshness)
    amount = _amount(metric, point.value)
    is_counted = metric.value_kind not in _ONE_READING
    if point.value is not None and not point.complete and not point.estimated and is_counted:
        amount = f"at least {amount}"
    return _figure(
        f"{metric.display_name}: {amount} in {_named(point.period)}, {known}",
        [metric],
        point.period,
        freshness,
        value=point.value,
        completeness=known,
        complete=point.complete,
        estimated=point.estimated,
        status=point.status,
        restated=point.restated,
        read_at=point.observed_at,
    )


def completeness_of(metric: MetricDefinition, point: Point, freshness: Freshness) -> str:
    """Return how much of a period is known of a metric: `5 of 7 days`."""
    if point.estimated:
        return f"estimated from {point.fallback_id}"
    noun = "reading" if metric.value_kind in _ONE_READING else "day"
    known = f"{point.days_present} of {counted(point.days_expected, noun)}"
    if point.period.is_over(freshness.now):
        return known
    return f"{known}, and the {point.period.grain.value} is not over"


def figure_of_reading(metric: MetricDefinition, reading: Reading, freshness: Freshness) -> Figure:
    """Return the newest reading of a metric, as of the day that it ends with."""
    day = period_of(reading.period_end, Grain.DAY)
    amount = f"{reading.value:,} {metric.unit}"
    if metric.value_kind is ValueKind.ROLLING:
        amount += f" in the {metric.source_window.days} days up to {day.label}"
    else:
        amount += f" on {day.label}"
    return _figure(
        f"{metric.display_name}: {amount}",
        [metric],
        day,
        freshness,
        value=reading.value,
        completeness="1 of 1 reading",
        complete=True,
        estimated=False,
        status=reading.status,
        restated=reading.restated,
        read_at=reading.observed_at,
    )


def figure_of_sum(view: Sum, point: SumPoint) -> Figure:
    """Return the sum of several metrics in one period; of fewer than were asked for, it is not complete."""
    known = _of_series(point.complete, len(view.metrics) + len(view.without))
    names = ", ".join(metric.display_name for metric in view.metrics)
    if view.without:
        names += f" without {', '.join(metric.display_name for metric in view.without)}"
    amount = _amount(view.metrics[0], point.value)
    status = Status.PROVISIONAL if point.is_provisional else Status.FINAL
    return _figure(
        f"Sum of {names}: {amount} in {_named(point.period)}, {known} complete",
        view.metrics,
        point.period,
        view.freshness,
        value=point.value,
        completeness=known,
        complete=point.value is not None and not view.without,
        estimated=False,
        status=None if point.value is None else status,
        restated=None if point.value is None else point.is_restated,
        read_at=point.observed_at,
    )


def figure_of_product(
    view: ProductOfPeriod, metrics: Iterable[MetricDefinition], freshness: Freshness
) -> Figure | None:
    """Return the total of a product in its newest complete week; None where it has none."""
    total = view.total
    if total is None or total.period is None or total.value is None:
        return None
    counts = _counted(total, metrics)
    known = _of_series(len(counts), len(total.metric_ids) + len(view.left_out))
    if total.is_estimated:
        known = "estimated, since no series has a complete week"
    return _figure(
        f"{view.display_name}: {_amount(counts[0], total.value)} in {_named(total.period)}, {known}",
        counts,
        total.period,
        freshness,
        value=total.value,
        completeness=known,
        complete=not (total.is_estimated or total.lacking or view.left_out),
        estimated=total.is_estimated,
        status=total.status,
        restated=total.restated,
        read_at=total.observed_at,
    )


def change_of_point(
    metric: MetricDefinition, point: Point | None, change: Change | None, freshness: Freshness
) -> QuotedChange | None:
    """Return the change of a metric to one period; None where it is not known."""
    if point is None or change is None:
        return None
    base = f"the {point.period.grain.value} before"
    if metric.value_kind is ValueKind.ROLLING:
        base = f"the reading {metric.source_window.days} days earlier"
    figure = figure_of_point(metric, point, freshness)
    return _quoted_change(metric.display_name, [metric], figure, change, base, freshness)


def change_of_product(
    view: ProductOfPeriod, metrics: Iterable[MetricDefinition], freshness: Freshness
) -> QuotedChange | None:
    """Return the change of a product's total from the period before; None where it is not known."""
    total, known = view.total, list(metrics)
    figure = figure_of_product(view, known, freshness)
    if total is None or total.period is None or total.changes.change is None or figure is None:
        return None
    base = f"the {total.period.grain.value} before"
    counts = _counted(total, known)
    return _quoted_change(view.display_name, counts, figure, total.changes.change, base, freshness)


def quoted(sentence: str, read_at: datetime | None, freshness: Freshness, *sources: str) -> str:
    """Return a sentence with where and when its numbers were read; of a demo it says that it is one."""
    text = "Sample data, invented: " if freshness.is_sample else ""
    text += sentence.rstrip(".")
    if sources:
        text += f"; source: {', '.join(sources)}"
    return text + (f", read {read_at:%Y-%m-%d %H:%M} UTC." if read_at else ".")


def _figure(
    sentence: str,
    metrics: Sequence[MetricDefinition],
    period: Period,
    freshness: Freshness,
    *,
    read_at: datetime | None,
    **known: Any,
) -> Figure:
    """Return the figure of some metrics in a period; `known` are its fields that say how it is known."""
    sentence += _caveats(known.get("status"), known.get("restated"))
    return Figure(
        unit=metrics[0].unit,
        kind=metrics[0].value_kind,
        period=period.label,
        period_start=period.start,
        period_end=period.end,
        source=", ".join(dict.fromkeys(metric.source for metric in metrics)),
        read_at=read_at,
        citation=quoted(sentence, read_at, freshness, *_sources(metrics)),
        **known,
    )


def _quoted_change(  # noqa: PLR0917  the order of the sentence
    name: str,
    metrics: Sequence[MetricDefinition],
    figure: Figure,
    change: Change,
    base: str,
    freshness: Freshness,
) -> QuotedChange:
    """Return a change to the period of a figure, from `base`."""
    period = f"{figure.period} ({figure.period_start} to {figure.period_end})"
    amount = f"{change.absolute:+,} {figure.unit} ({change.fraction:+.1%})"
    sentence = f"{name}: {amount} in {period} from {base}, {figure.completeness}"
    sentence += _caveats(figure.status, figure.restated)
    return QuotedChange(
        absolute=change.absolute,
        fraction=change.fraction,
        unit=figure.unit,
        kind=figure.kind,
        period=figure.period,
        completeness=figure.completeness,
        source=figure.source,
        read_at=figure.read_at,
        citation=quoted(sentence, figure.read_at, freshness, *_sources(metrics)),
    )


def _caveats(status: Status | None, restated: bool | None) -> str:
    """Return what a sentence must say of a value that may change, or has changed."""
    provisional = ", may still change" if status is Status.PROVISIONAL else ""
    return provisional + (", restated by its source" if restated else "")


def _sources(metrics: Iterable[MetricDefinition]) -> Iterable[str]:
    return dict.fromkeys(f"{metric.source} ({metric.subject})" for metric in metrics)


def _counted(total: PeriodTotal, metrics: Iterable[MetricDefinition]) -> list[MetricDefinition]:
    """Return the metrics that the total of a product is the sum of."""
    included = {*total.metric_ids} if total.is_estimated else {*total.metric_ids} - {*total.lacking}
    return [one for one in metrics if one.metric_id in included]


def _amount(metric: MetricDefinition, value: int | None) -> str:
    """Return a value of a period in words: `1,234 downloads`, or that it is not known."""
    if value is None:
        return f"{metric.unit} are not known"
    amount = f"{value:,} {metric.unit}"
    match metric.value_kind:
        case ValueKind.LEVEL:
            return f"{amount} as last read"
        case ValueKind.COUNTER:
            return f"{amount} more"
        case ValueKind.ROLLING:
            return f"{amount} of {metric.source_window.days} days as last read"
        case ValueKind.FLOW:
            return amount


def _named(period: Period) -> str:
    if period.grain is Grain.DAY:
        return period.label
    return f"{period.label} ({period.start} to {period.end})"


def _of_series(complete: int, count: int) -> str:
    return f"{complete} of {count} series"
