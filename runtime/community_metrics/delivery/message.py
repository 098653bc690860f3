"""The e-mail of a digest, with its sender, its receivers and an id."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_string
from email.policy import SMTP
from typing import TYPE_CHECKING

from community_metrics.delivery.target import Outgoing, outgoing_key
from community_metrics.digest.email import email_of

if TYPE_CHECKING:
    from community_metrics.model import StoredDelivery
    from community_metrics.model.digest_content import Digest


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends an e-mail to whom."""

    sender: str
    receivers: tuple[str, ...]


def message_of(digest: Digest, row: StoredDelivery, envelope: Envelope) -> Outgoing:
    """Return the message, dated at the first attempt.

    Each attempt has one `Message-ID`, by which mail programs find copies.
    """
    key = outgoing_key(row)
    message = message_from_string(email_of(digest), policy=SMTP)
    message.replace_header("Date", row.first_attempt_at)
    message["From"] = envelope.sender
    message["To"] = ", ".join(envelope.receivers)
    message["Message-ID"] = f"<{key}@{envelope.sender.rpartition('@')[2]}>"
    return Outgoing(message.as_bytes(), key)
