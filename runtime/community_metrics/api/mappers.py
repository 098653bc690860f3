"""From the pure values of `series` and `summary` to the bodies of the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from community_metrics.api import schemas
from community_metrics.periods import Grain

if TYPE_CHECKING:
    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.series.failures import Failure
    from community_metrics.series.freshness import RunView
    from community_metrics.series.points import Change, Point
    from community_metrics.series.summary import FlowTotal, StockTotal

_IDENTITY: Final = tuple(schemas.MetricIdentity.model_fields)


def point_fields(point: Point) -> dict[str, Any]:
    """Return a point as plain values: its period's name under the grain's word, then what is known of it."""
    period = point.period
    return {
        period.grain.value: period.start if period.grain is Grain.DAY else period.label,
        "period_start": period.start,
        "period_end": period.end,
        "value": point.value,
        "days_present": point.days_present,
        "days_expected": point.days_expected,
        "complete": point.complete,
        "estimated": point.estimated,
        "fallback_id": point.fallback_id,
        "provenance": point.provenance,
        "status": point.status,
        "revised": point.revised,
        "observed_at": point.observed_at,
        "duplicated": point.duplicated,
    }


def identity_fields(definition: MetricDefinition) -> dict[str, Any]:
    """Return what says which metric this is."""
    return {name: getattr(definition, name) for name in _IDENTITY}


def definition_body(definition: MetricDefinition) -> schemas.Definition:
    """Return a metric of the catalogue as stored."""
    return schemas.Definition(
        **identity_fields(definition),
        fallbacks=list(definition.fallbacks),
        is_active=definition.is_active,
        created_at=definition.created_at,
    )


def change_body(change: Change | None) -> schemas.Change | None:
    """Return a change, or None where none can be said."""
    if change is None:
        return None
    return schemas.Change(absolute=change.absolute, fraction=change.fraction)


def downloads_body(total: FlowTotal) -> schemas.DownloadsTotal:
    """Return the total of a product's downloads."""
    fields = asdict(total)
    return schemas.DownloadsTotal(
        **fields | {"metric_ids": list(total.metric_ids), "missing": list(total.missing)}
    )


def stars_body(total: StockTotal) -> schemas.StarsTotal:
    """Return the total of stars."""
    readings = [schemas.StarReading(**asdict(reading)) for reading in total.readings]
    return schemas.StarsTotal(value=total.value, readings=readings, missing=list(total.missing))


def failure_body(failure: Failure) -> schemas.Failure:
    """Return the metrics that failed for one cause."""
    return schemas.Failure(
        cause=failure.cause,
        error_class=failure.error_class,
        url=failure.url,
        metric_ids=list(failure.metric_ids),
        message=failure.message,
    )


def run_body(view: RunView) -> schemas.RunRecord:
    """Return a run with the causes of its failures."""
    run = view.run
    return schemas.RunRecord(
        run_id=run.ingestion_run_id,
        job_name=run.job_name,
        state=view.state,
        started_at=run.started_at,
        finished_at=run.finished_at,
        rows_inserted=run.rows_inserted,
        rows_updated=run.rows_updated,
        rows_unchanged=run.rows_unchanged,
        window_start=run.window_start,
        window_end=run.window_end,
        error_summary=run.error_summary,
        failures=[failure_body(failure) for failure in view.failures],
        scope=run.scope,
    )


def restatement_body(row: StatRow) -> schemas.Restatement:
    """Return what a registry changed; `row` was restated at least once."""
    return schemas.Restatement(
        metric_id=row.metric_id,
        period_start=row.period_start,
        period_end=row.period_end,
        first_value=row.first_value,
        value=row.value,
        revision=row.revision,
        revised_at=row.revised_at or row.observed_at,
    )
