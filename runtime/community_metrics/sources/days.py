"""Which days of a daily series are stored: pure rules shared by the registries of downloads.

A day is stored only when the registry states it, or when the registry omits empty days by construction and
its sentinel, a package so large that it is downloaded every day, shows that the day was counted. A stated day
far below its neighbours is held back when the sentinel's is too: it was counted only in part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from http import HTTPStatus
from statistics import median
from typing import TYPE_CHECKING

from community_metrics.errors import SourceError, TerminalSourceError
from community_metrics.model import IMPLIED_ZERO, Observation, SourceWindow
from community_metrics.periods import ONE_DAY, days_between, last_completed_day, today
from community_metrics.sources.base import FetchResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import datetime

    from community_metrics.sources.base import FetchRequest

SETTLING_DAYS = 3
"""A day younger than this may be absent only because the registry is late."""
_PLAUSIBLE_SHARE = 0.3
_ORDINARY_SHARE = 0.5  # a day below it only makes the sentinel decide
_NEIGHBOURHOOD = timedelta(weeks=4)


@dataclass(frozen=True, slots=True)
class DailyCounts:
    """The counts of one subject by UTC day, the URL of the request, the instant of the response."""

    by_day: Mapping[date, int]
    source_ref: str
    observed_at: datetime

    def last_day(self, request: FetchRequest) -> date:
        """Return the last day that may be stored: the last requested one, but never today."""
        return min(request.until, last_completed_day(self.observed_at))

    def first_known_day(self, request: FetchRequest) -> date | None:
        """Return the first day on which the subject is known to have had downloads; None for never.

        Before it the package may not have existed, so these days stay missing.
        """
        counted = [day for day, value in self.by_day.items() if value > 0]
        known = [*counted, *([request.first_stored_day] if request.first_stored_day else [])]
        return min(known, default=None)


def emptied(request: FetchRequest, counts: DailyCounts, source: str) -> TerminalSourceError | None:
    """Return the error for a response without downloads where days are stored already; None for any other.

    The sentinel shows that the registry counted a day, not that this response is complete: one that lost its
    rows would otherwise store zeros for as long as the registry reaches back.
    """
    completed = last_completed_day(counts.observed_at)
    has_downloads = any(value > 0 for day, value in counts.by_day.items() if day <= completed)
    if request.first_stored_day is None or has_downloads:
        return None
    return TerminalSourceError(
        f"the response holds no day with downloads, but days since {request.first_stored_day} are stored; it "
        "may have lost its rows, so nothing of it was stored",
        source=source,
        subject=request.subject,
        url=counts.source_ref,
        http_status=HTTPStatus.OK,
        fix="run the job again later; if the package has no more downloads, set active = false for "
        f"{request.metric_id} in the catalogue",
    )


def observations(
    request: FetchRequest,
    counts: DailyCounts,
    *,
    implied_zeros: Iterable[date] = (),
    held_back: frozenset[date] = frozenset(),
) -> tuple[Observation, ...]:
    """Return the requested days of `counts` with their values, and 0 for `implied_zeros`, oldest first.

    Days that are `held_back` stay missing, also where `counts` has a value.
    """
    first, last = request.since or date.min, counts.last_day(request)
    stated = {day: (value, counts.source_ref) for day, value in counts.by_day.items() if day not in held_back}
    implied = dict.fromkeys(implied_zeros, (0, f"{counts.source_ref}{IMPLIED_ZERO}"))
    return tuple(
        Observation(request.metric_id, day, day, value, SourceWindow.DAY, counts.observed_at, ref)
        for day, (value, ref) in sorted((implied | stated).items())
        if first <= day <= last
    )


def absent_days(request: FetchRequest, counts: DailyCounts) -> list[date]:
    """Return the requested days that the response omits and that are no longer settling, oldest first.

    Days before the first known day are not among them: the package may not have existed.
    """
    first_known = counts.first_known_day(request)
    if first_known is None:
        return []
    first = max(first_known, request.since or first_known)
    settled = today(counts.observed_at) - SETTLING_DAYS * ONE_DAY
    last = min(counts.last_day(request), settled)
    return [day for day in days_between(first, last) if day not in counts.by_day]


def low_days(request: FetchRequest, counts: DailyCounts) -> list[date]:
    """Return the requested days with less than half of their usual value, oldest first.

    The usual value is the median of the same weekdays up to four weeks before and after, so that weekends are
    not low. Holidays and days of small packages may be low: only the sentinel decides whether to store them.
    """
    first, last = request.since or date.min, counts.last_day(request)
    wanted = sorted((day, value) for day, value in counts.by_day.items() if first <= day <= last)
    return [day for day, value in wanted if _is_below(_ORDINARY_SHARE, day, value, counts.by_day)]


def counted_days(sentinel: Mapping[date, int]) -> frozenset[date]:
    """Return the days that a registry has counted, according to its sentinel.

    A day counts when the sentinel's value is at least 30 % of the median of the same weekdays up to four
    weeks before and after it; a day without such neighbours is left out. The sentinel's oldest day is left
    out as well: the registry may have dropped it between two requests.
    """
    present = {day: value for day, value in sentinel.items() if value > 0}
    oldest = min(sentinel, default=None)
    return frozenset(
        day
        for day, value in present.items()
        if day != oldest
        and _neighbours(day, present)
        and not _is_below(_PLAUSIBLE_SHARE, day, value, present)
    )


def uncounted_days(sentinel: Mapping[date, int], days: Iterable[date]) -> frozenset[date]:
    """Return those of `days` that a registry has not counted, or only in part, according to its sentinel.

    A day without neighbours is neither here nor in `counted_days`, so that nothing is held back because the
    sentinel has too few days.
    """
    present = {day: value for day, value in sentinel.items() if value > 0}
    oldest = min(sentinel, default=date.max)
    return frozenset(
        day for day in days if day > oldest and _is_below(_PLAUSIBLE_SHARE, day, present.get(day, 0), present)
    )


def _is_below(share: float, day: date, value: int, present: Mapping[date, int]) -> bool:
    known = _neighbours(day, present)
    return bool(known) and value < share * median(known)


def _neighbours(day: date, present: Mapping[date, int]) -> list[int]:
    """Return the values of the same weekday up to four weeks before and after a day."""
    offsets = range(-_NEIGHBOURHOOD.days, _NEIGHBOURHOOD.days + 1, 7)
    return [
        present[day + offset * ONE_DAY] for offset in offsets if offset and day + offset * ONE_DAY in present
    ]


def listed(days: Iterable[date]) -> str:
    """Return days for a person: `2026-11-18, 2026-11-20 and 3 more`."""
    ordered = sorted(days)
    shown = ", ".join(day.isoformat() for day in ordered[:3])
    return shown if len(ordered) <= 3 else f"{shown} and {len(ordered) - 3} more"  # noqa: PLR2004  three fit a line


@dataclass(frozen=True, slots=True)
class CheckedDays:
    """The doubtful days, compared with the sentinel; `notes` are for a person, `error` is the sentinel's.

    `counted`: days that the registry counted, so that an omitted one means 0. `held_back`: days that it
    counted only in part, since they are far too low for this package and for the sentinel.
    """

    counted: frozenset[date] = frozenset()
    held_back: frozenset[date] = frozenset()
    notes: tuple[str, ...] = ()
    error: SourceError | None = None


class Sentinel:
    """Read once in a run, at the first doubtful day; a failure is kept like a response.

    Where the sentinel cannot be read, the values that the registry states are stored, every doubtful day
    stays missing until a later run, and the run is partial.
    """

    def __init__(self, name: str, read: Callable[[], Awaitable[Mapping[date, int]]]) -> None:
        self._name = name
        self._read = read
        self._outcome: Mapping[date, int] | SourceError | None = None

    async def check(self, empty: Iterable[date], low: Iterable[date] = ()) -> CheckedDays:
        """Return which `empty` days were counted, and which `low` ones only in part."""
        doubtful, stated = frozenset(empty), frozenset(low)
        if not doubtful and not stated:
            return CheckedDays()
        if self._outcome is None:
            try:
                self._outcome = await self._read()
            except SourceError as error:
                self._outcome = error
        if isinstance(self._outcome, SourceError):
            return self._without_sentinel(self._outcome, doubtful, stated)
        counted = doubtful & counted_days(self._outcome)
        held_back = uncounted_days(self._outcome, stated)
        open_days = (doubtful - counted) | held_back
        notes = (f"{listed(open_days)} not published yet, or only in part",) if open_days else ()
        return CheckedDays(counted, held_back, notes)

    def _without_sentinel(
        self, error: SourceError, doubtful: frozenset[date], stated: frozenset[date]
    ) -> CheckedDays:
        failed = f"the sentinel {self._name} failed"
        notes = [f"{listed(doubtful)} left open: {failed}"] if doubtful else []
        notes += [f"{listed(stated)} stored unchecked, though unusually low: {failed}"] if stated else []
        # the days differ from metric to metric; the cause is one for all
        detail = f"{failed}: {error.detail}" if error.detail else failed
        return CheckedDays(notes=tuple(notes), error=replace(error, detail=detail, fix=None))


async def daily_result(
    request: FetchRequest, counts: DailyCounts, sentinel: Sentinel, *, source: str
) -> FetchResult:
    """Return the requested days of `counts`: stated values, and the zeros that its omissions mean.

    For a registry that omits empty days by construction. A response that lost all its rows is an error.
    """
    if error := emptied(request, counts, source):
        return FetchResult(request.metric_id, error=error)
    checked = await sentinel.check(absent_days(request, counts), low_days(request, counts))
    found = observations(request, counts, implied_zeros=checked.counted, held_back=checked.held_back)
    return FetchResult(request.metric_id, found, checked.error, checked.notes)
