"""Which digests are due, and what becomes of a delivery: pure functions of calendar and stored rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from community_metrics.errors import DeliveryUnknown, TransientDeliveryError
from community_metrics.model import DeliveryState
from community_metrics.periods import last_completed
from community_metrics.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from community_metrics.errors import CommunityMetricsError, DeliveryError
    from community_metrics.model import StoredDelivery
    from community_metrics.periods import Grain, Period

EARLIEST: Final = timedelta(hours=7)
"""A digest is sent this long after the end of its period at the earliest: Monday 07:00 UTC for a week."""
PATIENCE: Final = timedelta(days=2)
"""How long it waits then for a complete period: a week until Wednesday 07:00 UTC."""
OLDEST: Final = timedelta(days=7)
"""A period that ended this long ago is not sent: a new target receives nothing from the past."""
GIVE_UP: Final = timedelta(hours=48)
"""How long after the first attempt the last one is made."""
FIRST_WAIT: Final = timedelta(hours=1)
_SLACK: Final = timedelta(minutes=5)
"""A job that starts each hour is some seconds early or late; an attempt must not slip by an hour for it."""


@dataclass(frozen=True, slots=True)
class Due:
    """A period whose digest may be sent; from `final_at` on also if it is not complete."""

    period: Period
    final_at: datetime

    def is_final(self, now: datetime) -> bool:
        """Return whether the digest no longer waits for a complete period."""
        return now >= self.final_at


def due_periods(grains: Iterable[Grain], now: datetime) -> list[Due]:
    """Return the last week, month and quarter that are due, of those lengths that are asked for."""
    found = []
    for grain in grains:
        period = last_completed(now, grain)
        opens = period.end_instant + EARLIEST
        if opens <= now < period.end_instant + OLDEST:
            found.append(Due(period, opens + PATIENCE))
    return found


class Step(Enum):
    """What is to be done with a delivery."""

    NOTHING = auto()
    SEND = auto()
    """For the first time, or again after it failed; the first time it waits for a complete period."""
    SEND_AGAIN = auto()
    """It may have arrived, and the target knows a request that it has had."""
    CALL_UNKNOWN = auto()
    """It may have arrived, and another message would be a second one."""
    GIVE_UP = auto()


def next_step(row: StoredDelivery | None, now: datetime, *, is_idempotent: bool) -> Step:
    """Return what is to be done with a delivery, by a run that holds the database.

    `is_idempotent` says whether the target recognizes a request that it has had.
    """
    if row is None:
        return Step.SEND
    is_too_old = now > row.first_attempt_at + GIVE_UP + _SLACK
    if row.state is DeliveryState.SENDING:  # by a run that was killed
        return Step.SEND_AGAIN if is_idempotent and not is_too_old else Step.CALL_UNKNOWN
    if row.state is not DeliveryState.FAILED or row.next_attempt_at is None:
        return Step.NOTHING
    if is_too_old:
        return Step.GIVE_UP
    return Step.SEND if now >= row.next_attempt_at else Step.NOTHING


def failed(
    row: StoredDelivery, error: DeliveryError, now: datetime, *, is_idempotent: bool
) -> StoredDelivery:
    """Return the row of a delivery that ended with an error; without `next_attempt_at` nothing follows."""
    ended = replace(row, last_attempt_at=now, error_class=type(error).__name__, message=str(error))
    is_unknown = isinstance(error, DeliveryUnknown)
    goes_on = is_idempotent if is_unknown else isinstance(error, TransientDeliveryError)
    following = _next_attempt(row.first_attempt_at, now, error.retry_after_s) if goes_on else None
    if is_unknown and following is None:
        return replace(ended, state=DeliveryState.UNKNOWN, next_attempt_at=None)
    return replace(ended, state=DeliveryState.FAILED, next_attempt_at=following)


def not_sent(
    before: StoredDelivery | None, begun: StoredDelivery, error: CommunityMetricsError
) -> StoredDelivery:
    """Return the row of a delivery that could not begin, and is not tried again.

    It is unknown where an attempt `before` may have arrived.
    """
    may_have_arrived = before is not None and (
        before.state is DeliveryState.SENDING or before.error_class == DeliveryUnknown.__name__
    )
    state = DeliveryState.UNKNOWN if may_have_arrived else DeliveryState.FAILED
    return replace(begun, state=state, error_class=type(error).__name__, message=one_line(str(error)))


def given_up(row: StoredDelivery) -> StoredDelivery:
    """Return the row of a failed delivery that is not tried again."""
    is_unknown = row.error_class == DeliveryUnknown.__name__
    return replace(
        row, state=DeliveryState.UNKNOWN if is_unknown else DeliveryState.FAILED, next_attempt_at=None
    )


def _next_attempt(first: datetime, now: datetime, retry_after_s: float | None) -> datetime | None:
    """Return when to try again: after an hour, then after as long as it was tried, and last at 48 hours."""
    last = first + GIVE_UP - _SLACK
    demanded = timedelta(seconds=min(retry_after_s or 0.0, 2 * GIVE_UP.total_seconds()))
    if now >= last or now + demanded > last:
        return None
    wait = max(FIRST_WAIT, now - first) - _SLACK
    return min(now + max(wait, demanded), last)
