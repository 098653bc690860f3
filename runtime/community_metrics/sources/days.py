"""Which days of a daily series are stored: rules shared by the registries of downloads.

A day with downloads is stored unless the registry counted it only in part. A 0, and a day that a registry
omits because it omits empty ones, is stored only where the registry's sentinel and the package's own days
show that it is true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

from community_metrics.errors import TerminalSourceError
from community_metrics.model import SETTLING_DAYS, Observation, SourceWindow, ValueMark
from community_metrics.periods import ONE_DAY, days_between, last_completed_day, today
from community_metrics.sources.base import FetchResult
from community_metrics.sources.sentinel import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from community_metrics.sources.base import FetchRequest
    from community_metrics.sources.client.replies import Reply
    from community_metrics.sources.sentinel import CheckedDays, Sentinel


@dataclass(frozen=True, slots=True)
class DailyCounts:
    """The counts of one subject by UTC day, the URL of the request, the instant of the response.

    `subject_id` is the number that the registry gives the subject, if it gives one.
    """

    by_day: Mapping[date, int]
    source_ref: str
    observed_at: datetime
    subject_id: int | None = None

    def last_day(self, request: FetchRequest) -> date:
        """Return the last day that may be stored: the last requested one, but never today."""
        return min(request.until, last_completed_day(self.observed_at))

    @property
    def settled_day(self) -> date:
        """The newest day that is no longer settling."""
        return today(self.observed_at) - SETTLING_DAYS * ONE_DAY

    def first_known_day(self, request: FetchRequest) -> date | None:
        """Return the first day on which the subject is known to have had downloads; None for never.

        Before it the package may not have existed, so these days stay missing.
        """
        counted = [day for day, value in self.by_day.items() if value > 0]
        known = [*counted, *([request.first_stored_day] if request.first_stored_day else [])]
        return min(known, default=None)


def emptied(request: FetchRequest, counts: DailyCounts, reply: Reply) -> TerminalSourceError | None:
    """Return the error for a response without downloads where days are stored already; None for any other.

    The sentinel shows that the registry counted a day, not that this response is complete: one that lost its
    rows would otherwise store zeros for as long as the registry reaches back.
    """
    completed = last_completed_day(counts.observed_at)
    has_downloads = any(value > 0 for day, value in counts.by_day.items() if day <= completed)
    if request.first_stored_day is None or has_downloads:
        return None
    return reply.error(
        TerminalSourceError,
        f"the response holds no day with downloads, but days since {request.first_stored_day} are stored; it "
        "may have lost its rows, so nothing of it was stored",
        fix="run the job again later; if the package has no more downloads, set active = false for "
        f"{request.metric_id} in the catalogue",
    )


def observations(
    request: FetchRequest, counts: DailyCounts, checked: CheckedDays | None = None
) -> tuple[Observation, ...]:
    """Return the requested days of `counts`, oldest first; with `checked` only those that may be stored.

    A 0 for a day that the response omits, and the value of a day that is low for everybody, have a mark.
    """
    first, last = request.since or date.min, counts.last_day(request)
    return tuple(
        Observation(
            request.metric_id,
            day,
            day,
            value,
            SourceWindow.DAY,
            counts.observed_at,
            counts.source_ref,
            mark=mark,
            subject_id=counts.subject_id,
        )
        for day, (value, mark) in sorted(_stored(counts, checked).items())
        if first <= day <= last
    )


def _stored(counts: DailyCounts, checked: CheckedDays | None) -> dict[date, tuple[int, ValueMark | None]]:
    """Return value and mark of each day that may be stored."""
    if checked is None:
        return {day: (value, None) for day, value in counts.by_day.items()}
    stated = {
        day: (value, ValueMark.LOW_FOR_EVERYBODY if day in checked.low else None)
        for day, value in counts.by_day.items()
        if (value > 0 and day not in checked.held_back) or (value == 0 and day in checked.zeros)
    }
    omitted = checked.zeros - counts.by_day.keys()
    return dict.fromkeys(omitted, (0, ValueMark.IMPLIED_ZERO)) | stated


def possible_zeros(request: FetchRequest, counts: DailyCounts, *, omits_empty_days: bool) -> frozenset[date]:
    """Return the requested days that have 0 in the response, or that it omits.

    An omitted day is one of them only where the registry `omits_empty_days`, and once it has settled. Days
    before the first known day are not: the package may not have existed. A response without any download
    shows nothing.
    """
    first_known = counts.first_known_day(request)
    if first_known is None or not any(counts.by_day.values()):
        return frozenset()
    first, last = max(first_known, request.since or first_known), counts.last_day(request)
    stated = {day for day, value in counts.by_day.items() if value == 0 and first <= day <= last}
    if not omits_empty_days:
        return frozenset(stated)
    wanted = days_between(first, min(last, counts.settled_day))
    return frozenset(stated.union(day for day in wanted if day not in counts.by_day))


async def checked_days(
    request: FetchRequest, counts: DailyCounts, sentinel: Sentinel, *, omits_empty_days: bool
) -> CheckedDays:
    """Return what to store of the requested days, according to the registry's sentinel."""
    first, last = request.since or date.min, counts.last_day(request)
    stated = {day: value for day, value in counts.by_day.items() if day <= last}
    response = Response(
        stated=stated,
        wanted=frozenset(day for day, value in stated.items() if value > 0 and day >= first),
        zeros=possible_zeros(request, counts, omits_empty_days=omits_empty_days),
        settled=counts.settled_day,
    )
    return await sentinel.check(response)


def registry_result(request: FetchRequest, parts: Iterable[DailyCounts]) -> FetchResult:
    """Return the requested days of a registry's own total, of one response or of several.

    A day that was counted only in part is stored as the registry states it; one with 0 was not counted.
    """
    counted = (
        replace(part, by_day={day: value for day, value in part.by_day.items() if value > 0})
        for part in parts
    )
    rows = tuple(chain.from_iterable(observations(request, part) for part in counted))
    return FetchResult(request.metric_id, rows)


async def daily_result(
    request: FetchRequest, counts: DailyCounts, sentinel: Sentinel, reply: Reply
) -> FetchResult:
    """Return the requested days of `counts`: stated values, and the zeros that its omissions mean.

    For a registry that omits empty days by construction. A response that lost all its rows is an error.
    """
    if error := emptied(request, counts, reply):
        return FetchResult(request.metric_id, error=error)
    checked = await checked_days(request, counts, sentinel, omits_empty_days=True)
    found = observations(request, counts, checked)
    return FetchResult(request.metric_id, found, checked.error, checked.notes)
