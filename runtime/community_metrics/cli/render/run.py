"""How a job ended: counts, causes of failures and, under `--dry-run`, what would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.model import BACKFILL_JOB, RunStatus
from community_metrics.text import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.runs.job import RunReport
    from community_metrics.storage import MergePlan

OFFLINE: Final = "No registry answered; this machine seems to be offline"
OFFLINE_FIX: Final = (
    "check the network, then run `community-metrics refresh`. Without network `make demo` shows sample data"
)


def render_outcome(report: RunReport, glyphs: Glyphs) -> RenderableType:
    """Return the outcome as it is printed; failures with one cause are one line."""
    parts = _offline(report, glyphs) if report.is_offline else _failures(report, glyphs)
    parts += [Text(f"{glyphs.warn} {metric_id}: {note}", "yellow") for metric_id, note in report.metric_notes]
    parts += [Text(f"{glyphs.warn} {note}", "yellow") for note in report.notes]
    if report.plan is not None and report.run.job_name != BACKFILL_JOB:
        parts.append(render_plan(report.plan, glyphs))
    return Group(*parts, _headline(report, glyphs))


def _failures(report: RunReport, glyphs: Glyphs) -> list[RenderableType]:
    return [Text(f"{glyphs.fail} {failure.message}", "red") for failure in report.view.failures]


def _offline(report: RunReport, glyphs: Glyphs) -> list[RenderableType]:
    """Return one line for each host, and once what to do."""
    hosts = [
        Text(
            f"  {counted(len(failure.metric_ids), 'metric')}: {failure.cause}",
            "red",
            no_wrap=True,
            overflow="ellipsis",
        )
        for failure in report.view.failures
    ]
    return [Text(f"{glyphs.fail} {OFFLINE}:", "bold red"), *hosts, Text(f"Fix: {OFFLINE_FIX}.", "dim")]


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
