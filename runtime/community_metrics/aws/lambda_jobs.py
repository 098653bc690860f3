"""The jobs in Lambda: `{"job": "weekly_refresh", "lookback_weeks": 1}`, as EventBridge Scheduler sends it.

`{"job": "monitor"}` is no run: it tells CloudWatch how the runs go.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from community_metrics import log
from community_metrics.aws.secrets import CachedSettings
from community_metrics.aws.telemetry import report_gauges
from community_metrics.clock import SystemClock
from community_metrics.errors import CommunityMetricsError, ConfigurationError
from community_metrics.jobs import run_job
from community_metrics.model import RunStatus
from community_metrics.runs.execute import JobRequest

if TYPE_CHECKING:
    from community_metrics.runs.execute import RunReport

_MAX_WEEKS: Final = 520
_REFRESH: Final = ("lookback_weeks", "only")
_OPTIONS: Final = {
    "weekly_refresh": _REFRESH,
    "update_all": _REFRESH,
    "seed_from_csv": ("only", "include_suspect"),
    "bootstrap_tables": (),
    "monitor": (),
}
"""What each job reads of its event."""


class JobFailed(CommunityMetricsError):  # noqa: N818  what Lambda's log shows as the error's type
    """A run ended as failed; the message has its summary."""


class JobEvent(BaseModel):
    """What starts a job. What that job does not use is refused: nothing may only seem to work."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    job: Literal["weekly_refresh", "update_all", "seed_from_csv", "bootstrap_tables", "monitor"]
    # strict: `true` and `"1"` are no numbers of weeks
    lookback_weeks: int | None = Field(default=None, ge=1, le=_MAX_WEEKS, strict=True)
    only: tuple[str, ...] = ()
    include_suspect: bool = Field(default=False, strict=True)

    @model_validator(mode="after")
    def _has_options_of_its_job(self) -> Self:
        options = _OPTIONS[self.job]
        strange = sorted(self.model_fields_set - {"job", *options})
        if strange:
            raise ValueError(
                f"{self.job} does not use {', '.join(strange)}; leave it out "
                f"(options of this job: {', '.join(options) or 'none'})"
            )
        return self

    def request(self) -> JobRequest:
        """Return the event as the jobs want it; a schedule never rehearses and never resets."""
        return JobRequest(
            self.job,
            lookback_weeks=self.lookback_weeks,
            only=self.only,
            include_suspect=self.include_suspect,
        )


_SETTINGS: Final = CachedSettings(SystemClock())


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Run one job and return how it ended, or the gauges of `monitor`; what AWS calls.

    Raises:
        ConfigurationError: the event, a setting or the catalogue cannot be used.
        JobFailed: the run failed, so that Lambda counts an error, tries again and alarms.
        CommunityMetricsError: the database is held by another run, or storage failed.
    """
    wanted = event_of(event)
    settings = _SETTINGS.current()
    log.configure(settings, is_terminal=False)
    if wanted.job == "monitor":
        return dict(asyncio.run(report_gauges(settings, SystemClock())))
    # a loop of its own: a job opens and closes everything it uses, so nothing is left on it
    report = asyncio.run(run_job(wanted.request(), settings))
    return _told(report)


def event_of(event: object) -> JobEvent:
    """Return the event when it is one.

    Raises:
        ConfigurationError: every fault of it, and the jobs there are.
    """
    try:
        return JobEvent.model_validate(event)
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, item['loc'])) or 'the event'}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError("This event starts no job:", faults) from None


def _told(report: RunReport) -> dict[str, Any]:
    run = report.run
    if run.status is RunStatus.FAILED:
        raise JobFailed(f"Run {run.ingestion_run_id} failed: {run.error_summary or 'no reason was recorded'}")
    return {
        "run_id": run.ingestion_run_id,
        "status": run.status.value,
        "rows_inserted": run.rows_inserted,
        "rows_updated": run.rows_updated,
        "rows_unchanged": run.rows_unchanged,
        "error_summary": run.error_summary,
    }
