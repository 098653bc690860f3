"""A registry's sentinel: something downloaded every day, which tells an uncounted day from an empty one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.errors import SourceError
from community_metrics.sources.base import FetchResult
from community_metrics.sources.days import absent_days, counted_days, emptied, listed, observations

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import date

    from community_metrics.sources.base import FetchRequest
    from community_metrics.sources.days import DailyCounts


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which doubtful days were counted for everybody, so that nothing means 0; `notes` on the others."""

    counted: frozenset[date] = frozenset()
    notes: tuple[str, ...] = ()


class Sentinel:
    """Asked once for a run, when the first doubt arises; a failure is remembered like an answer.

    A sentinel that cannot be read vouches for nothing: the values that the registry states are stored all
    the same, and every doubtful day stays missing until a later run.
    """

    def __init__(self, name: str, read: Callable[[], Awaitable[Mapping[date, int]]]) -> None:
        self._name = name
        self._read = read
        self._counted: frozenset[date] | SourceError | None = None

    async def judge(self, doubtful: Iterable[date]) -> Verdict:
        """Return which of the doubtful days were counted."""
        days = frozenset(doubtful)
        if not days:
            return Verdict()
        if self._counted is None:
            self._counted = await self._ask()
        if isinstance(self._counted, SourceError):
            return Verdict(
                notes=(f"{listed(days)} left open: the sentinel {self._name} failed ({self._counted})",)
            )
        uncounted = days - self._counted
        notes = (f"{listed(uncounted)} not published yet, or only in part",) if uncounted else ()
        return Verdict(days & self._counted, notes)

    async def _ask(self) -> frozenset[date] | SourceError:
        try:
            return counted_days(await self._read())
        except SourceError as error:
            return error


async def daily_result(request: FetchRequest, counts: DailyCounts, sentinel: Sentinel) -> FetchResult:
    """Return what `counts` says of the wanted days: stated values, and the zeros that its omissions mean.

    For a registry that omits empty days by construction. An answer that lost all its rows is an error.
    """
    error = emptied(request, counts)
    if error is not None:
        return FetchResult(request.metric_id, error=error)
    verdict = await sentinel.judge(absent_days(request, counts))
    found = observations(request, counts, implied_zeros=verdict.counted)
    return FetchResult(request.metric_id, found, notes=verdict.notes)
