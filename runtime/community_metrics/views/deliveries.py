"""What each target of digests received last, what did not reach it, and what waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

from community_metrics.model import DeliveryState, delivery_key
from community_metrics.periods import period_named
from community_metrics.views.due import OLDEST, due_periods, past_periods

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from community_metrics.catalog.deliveries import Delivery
    from community_metrics.model import StoredDelivery
    from community_metrics.periods import Period
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.due import Due

_SHOWN_FOR: Final = timedelta(days=100)
"""A target of quarters has one in this time."""
_OPEN_FOR: Final = timedelta(weeks=5)
"""How long after the end of its period a digest that did not arrive is shown: a month, and some days."""


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """A target of the catalogue, and which digests it received and did not.

    `last` is the newest delivery, None before the first one. `not_arrived` are older ones that were not sent,
    or may not have arrived, newest first, until a person sends them or their period ended five weeks ago.
    `waiting` are the periods that are due and of which nothing was tried yet. `never_sent` are those of which
    nothing was tried before they were not due any more, newest first, for five weeks too. Nothing says since
    when a target is in the catalogue: of the periods before its first delivery only the newest is named.
    """

    target: Delivery
    last: StoredDelivery | None
    not_arrived: tuple[StoredDelivery, ...]
    waiting: tuple[Due, ...]
    never_sent: tuple[Period, ...]

    @property
    def rows(self) -> tuple[StoredDelivery, ...]:
        """The last delivery, and what did not arrive before it."""
        return () if self.last is None else (self.last, *self.not_arrived)


async def load_targets(
    reader: LanceDBReader, targets: Sequence[Delivery], now: datetime
) -> tuple[TargetStatus, ...]:
    """Return which digests each target received and did not, in the order of the targets."""
    rows = await reader.deliveries(since=now - _SHOWN_FOR) if targets else []
    return tuple(_status(one, [row for row in rows if row.delivery_id == one.id], now) for one in targets)


def _status(target: Delivery, rows: Sequence[StoredDelivery], now: datetime) -> TargetStatus:
    tried = {row.delivery_key for row in rows}

    def is_tried(period: Period) -> bool:
        return delivery_key(target.id, period.grain, period.label) in tried

    return TargetStatus(
        target=target,
        last=next(iter(rows), None),
        not_arrived=tuple(row for row in rows[1:] if _is_open(row, now)),
        waiting=tuple(due for due in due_periods(target.grains, now) if not is_tried(due.period)),
        never_sent=tuple(one for one in _missed(target, rows, now) if not is_tried(one)),
    )


def _missed(target: Delivery, rows: Sequence[StoredDelivery], now: datetime) -> Iterator[Period]:
    """Yield the periods that are not due any more, since the first delivery of a target, by their lengths."""
    first = min((row.first_attempt_at for row in rows), default=None)
    for grain in target.grains:
        past = past_periods(grain, now, _OPEN_FOR)
        if first is None:
            yield from islice(past, 1)
        else:
            yield from takewhile(lambda one: one.end_instant + OLDEST > first, past)


def _is_open(row: StoredDelivery, now: datetime) -> bool:
    period = period_named(row.period, row.grain)
    return not_arrived(row) and period is not None and now < period.end_instant + _OPEN_FOR


def not_arrived(row: StoredDelivery) -> bool:
    """Return whether a digest was not sent, or may not have arrived."""
    return row.state in {DeliveryState.FAILED, DeliveryState.UNKNOWN}


def delivery_sentence(row: StoredDelivery) -> str:
    """Return what became of a delivery, and the command that sends it again where nothing else does."""
    what, command = f"{row.grain} {row.period}", _again(row.delivery_id, row.period)
    outcome = "may have arrived" if row.may_have_arrived else "was not sent"
    cause = f": {row.message.removesuffix('.')}" if row.message else ""
    match row.state:
        case DeliveryState.SENT:
            return f"{row.delivery_id}: {what} was sent at {row.last_attempt_at:%Y-%m-%d %H:%M} UTC{cause}."
        case DeliveryState.SENDING:
            return f"{row.delivery_id}: {what} is being sent since {row.last_attempt_at:%Y-%m-%d %H:%M} UTC."
        case DeliveryState.UNKNOWN:
            return (
                f"{row.delivery_id}: {what} may have arrived{cause}. It is not sent again by itself. "
                f"Fix: look at the target; if it is not there, run {command}."
            )
        case DeliveryState.FAILED if row.next_attempt_at is not None:
            return (
                f"{row.delivery_id}: {what} {outcome}{cause}. The next attempt is at "
                f"{row.next_attempt_at:%Y-%m-%d %H:%M} UTC."
            )
        case DeliveryState.FAILED:
            return (
                f"{row.delivery_id}: {what} was not sent{cause}. It is not tried again; {command} sends it."
            )


def waiting_sentence(delivery_id: str, due: Due, now: datetime) -> str:
    """Return what a target waits for, and what to do where a run should have sent it."""
    what, final_at = f"{due.period.grain} {due.period.label}", f"{due.final_at:%Y-%m-%d %H:%M} UTC"
    if due.is_overdue(now):
        return (
            f"{delivery_id}: {what} was due since {final_at}, complete or not, and no run has tried it. "
            "Fix: run `community-metrics deliver`: it sends it, or says what is missing. If it sends it, "
            "the job that runs this command every hour does not run."
        )
    if due.is_final(now):
        return f"{delivery_id}: {what} is due since {final_at}; the next run sends it as it is."
    return (
        f"{delivery_id}: {what} is due, and no run has sent it yet. A run sends it once the "
        f"{due.period.grain} is complete, and from {final_at} on as it is."
    )


def never_sent_sentence(delivery_id: str, period: Period) -> str:
    """Return that nothing was tried of a period, and the command that sends it."""
    return (
        f"{delivery_id}: {period.grain} {period.label} was never sent: no run tried it in the "
        f"{OLDEST.days} days after its end, or the target is newer. It is not tried any more. "
        f"Fix: run {_again(delivery_id, period.label)}, which sends it."
    )


def _again(delivery_id: str, period: str) -> str:
    return f"`community-metrics deliver --again {delivery_id} {period}`"
