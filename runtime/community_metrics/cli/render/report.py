"""How the report looks on a terminal, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.model import ValueKind
from community_metrics.series.freshness import is_stale

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from community_metrics.catalog import Metric
    from community_metrics.cli.render.style import Signs
    from community_metrics.model import Run
    from community_metrics.series.points import Point
    from community_metrics.series.summary import FlowTotal
    from community_metrics.views.report import Line, Report

NARROW = 100
"""Below this many columns the subject in brackets is left out of the names."""


def render_report(report: Report, signs: Signs, width: int) -> RenderableType:
    """Return the report as it is printed on `width` columns."""
    if report.newest_day is None:
        return Text(
            "Nothing is stored yet. `community-metrics seed` loads the figures from before the first run, "
            "`community-metrics refresh` asks the registries.",
            "yellow",
        )
    name_width = max(len(_name(line.metric, report.products, width)) for line in report.lines)
    parts: list[RenderableType] = [_headline(report, signs)]
    for product, name in report.products.items():
        lines = [line for line in report.lines if line.metric.product == product]
        if lines:
            parts.append(_product_title(name, report.downloads.get(product)))
            parts.append(Padding(_table(lines, report.products, signs, width, name_width), (0, 0, 1, 0)))
    parts += _footer(report, signs)
    return Group(*parts)


def _headline(report: Report, signs: Signs) -> Text:
    first, last = report.window[0], report.window[-1]
    text = Text()
    text.append(f"{first.label} {signs.dash} {last.label}", "bold")
    text.append(f"   {style.counted(len(report.window), 'week')}, to Sunday {last.end}\n", "dim")
    if report.is_old:
        old = style.counted(report.age_days or 0, "day")
        text.append(
            f"{signs.warn} The newest data are of {report.newest_day}, {old} old; "
            "the window ends there. `community-metrics refresh` brings newer ones.\n",
            "bold yellow",
        )
    return text


def _product_title(name: str, total: FlowTotal | None) -> Text:
    text = Text(name, "bold")
    if total is None:
        return text
    if total.value is None:
        return text.append("   no total of downloads: no day is known of every package", "dim")
    days = "30 days" if total.days_present == total.days_expected else f"{total.days_present} of 30 days"
    return text.append(f"   {style.number(total.value)} downloads in {days} to {total.period_end}", "dim")


def _table(
    lines: Sequence[Line], products: Mapping[str, str], signs: Signs, width: int, name_width: int
) -> Table:
    drawn = min(_spark_width(width), len(lines[0].series))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
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
    for line in lines:
        is_level = line.metric.value_kind is ValueKind.LEVEL
        change = style.difference if is_level else style.percent
        table.add_row(
            _name(line.metric, products, width),
            _week(line, signs),
            _value(line, signs),
            change(line.summary.change, signs),
            f"{line.complete_weeks}/{len(line.series)} wk",
            style.sparkline(line.series[-_spark_width(width) :], signs, from_zero=not is_level),
        )
    return table


def _spark_width(width: int) -> int:
    return max(12, min(52, width - 72))


def _week(line: Line, signs: Signs) -> str:
    if line.shown is None:
        return signs.none
    return "this" if line.shown is line.running else line.shown.period.label


def _value(line: Line, signs: Signs) -> Text:
    point = line.shown
    if point is None or point.value is None:
        return Text(signs.none, "dim")
    if point.estimated:
        return Text(f"{signs.about} {style.number(point.value)}", "yellow")
    if not point.complete and point is not line.running:
        return Text(f"{signs.partial} {style.number(point.value)}", "magenta")
    return Text(style.number(point.value), "bold")


def _name(metric: Metric, products: Mapping[str, str], width: int) -> str:
    """Return the metric's name without that of its product, which stands above the table."""
    name = metric.display_name.removeprefix(f"{products[metric.product]} ").removeprefix("for ")
    return name if width >= NARROW else name.split(" (")[0]


def _footer(report: Report, signs: Signs) -> list[RenderableType]:
    stars = report.stars
    parts: list[RenderableType] = []
    if stars.value is not None:
        text = Text(f"{style.number(stars.value)} stars", "bold")
        text.append(f" in {len(stars.readings)} of {len(stars.readings) + len(stars.missing)} repositories")
        if stars.missing:
            text.append(f" (never read: {', '.join(stars.missing)})", "yellow")
        oldest = min(reading.observed_at for reading in stars.readings)
        text.append(f", each as last read, none before {oldest:%Y-%m-%d %H:%M} UTC", "dim")
        parts.append(text)
    if duplicated := [line.metric.metric_id for line in report.lines if line.is_duplicated]:
        said = f"Values of {', '.join(duplicated)} are stored more than once; the newest copy counts."
        fix = "Fix: `community-metrics repair` deletes the others."
        parts.append(Text(f"{signs.warn} {said} {fix}", "yellow"))
    parts.append(_last_success(report, signs))
    parts.append(style.legend([line.series for line in report.lines], signs))
    return parts


def _last_success(report: Report, signs: Signs) -> Text:
    if report.success is None:
        return Text(
            f"{signs.warn} No refresh has succeeded yet; `community-metrics status` says more.", "yellow"
        )
    ended = report.success.finished_at or report.success.started_at
    said = f"last successful refresh {style.age(report.now - ended)} ago"
    if is_stale(report.success, report.now):
        return Text(f"{signs.warn} {said}; `community-metrics status` says more.", "yellow")
    return Text(said, "dim")


def report_json(report: Report) -> dict[str, Any]:
    """Return the report as plain values; the shape is stable and described in `docs/cli.md`."""
    return {
        "generated_at": report.now.isoformat(),
        "first_week": report.window[0].label,
        "last_week": report.window[-1].label,
        "newest_day": report.newest_day.isoformat() if report.newest_day else None,
        "last_success": _ended(report.success),
        "stale": is_stale(report.success, report.now),
        "metrics": [_line_json(line) for line in report.lines],
        "downloads_30d": {product: _total_json(total) for product, total in report.downloads.items()},
        "stars": {
            "value": report.stars.value,
            "readings": {reading.metric_id: reading.value for reading in report.stars.readings},
            "missing": list(report.stars.missing),
        },
    }


def _ended(run: Run | None) -> str | None:
    return None if run is None else (run.finished_at or run.started_at).isoformat()


def _line_json(line: Line) -> dict[str, Any]:
    latest, change = line.summary.latest, line.summary.change
    return {
        "metric_id": line.metric.metric_id,
        "product": line.metric.product,
        "display_name": line.metric.display_name,
        "latest_complete_week": latest.period.label if latest else None,
        "value": latest.value if latest else None,
        "change": {"absolute": change.absolute, "fraction": change.fraction} if change else None,
        "share": line.summary.share,
        "complete_weeks": line.complete_weeks,
        "points": [_point_json(point) for point in line.series],
        "running_level": _point_json(line.running) if line.running else None,
    }


def _point_json(point: Point) -> dict[str, Any]:
    return {
        "week": point.period.label,
        "value": point.value,
        "days_present": point.days_present,
        "days_expected": point.days_expected,
        "complete": point.complete,
        "estimated": point.estimated,
        "fallback_id": point.fallback_id,
        "provenance": point.provenance,
        "status": point.status,
        "revised": point.revised,
        "observed_at": point.observed_at.isoformat() if point.observed_at else None,
        "duplicated": point.duplicated,
    }


def _total_json(total: FlowTotal) -> dict[str, Any]:
    return {
        "value": total.value,
        "period_start": total.period_start.isoformat() if total.period_start else None,
        "period_end": total.period_end.isoformat() if total.period_end else None,
        "days_present": total.days_present,
        "missing": list(total.missing),
    }
