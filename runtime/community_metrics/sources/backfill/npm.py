"""Downloads from npm before its 18 months of one request: the same API, in chunks of at most 365 days.

A package's zeros are judged by the registry's total of the same chunks, which is stored as well.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from community_metrics.errors import SourceError
from community_metrics.model import SourceWindow
from community_metrics.periods import ONE_DAY
from community_metrics.sources.backfill.base import left_open, only
from community_metrics.sources.base import EVERYTHING, FetchResult, unexpected
from community_metrics.sources.client.hosts import NPM
from community_metrics.sources.days import checked_days, observations, registry_result
from community_metrics.sources.npm import LONGEST_RANGE, read_chunk
from community_metrics.sources.sentinel import Sentinel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from community_metrics.sources.backfill.base import BackfillRequest
    from community_metrics.sources.client.client import RegistryClient
    from community_metrics.sources.days import DailyCounts

_BEGIN: Final = date(2015, 1, 10)
"""The first day that npm counted."""
_OPEN: Final = "npm has no downloads of them that can be believed, or the package did not exist yet"


class NpmHistory:
    """Fills npm's metrics, and the total of npm."""

    name = "npm history"
    host = NPM.key
    window = SourceWindow.DAY
    first_day = _BEGIN

    def serves(self, subject: str) -> bool:
        """Return True: npm returns every package, and its total."""
        return bool(subject)

    def steps(self, requests: Sequence[BackfillRequest]) -> int:
        """Return the number of chunks, those of the registry's total among them."""
        chunks = [_chunks(request) for request in requests if request.subject != EVERYTHING]
        return sum(map(len, chunks)) + len(_all_chunks(requests))

    async def fill(
        self, requests: Sequence[BackfillRequest], client: RegistryClient, on_step: Callable[[str], None]
    ) -> AsyncIterator[FetchResult]:
        """Yield the total of the registry, then the days of one package after the other."""
        reading = _Reading(client, on_step)
        totals, failed = await reading.parts(None, _all_chunks(requests))

        async def sentinel_days() -> Mapping[date, int]:
            if failed is not None:
                raise failed
            known = [request.stored for request in requests if request.subject == EVERYTHING]
            return {
                day: value
                for days in (*known, *(one.by_day for one in totals))
                for day, value in days.items()
            }

        for request in requests:
            if request.subject == EVERYTHING:
                found = registry_result(request.over(request.since, request.until), totals)
                yield only(FetchResult(request.metric_id, found.observations, failed), set(request.missing))
        sentinel = Sentinel("registry total", sentinel_days)
        for request in requests:
            if request.subject != EVERYTHING:
                try:
                    result = await reading.package(request, sentinel)
                except Exception as error:  # noqa: BLE001  one package must not keep the others from theirs
                    result = FetchResult(
                        request.metric_id, error=unexpected(error, request.source, request.subject)
                    )
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
        known = dict(request.stored)
        for part in parts:
            known.update(part.by_day)
        over, missing = request.over(request.since, request.until), set(request.missing)
        whole = _with_days(parts[0], known)
        checked = await checked_days(over, whole, sentinel, omits_empty_days=False)
        rows = [row for part in parts for row in observations(over, part, checked.of(part.by_day))]
        return only(FetchResult(request.metric_id, tuple(rows), failed or checked.error), missing)

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
            self._on_step(f"{package or 'registry total'} {first.year}")
        return found, None


def _with_days(part: DailyCounts, by_day: Mapping[date, int]) -> DailyCounts:
    return type(part)(by_day, part.source_ref, part.observed_at)


def _chunks(request: BackfillRequest) -> list[tuple[date, date]]:
    """Return the ranges that have a missing day, the newest first."""
    missing = set(request.missing)
    found, last = [], request.until
    while last >= request.since:
        first = max(last - LONGEST_RANGE, request.since)
        days = [first + n * ONE_DAY for n in range((last - first).days + 1)]
        wanted = [day for day in days if day in missing]
        if wanted:
            found.append((wanted[0], wanted[-1]))
        last = first - ONE_DAY
    return found


def _all_chunks(requests: Sequence[BackfillRequest]) -> list[tuple[date, date]]:
    """Return the ranges of the registry's total that the packages' ranges need, or that it lacks itself."""
    raise NotImplementedError
