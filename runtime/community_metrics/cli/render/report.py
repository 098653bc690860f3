"""How `report` looks on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.cli.render.goals import render_goals
from community_metrics.cli.render.insights import render_insights
from community_metrics.cli.render.status import stale_texts
from community_metrics.model import Status, ValueKind
from community_metrics.periods import today
from community_metrics.text import counted, named, ranges_text
from community_metrics.views.report import shown_change, shown_point, shown_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import JustifyMethod, RenderableType
    from rich.table import Table

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.series.grid import Point
    from community_metrics.series.totals import FlowTotal, LevelTotal
    from community_metrics.views.dashboard import MetricView, ProductView
    from community_metrics.views.report import Report

NARROW = 100
"""Below this many columns the subject in brackets is left out of the names, and the hour of a reading."""
INSIGHTS_SHOWN: Final = 8
"""Insights above the tables; `community-metrics insights` shows all of them."""
_SHORTEST_NAME: Final = 12
_PADDING: Final = 2


@dataclass(frozen=True, slots=True)
class _Layout:
    """What all tables share, so that their columns are aligned."""

    glyphs: Glyphs
    width: int
    name_width: int
    has_unit: bool
    has_completeness: bool
    drawn: int


def render_report(report: Report, glyphs: Glyphs, width: int) -> RenderableType:
    """Return the report as it is printed on `width` columns."""
    if report.newest_day is None:
        return no_data(report)
    layout = _layout(report, glyphs, width)
    is_sample = report.dashboard.freshness.is_sample
    parts: list[RenderableType] = [
        *style.sample_texts(glyphs, is_sample=is_sample),
        _headline(report, glyphs),
    ]
    if report.shown_insights:
        parts.append(
            Padding(render_insights(report.shown_insights, glyphs, most=INSIGHTS_SHOWN), (0, 0, 1, 0))
        )
    if report.goals is not None:
        parts.append(Padding(render_goals(report.goals, glyphs), (0, 0, 1, 0)))
    for product in report.products:
        total = product.downloads if report.has_fetched else None
        parts.append(_product_title(product.display_name, total))
        if total is not None:
            parts += [Text(f"{glyphs.warn} {text}", "yellow") for text in _left_out(total)]
        parts.append(Padding(_table(product, layout), (0, 0, 1, 0)))
    parts += _footer(report, glyphs)
    return Group(*parts)


def no_data(report: Report) -> Text:
    """Return why the report is empty, and what fills it."""
    if report.other_metrics:
        count = counted(len(report.other_metrics), "metric")
        return Text(
            f"No metric of this catalogue has data. The database has {count} of another one: "
            f"{named(report.other_metrics)}. Fix: set CM_CATALOG or CM_DB_PATH so that the two belong "
            "together, or run `community-metrics refresh` to collect this catalogue into this database.",
            "yellow",
        )
    return Text(
        "No data yet. Fix: run `community-metrics seed` to load history from before the first run, or "
        "`community-metrics refresh` to fetch from the registries. Without network, `make demo` shows sample "
        "data.",
        "yellow",
    )


def _headline(report: Report, glyphs: Glyphs) -> Text:
    window = report.dashboard.periods
    text = Text()
    text.append(f"{window[0].label} {glyphs.dash} {window[-1].label}", "bold")
    text.append(f"   {counted(len(window), 'week')}, to Sunday {window[-1].end}\n", "dim")
    for old in old_texts(report, glyphs):
        text.append_text(old).append("\n")
    return text


def old_texts(report: Report, glyphs: Glyphs) -> list[Text]:
    """Return the line above numbers that are old; nothing above others."""
    if not report.is_old:
        return []
    old = counted(report.age_days or 0, "day")
    # else the report ends with it
    fix = " Fix: `community-metrics refresh` reads newer ones." if report.has_fetched else ""
    said = f"The newest data are of {report.newest_day}, {old} old; the window ends there.{fix}"
    return [Text(f"{glyphs.warn} {said}", "bold yellow")]


def _product_title(name: str, total: FlowTotal | None) -> Text:
    text = Text(name, "bold")
    if total is None:
        return text
    if total.value is None:
        text.append("   no total of downloads: no day has data for every package", "dim")
    else:
        days = "30 days" if not total.missing_days else f"{total.days_present} of 30 days"
        text.append(f"   {style.number(total.value)} downloads in {days} to {total.period_end}", "dim")
    if total.missing_days:
        text.append(f", without {ranges_text(total.missing_days)}", "dim")
    return text.append(f"; waits for {named(total.waits_for)}", "dim") if total.waits_for else text


def _left_out(total: FlowTotal | LevelTotal) -> list[str]:
    """Return one sentence for each metric that has failed for so long that it left the total."""
    return [
        f"{one.metric_id} is in no total: its newest value is of {one.newest_day}, more than two weeks old."
        if one.newest_day
        else f"{one.metric_id} is in no total: it has had no value for more than two weeks."
        for one in total.left_out
    ]


def _layout(report: Report, glyphs: Glyphs, width: int) -> _Layout:
    """Return which columns fit: names are cut first, then line, completeness and unit are left out.

    Names are cut only as far as those of a product remain different.
    """
    products = report.products
    names = max(len(_name(metric, one, width)) for one in products for metric in one.metrics)
    metrics = [metric for product in products for metric in product.metrics]
    cells = [_cells(metric, glyphs, width) for metric in metrics]
    widths = [max(map(len, column)) for column in zip(*cells, _HEADERS, strict=True)]
    unit = widths.pop(_UNIT) + _PADDING
    min_widths = [least for at, least in enumerate(_MIN_WIDTHS) if at != _UNIT]
    fixed = sum(map(max, widths, min_widths)) + _PADDING * len(widths)
    completeness = max(len(_COMPLETE), *(len(_completeness(one)) for one in metrics)) + _PADDING
    drawn = min(_spark_width(width), len(report.dashboard.periods))
    line = max(drawn, len(_spark_header(drawn)))
    shortest = min(names, max(_distinct_width(product, width) for product in products))
    room = width - shortest - _PADDING - fixed
    has_unit = room >= unit
    room -= unit * has_unit
    has_completeness, has_line = room >= completeness, room >= completeness + line
    room -= completeness * has_completeness + line * has_line
    name_width = min(names, shortest + max(0, room))
    return _Layout(glyphs, width, name_width, has_unit, has_completeness, drawn if has_line else 0)


_HEADERS: Final = ("week", "value", "unit", "change")
_MIN_WIDTHS: Final = (0, 11, 0, 7)
_COMPLETE: Final = "complete"
_UNIT: Final = _HEADERS.index("unit")
_JUSTIFY: Final[Sequence[JustifyMethod]] = ("left", "right", "left", "right")


def _table(product: ProductView, layout: _Layout) -> Table:
    table = style.plain_table()
    table.add_column("", no_wrap=True, overflow="ellipsis", width=layout.name_width)
    shown = [at for at in range(len(_HEADERS)) if at != _UNIT or layout.has_unit]
    for at in shown:
        justify, min_width = _JUSTIFY[at], _MIN_WIDTHS[at]
        table.add_column(_HEADERS[at], justify=justify, no_wrap=True, min_width=min_width)
    if layout.has_completeness:
        table.add_column(_COMPLETE, justify="right", no_wrap=True)
    if layout.drawn:
        table.add_column(_spark_header(layout.drawn), no_wrap=True, overflow="crop", min_width=layout.drawn)
    for metric in product.metrics:
        cells: list[RenderableType] = [_name(metric, product, layout.width)]
        own = _cells(metric, layout.glyphs, layout.width)
        cells += [own[at] for at in shown]
        if layout.has_completeness:
            cells.append(_completeness(metric))
        if layout.drawn:
            points = metric.points[-layout.drawn :]
            cells.append(style.sparkline(points, layout.glyphs))
        table.add_row(*cells)
    return table


def _cells(metric: MetricView, glyphs: Glyphs, width: int) -> tuple[Text, Text, Text, Text]:
    """Return when a value is of, the value, its unit, and its change."""
    is_level = metric.metric.value_kind is ValueKind.LEVEL
    change = (style.difference if is_level else style.percent)(shown_change(metric), glyphs)
    reading, unit = shown_reading(metric), metric.metric.unit
    if reading is not None:
        has_hour = width >= NARROW and reading.period_end == today(reading.observed_at)
        when = f"{reading.observed_at:%Y-%m-%d %H:%M}" if has_hour else f"{reading.period_end}"
        unit += _span(metric)
        return Text(when), Text(style.number(reading.value), "bold"), Text(unit, "dim"), change
    point = shown_point(metric)
    when = glyphs.none if point is None else point.period.label
    return Text(when), _value(point, glyphs), Text(unit, "dim"), change


def _span(metric: MetricView) -> str:
    """Return what a reading covers, after its unit; nothing for a level."""
    match metric.metric.value_kind:
        case ValueKind.COUNTER:
            return " in all"
        case ValueKind.ROLLING:
            return f"/{metric.metric.source_window.days} days"
        case _:
            return "/day" if metric.is_by_day_only else ""


def _value(point: Point | None, glyphs: Glyphs) -> Text:
    if point is None or point.value is None:
        return Text(glyphs.none, "dim")
    number = style.number(point.value)
    if point.status is Status.PROVISIONAL:
        number = f"{glyphs.provisional} {number}"
    if point.estimated:
        return Text(f"{glyphs.about} {number}", "yellow")
    if not point.complete:
        return Text(f"{glyphs.partial} {number}", "magenta")
    return Text(number, "bold")


def _completeness(metric: MetricView) -> str:
    return f"{sum(point.complete for point in metric.points)}/{len(metric.points)} wk"


def _spark_width(width: int) -> int:
    return max(12, min(52, width - 72))


def _spark_header(drawn: int) -> str:
    return counted(drawn, "week")


def _name(metric: MetricView, product: ProductView, width: int) -> str:
    """Return the metric's name without the product's, which is the title of the table.

    Where there is little room the registry stands for the subject, and only where two names need it.
    """
    name = _own_name(metric, product)
    short = _without_subject(name)
    if width >= NARROW:
        return name
    others = (one for one in product.metrics if one is not metric)
    if all(_without_subject(_own_name(one, product)) != short for one in others):
        return short
    return _with_registry_only(name, metric.metric.subject)


def _with_registry_only(name: str, subject: str) -> str:
    bracket = f" {subject})"
    return f"{name.removesuffix(bracket)})" if name.endswith(bracket) else name


def _own_name(metric: MetricView, product: ProductView) -> str:
    return metric.metric.display_name.removeprefix(f"{product.display_name} ").removeprefix("for ")


def _without_subject(name: str) -> str:
    return name.partition(" (")[0]


def _distinct_width(product: ProductView, width: int) -> int:
    """Return the least width, of 12 or more, at which cut names of a product differ as whole ones do."""
    names = {_name(metric, product, width) for metric in product.metrics}
    widest = max(map(len, names), default=0)
    widths = range(_SHORTEST_NAME, widest)
    return next((at for at in widths if len({name[: at - 1] for name in names}) == len(names)), widest)


def _footer(report: Report, glyphs: Glyphs) -> list[RenderableType]:
    stars = report.dashboard.stars
    parts: list[RenderableType] = []
    if stars.value is not None:
        text = Text(f"{style.number(stars.value)} stars", "bold")
        count = len(stars.readings) + len(stars.missing) + len(stars.left_out)
        text.append(f" in {len(stars.readings)} of {count} repositories")
        if stars.missing:
            text.append(f" (never read: {', '.join(stars.missing)})", "yellow")
        oldest = min(reading.observed_at for reading in stars.readings)
        text.append(f", each as last read, none before {oldest:%Y-%m-%d %H:%M} UTC", "dim")
        parts.append(text)
    parts += [Text(f"{glyphs.warn} {text}", "yellow") for text in _left_out(stars)]
    parts += state_texts(report, glyphs)
    parts.append(style.legend([metric.points for metric in report.metrics], glyphs))
    return parts


def state_texts(report: Report, glyphs: Glyphs) -> list[Text]:
    """Return what is to be known of all numbers: how old they are, and what is wrong with some."""
    parts: list[Text] = []
    if report.is_of_other_catalog:
        mismatch = "The catalogue has none of these metrics: the database was filled with another one."
        parts.append(Text(f"{glyphs.warn} {mismatch} Fix: set CM_CATALOG to it.", "yellow"))
    if duplicated := [
        metric.metric.metric_id
        for metric in report.metrics
        if any(point.duplicated for point in (*metric.points, metric.running))
    ]:
        copies = f"Values of {', '.join(duplicated)} are stored more than once; the newest copy counts."
        fix = "Fix: `community-metrics repair` deletes the others."
        parts.append(Text(f"{glyphs.warn} {copies} {fix}", "yellow"))
    parts += [Text(f"{glyphs.warn} {text}", "yellow") for text in _resets(report)]
    return [*parts, *_freshness(report, glyphs)]


def _resets(report: Report) -> list[str]:
    """Return one sentence for each metric whose counter fell in the weeks of the report."""
    weeks = {
        metric.metric.metric_id: [point.period.label for point in metric.points if point.reset]
        for metric in report.metrics
    }
    return [
        f"The counter {name} fell in {', '.join(labels)}: the registry reset it, so the week has no value."
        for name, labels in weeks.items()
        if labels
    ]


def _freshness(report: Report, glyphs: Glyphs) -> list[Text]:
    fresh = report.dashboard.freshness
    if not report.has_fetched:
        return [*_empty(report), Text(f"{glyphs.warn} {_history(report)}", "bold yellow")]
    parts = [
        *_empty(report),
        *(Text(f"{glyphs.warn} {text}", "yellow") for text in stale_texts(fresh)),
    ]
    if fresh.age is not None:
        parts.append(Text(f"last refresh without an error {style.age(fresh.age)} ago", "dim"))
    if fresh.age is None or parts[1:]:
        parts.append(Text("`community-metrics status` shows more.", "dim"))
    return parts


def _empty(report: Report) -> list[Text]:
    """Return how many metrics have no row, because nothing of them is known."""
    count = len(report.empty_metrics)
    if not count:
        return []
    text = f"{counted(count, 'metric')} without any value {'is' if count == 1 else 'are'} not shown; "
    return [Text(f"{text}`community-metrics status` names {'it' if count == 1 else 'them'}.", "dim")]


def _history(report: Report) -> str:
    """Return how far files reach, where no registry was ever read."""
    reach = f" to {report.newest_day:%B %Y}" if report.newest_day is not None else ""
    return (
        f"History{reach}, from files: no registry has been read yet. Fix: run `community-metrics refresh` "
        "with network access; `make demo` shows sample data without it."
    )
