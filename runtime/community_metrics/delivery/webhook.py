"""A webhook: a POST with a signature, a timestamp and an `Idempotency-Key`, as docs/digest.md says."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.delivery.target import Outgoing, outgoing_key
from community_metrics.delivery.web import post, require_taken
from community_metrics.digest.formats import Format, rendered
from community_metrics.model import WebhookFormat

if TYPE_CHECKING:
    from pydantic import SecretStr

    from community_metrics.clock import Clock
    from community_metrics.model import StoredDelivery
    from community_metrics.model.digest_content import Digest

TIMESTAMP: Final = "X-Community-Metrics-Timestamp"
SIGNATURE: Final = "X-Community-Metrics-Signature"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
_JSON: Final = "application/json; charset=utf-8"
_FORMATS: Final = {
    WebhookFormat.JSON: (Format.JSON, _JSON),
    WebhookFormat.SLACK: (Format.SLACK, _JSON),
    WebhookFormat.MARKDOWN: (Format.MARKDOWN, "text/markdown; charset=utf-8"),
}


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook; `variable` is the setting of its address."""

    url: SecretStr
    key: SecretStr
    form: WebhookFormat
    variable: str
    clock: Clock

    def rendered(self, digest: Digest, row: StoredDelivery) -> Outgoing:
        """Return the digest in the format of the target."""
        return Outgoing(rendered(digest, _FORMATS[self.form][0]).encode(), outgoing_key(row))

    async def send(self, outgoing: Outgoing) -> None:
        """Post the digest with its signature.

        Raises:
            DeliveryError: the target did not take it, or the response was lost.
        """
        timestamp = str(int(self.clock.now().timestamp()))
        headers = {
            "content-type": _FORMATS[self.form][1],
            IDEMPOTENCY_KEY: outgoing.key,
            TIMESTAMP: timestamp,
            SIGNATURE: signature(self.key, timestamp, outgoing.body),
        }
        require_taken(
            await post(self.url, outgoing.body, headers, variable=self.variable, clock=self.clock),
            variable=self.variable,
        )


def signature(key: SecretStr, timestamp: str, body: bytes) -> str:
    """Return the signature of a request: the HMAC-SHA256 of the timestamp, a dot and the body, in hex."""
    signed = hmac.new(key.get_secret_value().encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"
