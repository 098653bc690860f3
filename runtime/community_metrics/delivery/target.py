"""What a target receives, and the target that an entry of the catalogue and the settings describe."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from community_metrics.delivery_settings import SMTP_URL, key_variable, url_variable
from community_metrics.errors import ConfigurationError, ExtraMissing
from community_metrics.model import MailService, TargetKind
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr

    from community_metrics.catalog.deliveries import Delivery
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.model import StoredDelivery
    from community_metrics.model.digest_content import Digest


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A digest in the form of its target; `key` is the same for each attempt, and for nothing else."""

    body: bytes
    key: str


class Target(Protocol):
    """One target, with the secrets that it needs."""

    def rendered(self, digest: Digest, row: StoredDelivery) -> Outgoing:
        """Return what the target receives, the same at each attempt of one delivery; nothing is sent yet."""
        ...

    async def send(self, outgoing: Outgoing) -> str | None:
        """Send a rendered digest; return a note about what was not taken, if anything.

        Raises:
            DeliveryError: it did not arrive, or it may have arrived.
        """
        ...


def outgoing_key(row: StoredDelivery) -> str:
    """Return the key of a delivery; one that a person sends again has another first attempt and key."""
    text = f"{row.delivery_key}|{row.digest_id}|{row.first_attempt_at.isoformat()}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def is_idempotent(delivery: Delivery) -> bool:
    """Return whether the target can recognize a request that it had: a webhook by `Idempotency-Key`."""
    return delivery.to is TargetKind.WEBHOOK


def target_of(delivery: Delivery, settings: Settings, clock: Clock) -> Target:
    """Return the target of an entry of the catalogue. It imports the client of its kind alone.

    Raises:
        ConfigurationError: settings of it are not set; the message names them.
    """
    secrets = settings.delivery_secrets
    if missing := [name for name in needed_variables(delivery) if name not in secrets]:
        raise ConfigurationError(
            f"this is not set: {', '.join(missing)}. Fix: set it as a variable or in CM_DELIVERY, as "
            "docs/digest.md says"
        )
    if delivery.to is TargetKind.EMAIL:
        return _mail_of(delivery, secrets)
    variable = url_variable(delivery.id)
    if delivery.to is TargetKind.SLACK:
        from community_metrics.delivery.slack import Slack  # noqa: PLC0415  as the docstring says

        return Slack(secrets[variable], variable, clock)
    from community_metrics.delivery.webhook import Webhook  # noqa: PLC0415  as above

    return Webhook(secrets[variable], secrets[key_variable(delivery.id)], delivery.form, variable, clock)


def _mail_of(delivery: Delivery, secrets: dict[str, SecretStr]) -> Target:
    from community_metrics.delivery.message import Envelope  # noqa: PLC0415  as above

    envelope = Envelope(delivery.sender or "", delivery.receivers)
    if delivery.via is MailService.SES:
        if find_spec("boto3") is None:
            raise ExtraMissing("E-mail by Amazon SES", "aws")
        from community_metrics.delivery.ses import Ses  # noqa: PLC0415  as above

        return Ses(envelope)
    from community_metrics.delivery.smtp import SmtpServer  # noqa: PLC0415  as above

    return SmtpServer(secrets[SMTP_URL], envelope)


def needed_variables(delivery: Delivery) -> list[str]:
    """Return the settings that a target needs."""
    match delivery.to:
        case TargetKind.SLACK:
            return [url_variable(delivery.id)]
        case TargetKind.WEBHOOK:
            return [url_variable(delivery.id), key_variable(delivery.id)]
        case TargetKind.EMAIL:
            return [SMTP_URL] if delivery.via is MailService.SMTP else []


def stray_variables(deliveries: Sequence[Delivery], settings: Settings) -> list[str]:
    """Return a sentence for each setting of a delivery that no target of the catalogue needs."""
    needed = [name for delivery in deliveries for name in needed_variables(delivery)]
    return [
        f"{name} is set, and no [[delivery]] of the catalogue needs it; {suggestion(name, needed)}"
        for name in sorted(settings.delivery_secrets)
        if name not in needed
    ]
