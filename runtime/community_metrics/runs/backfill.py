"""The work of `backfill`: read the days from before the first run, one place beside the other.

What is read is stored in batches like that of a refresh. The days that are not stored say what is left, so a
run that was killed is continued by the next one, and a second run finds nothing to write.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from community_metrics.errors import ConfigurationError, SourceError
from community_metrics.model import Provenance
from community_metrics.periods import today
from community_metrics.readings import PROVENANCES, day_of_number
from community_metrics.runs.batches import storing
from community_metrics.runs.definitions import redefined, refusal
from community_metrics.runs.gather import invalid_observation
from community_metrics.runs.job import JobResult
from community_metrics.sources import available_sources
from community_metrics.sources.backfill import BACKFILLS, BackfillRequest, backfill_of, window_to_fill
from community_metrics.sources.base import EVERYTHING, FetchResult, invalid_data, unexpected
from community_metrics.sources.client.client import RegistryClient
from community_metrics.sources.client.retries import RequestLimits
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.readings import Readings
    from community_metrics.runs.job import RunContext, Work
    from community_metrics.runs.registry import Backfill as BackfillJob
    from community_metrics.sources.backfill import Backfill

log = structlog.get_logger(__name__)

LIMITS: Final = RequestLimits(read_s=65, attempt_s=90)
"""A query of ClickPy may take a minute, and a file has megabytes."""
_NOT_FILLED: Final = {PROVENANCES.index(one) for one in (Provenance.SAMPLE, Provenance.CSV_SEED)}
_SCHEDULED: Final = PROVENANCES.index(Provenance.API)
_NOTHING: Final = "No day is missing: nothing was requested."

Plan = dict["Backfill", list[BackfillRequest]]
"""The requests to each place."""


def prepared(job: BackfillJob, catalog: Catalog, now: datetime) -> Work:
    """Return the work of filling in the chosen metrics.

    Raises:
        ConfigurationError: none of them can be filled back, or no day from `since` on.
    """
    chosen = metrics_to_fill(job.only, catalog)
    windows = {metric.metric_id: _window(metric, now, job.since) for metric in chosen}
    if job.since is not None and all(first > last for first, last in windows.values()):
        newest = max(last for _, last in windows.values())
        raise ConfigurationError(
            f"--from {job.since} leaves no day to fill: `community-metrics refresh` reads those after "
            f"{newest}. Fix: name an earlier day."
        )

    async def work(context: RunContext) -> JobResult:
        plan = await _plan(context, chosen, windows)
        if context.holder is None:  # a dry run would otherwise read for an hour and store nothing
            return JobResult(notes=_previewed(plan))
        context.batches.wanted = frozenset(metric.metric_id for metric in chosen)
        await _fill(context, plan)
        first, last = min(first for first, _ in windows.values()), max(last for _, last in windows.values())
        return JobResult(first, last, () if plan else (_NOTHING,))

    return work


def metrics_to_fill(only: Sequence[str], catalog: Catalog) -> list[Metric]:
    """Return the chosen metrics that can be filled back, and the totals that are read with them anyway.

    Raises:
        ConfigurationError: there is none.
    """
    chosen = catalog.select(only)
    totals = {catalog.registry_ids.get(metric.metric_id) for metric in chosen}
    chosen += tuple(one for one in catalog.registries if one.metric_id in totals and one not in chosen)
    found = [metric for metric in chosen if backfill_of(metric.source, metric.subject)]
    if not found:
        raise ConfigurationError(
            "None of the chosen metrics can be filled back: only those of the sources "
            f"{', '.join(sorted(BACKFILLS))} can. "
            "The star history of GitHub is complete already. Fix: choose others, or leave out --only."
        )
    return found


def _window(metric: Metric, now: datetime, since: date | None) -> tuple[date, date]:
    backfill = BACKFILLS[metric.source]
    return window_to_fill(backfill, available_sources()[metric.source], now, since)


async def _plan(
    context: RunContext, metrics: Sequence[Metric], windows: Mapping[str, tuple[date, date]]
) -> Plan:
    """Return the requests to each place; a metric that must not be filled is recorded with its error."""
    context.batches.redefined = frozenset(changed := await redefined(context.store, metrics))
    readings = await context.store.readings([metric.metric_id for metric in metrics])
    lacking: list[BackfillRequest] = []
    complete: list[BackfillRequest] = []
    for metric in metrics:
        if metric.metric_id in changed:
            context.record(FetchResult(metric.metric_id, error=refusal(metric, changed[metric.metric_id])))
            continue
        first, last = windows[metric.metric_id]
        stored, scheduled = stored_values(readings, metric.metric_id)
        request = BackfillRequest(
            metric.metric_id,
            metric.subject,
            metric.source,
            metric.options,
            first,
            last,
            stored,
            scheduled,
        )
        (lacking if request.missing else complete).append(request)
    return _by_place(context, lacking, complete)


def _by_place(
    context: RunContext, lacking: Sequence[BackfillRequest], complete: Sequence[BackfillRequest]
) -> Plan:
    """Return the requests that lack days, by place; a complete metric is recorded.

    A complete total of a registry stays with the packages that lack days: its stored values show which of
    these days were counted only in part.
    """
    plan: Plan = defaultdict(list)
    for request in lacking:
        plan[BACKFILLS[request.source]].append(request)
    for request in complete:
        if request.subject == EVERYTHING and BACKFILLS[request.source] in plan:
            plan[BACKFILLS[request.source]].append(request)
        else:
            context.record(FetchResult(request.metric_id))
    return plan


def stored_values(readings: Readings, metric_id: str) -> tuple[dict[date, int], dict[date, int]]:
    """Return the values of a metric by day, whichever way they were read, and those of its own source."""
    stored: dict[date, int] = {}
    scheduled: dict[date, int] = {}
    rows = readings.of_metric(metric_id)
    columns = (rows[name].tolist() for name in ("last_day", "value", "provenance"))
    for number, value, provenance in zip(*columns, strict=True):
        if provenance not in _NOT_FILLED:
            day = day_of_number(number)
            stored[day] = value
            if provenance >= _SCHEDULED:
                scheduled[day] = value
    return stored, scheduled


def _previewed(plan: Plan) -> tuple[str, ...]:
    """Return what a run would request: one line for each metric and one for each place."""
    if not plan:
        return (_NOTHING,)
    lines = [
        f"{request.metric_id}: {counted(len(request.missing), 'day')} from {request.missing[0]} to "
        f"{request.missing[-1]} could come from {backfill.name}."
        for backfill, requests in plan.items()
        for request in requests
        if request.missing
    ]
    for backfill, requests in plan.items():
        steps = backfill.steps(requests)
        length = timedelta(seconds=round(steps * backfill.host.pace_s))
        lines.append(f"{backfill.name}: {counted(steps, 'request')}, at least {length} at its pace.")
    return tuple(lines)


async def _fill(context: RunContext, plan: Plan) -> None:
    """Ask every place, all side by side, and store what they return in batches meanwhile."""
    client = RegistryClient(context.settings, context.clock, context.rng, limits=LIMITS)
    async with client, storing(context):
        context.batches.check = client.clock_check.require_true
        async with asyncio.TaskGroup() as tasks:
            for backfill, requests in plan.items():
                tasks.create_task(_Filling(backfill, requests, context).run(client))


@dataclass(slots=True)
class _Filling:
    """Takes the results of one place, and shows how far it is."""

    backfill: Backfill
    requests: Sequence[BackfillRequest]
    context: RunContext
    _done: int = 0
    _total: int = 0
    _begun_s: float = 0.0

    async def run(self, client: RegistryClient) -> None:
        """Record what the place returns; its own failure fails only its own metrics."""
        self._total, self._begun_s = self.backfill.steps(self.requests), self.context.clock.monotonic()
        self.context.progress.steps_started(self.backfill.name, self._total)
        try:
            async for result in self.backfill.fill(self.requests, client, self._step):
                self.context.record(self._checked(result))
        except Exception as error:
            log.exception("backfill failed", source=self.backfill.name)
            for request in self.requests:
                failure = error if isinstance(error, SourceError) else None
                failure = failure or unexpected(error, request.source, request.subject)
                self.context.record(FetchResult(request.metric_id, error=failure))

    def _checked(self, result: FetchResult) -> FetchResult:
        """Return the result, or its error where an observation cannot be stored."""
        reason = invalid_observation(result, self.backfill.window, today(self.context.clock.now()))
        if reason is None:
            return result
        return FetchResult(result.metric_id, error=invalid_data(reason, self.backfill.name, result.metric_id))

    def _step(self, what: str) -> None:
        """Show one answered request, and how long the others take at the speed so far."""
        self._done += 1
        spent_s = self.context.clock.monotonic() - self._begun_s
        left_s = spent_s / self._done * max(self._total - self._done, 0)
        self.context.progress.step_done(self.backfill.name, what, left_s)
