"""The words of a chart, made of its view: title, unit, period, what is not known, sources."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from community_metrics.charts.drawing import Chart, Dot, Flag, Line, Mark
from community_metrics.model import UNIQUES, EventKind, Status, ValueKind
from community_metrics.text import counted, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from community_metrics.model import Event, MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.grid import Point
    from community_metrics.views.chart import ChartView, Total

SAMPLE: Final = "Sample data: every number is invented."
_DOWNLOADS, _STARS = "downloads", "stars"
_THINGS: Final = {_DOWNLOADS: "package", _STARS: "repository"}
"""What counts a unit: a total says of how many."""
_NAMES_SHOWN: Final = 8


def chart_of(view: ChartView) -> Chart:
    """Return the chart of a view, ready to be drawn."""
    lines = (
        [_total_line(view, view.total)]
        if view.total
        else [_line(view, at) for at in range(len(view.metrics))]
    )
    flags = [Flag(one.day, f"Counted in another way from here: {one.reason}") for one in view.breaks]
    flags = [flag for flag in flags if view.periods[0].start <= flag.day <= view.periods[-1].end]
    chart = Chart(
        title=_title(view),
        subtitle=_subtitle(view, lines),
        periods=view.periods,
        lines=lines,
        flags=[*flags, *(Flag(event.day, _event_text(event)) for event in view.events)],
        starts_at_zero=view.definitions[0].value_kind is not ValueKind.LEVEL,
        warnings=tuple(_warnings(view)),
        notes=tuple(_notes(view)),
    )
    return with_description(chart)


def with_description(chart: Chart) -> Chart:
    """Return the chart with its text alternative: what is drawn, in sentences."""
    parts = [*chart.warnings, f"{chart.subtitle}."]
    parts += [f"{line.name}: {_ends(line, chart.periods)}." for line in chart.lines if not line.is_earlier]
    parts += [f"In grey: {line.name}." for line in chart.lines if line.is_earlier]
    if chart.flags:
        parts.append(f"{counted(len(chart.flags), 'event')} marked.")
    return replace(chart, description=" ".join(parts))


def _ends(line: Line, periods: Sequence[Period]) -> str:
    known = [
        (dot.value, dot.mark, period.label)
        for dot, period in zip(line.dots, periods, strict=True)
        if dot.value is not None
    ]
    if not known:
        return "no data in this period"
    words = [
        f"{value:,} in {label}{'' if mark is Mark.MEASURED else f' ({mark.value})'}"
        for value, mark, label in dict.fromkeys((known[0], known[-1]))
    ]
    gaps = len(line.dots) - len(known)
    missing = f"; {gaps:,} of {counted(len(line.dots), 'period')} without a value" if gaps else ""
    value, _, label = max(known)
    return f"{', then '.join(words)}; highest {value:,} in {label}{missing}"


def _line(view: ChartView, at: int) -> Line:
    series = view.metrics[at]
    return Line(
        series.metric.display_name, [Dot(point.value, _mark(point), point.restated) for point in series]
    )


def _mark(point: Point) -> Mark:
    if point.reset:
        return Mark.RESET
    if point.estimated:
        return Mark.ESTIMATED
    if not point.complete:
        return Mark.INCOMPLETE
    return Mark.PROVISIONAL if point.status is Status.PROVISIONAL else Mark.MEASURED


def _total_line(view: ChartView, total: Total) -> Line:
    dots = [
        Dot(value, Mark.PROVISIONAL if is_provisional else Mark.MEASURED, is_restated)
        for value, is_provisional, is_restated in zip(
            total.values, total.provisional, total.restated, strict=True
        )
    ]
    return Line(f"Sum of {_how_many(view.definitions)}", dots)


def _title(view: ChartView) -> str:
    metrics, unit = view.definitions, view.definitions[0].unit
    if len(metrics) == 1:
        return metrics[0].display_name
    products = list(dict.fromkeys(metric.product for metric in metrics))
    if len(products) == 1:
        name = view.product_names.get(products[0], products[0])
        return f"{name}: {unit}" if view.total is None else f"{name}: {unit} of {_how_many(metrics)}"
    return f"{unit.capitalize()} of {_how_many(metrics)}"


def _how_many(metrics: Sequence[MetricDefinition]) -> str:
    """Return `3 repositories`, `1 package`, or `3 series` of any other unit."""
    thing = _THINGS.get(metrics[0].unit)
    if thing is None:
        return f"{len(metrics):,} series"
    return (
        f"{len(metrics):,} repositories"
        if thing == "repository" and len(metrics) > 1
        else counted(len(metrics), thing)
    )


def _subtitle(view: ChartView, lines: Sequence[Line]) -> str:
    first, last = view.periods[0], view.periods[-1]
    span = first.label if first == last else f"{first.label} to {last.label}"
    whole = sum(
        dot.value is not None and dot.mark in {Mark.MEASURED, Mark.PROVISIONAL} for dot in lines[0].dots
    )
    complete = (
        f" · {whole:,} of {counted(len(view.periods), view.grain.value)} complete" if len(lines) == 1 else ""
    )
    return f"{_what(view)} · {span}{complete}"


def _what(view: ChartView) -> str:
    """Return what a value is: `downloads per week`, `stars at the end of the week`."""
    metric, grain = view.definitions[0], view.grain.value
    match metric.value_kind:
        case ValueKind.LEVEL:
            return f"{metric.unit} at the end of the {grain}"
        case ValueKind.ROLLING:
            return f"{metric.unit} in {metric.source_window.days} days, read at the end of the {grain}"
        case _:
            return f"{metric.unit} per {grain}"


def _event_text(event: Event) -> str:
    return f"{event.title} (says {event.author})" if event.kind is EventKind.NOTE else event.title


def _warnings(view: ChartView) -> Iterable[str]:
    if view.freshness.is_sample:
        yield SAMPLE
    for source in view.stale:
        if source.newest_day is None:
            yield f"Nothing has been read from {source.source} yet: these numbers are from files."
        else:
            yield f"Stale: the newest numbers from {source.source} are of {source.newest_day}."


def _notes(view: ChartView) -> Iterable[str]:
    metrics = view.definitions
    if view.total is not None:
        names = named([metric.display_name for metric in metrics], _NAMES_SHOWN)
        yield f"Sum of {names}. A {view.grain} counts only if all of them are complete."
        if view.total.waits_for:
            yield f"The last {view.grain} waits for {named(view.total.waits_for, _NAMES_SHOWN)}."
        for one in view.total.left_out:
            newest = (
                "has had no value" if one.newest_day is None else f"has had no value since {one.newest_day}"
            )
            yield f"{one.metric_id} is in no sum: it {newest}, for more than two weeks."
    if view.grain is not view.asked:
        many = counted(view.asked_periods, view.asked.value)
        yield f"Drawn by {view.grain}, because the picture has no room for {many}."
    sources = ", ".join(sorted({metric.source for metric in metrics}))
    newest = "" if view.newest_day is None else f" Newest data: {view.newest_day}."
    yield f"Source: {sources}.{newest}{_warning_of(metrics[0].unit)}"


def _warning_of(unit: str) -> str:
    """Return what a unit is not, where readers take it for something else."""
    return {_DOWNLOADS: " Downloads are not users.", UNIQUES: " Uniques of several days do not add up."}.get(
        unit, ""
    )
