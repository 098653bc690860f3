"""Totals that a registry states as of now: what is stored of an answer, and what is left open.

A 0 is where these registries fail: they write it for what they did not count, and a counter that wrongly was
0 would show its whole total as the flow of the day on which it is right again. So a 0 is stored only where it
can be true: what nobody has downloaded yet has a total of 0 each day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.model import Observation, SourceWindow
from community_metrics.periods import ONE_DAY, today
from community_metrics.sources.base import FetchResult
from community_metrics.sources.client.replies import shape_error

if TYPE_CHECKING:
    from datetime import date

    from community_metrics.sources.base import FetchRequest
    from community_metrics.sources.client.replies import Reply


def level(request: FetchRequest, value: int, reply: Reply) -> FetchResult:
    """Return the total at the instant of the reply; its day is the UTC day of the reply."""
    day = today(reply.at)
    return _one(request, value, reply, SourceWindow.INSTANT, day)


def counter(request: FetchRequest, value: int, reply: Reply) -> FetchResult:
    """Return the total at the instant of the reply; a 0 only if no total above it is stored."""
    if value == 0 and (stored := _above_zero(request)):
        day = today(reply.at)
        return left_open(request, day, f"the total is 0, but {stored} stored, and it only grows")
    return level(request, value, reply)


def _above_zero(request: FetchRequest) -> str | None:
    """Return which total above 0 is stored, as what precedes "stored"; None if there is none."""
    if request.last_value is not None:
        return f"a total of {request.last_value:,} is" if request.last_value else None
    # a request that was kept before requests had the value: what was left open then is left open by `replay`
    first = request.first_stored_day
    return None if first is None else f"totals since {first} are"


def rolling(
    request: FetchRequest, value: int, window: SourceWindow, last_day: date, reply: Reply
) -> FetchResult:
    """Return the total of `window` up to `last_day`; never a 0, which nothing shows to be true."""
    if value == 0:
        return left_open(
            request, last_day, f"a 0 for {window.days} days may also mean that the registry did not count"
        )
    return _one(request, value, reply, window, last_day)


def require_named(request: FetchRequest, name: str, reply: Reply) -> None:
    """Raise a `SourceShapeError` if the response is about another subject; case is ignored."""
    if name.casefold() != request.subject.casefold():
        raise shape_error(reply, f"it is about {name[:80]!r}")


def left_open(request: FetchRequest, day: date, reason: str) -> FetchResult:
    """Return the result of an answer without a value that can be stored: a note, which is no failure."""
    return FetchResult(request.metric_id, notes=(f"{day} left open: {reason}",))


def _one(
    request: FetchRequest, value: int, reply: Reply, window: SourceWindow, last_day: date
) -> FetchResult:
    first_day = last_day - ((window.days or 1) - 1) * ONE_DAY
    observation = Observation(
        request.metric_id, first_day, last_day, value, window, reply.at, reply.public_url
    )
    return FetchResult(request.metric_id, (observation,))
