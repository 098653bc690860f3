"""The rows of `deliveries`: which digest was sent to which target, and how that ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from community_metrics.errors import DeliveryUnknown
from community_metrics.periods import Grain


class TargetKind(StrEnum):
    """Where a digest is sent."""

    SLACK = "slack"
    EMAIL = "email"
    WEBHOOK = "webhook"


class MailService(StrEnum):
    """What an e-mail is sent through."""

    SES = "ses"
    SMTP = "smtp"


class WebhookFormat(StrEnum):
    """The format of what a webhook receives."""

    JSON = "json"
    SLACK = "slack"
    MARKDOWN = "markdown"


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    SENDING = "sending"
    """The request is being sent, or was when its process was killed."""
    SENT = "sent"
    FAILED = "failed"
    """It did not arrive. It is sent again at `next_attempt_at`, if that is set."""
    UNKNOWN = "unknown"
    """It may have arrived: the response was lost, or does not exclude it."""


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """One row of `deliveries`: the digest of one period for one target of the catalogue.

    `attempts` counts the runs that tried since `first_attempt_at`; both start anew where a person sends it
    again. `message` is the cause of the last error, or what a target left out; it never has a secret or
    an e-mail address.
    """

    delivery_id: str
    grain: Grain
    period: str
    digest_id: str
    state: DeliveryState
    attempts: int
    first_attempt_at: datetime
    last_attempt_at: datetime
    next_attempt_at: datetime | None
    error_class: str | None
    message: str | None
    ingestion_run_id: str

    @property
    def may_have_arrived(self) -> bool:
        """Whether an attempt ended without an answer that excludes that the digest arrived."""
        return self.state is DeliveryState.SENDING or self.error_class == DeliveryUnknown.__name__

    @property
    def delivery_key(self) -> str:
        """The single key column of `deliveries`."""
        return delivery_key(self.delivery_id, self.grain, self.period)


def delivery_key(delivery_id: str, grain: Grain, period: str) -> str:
    """Return the key of the delivery of a period to a target, whichever edition of the digest is sent."""
    return f"{delivery_id}|{grain.value}|{period}"
