"""What becomes of a delivery that is due: pure functions of the stored row and the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from community_metrics.errors import DeliveryUnknown, TransientDeliveryError
from community_metrics.model import DeliveryState
from community_metrics.text import one_line

if TYPE_CHECKING:
    from community_metrics.errors import CommunityMetricsError, DeliveryError
    from community_metrics.model import StoredDelivery

GIVE_UP: Final = timedelta(hours=48)
"""How long after the first attempt the last one is made."""
FIRST_WAIT: Final = timedelta(hours=1)
_SLACK: Final = timedelta(minutes=5)
"""A job that starts each hour is some seconds early or late; an attempt must not slip by an hour for it."""


class Step(Enum):
    """What is to be done with a delivery."""

    NOTHING = auto()
    SEND = auto()
    """For the first time, again after it failed, or where the target recognizes what may have arrived.

    The first time it waits for a complete period.
    """
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
        return Step.SEND if is_idempotent and not is_too_old else Step.CALL_UNKNOWN
    if row.state is not DeliveryState.FAILED or row.next_attempt_at is None:
        return Step.NOTHING
    if is_too_old:
        return Step.GIVE_UP
    return Step.SEND if now >= row.next_attempt_at else Step.NOTHING


def failed(
    row: StoredDelivery, error: DeliveryError, now: datetime, *, is_idempotent: bool
) -> StoredDelivery:
    """Return the row of a delivery that ended with an error; without `next_attempt_at` nothing follows.

    A refusal does not take back that an earlier attempt may have arrived.
    """
    is_unknown = isinstance(error, DeliveryUnknown)
    goes_on = is_idempotent if is_unknown else isinstance(error, TransientDeliveryError)
    following = _next_attempt(row.first_attempt_at, now, error.retry_after_s) if goes_on else None
    ended = replace(row, last_attempt_at=now, next_attempt_at=following)
    return _ended(ended, error)


def not_sent(begun: StoredDelivery, error: CommunityMetricsError) -> StoredDelivery:
    """Return the row of a delivery whose attempt could not begin, and that is not tried again."""
    return _ended(begun, error)


def _ended(row: StoredDelivery, error: CommunityMetricsError) -> StoredDelivery:
    is_unknown = isinstance(error, DeliveryUnknown) or row.error_class == DeliveryUnknown.__name__
    kind = DeliveryUnknown if is_unknown else type(error)
    state = DeliveryState.UNKNOWN if is_unknown and row.next_attempt_at is None else DeliveryState.FAILED
    return replace(row, state=state, error_class=kind.__name__, message=one_line(str(error)))


def given_up(row: StoredDelivery) -> StoredDelivery:
    """Return the row of a failed delivery that is not tried again."""
    state = DeliveryState.UNKNOWN if row.may_have_arrived else DeliveryState.FAILED
    return replace(row, state=state, next_attempt_at=None)


def _next_attempt(first: datetime, now: datetime, retry_after_s: float | None) -> datetime | None:
    """Return when to try again: after an hour, then after as long as it was tried, and last at 48 hours."""
    last = first + GIVE_UP - _SLACK
    demanded = timedelta(seconds=min(retry_after_s or 0.0, 2 * GIVE_UP.total_seconds()))
    if now >= last or now + demanded > last:
        return None
    wait = max(FIRST_WAIT, now - first) - _SLACK
    return min(now + max(wait, demanded), last)
