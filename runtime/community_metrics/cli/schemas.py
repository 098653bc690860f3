"""The JSON of the commands that have no route: jobs, `doctor`, `repair`, `catalog show` and `discover`."""

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


class FoundAt(Body):
    """Where a name stands: a line of a file, or (without `path`) the repository itself."""

    repository: str
    path: str | None
    line: int | None
    url: str


class ProposedMetric(Body):
    """What could be added; `unverified` says why nobody knows whether the registry has it, null if it has.

    `links_back` says whether the package's page links to a repository, the page or the github.io site of the
    owner, null where nobody was asked or answered; `link` says so in words.
    """

    spec: str
    source: str
    subject: str
    product: str
    unverified: str | None
    links_back: bool | None
    link: str | None
    evidence: list[FoundAt]


class NotProposedName(Body):
    """A manifest, or a name in one, that is not proposed, and why."""

    subject: str | None
    reason: str
    evidence: FoundAt


class UnreadRepository(Body):
    """A repository that was not read, or only in part, and why."""

    repository: str
    reason: str


class DiscoveredMetrics(Body):
    """What `catalog discover` found; `commands` add all proposals, and nothing was added.

    `complete` is false where `stopped` says why the reading ended early, or a repository was not read.
    `forks`, `archived` and `disabled` are the repositories that were left out.
    """

    owner: str
    is_organisation: bool | None
    complete: bool
    stopped: str | None
    listed: int
    read: list[str]
    proposals: list[ProposedMetric]
    not_proposed: list[NotProposedName]
    unread: list[UnreadRepository]
    forks: list[str]
    archived: list[str]
    disabled: list[str]
    commands: list[str]
