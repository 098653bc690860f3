"""What a registry's reply means: pure functions from a reply to a value or to one of our errors.

| reply | meaning |
| --- | --- |
| 200 with JSON of the documented shape | the value |
| 200 with a web page, or JSON cut short | transient: something stood in between |
| 200 with JSON of another shape | `SourceShapeError`, naming the field |
| 429, or 403 with Retry-After, with no requests remaining, or by a gatekeeper | `SourceRateLimited` |
| 401, other 403 | `SourceDenied` |
| 404, 410, 451 | `UnknownSubject` |
| 202, 408, 425, 5xx | transient |
| anything else | `TerminalSourceError` |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter, ValidationError

from community_metrics.errors import (
    SourceDenied,
    SourceError,
    SourceRateLimited,
    SourceShapeError,
    TerminalSourceError,
    TransientSourceError,
    UnknownSubject,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

    from community_metrics.sources.client.hosts import RegistryHost

T = TypeVar("T")

_DIGITS = re.compile(r"\d{1,12}", re.ASCII)
_LONGEST_WAIT = timedelta(days=365)
_TRY_LATER = {HTTPStatus.ACCEPTED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
_NOT_THERE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS}


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply as it came. `headers` has lower-case keys; `at` is when its last byte was read.

    `public_url` is the registry's public URL even where another origin stands in for it. `about` is the
    source and subject it was asked for. `path` is where the answer came from, after redirects.
    """

    host: RegistryHost
    about: str
    public_url: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime

    @property
    def is_json(self) -> bool:
        """Say whether the content type is JSON's."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return media_type == "application/json" or media_type.endswith("+json")


def refusal(reply: Reply) -> SourceError | None:
    """Return why this reply is no answer; None when its body may be read."""
    status, said = reply.status, f"{reply.about}: {reply.public_url} answered {reply.status}"
    if status == HTTPStatus.OK:
        return None if reply.is_json else _not_json(reply)
    if is_limit(reply):
        return limited(reply)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return SourceDenied(f"{said}: {_denied_hint(reply)}")
    if status in _NOT_THERE:
        return UnknownSubject(f"{said}: {reply.host.unknown_hint}. Correct the subject in the catalogue.")
    if status in _TRY_LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientSourceError(said, retry_after_s=asked_wait_s(reply))
    return TerminalSourceError(f"{said}, which its documentation does not provide for here")


def is_limit(reply: Reply) -> bool:
    """Say whether the registry refused because of how often we ask."""
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return True
    if reply.status != HTTPStatus.FORBIDDEN:
        return False
    if "retry-after" in reply.headers or reply.headers.get("x-ratelimit-remaining") == "0":
        return True
    if reply.host.html_403_is_limit and not reply.is_json:
        return True
    # GitHub's secondary limits may carry neither header; a missing permission looks the same but for its text
    return reply.host.key == "github" and b"rate limit" in reply.body.lower()


def limited(reply: Reply) -> SourceRateLimited:
    """Return the error for a reply that `is_limit`, or for a GraphQL answer that says as much with 200."""
    return SourceRateLimited(
        f"{reply.about}: {reply.public_url} limits us (status {reply.status})",
        retry_after_s=asked_wait_s(reply),
    )


def asked_wait_s(reply: Reply) -> float | None:
    """Return how many seconds the registry asks us to wait, None when it does not say.

    In GitHub's order: `retry-after` (seconds or a date), else `x-ratelimit-reset` (seconds since 1970) when
    no requests remain.
    """
    after = reply.headers.get("retry-after", "").strip()
    wait = _seconds(after) if _DIGITS.fullmatch(after) else _until_date(after, reply.at)
    if wait is None and reply.headers.get("x-ratelimit-remaining") == "0":
        reset = reply.headers.get("x-ratelimit-reset", "")
        wait = _seconds(reset, since=reply.at.timestamp()) if _DIGITS.fullmatch(reset) else None
    return wait


def _seconds(digits: str, since: float = 0.0) -> float:
    return min(max(float(digits) - since, 0.0), _LONGEST_WAIT.total_seconds())


def _until_date(text: str, now: datetime) -> float | None:
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return _seconds(str(max(aware.timestamp(), 0.0)), since=now.timestamp())


def parse(reply: Reply, model: type[T]) -> T:
    """Return the body as `model`.

    Raises:
        TransientSourceError: the body is not whole JSON.
        SourceShapeError: it is JSON of another shape; the message names the first fields that differ.
    """
    try:
        return TypeAdapter(model).validate_json(reply.body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
    if any(fault["type"] == "json_invalid" for fault in faults):
        raise TransientSourceError(
            f"{reply.about}: {reply.public_url} answered JSON that is cut short or broken"
        )
    raise shape_error(reply, _worded(faults))


def parse_part(reply: Reply, where: str, value: object, model: type[T]) -> T:
    """Return one part of a parsed body as `model`; `where` is its path in the body.

    Raises:
        SourceShapeError: it is of another shape.
    """
    try:
        return TypeAdapter(model).validate_python(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
    raise shape_error(reply, _worded(faults, where))


def shape_error(reply: Reply, what: str) -> SourceShapeError:
    """Return the error for an answer that is not as documented; `what` names the field."""
    return SourceShapeError(
        f"{reply.about}: the answer of {reply.public_url} has changed its shape: {what}. "
        "Nothing of it was stored. Update community-metrics, or report this message if it is up to date."
    )


def _worded(faults: Sequence[ErrorDetails], where: str = "") -> str:
    """Name the first fields that differ: `data.0.downloads: Input should be a valid integer`."""
    said = []
    for fault in faults[:3]:
        path = ".".join(str(part) for part in (*([where] if where else []), *fault["loc"]))
        said.append(f"{path or 'the whole answer'}: {fault['msg']}")
    return "; ".join(said)


def _not_json(reply: Reply) -> TransientSourceError:
    kind = reply.headers.get("content-type", "no content type")[:80]
    return TransientSourceError(f"{reply.about}: {reply.public_url} answered {kind!r} instead of JSON")


def _denied_hint(reply: Reply) -> str:
    if reply.host.key == "github":
        return "the token or its rights are refused; check CM_GITHUB_TOKEN, or unset it to ask without one"
    return "this user agent or address is refused; check that CM_CONTACT names a way to reach you"
