"""The results of one source, whatever it does: a plug-in that fails or hangs fails only its own metrics."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog

from community_metrics.errors import (
    InvalidObservation,
    SourceError,
    TerminalSourceError,
    TimeBudgetUsed,
    TransientSourceError,
)
from community_metrics.model import FoundEvent, Observation, SourceWindow, TrafficSet
from community_metrics.periods import today
from community_metrics.runs.turns import turn_failed, turn_taken
from community_metrics.sources.base import FetchResult, invalid_data, unexpected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from community_metrics.model import LastRead
    from community_metrics.runs.job import RunContext
    from community_metrics.sources.base import FetchRequest, Reader, Source
    from community_metrics.sources.client.client import RegistryClient

log = structlog.get_logger(__name__)

_GRACE_S: Final = 5.0
"""How long a source that is stopped may take to end."""
_LAST_REQUEST_S: Final = 30.0
"""How long a source may work after the time budget is used up: as long as the attempt of one request."""
_TEXT_LIMIT: Final = 300


class Gathering:
    """Takes the results of one source, one for each request, and what kept it from returning the others.

    `kept_of` is the source where its answers are kept, None for what only states events: `replay` rebuilds
    values. A metric that has no result when the time of the run is used up is left for the next run.
    """

    def __init__(
        self,
        source: Reader,
        requests: Sequence[FetchRequest],
        client: RegistryClient,
        context: RunContext,
        kept_of: Source | None = None,
    ) -> None:
        self._kept_of = kept_of
        self._source = source
        self._requests = requests
        self._client = client
        self._context = context
        self._missing = {request.metric_id: request for request in requests}
        self._last_result_s = 0.0

    async def run(self) -> None:
        """Record one result for each request. Real seconds count: it is about the source being alive."""
        self._context.progress.source_started(self._source.name, len(self._requests))
        if self._context.answers is not None and self._kept_of is not None:
            self._context.answers.begin(self._kept_of, self._requests)
        self._last_result_s = asyncio.get_running_loop().time()
        taking = asyncio.create_task(self._take())
        try:
            while not taking.done() and (left_s := self._left_s()) > 0:
                await asyncio.wait({taking}, timeout=left_s)
            missing, self._missing = self._missing, {}  # a source that does not stop adds nothing any more
            error = _ended(taking) if taking.done() else self._stopped()
        finally:
            taking.cancel()
            await asyncio.wait({taking}, timeout=_GRACE_S)
        self._keep_missing(list(missing.values()), error)

    def _left_s(self) -> float:
        """Return how long the source may go on without another result."""
        idle_s = asyncio.get_running_loop().time() - self._last_result_s
        left_s = self._context.source_deadline_s - idle_s
        if self._context.batches.deadline_s is None:
            return left_s
        return min(
            left_s, self._context.batches.deadline_s + _LAST_REQUEST_S - self._context.clock.monotonic()
        )

    async def _take(self) -> BaseException | None:
        """Keep the results as they come; return what the source raised."""
        try:
            async for result in self._source.fetch(self._requests, self._client):
                request = self._missing.pop(result.metric_id, None)
                if request is not None:
                    self._last_result_s = asyncio.get_running_loop().time()
                    kept, before = (
                        self._checked(result, request),
                        self._context.batches.turns.get(request.metric_id),
                    )
                    run, now = self._context.batches.run, self._context.clock.now()
                    self._keep(kept, turn_taken(kept, before, run, now))
        except (Exception, SystemExit) as raised:  # a plug-in may raise anything
            log.exception("source failed", source=self._source.name)
            return raised
        return None

    def _keep(self, result: FetchResult, turn: LastRead | None = None) -> None:
        if isinstance(result.error, TimeBudgetUsed) and not result.observations:
            return  # the metric has no outcome: it is left for the next run
        self._context.record(result, turn)
        self._context.progress.metric_done(self._source.name, result.metric_id, result.error)

    def _keep_missing(self, missing: Sequence[FetchRequest], error: BaseException | None) -> None:
        """Record the error of the metrics without a result; only the first had its turn, as it ended it."""
        for at, request in enumerate(missing):
            metric_id, failure = request.metric_id, _unfinished(self._source, request, error)
            turn = turn_failed(
                metric_id, self._context.batches.turns.get(metric_id), self._context.batches.run
            )
            self._keep(FetchResult(metric_id, error=failure), turn if at == 0 else None)

    def _checked(self, result: FetchResult, request: FetchRequest) -> FetchResult:
        now = self._context.clock.now()
        answered = self._client.clock_check.newest(self._source.host) or now
        window = getattr(self._source, "window", None)  # a place that states events has no values
        reason = (
            invalid_observation(result, window, today(min(now, answered)))
            or unusable_list(result)
            or unusable_event(result)
        )
        error: object = result.error
        if reason is None and not isinstance(error, SourceError | None):
            reason = f"its error is not a SourceError: {error!r:.{_TEXT_LIMIT}}"
        if reason is None:
            return result
        return FetchResult(result.metric_id, error=invalid_data(reason, self._source.name, request.subject))

    def _stopped(self) -> SourceError:
        is_over = (
            self._context.batches.deadline_s is not None
            and self._context.clock.monotonic() >= self._context.batches.deadline_s
        )
        return TimeBudgetUsed(source=self._source.name, subject="") if is_over else self._hung()

    def _hung(self) -> TransientSourceError:
        minutes = self._context.source_deadline_s / 60
        log.error("source stopped", source=self._source.name, minutes_without_a_result=round(minutes, 1))
        return TransientSourceError(
            f"the source returned nothing for {minutes:.0f} minutes and was stopped",
            source=self._source.name,
            subject="",
        )


def _ended(taking: asyncio.Task[BaseException | None]) -> BaseException | None:
    """Return what ended a source; only itself can have cancelled it."""
    return asyncio.CancelledError("it cancelled itself") if taking.cancelled() else taking.result()


def _unfinished(source: Reader, request: FetchRequest, error: BaseException | None) -> SourceError:
    """Return the error of a metric that has no result from the source, which ended or raised `error`."""
    if isinstance(error, SourceError):
        return replace(error, subject=request.subject)
    if isinstance(error, InvalidObservation):
        return invalid_data(error, source.name, request.subject)
    if error is not None:
        return unexpected(error, source.name, request.subject)
    text = "the source returned no result for this metric"
    return TerminalSourceError(text, source=source.name, subject=request.subject)


def invalid_observation(result: FetchResult, window: SourceWindow | None, today: date) -> str | None:
    """Return the first observation that the metric cannot have, after the reason; None if there is none."""
    days: set[date] = set()
    for observation in result.observations:
        reason = _reason(observation, result.metric_id, window, today)
        if reason is None and observation.period_end in days:
            reason = f"{observation.period_end} occurs twice"
        if reason is not None:
            return f"{reason}: {observation!s:.{_TEXT_LIMIT}}"
        days.add(observation.period_end)
    return None


def unusable_list(result: FetchResult) -> str | None:
    """Return why one of the result's lists cannot be stored; None if all can."""
    days = {observation.period_end for observation in result.observations}
    for listed in result.items:
        if type(listed) is not TrafficSet:  # a plug-in may return anything
            return f"it is not a TrafficSet: {listed!s:.{_TEXT_LIMIT}}"
        if listed.metric_id != result.metric_id or listed.day not in days:
            return f"the list belongs to no observation: {listed!s:.{_TEXT_LIMIT}}"
    return None


def unusable_event(result: FetchResult) -> str | None:
    """Return why one of the result's events cannot be stored; None if all can."""
    for event in result.events:
        if type(event) is not FoundEvent:  # as above
            return f"it is not a FoundEvent: {event!s:.{_TEXT_LIMIT}}"
    return None


def _reason(observation: object, metric_id: str, window: SourceWindow | None, today: date) -> str | None:
    if type(observation) is not Observation:  # a plug-in may return anything, a subclass without checks too
        return "it is not an Observation"
    if (observation.metric_id, observation.source_window) != (metric_id, window):
        return f"it is not of the metric {metric_id} with the window {window}"
    is_running = observation.period_end == today and window is not SourceWindow.INSTANT
    if is_running or observation.period_end > today:
        return "the period is not over yet"
    return None
