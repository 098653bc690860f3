"""The JSON of the commands that have no route: jobs, `doctor`, `repair`, `catalog show`."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from community_metrics.api.schemas.base import Body
from community_metrics.api.schemas.points import MetricIdentity
from community_metrics.api.schemas.status import RunRecord
from community_metrics.model import Provenance, Status


class MetricOutcome(Body):
    """What a run read for one metric."""

    metric_id: str
    """Id of the metric."""
    observations: int
    """How many values were read."""
    error: str | None
    """Why the metric failed; null when it did not."""
    notes: list[str]
    """What else a person should know."""


class PlannedMetric(Body):
    """What a dry run would write for one metric."""

    metric_id: str
    """Id of the metric."""
    first_day: date
    """The oldest day that would be written."""
    last_day: date
    """The newest day that would be written."""
    new: int
    """How many days are not stored yet."""
    changed: int
    """How many stored days would change."""
    restated: int
    """How many of those would get another value."""


class PlannedRow(Body):
    """A stored row that a dry run would change, as it would be."""

    metric_id: str
    """Id of the metric."""
    period_end: date
    """The day."""
    value: int
    """The new value."""
    first_value: int
    """The value that was stored first."""
    revision: int
    """How often the value was restated, this time included."""
    status: Status
    """Whether the registry may still change it."""
    provenance: Provenance
    """Where the new value comes from."""


class Plan(Body):
    """What a dry run would write."""

    metrics: list[PlannedMetric]
    """Every metric with a row to write."""
    changed_rows: list[PlannedRow]
    """Every stored row that would change."""


class JobRun(Body):
    """How a job ended: `seed`, `refresh`, `update-all`, `bootstrap`."""

    run: RunRecord
    """The run, as in `/history`."""
    dry_run: bool
    """Whether nothing was written."""
    notes: list[str]
    """What a person should know of the run as a whole."""
    metrics: list[MetricOutcome]
    """Every metric that was collected."""
    plan: Plan | None
    """What would be written; null unless it was a dry run."""


class Check(Body):
    """One check of `doctor`."""

    verdict: Literal["ok", "warn", "fail"]
    """How it ended."""
    area: str
    """What was checked."""
    detail: str
    """What was found."""
    fix: str
    """What to do about it; empty when there is nothing to do."""


class Diagnosis(Body):
    """The checks of `doctor`."""

    ok: bool
    """Whether no check failed."""
    checks: list[Check]
    """Every check."""


class DroppedRow(Body):
    """A surplus copy that `repair` deleted."""

    table: str
    """Its table."""
    key: str
    """Its key."""


class Repair(Body):
    """What `repair` deleted."""

    dropped: list[DroppedRow]
    """Every deleted copy."""


class CatalogMetric(MetricIdentity):
    """One metric of the catalogue file."""

    options: dict[str, Any]
    """What chooses among the series of its source."""
    fallbacks: list[str]
    """Metrics that may replace its missing periods, marked as estimates, in this order."""
    is_active: bool
    """Whether it is collected."""


class CatalogMetrics(Body):
    """The active metrics of the catalogue file."""

    metrics: list[CatalogMetric]
    """In the order of the file."""
