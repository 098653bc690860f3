"""One POST to an address that is a secret: it follows no redirect, and no error has the address."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import httpx

from community_metrics.errors import DeliveryUnknown, TerminalDeliveryError, TransientDeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from community_metrics.clock import Clock

_TIMEOUT: Final = httpx.Timeout(20, connect=5)
_ATTEMPT_S: Final = 30.0
_MOST_BYTES: Final = 1_000
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Errors after which the target has not received the request."""
_NO_REQUEST: Final = (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError)
"""Errors of an address, raised before a connection is made."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The response of a target: its status, and the first characters of its body.

    `text` is None where the body cannot be read: the status has arrived all the same.
    """

    status: int
    text: str | None
    retry_after_s: float | None


async def post(
    url: SecretStr, body: bytes, headers: Mapping[str, str], *, variable: str, clock: Clock
) -> Reply:
    """Return the response to one request; `variable` is the setting of the address, for messages.

    Raises:
        TransientDeliveryError: the target cannot be reached.
        TerminalDeliveryError: no request can be made of the address.
        DeliveryUnknown: the request was sent, and there is no response.
    """
    sent = {"user-agent": f"community-metrics/{version('community-metrics')}", **headers}
    try:
        async with (
            asyncio.timeout(_ATTEMPT_S),
            httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url.get_secret_value(), content=body, headers=sent) as response,
        ):
            text = await _first_characters(response)
            return Reply(response.status_code, text, _retry_after_s(response.headers, clock))
    except _NEVER_SENT as error:
        raise TransientDeliveryError(
            f"the target cannot be reached ({type(error).__name__}). Fix: check the network, and {variable}"
        ) from None  # the chained error would show the address
    except _NO_REQUEST as error:
        raise TerminalDeliveryError(
            f"the address cannot be used ({type(error).__name__}). Fix: set {variable} to the address as the "
            "target shows it"
        ) from None  # likewise
    except (httpx.HTTPError, TimeoutError) as error:
        raise DeliveryUnknown(
            f"the request was sent, and no response came ({type(error).__name__})"
        ) from None  # likewise


def require_taken(reply: Reply, *, variable: str) -> None:
    """Return if the target took the request.

    Raises:
        TransientDeliveryError: 429, or 503 with a wait: the target says that it took nothing.
        DeliveryUnknown: 408 or any other 5xx: the request may have been handled before the error.
        TerminalDeliveryError: any other status: a later request would end the same.
    """
    status = reply.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS or (
        status == HTTPStatus.SERVICE_UNAVAILABLE and reply.retry_after_s is not None
    ):
        raise TransientDeliveryError(f"the target returned {status}", retry_after_s=reply.retry_after_s)
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise DeliveryUnknown(f"the target returned {status}", retry_after_s=reply.retry_after_s)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise TerminalDeliveryError(
            f"the target returned {status}: it redirects, which is not followed. Fix: set {variable} to the "
            "address that it redirects to"
        )
    raise TerminalDeliveryError(f"the target returned {status}. Fix: check {variable}")


async def _first_characters(response: httpx.Response) -> str | None:
    found = b""
    try:
        async for part in response.aiter_bytes():
            found += part
            if len(found) >= _MOST_BYTES:
                break
    except httpx.HTTPError:  # the connection ended, or the body is not encoded as its header says
        return None
    return found[:_MOST_BYTES].decode(errors="replace")


def _retry_after_s(headers: Mapping[str, str], clock: Clock) -> float | None:
    """Return the wait that a response demands, in seconds or until an instant."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # missing, or neither a number nor a date
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - clock.now()).total_seconds())
