"""How a job ended: counts, causes of failures and, under `--dry-run`, what would change."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.cli.render.status import run_json
from community_metrics.model import RunStatus
from community_metrics.series.failures import grouped_failures
from community_metrics.series.freshness import RunView

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
    failures = grouped_failures(report.outcomes)
    parts: list[RenderableType] = [Text(f"{signs.fail} {failure.message}", "red") for failure in failures]
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
    for line in plan_json(plan)["metrics"]:
        table.add_row(
            line["metric_id"],
            f"{line['first_day']} {signs.dash} {line['last_day']}",
            *(style.number(line[name]) for name in ("new", "changed", "restated")),
        )
    return table


def plan_json(plan: MergePlan) -> dict[str, Any]:
    """Return what would be written, by metric, and each changed row with its first and its new value."""
    new = Counter(row.metric_id for row in plan.inserted)
    changed = Counter(row.metric_id for row in plan.updated)
    restated = Counter(row.metric_id for row in plan.updated if row.value != row.first_value)
    days: dict[str, list[Any]] = {}
    for row in plan.written:
        days.setdefault(row.metric_id, []).append(row.period_end)
    return {
        "metrics": [
            {
                "metric_id": metric_id,
                "first_day": min(ends).isoformat(),
                "last_day": max(ends).isoformat(),
                "new": new[metric_id],
                "changed": changed[metric_id],
                "restated": restated[metric_id],
            }
            for metric_id, ends in days.items()
        ],
        "changed_rows": [
            {
                "metric_id": row.metric_id,
                "period_end": row.period_end.isoformat(),
                "value": row.value,
                "first_value": row.first_value,
                "revision": row.revision,
                "status": row.status,
                "provenance": row.provenance,
            }
            for row in plan.updated
        ],
    }


def outcome_json(report: RunReport) -> dict[str, Any]:
    """Return how the run ended as plain values; the shape is stable and described in `docs/cli.md`."""
    view = RunView(report.run, report.run.status.value, tuple(grouped_failures(report.outcomes)))
    return {
        "run": run_json(view),
        "dry_run": report.plan is not None,
        "notes": list(report.notes),
        "metrics": [
            {
                "metric_id": outcome.metric_id,
                "observations": outcome.observations,
                "error": outcome.message,
                "notes": [note for metric_id, note in report.metric_notes if metric_id == outcome.metric_id],
            }
            for outcome in report.outcomes
        ],
        "plan": plan_json(report.plan) if report.plan is not None else None,
    }
