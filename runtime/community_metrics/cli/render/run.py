"""How a job ended: counts, causes of failures and, under `--dry-run`, what would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.model import RunStatus

if TYPE_CHECKING:
    from rich.console import RenderableType

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.runs.job import RunReport
    from community_metrics.storage import MergePlan


def render_outcome(report: RunReport, glyphs: Glyphs) -> RenderableType:
    """Return the outcome as it is printed; failures with one cause are one line."""
    parts: list[RenderableType] = [
        Text(f"{glyphs.fail} {failure.message}", "red") for failure in report.view.failures
    ]
    parts += [Text(f"{glyphs.warn} {metric_id}: {note}", "yellow") for metric_id, note in report.metric_notes]
    parts += [Text(f"{glyphs.warn} {note}", "yellow") for note in report.notes]
    if report.plan is not None:
        parts.append(render_plan(report.plan, glyphs))
    return Group(*parts, _headline(report, glyphs))


def _headline(report: RunReport, glyphs: Glyphs) -> Text:
    run = report.run
    mark, color = {
        RunStatus.SUCCESS: (glyphs.ok, "bold green"),
        RunStatus.PARTIAL: (glyphs.warn, "bold yellow"),
    }.get(run.status, (glyphs.fail, "bold red"))
    would = "would be " if report.plan is not None else ""
    text = Text(f"{mark} {run.job_name}: {run.status.value}", color)
    text.append(
        f"   {style.number(run.rows_inserted)} {would}new, {style.number(run.rows_updated)} {would}changed, "
        f"{style.number(run.rows_unchanged)} unchanged",
        "default",
    )
    if run.window_start and run.window_end:
        text.append(f"   {run.window_start} {glyphs.dash} {run.window_end}", "dim")
    return text.append("\nNothing was written (--dry-run).", "dim") if report.plan is not None else text


def render_plan(plan: MergePlan, glyphs: Glyphs) -> RenderableType:
    """Return the days that a run would write for each metric."""
    if not plan.metrics:
        return Text("No value would change.", "dim")
    table = style.plain_table()
    table.add_column("metric", no_wrap=True, overflow="ellipsis")
    table.add_column("days", no_wrap=True)
    for name in ("new", "changed", "restated"):
        table.add_column(name, justify="right")
    for metric in plan.metrics:
        counts = (metric.new, metric.changed, metric.restated)
        days = f"{metric.first_day} {glyphs.dash} {metric.last_day}"
        table.add_row(metric.metric_id, days, *map(style.number, counts))
    return table
