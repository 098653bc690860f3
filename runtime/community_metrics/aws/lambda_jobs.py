"""The jobs in Lambda: `{"job": "weekly_refresh", "lookback_weeks": 1}`, as EventBridge Scheduler sends it.

A refresh stops in time for Lambda's limit; the next scheduled one reads the metrics that are left.

`{"job": "monitor"}` is no run: it reports to CloudWatch how the runs ended, and how old the newest backup is.
`{"job": "deliver"}` sends the digests that are due. `{"job": "backup"}` stores every table in the bucket of
the backups, and `{"job": "restore_drill"}` tries to restore the newest one.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import TypeAdapter, ValidationError

from community_metrics import log
from community_metrics.aws.backups import backup_gauges, restore_drill
from community_metrics.aws.secrets import CachedSettings
from community_metrics.aws.telemetry import publish, publish_data_gauges
from community_metrics.backup.place import place_of
from community_metrics.backup.writing import back_up
from community_metrics.clock import SystemClock
from community_metrics.delivery.job import deliver
from community_metrics.errors import CommunityMetricsError, ConfigurationError
from community_metrics.model import RunStatus
from community_metrics.runs.deliveries import DELIVER
from community_metrics.runs.execute import execute
from community_metrics.runs.job import Job
from community_metrics.runs.registry import JOBS

if TYPE_CHECKING:
    from community_metrics.backup.manifest import Manifest
    from community_metrics.config import Settings
    from community_metrics.delivery.job import DeliveryReport
    from community_metrics.runs.job import RunReport

TIME_BUDGET_MINUTES: Final = 13
"""What a refresh has if its event names no budget: Lambda ends the function after 15 minutes."""
_BUDGET: Final = "time_budget_minutes"
_BY_HAND: Final = {"path", "reset"}
"""Options that only a person may set, at the command line."""


class JobFailed(CommunityMetricsError):  # noqa: N818  what Lambda's log shows as the error's type
    """A run ended as failed; the message has its summary."""


@dataclass(frozen=True)
class Monitor:
    """The event that reports the gauges. No options."""

    name: ClassVar[str] = "monitor"


@dataclass(frozen=True)
class Deliver:
    """The event that sends the digests that are due. No options."""

    name: ClassVar[str] = DELIVER


@dataclass(frozen=True)
class Backup:
    """The event that stores every table in the bucket of the backups. No options."""

    name: ClassVar[str] = "backup"


@dataclass(frozen=True)
class RestoreDrill:
    """The event that restores the newest backup into a scratch folder. No options."""

    name: ClassVar[str] = "restore_drill"


Event = Job | Monitor | Deliver | Backup | RestoreDrill
_KINDS: Final[dict[str, type[Event]]] = {
    **JOBS,
    **{kind.name: kind for kind in (Monitor, Deliver, Backup, RestoreDrill)},
}
_SETTINGS: Final = CachedSettings(SystemClock())


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Run one job and return how it ended, the gauges of `monitor`, or a backup; what AWS calls.

    Raises:
        ConfigurationError: the event, a setting or the catalogue is invalid.
        JobFailed: the run failed, so that Lambda counts an error, retries and alarms.
        CommunityMetricsError: another run holds the database, storage failed, or a backup did.
    """
    job = job_of(event)
    settings = _SETTINGS.current()
    log.configure(settings, is_terminal=False)
    # a loop of its own: a job opens and closes everything it uses, so nothing is left on it
    return asyncio.run(_done(job, settings))


async def _done(job: Event, settings: Settings) -> dict[str, Any]:
    match job:
        case Monitor():
            return await _monitored(settings)
        case Deliver():
            return _delivery_body(await deliver(settings))
        case Backup():
            made = await back_up(settings, place_of(settings), write_only=settings.backup_write_only)
            return _backup_body(made.manifest)
        case RestoreDrill():
            return _backup_body(await restore_drill(settings))
    return _body(await execute(job, settings))


async def _monitored(settings: Settings) -> dict[str, Any]:
    """Publish every gauge; an error of the backups' bucket comes after those of the data are published."""
    clock = SystemClock()
    gauges = await publish_data_gauges(settings, clock)
    if age := await asyncio.to_thread(backup_gauges, settings, clock.now()):
        await asyncio.to_thread(publish, age, settings.deployment_stage)
    return gauges | age


def job_of(event: object) -> Event:
    """Return the job that an event starts.

    Raises:
        ConfigurationError: the event is invalid; lists every fault, and the jobs or options there are.
    """
    options = dict(event) if isinstance(event, dict) else {}
    name = options.pop("job", None)
    if not isinstance(name, str) or name not in _KINDS:
        valid = ", ".join(map(repr, _KINDS))
        raise ConfigurationError("This event starts no job:", [f"job is {name!r}; it must be one of {valid}"])
    kind = _KINDS[name]
    known = [field.name for field in fields(kind) if field.name not in _BY_HAND]  # type: ignore[arg-type]  # a Job is a dataclass
    faults = [
        f"{name} has no option {option}; remove it (options of this job: {', '.join(known) or 'none'})"
        for option in options.keys() - set(known)
    ]
    try:
        # JSON, since there strict accepts a list for a tuple, and neither `true` nor "1" for a number
        given = {option: options[option] for option in known if option in options}
        if _BUDGET in known and given.get(_BUDGET) is None:
            given[_BUDGET] = TIME_BUDGET_MINUTES
        text = json.dumps(given)
        job = TypeAdapter(kind).validate_json(text, strict=True)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        faults += [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in found]
    if faults:
        raise ConfigurationError("This event starts no job:", sorted(faults))
    return job


def _delivery_body(report: DeliveryReport) -> dict[str, Any]:
    run_id = None if report.run is None else report.run.ingestion_run_id
    return {"run_id": run_id, "sent": report.sent, "notes": report.sentences}


def _backup_body(manifest: Manifest) -> dict[str, Any]:
    return {"backup_id": manifest.backup_id, "rows": manifest.rows, "bytes": manifest.bytes}


def _body(report: RunReport) -> dict[str, Any]:
    run = report.run
    if run.status is RunStatus.FAILED:
        raise JobFailed(f"Run {run.ingestion_run_id} failed: {run.error_summary or 'no reason was recorded'}")
    return {
        "run_id": run.ingestion_run_id,
        "status": run.status.value,
        "rows_inserted": run.rows_inserted,
        "rows_updated": run.rows_updated,
        "rows_unchanged": run.rows_unchanged,
        "metrics_left": run.metrics_left,
        "error_summary": run.error_summary,
    }
