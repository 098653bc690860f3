"""E-mail through a mail server. `smtplib` in a thread: one message a week needs no asynchronous client."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import unquote, urlsplit

from community_metrics.delivery.message import message_of
from community_metrics.errors import (
    DeliveryError,
    DeliveryUnknown,
    TerminalDeliveryError,
    TransientDeliveryError,
)
from community_metrics.origins import keeps_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from community_metrics.delivery.message import Envelope
    from community_metrics.delivery.target import Outgoing
    from community_metrics.model import StoredDelivery
    from community_metrics.model.digest_content import Digest

T = TypeVar("T")

_TIMEOUT_S: Final = 20
_PORTS: Final = {"smtp": 587, "smtps": 465}
_FINAL: Final = 500
"""The first code of an answer that stays the same; one from 400 on may pass."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A mail server; `url` has its name, and a user and a password where it needs them."""

    url: SecretStr
    envelope: Envelope

    def rendered(self, digest: Digest, row: StoredDelivery) -> Outgoing:
        """Return the digest as one message."""
        return message_of(digest, row, self.envelope)

    async def send(self, outgoing: Outgoing) -> str | None:
        """Send the digest as one message to all receivers; return which of them it refuses, if any.

        Raises:
            DeliveryError: the server did not take it, or the response was lost.
        """
        return await asyncio.to_thread(self._send, outgoing.body)

    def _send(self, message: bytes) -> str | None:
        client = self._before_data(self._connected)
        try:
            refused = self._before_data(lambda: self._address(client))
            self._data(client, message)
        finally:
            with suppress(smtplib.SMTPException, OSError):  # the message is taken or not by now
                client.quit()
        return f"the server refuses {', '.join(refused)}" if refused else None

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self.url.get_secret_value())
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if parts.scheme == "smtps":
            context = ssl.create_default_context()
            client: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_S, context=context)
        else:
            client = smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
        try:
            name = f"[{host}]" if ":" in host else host
            if parts.scheme == "smtp" and not keeps_secrets(f"http://{name}"):
                client.starttls(context=ssl.create_default_context())
            if parts.username is not None:
                client.login(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            client.close()
            raise
        return client

    def _address(self, client: smtplib.SMTP) -> list[str]:
        """Name sender and receivers; return the names of the receivers that the server refuses for good."""
        client.ehlo_or_helo_if_needed()
        self._require(client.mail(self.envelope.sender))
        refused = []
        for receiver in self.envelope.receivers:
            answer = client.rcpt(receiver)
            if answer[0] >= _FINAL:
                refused.append(self.envelope.receiver_name(receiver))
            else:
                self._require(answer)
        if len(refused) == len(self.envelope.receivers):
            raise TerminalDeliveryError(
                f"the mail server refuses {', '.join(refused)}. Fix: correct the receivers in the catalogue"
            )
        return refused

    def _data(self, client: smtplib.SMTP, message: bytes) -> None:
        try:
            answer = client.data(message)
        except smtplib.SMTPDataError as error:  # it refuses to receive the message at all
            raise self._refusal(error.smtp_code, error.smtp_error) from None
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryUnknown(
                f"the message was sent, and the mail server did not answer ({type(error).__name__})"
            ) from None
        self._require(answer)

    def _before_data(self, step: Callable[[], T]) -> T:
        """Return what a step returns before the message is sent; whatever it raises, nothing arrived."""
        try:
            return step()
        except DeliveryError:
            raise
        except smtplib.SMTPResponseException as error:
            raise self._refusal(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError:
            raise TerminalDeliveryError(
                "the mail server offers no STARTTLS, or no login. Fix: set CM_SMTP_URL to another port of "
                "it, or to smtps://"
            ) from None
        except ssl.SSLCertVerificationError as error:
            raise TerminalDeliveryError(
                f"the certificate of the mail server is not valid: {error.verify_message}. Fix: set "
                "CM_SMTP_URL to the name in the certificate"
            ) from None
        except UnicodeError:  # it has the user and the password
            raise TerminalDeliveryError(
                "the host of CM_SMTP_URL cannot exist, or its user or password has a letter such as 'ä' that "
                "the login cannot send. Fix: correct the host, or use a login of ASCII characters"
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise TransientDeliveryError(
                f"the mail server cannot be reached ({type(error).__name__}). "
                "Fix: check the network, and CM_SMTP_URL"
            ) from None

    def _require(self, answer: tuple[int, bytes]) -> None:
        code, text = answer
        if code >= 400:  # noqa: PLR2004  the first code of a refusal
            raise self._refusal(code, text)

    def _refusal(self, code: int, text: bytes | str) -> DeliveryError:
        """Return the error of an answer: from 500 on it stays the same."""
        said = text.decode(errors="replace") if isinstance(text, bytes) else text
        message = f"the mail server returned {code}: {self.envelope.quoted(said)}"
        if 400 <= code < _FINAL:  # noqa: PLR2004  likewise
            return TransientDeliveryError(message)
        return TerminalDeliveryError(f"{message}. Fix: check CM_SMTP_URL, sender and receivers")
