"""What a registry's reply means: pure functions from a reply to a value or an error.

| reply | meaning |
| --- | --- |
| 200 with JSON of the documented shape | the value |
| 200 with a web page, or JSON cut short | transient: the response is not the registry's |
| 200 with JSON of another shape | `SourceShapeError`, which names the field |
| 429, or 403 with Retry-After, with no requests remaining, or from a gatekeeper | `SourceRateLimited` |
| 401, other 403 | `SourceDenied` |
| 404, 410, 451 | `UnknownSubject`, in words of its own each |
| 202, 408, 425, 5xx | transient |
| a redirect without an address, anything else | `TerminalSourceError` |
| ClickHouse's code of an exceeded quota | `SourceRateLimited` |
| ClickHouse's code of a result over its limits, or of an unknown table | `TerminalSourceError` |
"""

from __future__ import annotations

import codecs
import contextlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

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
T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=SourceError)

CHECK_SUBJECT = "correct the subject in the catalogue"
_DIGITS = re.compile(r"\d{1,12}", re.ASCII)
_LONGEST_WAIT = timedelta(days=365)
_TRY_LATER = {HTTPStatus.ACCEPTED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
_STOP_COUNTING = "set active = false for the metric in the catalogue; what is stored stays"
_CLICKHOUSE_CODE: Final = "x-clickhouse-exception-code"
_CLICKHOUSE_LIMITS: Final = {"201", "202"}  # a quota is used up, too many queries at once
_CLICKHOUSE_FAULTS: Final = {
    **dict.fromkeys(("158", "159", "160", "241", "307", "396"), "the result is over a limit and was not cut"),
    **dict.fromkeys(("47", "60"), "the table or a column of it is missing; it may be being rebuilt"),
}
_WITHDRAWN: Mapping[int, str] = {
    HTTPStatus.GONE: "it existed and was removed",
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: "the registry withholds it for legal reasons",
}


class BodyReader(Protocol[T_co]):
    """Reads a body that is too large to be held, piece by piece."""

    def feed(self, piece: bytes) -> None:
        """Take the next piece; a fault is raised by `result`."""
        ...

    def result(self) -> T_co:
        """Return what was read, once the body is complete; ValueError where it is not as documented."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP response as received. `headers` has lower-case keys.

    `at` is when its last byte was read, by this machine's clock or the registry's, whichever is earlier.
    `source` and `subject` are those of the request. `public_url` is the registry's public URL, also where
    `CM_SOURCE_URL_…` sets another `origin`, which then sent the reply. `path` is the path after redirects.
    `content` has read the body, which then is empty, where the request asked for rows instead of JSON.
    """

    host: RegistryHost
    source: str
    subject: str
    public_url: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    origin: str
    content: BodyReader[Any] | None = None

    @property
    def is_json(self) -> bool:
        """Whether the content type is JSON."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return media_type == "application/json" or media_type.endswith("+json")

    def error(self, kind: type[E], detail: str = "", **facts: Any) -> E:
        """Return an error with the facts of this reply; its URL is the one that was requested."""
        return kind(
            self.host.at_origin(detail, self.origin),
            source=self.source,
            subject=self.subject,
            url=self.public_url.replace(self.host.public_origin, self.origin, 1),
            http_status=self.status,
            **facts,
        )


def refusal(reply: Reply) -> SourceError | None:
    """Return the error that this reply means; None when its body may be read."""
    status = reply.status
    if is_limit(reply):
        return limited(reply)
    if status == HTTPStatus.OK or _CLICKHOUSE_CODE in reply.headers:
        return _of_clickhouse(reply) or _of_another_type(reply)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return _denied(reply)
    if status == HTTPStatus.NOT_FOUND or status in _WITHDRAWN:
        return _unknown(reply)
    if status in _TRY_LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return reply.error(TransientSourceError, retry_after_s=required_wait_s(reply))
    return reply.error(TerminalSourceError, "this status is not documented for this request")


def _of_clickhouse(reply: Reply) -> SourceError | None:
    """Return the error of a code in a header, which may come with status 200."""
    code = reply.headers.get(_CLICKHOUSE_CODE)
    if code is None:
        return None
    kind = TerminalSourceError if code in _CLICKHOUSE_FAULTS else TransientSourceError
    return reply.error(kind, _CLICKHOUSE_FAULTS.get(code, f"ClickHouse's error {code}"))


def _of_another_type(reply: Reply) -> TransientSourceError | None:
    """Return the error of a response that is not the registry's; the type of a file says little of it."""
    kind = reply.headers.get("content-type", "no content type")[:80]
    if reply.content is None:
        detail = f"the response is {kind!r} instead of JSON"
        return None if reply.is_json else reply.error(TransientSourceError, detail)
    detail = f"the response is {kind!r} instead of a file"
    return reply.error(TransientSourceError, detail) if "html" in kind else None


def _unknown(reply: Reply) -> UnknownSubject:
    if detail := _WITHDRAWN.get(reply.status):
        return reply.error(UnknownSubject, detail, fix=_STOP_COUNTING)
    return reply.error(UnknownSubject, reply.host.unknown_hint, fix=CHECK_SUBJECT)


def is_limit(reply: Reply) -> bool:
    """Return whether the registry refused because of the number of requests."""
    is_over_quota = reply.headers.get(_CLICKHOUSE_CODE) in _CLICKHOUSE_LIMITS
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS or is_over_quota:
        return True
    if reply.status != HTTPStatus.FORBIDDEN:
        return False
    if "retry-after" in reply.headers or reply.headers.get("x-ratelimit-remaining") == "0":
        return True
    if reply.host.html_403_is_limit and not reply.is_json:
        return True
    # GitHub's secondary limits may have neither header; only the text differs from a missing permission
    return reply.host.key == "github" and b"rate limit" in reply.body.lower()


def limited(reply: Reply) -> SourceRateLimited:
    """Return the error for a reply that `is_limit`, or for a GraphQL response that reports one with 200."""
    return reply.error(SourceRateLimited, "requests are limited", retry_after_s=required_wait_s(reply))


def required_wait_s(reply: Reply) -> float | None:
    """Return the wait in seconds that the registry demands; None when it states none.

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
    instant = http_date(text)
    return None if instant is None else _seconds(str(max(instant.timestamp(), 0.0)), since=now.timestamp())


def http_date(text: str) -> datetime | None:
    """Return the instant of a header such as `Date`; None for any other text."""
    try:
        instant = parsedate_to_datetime(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def date_of(headers: Mapping[str, str]) -> datetime | None:
    """Return the instant at which a reply left the registry by the registry's clock; None without `Date`.

    A cache keeps the `Date` of the first answer and states in `Age` how long ago that was.
    """
    sent = http_date(headers.get("date", ""))
    age = headers.get("age", "")
    if sent is None or not _DIGITS.fullmatch(age):
        return sent
    with contextlib.suppress(OverflowError):  # the last year that a date can have
        return sent + timedelta(seconds=_seconds(age))
    return None


def parse(reply: Reply, model: type[T]) -> T:
    """Return the body as `model`.

    Raises:
        TransientSourceError: the body is not complete JSON.
        SourceShapeError: it is JSON of another shape; the message names the first fields that differ.
    """
    try:
        return TypeAdapter(model).validate_json(reply.body.removeprefix(codecs.BOM_UTF8))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
    if any(fault["type"] == "json_invalid" for fault in faults):
        raise reply.error(TransientSourceError, "the JSON is cut short or broken")
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
    """Return the error for a response that is not as documented; `what` names the field."""
    return reply.error(
        SourceShapeError,
        f"the response has another shape than documented, and nothing of it was stored: {what}",
        fix="update community-metrics, or report this message if it is up to date",
    )


def _worded(faults: Sequence[ErrorDetails], where: str = "") -> str:
    """Return the first fields that differ: `data.0.downloads: Input should be a valid integer`."""
    texts = []
    for fault in faults[:3]:
        path = ".".join(str(part) for part in (*([where] if where else []), *fault["loc"]))
        texts.append(f"{path or 'the whole body'}: {fault['msg']}")
    return "; ".join(texts)


def _denied(reply: Reply) -> SourceDenied:
    detail = "this user agent or address is refused"
    fix = "check that CM_CONTACT names a way to reach you"
    if reply.host.key == "github":
        detail = "the token or its permissions are refused"
        fix = "check CM_GITHUB_TOKEN, or unset it to send requests without one"
    return reply.error(SourceDenied, detail, fix=fix)
