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
    TransientSourceError,
)
from community_metrics.model import Observation, SourceWindow
from community_metrics.periods import today
from community_metrics.sources.base import FetchResult, invalid_data, unexpected

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from community_metrics.runs.job import RunContext
    from community_metrics.sources.base import FetchRequest, Source
    from community_metrics.sources.client.client import RegistryClient

log = structlog.get_logger(__name__)

_GRACE_S: Final = 5.0
"""How long a source that is stopped may take to end."""
_TEXT_LIMIT: Final = 300


class Gathering:
    """Takes the results of one source, one for each request, and what kept it from returning the others."""

    def __init__(
        self,
        source: Source,
        requests: Sequence[FetchRequest],
        client: RegistryClient,
        context: RunContext,
    ) -> None:
        self.results: list[FetchResult] = []
        self._source = source
        self._requests = requests
        self._client = client
        self._context = context
        self._missing = {request.metric_id: request for request in requests}
        self._last_result_s = 0.0

    async def run(self) -> list[FetchResult]:
        """Return one result for each request. Real seconds count: it is about the source being alive."""
        self._context.progress.source_started(self._source.name, len(self._requests))
        loop, deadline_s = asyncio.get_running_loop(), self._context.source_deadline_s
        self._last_result_s = loop.time()
        taking = asyncio.create_task(self._take())
        try:
            while not taking.done() and (left_s := self._last_result_s + deadline_s - loop.time()) > 0:
                await asyncio.wait({taking}, timeout=left_s)
            missing, self._missing = self._missing, {}  # a source that does not stop adds nothing any more
            error = _ended(taking) if taking.done() else self._hung()
        finally:
            taking.cancel()
            await asyncio.wait({taking}, timeout=_GRACE_S)
        for request in missing.values():
            self._keep(FetchResult(request.metric_id, error=_unfinished(self._source, request, error)))
        return self.results

    async def _take(self) -> BaseException | None:
        """Keep the results as they come; return what the source raised."""
        try:
            async for result in self._source.fetch(self._requests, self._client):
                request = self._missing.pop(result.metric_id, None)
                if request is not None:
                    self._last_result_s = asyncio.get_running_loop().time()
                    self._keep(self._checked(result, request))
        except (Exception, SystemExit) as raised:  # a plug-in may raise anything
            log.exception("source failed", source=self._source.name)
            return raised
        return None

    def _keep(self, result: FetchResult) -> None:
        self.results.append(result)
        self._context.record(result)
        self._context.progress.metric_done(self._source.name, result.metric_id, result.error)

    def _checked(self, result: FetchResult, request: FetchRequest) -> FetchResult:
        now = self._context.clock.now()
        answered = self._client.clock_check.newest(self._source.host) or now
        reason = invalid_observation(result, self._source, today(min(now, answered)))
        error: object = result.error
        if reason is None and not isinstance(error, SourceError | None):
            reason = f"its error is not a SourceError: {error!r:.{_TEXT_LIMIT}}"
        if reason is None:
            return result
        return FetchResult(result.metric_id, error=invalid_data(reason, self._source.name, request.subject))

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


def _unfinished(source: Source, request: FetchRequest, error: BaseException | None) -> SourceError:
    """Return the error of a metric that has no result from the source, which ended or raised `error`."""
    if isinstance(error, SourceError):
        return replace(error, subject=request.subject)
    if isinstance(error, InvalidObservation):
        return invalid_data(error, source.name, request.subject)
    if error is not None:
        return unexpected(error, source.name, request.subject)
    text = "the source returned no result for this metric"
    return TerminalSourceError(text, source=source.name, subject=request.subject)


def invalid_observation(result: FetchResult, source: Source, today: date) -> str | None:
    """Return the first observation that the metric cannot have, after the reason; None if there is none."""
    days: set[date] = set()
    for observation in result.observations:
        reason = _reason(observation, result.metric_id, source, today)
        if reason is None and observation.period_end in days:
            reason = f"{observation.period_end} occurs twice"
        if reason is not None:
            return f"{reason}: {observation!s:.{_TEXT_LIMIT}}"
        days.add(observation.period_end)
    return None


def _reason(observation: object, metric_id: str, source: Source, today: date) -> str | None:
    if type(observation) is not Observation:  # a plug-in may return anything, a subclass without checks too
        return "it is not an Observation"
    if (observation.metric_id, observation.source_window) != (metric_id, source.window):
        return f"it is not of the metric {metric_id} with the window {source.window}"
    is_running = observation.period_end == today and source.window is not SourceWindow.INSTANT
    if is_running or observation.period_end > today:
        return "the period is not over yet"
    return None
