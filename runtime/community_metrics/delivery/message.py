"""The e-mail of a digest, with its sender, its receivers and an id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_string
from email.policy import SMTP
from typing import TYPE_CHECKING, Final

from community_metrics.delivery.target import Outgoing, outgoing_key
from community_metrics.digest.email import email_of

if TYPE_CHECKING:
    from community_metrics.model import StoredDelivery
    from community_metrics.model.digest_content import Digest


_LONGEST_ANSWER: Final = 200
_AT: Final = "(?:@|%40)"
_ADDRESS: Final = re.compile(rf"""(?:"[^"]*"|[^\s<>()\[\],;:"'@]+){_AT}(?:\[[^\]\s]*\]|[\w.-]*\w)""")


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sends an e-mail to whom."""

    sender: str
    receivers: tuple[str, ...]

    def receiver_name(self, receiver: str) -> str:
        """Return how a message names a receiver: by its place in the catalogue, for addresses are private."""
        count = len(self.receivers)
        return f"receiver {self.receivers.index(receiver) + 1} of {count}" if count > 1 else "the receiver"

    def quoted(self, answer: str) -> str:
        """Return an answer of a mail service as it may be stored and shown: short, and without an address.

        It is shortened last: half an address would not be found.
        """
        names = {self.sender: "the sender"} | {one: self.receiver_name(one) for one in self.receivers}
        for address in sorted(names, key=len, reverse=True):
            own = re.escape(address).replace("@", _AT)
            answer = re.sub(rf"(?<![\w.+-]){own}(?![\w-]|\.\w)", names[address], answer, flags=re.IGNORECASE)
        return _ADDRESS.sub("(an address)", answer)[:_LONGEST_ANSWER]


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
