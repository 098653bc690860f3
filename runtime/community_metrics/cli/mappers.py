"""From what the commands return to their JSON; where a command has a route, `api.mappers` does it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from community_metrics.api.mappers import run_body
from community_metrics.cli import schemas

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from community_metrics.catalog import Metric
    from community_metrics.runs.job import RunReport
    from community_metrics.storage import MergePlan


def job_run_body(report: RunReport) -> schemas.JobRun:
    """Return how a job ended."""
    return schemas.JobRun(
        run=run_body(report.view),
        dry_run=report.plan is not None,
        notes=list(report.notes),
        metrics=[
            schemas.MetricOutcome(
                metric_id=outcome.metric_id,
                observations=outcome.observations,
                error=outcome.message,
                notes=[note for metric_id, note in report.metric_notes if metric_id == outcome.metric_id],
            )
            for outcome in report.outcomes
        ],
        plan=None if report.plan is None else plan_body(report.plan),
    )


def plan_body(plan: MergePlan) -> schemas.Plan:
    """Return what would be written, by metric, and each row that would change."""
    new = Counter(row.metric_id for row in plan.inserted)
    changed = Counter(row.metric_id for row in plan.updated)
    restated = Counter(row.metric_id for row in plan.updated if row.value != row.first_value)
    days: dict[str, list[date]] = {}
    for row in plan.written:
        days.setdefault(row.metric_id, []).append(row.period_end)
    return schemas.Plan(
        metrics=[
            schemas.PlannedMetric(
                metric_id=metric_id,
                first_day=min(ends),
                last_day=max(ends),
                new=new[metric_id],
                changed=changed[metric_id],
                restated=restated[metric_id],
            )
            for metric_id, ends in days.items()
        ],
        changed_rows=[schemas.PlannedRow.model_validate(row, from_attributes=True) for row in plan.updated],
    )


def catalog_body(metrics: Iterable[Metric]) -> schemas.CatalogMetrics:
    """Return metrics of the catalogue file."""
    own = ("metric_id", "display_name", "product", "source", "subject", "sdk", "unit", "value_kind")
    return schemas.CatalogMetrics(
        metrics=[
            schemas.CatalogMetric(
                **{name: getattr(metric, name) for name in (*own, "is_active")},
                metric_family=metric.family,
                source_window=metric.window,
                options=dict(metric.options),
                fallbacks=list(metric.fallbacks),
            )
            for metric in metrics
        ]
    )
