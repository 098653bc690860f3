"""The JSON of the commands that have no route: jobs, `doctor`, `repair`, `catalog show`."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from community_metrics.api.schemas.base import Body
from community_metrics.api.schemas.points import MetricIdentity
from community_metrics.api.schemas.status import RunRecord
from community_metrics.model import Provenance, Status, TargetKind, Visibility


class MetricOutcome(Body):
    """What a run read for one metric: how many values, the error if it failed, notes for a person."""

    metric_id: str
    observations: int
    error: str | None
    notes: list[str]


class PlannedMetric(Body):
    """How many days of a metric a dry run would write, and between which; `restated` get another value."""

    metric_id: str
    first_day: date
    last_day: date
    new: int
    changed: int
    restated: int


class PlannedRow(Body):
    """A stored row that a dry run would change, as it would be."""

    metric_id: str
    period_end: date
    value: int
    first_value: int
    revision: int
    status: Status
    provenance: Provenance


class Plan(Body):
    """What a dry run would write: every metric with such a row, and every stored row that would change."""

    metrics: list[PlannedMetric]
    changed_rows: list[PlannedRow]


class JobRun(Body):
    """How a job ended: its run as in `/history`, every metric it collected; `plan` is null unless dry."""

    run: RunRecord
    dry_run: bool
    notes: list[str]
    metrics: list[MetricOutcome]
    plan: Plan | None


class Check(Body):
    """One check of `doctor`: how it ended, what was found, and what to do (empty for nothing)."""

    verdict: Literal["ok", "warn", "fail"]
    area: str
    detail: str
    fix: str


class Diagnosis(Body):
    """Every check of `doctor`; `ok` when none failed."""

    ok: bool
    checks: list[Check]


class DeletedRow(Body):
    """A row that `repair` deleted."""

    table: str
    key: str


class Repair(Body):
    """What `repair` did: `dropped` are surplus copies, `future` rows from the future; both are deleted.

    `indexes` are the columns whose index was built anew.
    """

    indexes: list[str]
    dropped: list[DeletedRow]
    future: list[DeletedRow]


class CatalogMetric(MetricIdentity):
    """One metric of the catalogue file; `options` choose among the series of its source."""

    options: dict[str, Any]
    fallbacks: list[str]
    is_active: bool
    watch: bool
    visibility: Visibility


class CatalogDelivery(Body):
    """One target of digests of the catalogue file; `products` is null for all."""

    id: str
    to: TargetKind
    digests: list[str]
    products: list[str] | None
    visibility: Visibility


class CatalogMetrics(Body):
    """The active metrics of the catalogue file, and its targets of digests, in its order."""

    metrics: list[CatalogMetric]
    deliveries: list[CatalogDelivery]
