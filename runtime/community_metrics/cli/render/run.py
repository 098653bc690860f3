"""How a job ended: counts, causes of failures and, under `--dry-run`, what would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from community_metrics.cli.mappers import plan_body
from community_metrics.cli.render import style
from community_metrics.model import RunStatus

if TYPE_CHECKING:
    from rich.console import RenderableType

    from community_metrics.cli.render.style import Signs
    from community_metrics.runs.job import RunReport
    from community_metrics.storage import MergePlan

EXIT_PARTIAL = 3
"""The exit code of a partial run under `--strict`."""


def exit_code(status: RunStatus, *, strict: bool, best_effort: bool = False) -> int:
    """Return 0 for success, 1 for failed (0 for `best_effort`), and 0 or (strict) 3 for partial.

    A run that came to its end is failed only where every metric failed; any other failure raises.
    """
    if status is RunStatus.FAILED:
        return 0 if best_effort else 1
    return EXIT_PARTIAL if strict and status is RunStatus.PARTIAL else 0


def render_outcome(report: RunReport, signs: Signs) -> RenderableType:
    """Return how the run ended, for printing; failures with one cause are one line."""
    parts: list[RenderableType] = [
        Text(f"{signs.fail} {failure.message}", "red") for failure in report.view.failures
    ]
    parts += [Text(f"{signs.warn} {metric_id}: {note}", "yellow") for metric_id, note in report.metric_notes]
    parts += [Text(f"{signs.warn} {note}", "yellow") for note in report.notes]
    if report.plan is not None:
        parts.append(_plan_table(report.plan, signs))
    return Group(*parts, _headline(report, signs))


def _headline(report: RunReport, signs: Signs) -> Text:
    run = report.run
    mark, color = {
        RunStatus.SUCCESS: (signs.ok, "bold green"),
        RunStatus.PARTIAL: (signs.warn, "bold yellow"),
    }.get(run.status, (signs.fail, "bold red"))
    would = "would be " if report.plan is not None else ""
    text = Text(f"{mark} {run.job_name}: {run.status.value}", color)
    text.append(
        f"   {style.number(run.rows_inserted)} {would}new, {style.number(run.rows_updated)} {would}changed, "
        f"{style.number(run.rows_unchanged)} equal",
        "default",
    )
    if run.window_start and run.window_end:
        text.append(f"   {run.window_start} {signs.dash} {run.window_end}", "dim")
    return text.append("\nNothing was written (--dry-run).", "dim") if report.plan is not None else text


def _plan_table(plan: MergePlan, signs: Signs) -> RenderableType:
    if not plan.written:
        return Text("No value would change.", "dim")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("metric", no_wrap=True, overflow="ellipsis")
    table.add_column("days", no_wrap=True)
    for name in ("new", "changed", "restated"):
        table.add_column(name, justify="right")
    for metric in plan_body(plan).metrics:
        counts = (metric.new, metric.changed, metric.restated)
        days = f"{metric.first_day} {signs.dash} {metric.last_day}"
        table.add_row(metric.metric_id, days, *map(style.number, counts))
    return table
