"""A registry's sentinel: something downloaded every day, which tells an uncounted day from an empty one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.errors import SourceError, TerminalSourceError, TransientSourceError
from community_metrics.sources.base import FetchResult
from community_metrics.sources.days import (
    absent_days,
    counted_days,
    emptied,
    listed,
    low_days,
    observations,
    uncounted_days,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import date

    from community_metrics.sources.base import FetchRequest
    from community_metrics.sources.days import DailyCounts


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the sentinel says of the doubtful days; `notes` are for a person, `error` is why it says nothing.

    `counted`: days counted for everybody, so that nothing means 0. `held_back`: days stated far too low for
    us and for everybody, so that their values are a part only.
    """

    counted: frozenset[date] = frozenset()
    held_back: frozenset[date] = frozenset()
    notes: tuple[str, ...] = ()
    error: SourceError | None = None


class Sentinel:
    """Asked once for a run, when the first doubt arises; a failure is remembered like an answer.

    A sentinel that cannot be read vouches for nothing: the values that the registry states are stored all
    the same, every doubtful day stays missing until a later run, and the run is partial.
    """

    def __init__(self, name: str, read: Callable[[], Awaitable[Mapping[date, int]]]) -> None:
        self._name = name
        self._read = read
        self._said: Mapping[date, int] | SourceError | None = None

    async def judge(self, empty: Iterable[date], low: Iterable[date] = ()) -> Verdict:
        """Return which days that look `empty` were counted, and which `low` ones were so only in part."""
        doubtful, stated = frozenset(empty), frozenset(low)
        if not doubtful and not stated:
            return Verdict()
        if self._said is None:
            self._said = await self._ask()
        if isinstance(self._said, SourceError):
            return self._without_sentinel(self._said, doubtful, stated)
        counted = doubtful & counted_days(self._said)
        held_back = uncounted_days(self._said, stated)
        open_days = (doubtful - counted) | held_back
        notes = (f"{listed(open_days)} not published yet, or only in part",) if open_days else ()
        return Verdict(counted, held_back, notes)

    def _without_sentinel(
        self, error: SourceError, doubtful: frozenset[date], stated: frozenset[date]
    ) -> Verdict:
        said = [f"{listed(doubtful)} left open"] if doubtful else []
        said += [f"{listed(stated)} stored unchecked, though unusually low"] if stated else []
        text = f"{'; '.join(said)}: the sentinel {self._name} failed ({error})"
        kind = TransientSourceError if isinstance(error, TransientSourceError) else TerminalSourceError
        return Verdict(error=kind(text))

    async def _ask(self) -> Mapping[date, int] | SourceError:
        try:
            return await self._read()
        except SourceError as error:
            return error


async def daily_result(request: FetchRequest, counts: DailyCounts, sentinel: Sentinel) -> FetchResult:
    """Return what `counts` says of the wanted days: stated values, and the zeros that its omissions mean.

    For a registry that omits empty days by construction. An answer that lost all its rows is an error.
    """
    error = emptied(request, counts)
    if error is not None:
        return FetchResult(request.metric_id, error=error)
    verdict = await sentinel.judge(absent_days(request, counts), low_days(request, counts))
    found = observations(request, counts, implied_zeros=verdict.counted, held_back=verdict.held_back)
    return FetchResult(request.metric_id, found, verdict.error, verdict.notes)
