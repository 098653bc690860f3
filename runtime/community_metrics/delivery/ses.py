"""E-mail through Amazon SES, with the credentials and the region of the usual AWS environment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
)
from botocore.exceptions import ConnectionError as NotConnected

from community_metrics.delivery.message import message_of
from community_metrics.errors import DeliveryUnknown, TerminalDeliveryError, TransientDeliveryError

if TYPE_CHECKING:
    from community_metrics.delivery.message import Envelope
    from community_metrics.delivery.target import Outgoing
    from community_metrics.errors import DeliveryError
    from community_metrics.model import StoredDelivery
    from community_metrics.model.digest_content import Digest

# one attempt: boto3 would send a message again whose response was lost
_CONFIG: Final = Config(
    connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 1}
)
_MAY_PASS: Final = {
    "TooManyRequestsException",
    "LimitExceededException",
    "Throttling",
    "ThrottlingException",
}


@dataclass(frozen=True, slots=True)
class Ses:
    """The e-mail service of AWS."""

    envelope: Envelope

    def rendered(self, digest: Digest, row: StoredDelivery) -> Outgoing:
        """Return the digest as one message."""
        return message_of(digest, row, self.envelope)

    async def send(self, outgoing: Outgoing) -> None:
        """Send the digest as one message to all receivers.

        Raises:
            DeliveryError: SES did not take it, or the response was lost.
        """
        await asyncio.to_thread(self._send, outgoing.body)

    def _send(self, message: bytes) -> None:
        try:
            client = boto3.Session().client("sesv2", config=_CONFIG)
            client.send_email(
                FromEmailAddress=self.envelope.sender,
                Destination={"ToAddresses": list(self.envelope.receivers)},
                Content={"Raw": {"Data": message}},
            )
        except ClientError as error:
            raise self._refusal(error) from None
        except NotConnected as error:
            raise TransientDeliveryError(f"SES cannot be reached ({type(error).__name__})") from None
        except HTTPClientError as error:
            raise DeliveryUnknown(
                f"the message was sent, and SES did not answer ({type(error).__name__})"
            ) from None
        except BotoCoreError as error:
            raise TerminalDeliveryError(
                f"SES cannot be used: {self.envelope.quoted(str(error))} "
                "Fix: set the AWS region and credentials of this process"
            ) from None

    def _refusal(self, error: ClientError) -> DeliveryError:
        found = error.response["Error"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        code = found.get("Code", str(status))
        message = f"SES returned {code}: {self.envelope.quoted(found.get('Message', ''))}"
        if status == HTTPStatus.TOO_MANY_REQUESTS or code in _MAY_PASS:
            return TransientDeliveryError(message)
        if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return DeliveryUnknown(message)  # the message may have been handled before the error
        return TerminalDeliveryError(
            f"{message}. Fix: verify the sender in SES, and allow this role ses:SendEmail"
        )
