"""How the delivery of digests goes: the last one of each target, and a sentence about each."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import DeliveryUnknown
from community_metrics.model import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from community_metrics.model import StoredDelivery
    from community_metrics.storage.reader import LanceDBReader

_SHOWN_FOR: Final = timedelta(days=100)
"""A target of quarters has one in this time."""


async def last_deliveries(
    reader: LanceDBReader, delivery_ids: Iterable[str], now: datetime
) -> list[StoredDelivery]:
    """Return the last delivery of each of these targets, in their order; a target without one is left out."""
    rows = await reader.deliveries(since=now - _SHOWN_FOR)
    newest = {row.delivery_id: row for row in reversed(rows)}
    return [newest[name] for name in delivery_ids if name in newest]


def delivery_sentence(row: StoredDelivery) -> str:
    """Return what became of a delivery, and the command that sends it again where nothing else does."""
    what, command = (
        f"{row.grain} {row.period}",
        f"`community-metrics deliver --again {row.delivery_id} {row.period}`",
    )
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
                f"{row.delivery_id}: {what} {_not_sent(row)}{cause}. The next attempt is at "
                f"{row.next_attempt_at:%Y-%m-%d %H:%M} UTC."
            )
        case DeliveryState.FAILED:
            return (
                f"{row.delivery_id}: {what} was not sent{cause}. It is not tried again; {command} sends it."
            )


def _not_sent(row: StoredDelivery) -> str:
    return "may have arrived" if row.error_class == DeliveryUnknown.__name__ else "was not sent"
