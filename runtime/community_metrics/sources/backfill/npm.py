"""Downloads from npm before its 18 months of one request: the same API, in chunks of at most 365 days.

A package's zeros are judged by the registry's total of the same chunks, which is stored as well.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Final

from community_metrics.errors import SourceError
from community_metrics.model import SourceWindow
from community_metrics.periods import ONE_DAY
from community_metrics.sources.backfill.base import left_open, only
from community_metrics.sources.base import EVERYTHING, FetchResult
from community_metrics.sources.client.hosts import NPM
from community_metrics.sources.days import checked_days, observations, registry_result
from community_metrics.sources.npm import LONGEST_RANGE, read_chunk
from community_metrics.sources.sentinel import Sentinel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from community_metrics.sources.backfill.base import BackfillRequest
    from community_metrics.sources.client.client import RegistryClient
    from community_metrics.sources.days import DailyCounts

_OPEN: Final = (
    "npm has no downloads of them that can be believed, no week beside them is known, or the package did not "
    "exist yet"
)


class NpmHistory:
    """Fills npm's metrics, and the total of npm."""

    name = "npm history"
    host = NPM
    window = SourceWindow.DAY
    first_day = date(2015, 1, 10)
    newest_days_left = 549  # 18 months, both ends included

    def serves(self, _subject: str) -> bool:
        """Return True: npm returns every package, and its total."""
        return True

    def steps(self, requests: Sequence[BackfillRequest]) -> int:
        """Return the number of chunks, those of the registry's total among them."""
        packages = [request for request in requests if request.subject != EVERYTHING]
        return sum(len(_chunks(request)) for request in packages) + len(_chunks_of_total(requests))

    async def fill(
        self, requests: Sequence[BackfillRequest], client: RegistryClient, on_step: Callable[[str], None]
    ) -> AsyncIterator[FetchResult]:
        """Yield the total of the registry, then the days of one package after the other."""
        reading = _Reading(client, on_step)
        totals, failed = await reading.parts(None, _chunks_of_total(requests))
        known = {day: value for part in totals for day, value in part.by_day.items()}
        for request in _totals(requests):
            known = {**request.stored, **known}
            found = registry_result(request.over(request.since, request.until), totals)
            yield only(FetchResult(request.metric_id, found.observations, failed), request.missing)

        async def sentinel_days() -> Mapping[date, int]:
            if failed is not None:
                raise failed
            return known

        sentinel = Sentinel("registry total", sentinel_days, is_archive=True)
        for request in requests:
            if request.subject != EVERYTHING:
                result = await reading.package(request, sentinel)
                yield result
                if result.error is None:
                    stored = {row.period_end for row in result.observations}
                    yield left_open(request.metric_id, set(request.missing) - stored, _OPEN)


class _Reading:
    """The requests of one run."""

    def __init__(self, client: RegistryClient, on_step: Callable[[str], None]) -> None:
        self._client = client
        self._on_step = on_step

    async def package(self, request: BackfillRequest, sentinel: Sentinel) -> FetchResult:
        """Return the missing days of a package; a chunk that fails leaves those that were read before it."""
        parts, failed = await self.parts(request.subject, _chunks(request))
        if not parts:
            return FetchResult(request.metric_id, error=failed)
        read = {day: value for part in parts for day, value in part.by_day.items()}
        over = request.over(request.since, request.until)
        whole = replace(parts[0], by_day={**request.stored, **read})
        checked = await checked_days(over, whole, sentinel, omits_empty_days=False)
        rows = chain.from_iterable(observations(over, part, checked.stated_by(part.by_day)) for part in parts)
        error = failed or checked.error
        return only(FetchResult(request.metric_id, tuple(rows), error), request.missing)

    async def parts(
        self, package: str | None, chunks: Sequence[tuple[date, date]]
    ) -> tuple[list[DailyCounts], SourceError | None]:
        """Return the counts by request, and the error of the first that failed, which ends them."""
        found: list[DailyCounts] = []
        for first, last in chunks:
            try:
                found.append(await read_chunk(self._client, package, first, last))
            except SourceError as error:
                return found, error
            self._on_step(f"{package or 'all packages'} {first.year}")
        return found, None


def _totals(requests: Sequence[BackfillRequest]) -> list[BackfillRequest]:
    return [request for request in requests if request.subject == EVERYTHING]


def _chunks(request: BackfillRequest) -> list[tuple[date, date]]:
    """Return the ranges of at most 365 days that have a missing day, the newest first."""
    missing, last = request.missing, request.until
    found: list[tuple[date, date]] = []
    while last >= request.since:
        first = max(last - LONGEST_RANGE, request.since)
        if any(first <= day <= last for day in missing):
            found.append((first, last))
        last = first - ONE_DAY
    return found


def _chunks_of_total(requests: Sequence[BackfillRequest]) -> list[tuple[date, date]]:
    """Return the ranges in which the total is missing; without a total to fill, those of all packages."""
    chunks = {chunk for request in _totals(requests) or requests for chunk in _chunks(request)}
    return sorted(chunks, reverse=True)
