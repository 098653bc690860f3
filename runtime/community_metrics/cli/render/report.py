"""How `report` looks on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.model import ValueKind
from community_metrics.views.report import shown_change, shown_point

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.series.summary import FlowTotal
    from community_metrics.views.dashboard import MetricView, ProductView
    from community_metrics.views.report import Report

NARROW = 100
"""Below this many columns the subject in brackets is left out of the names."""


def render_report(report: Report, glyphs: Glyphs, width: int) -> RenderableType:
    """Return the report as it is printed on `width` columns."""
    if report.newest_day is None:
        return Text(
            "No data yet. Fix: run `community-metrics seed` to load history from before the first run, or "
            "`community-metrics refresh` to fetch from the registries.",
            "yellow",
        )
    products = report.dashboard.products
    name_width = max(len(_name(metric, one, width)) for one in products for metric in one.metrics)
    parts: list[RenderableType] = [_headline(report, glyphs)]
    for product in products:
        parts.append(_product_title(product.display_name, product.downloads))
        parts.append(Padding(_table(product, glyphs, width, name_width), (0, 0, 1, 0)))
    parts += _footer(report, glyphs)
    return Group(*parts)


def _headline(report: Report, glyphs: Glyphs) -> Text:
    window = report.dashboard.periods
    text = Text()
    text.append(f"{window[0].label} {glyphs.dash} {window[-1].label}", "bold")
    text.append(f"   {style.counted(len(window), 'week')}, to Sunday {window[-1].end}\n", "dim")
    if report.is_old:
        old = style.counted(report.age_days or 0, "day")
        text.append(
            f"{glyphs.warn} The newest data are of {report.newest_day}, {old} old; "
            "the window ends there. Fix: `community-metrics refresh` reads newer ones.\n",
            "bold yellow",
        )
    return text


def _product_title(name: str, total: FlowTotal | None) -> Text:
    text = Text(name, "bold")
    if total is None:
        return text
    if total.value is None:
        return text.append("   no total of downloads: no day has data for every package", "dim")
    days = "30 days" if total.days_present == total.days_expected else f"{total.days_present} of 30 days"
    return text.append(f"   {style.number(total.value)} downloads in {days} to {total.period_end}", "dim")


def _table(product: ProductView, glyphs: Glyphs, width: int, name_width: int) -> Table:
    drawn = min(_spark_width(width), len(product.metrics[0].points))
    table = style.plain_table()
    table.add_column(
        "",
        no_wrap=True,
        overflow="ellipsis",
        width=min(name_width, max(12, width - drawn - 44)),
    )
    table.add_column("week", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True, min_width=11)
    table.add_column("change", justify="right", no_wrap=True, min_width=7)
    table.add_column("complete", justify="right", no_wrap=True)
    table.add_column(style.counted(drawn, "week"), no_wrap=True, overflow="crop", min_width=drawn)
    for metric in product.metrics:
        is_level = metric.metric.value_kind is ValueKind.LEVEL
        change = style.difference if is_level else style.percent
        complete = sum(point.complete for point in metric.points)
        table.add_row(
            _name(metric, product, width),
            _week(metric, glyphs),
            _value(metric, glyphs),
            change(shown_change(metric), glyphs),
            f"{complete}/{len(metric.points)} wk",
            style.sparkline(metric.points[-_spark_width(width) :], glyphs, from_zero=not is_level),
        )
    return table


def _spark_width(width: int) -> int:
    return max(12, min(52, width - 72))


def _week(metric: MetricView, glyphs: Glyphs) -> str:
    point = shown_point(metric)
    if point is None:
        return glyphs.none
    return "this" if point is metric.running else point.period.label


def _value(metric: MetricView, glyphs: Glyphs) -> Text:
    point = shown_point(metric)
    if point is None or point.value is None:
        return Text(glyphs.none, "dim")
    if point.estimated:
        return Text(f"{glyphs.about} {style.number(point.value)}", "yellow")
    if not point.complete and point is not metric.running:
        return Text(f"{glyphs.partial} {style.number(point.value)}", "magenta")
    return Text(style.number(point.value), "bold")


def _name(metric: MetricView, product: ProductView, width: int) -> str:
    """Return the metric's name without the product's, which is the title of the table."""
    name = metric.metric.display_name.removeprefix(f"{product.display_name} ").removeprefix("for ")
    return name if width >= NARROW else name.split(" (")[0]


def _footer(report: Report, glyphs: Glyphs) -> list[RenderableType]:
    stars = report.dashboard.stars
    parts: list[RenderableType] = []
    if stars.value is not None:
        text = Text(f"{style.number(stars.value)} stars", "bold")
        text.append(f" in {len(stars.readings)} of {len(stars.readings) + len(stars.missing)} repositories")
        if stars.missing:
            text.append(f" (never read: {', '.join(stars.missing)})", "yellow")
        oldest = min(reading.observed_at for reading in stars.readings)
        text.append(f", each as last read, none before {oldest:%Y-%m-%d %H:%M} UTC", "dim")
        parts.append(text)
    if duplicated := [
        metric.metric.metric_id
        for metric in report.metrics
        if any(point.duplicated for point in (*metric.points, metric.running))
    ]:
        copies = f"Values of {', '.join(duplicated)} are stored more than once; the newest copy counts."
        fix = "Fix: `community-metrics repair` deletes the others."
        parts.append(Text(f"{glyphs.warn} {copies} {fix}", "yellow"))
    parts.append(_last_success(report, glyphs))
    parts.append(style.legend([metric.points for metric in report.metrics], glyphs))
    return parts


def _last_success(report: Report, glyphs: Glyphs) -> Text:
    fresh = report.dashboard.freshness
    if fresh.age is None:
        return Text(
            f"{glyphs.warn} No refresh has succeeded yet; `community-metrics status` shows more.", "yellow"
        )
    last = f"last successful refresh {style.age(fresh.age)} ago"
    if fresh.is_stale:
        return Text(f"{glyphs.warn} {last}; `community-metrics status` shows more.", "yellow")
    return Text(last, "dim")
