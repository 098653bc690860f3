"""From the digests that a target received, or did not, to their body in `/status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.api.schemas.status import (
    DeliveryRecord,
    DeliveryStatus,
    NeverSentDigest,
    WaitingDigest,
)

if TYPE_CHECKING:
    from community_metrics.model import StoredDelivery
    from community_metrics.views.deliveries import TargetStatus


def delivery_body(view: TargetStatus) -> DeliveryStatus:
    """Return the last delivery of a target, what did not arrive, what waits, and what was never sent."""
    return DeliveryStatus(
        delivery_id=view.target.id,
        to=view.target.to.value,
        last=None if view.last is None else _record(view.last),
        not_arrived=[_record(row) for row in view.not_arrived],
        waiting=[
            WaitingDigest.model_validate(
                {"grain": due.period.grain, "period": due.period.label, "final_at": due.final_at}
            )
            for due in view.waiting
        ],
        never_sent=[
            NeverSentDigest.model_validate({"grain": period.grain, "period": period.label})
            for period in view.never_sent
        ],
    )


def _record(row: StoredDelivery) -> DeliveryRecord:
    return DeliveryRecord.model_validate(row, from_attributes=True)
