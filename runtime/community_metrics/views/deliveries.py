"""How the delivery of digests goes: what did not arrive, the last one of each target, and sentences."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.model import DeliveryState
from community_metrics.periods import period_named

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from community_metrics.model import StoredDelivery
    from community_metrics.storage.reader import LanceDBReader

_SHOWN_FOR: Final = timedelta(days=100)
"""A target of quarters has one in this time."""
_OPEN_FOR: Final = timedelta(weeks=5)
"""How long after the end of its period a digest that did not arrive is shown: a month, and some days."""


async def last_deliveries(
    reader: LanceDBReader, delivery_ids: Iterable[str], now: datetime
) -> list[StoredDelivery]:
    """Return the last delivery of each of these targets, in their order, the newest first.

    After it are older ones of the target that were not sent, or may not have arrived, until a person sends
    them or their period ended five weeks ago. A target without a delivery is left out.
    """
    found: dict[str, list[StoredDelivery]] = {}
    for row in await reader.deliveries(since=now - _SHOWN_FOR):
        shown = found.setdefault(row.delivery_id, [])
        if not shown or _is_open(row, now):
            shown.append(row)
    return [row for name in delivery_ids for row in found.get(name, ())]


def _is_open(row: StoredDelivery, now: datetime) -> bool:
    period = period_named(row.period, row.grain)
    return not_arrived(row) and period is not None and now < period.end_instant + _OPEN_FOR


def not_arrived(row: StoredDelivery) -> bool:
    """Return whether a digest was not sent, or may not have arrived."""
    return row.state in {DeliveryState.FAILED, DeliveryState.UNKNOWN}


def delivery_sentence(row: StoredDelivery) -> str:
    """Return what became of a delivery, and the command that sends it again where nothing else does."""
    what, command = (
        f"{row.grain} {row.period}",
        f"`community-metrics deliver --again {row.delivery_id} {row.period}`",
    )
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
