"""The one HTTP client of a run: identified, paced, retried, limited.

Requests to one host follow one another at its pace; different hosts get them side by side. A failure that
may pass is retried after growing, jittered waits, or after exactly the wait that the registry demands; a wait
longer than a request may take fails it at once. A host that cannot be reached, or limits requests, for two
subjects in a row gets no more requests in this run; its other metrics fail with the same error.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import httpx
import structlog
from pydantic.errors import PydanticUserError

from community_metrics.errors import (
    SourceError,
    SourceShapeError,
    SourceUnreachable,
    TerminalSourceError,
    TimeBudgetUsed,
    TransientSourceError,
)
from community_metrics.origins import keeps_secrets
from community_metrics.sources.client.circuit import CircuitBreaker
from community_metrics.sources.client.clock_check import ClockCheck
from community_metrics.sources.client.hosts import GITHUB, RegistryHost
from community_metrics.sources.client.recording import RequestKey, answer_of, kept_body
from community_metrics.sources.client.replies import BodyReader, Reply, date_of, parse, refusal, shape_error
from community_metrics.sources.client.retries import RequestLimits, retrying

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import TracebackType

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.sources.client.recording import Recorder

T = TypeVar("T")
E = TypeVar("E", bound=SourceError)

log = structlog.get_logger(__name__)

_REDIRECTS = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}
_MAX_HOPS = 3
_UPDATE = "update community-metrics, if the registry has moved"


@dataclass(frozen=True, slots=True)
class ParsedReply(Generic[T]):
    """A validated response: `body`, and the `reply` that held it (instant, public URL, headers, path)."""

    body: T
    reply: Reply

    @property
    def at(self) -> datetime:
        """When the response was read, UTC."""
        return self.reply.at


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request: where, for which source and subject, and the model of its response."""

    host: RegistryHost
    path: str
    model: type[T]
    source: str
    subject: str
    quota: str = "core"
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | str | None = None
    refuse: Callable[[T, Reply], SourceError | None] = lambda _body, _reply: None
    is_shared: bool = False
    reader: Callable[[], BodyReader[T]] | None = None
    max_bytes: int | None = None

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.params)}" if self.params else self.path

    @property
    def key(self) -> RequestKey:
        """What makes two requests of one run the same."""
        if self.body is None or isinstance(self.body, str):
            query = self.body
        else:
            query = json.dumps(self.body, sort_keys=True)
        return RequestKey(self.host.key, "GET" if self.body is None else "POST", self.target, query)

    def error(self, kind: type[E], detail: str, origin: str, *, fix: str | None = None) -> E:
        """Return an error of this request; `origin` is where it was sent."""
        return kind(
            self.host.at_origin(detail, origin),
            source=self.source,
            subject=self.subject,
            url=f"{origin}{self.target}",
            fix=fix,
        )


class RegistryClient:
    """Sends the requests of the sources; one for a run, as an async context manager.

    `paced=False` leaves out the pauses between requests (for benches against a replay); retries still wait.
    `recorder` receives the responses of the sources that it wants. No request is sent once the clock's
    `monotonic` is at `deadline_s`. `on_wait` receives the host, the seconds and the reason of each pause.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        rng: random.Random,
        *,
        paced: bool = True,
        limits: RequestLimits | None = None,
        recorder: Recorder | None = None,
        deadline_s: float | None = None,
        on_wait: Callable[[RegistryHost, float, str], None] = lambda _host, _seconds, _reason: None,
    ) -> None:
        self._deadline_s = deadline_s
        self._on_wait = on_wait
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._paced = paced
        self._limits = limits or RequestLimits()
        self._recorder = recorder
        self._circuits: dict[str, CircuitBreaker] = {}
        self._shared: dict[tuple[RequestKey, Any], Reply] = {}
        self.clock_check = ClockCheck()
        # crates.io demands program, version, and a way to reach the operator
        user_agent = f"community-metrics/{version('community-metrics')} (+{_as_url(settings.contact)})"
        self._http = httpx.AsyncClient(
            headers={"user-agent": user_agent, "accept": "application/json"},
            timeout=httpx.Timeout(self._limits.read_s, connect=self._limits.connect_s),
            follow_redirects=False,
            trust_env=False,  # a .netrc or a proxy variable would change the host, and the secret it gets
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    def has_token_for(self, host: RegistryHost) -> bool:
        """Return whether requests to `host` carry the GitHub token: only GitHub's, and never unencrypted."""
        if host is not GITHUB or self._settings.github_token is None:
            return False
        return keeps_secrets(self._origin(host))

    def given_origin(self, key: str) -> str | None:
        """Return the origin that the settings give a host without a public one; None if they give none."""
        return self._settings.source_url(key, "") or None

    async def get_json(
        self,
        host: RegistryHost,
        path: str,
        model: type[T],
        *,
        source: str,
        subject: str,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        is_shared: bool = False,
    ) -> ParsedReply[T]:
        """Return the response to a GET as `model`. Errors carry `source` and `subject`.

        `is_shared`: several sources read one response, which is requested once and has one instant.

        Raises:
            SourceError: one of its kinds, once every attempt that may succeed was made.
        """
        return await self._fetch(
            Call(
                host,
                path,
                model,
                source,
                subject,
                params=params or {},
                headers=headers or {},
                is_shared=is_shared,
            )
        )

    async def get_rows(
        self,
        host: RegistryHost,
        path: str,
        reader: Callable[[], BodyReader[T]],
        *,
        source: str,
        subject: str,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
    ) -> ParsedReply[T]:
        """Return what `reader` makes of a file of at most `max_bytes` that is not JSON, while it arrives.

        Raises:
            SourceError: as `get_json`.
        """
        return await self._fetch(
            Call(
                host,
                path,
                object,  # type: ignore[arg-type]  # the reader knows the type
                source,
                subject,
                headers=headers or {},
                reader=reader,
                max_bytes=max_bytes,
            )
        )

    async def post_json(
        self,
        host: RegistryHost,
        path: str,
        model: type[T],
        *,
        source: str,
        subject: str,
        body: Mapping[str, Any] | str,
        quota: str = "core",
        params: Mapping[str, str | int] | None = None,
        refuse: Callable[[T, Reply], SourceError | None] = lambda _body, _reply: None,
    ) -> ParsedReply[T]:
        """Return the response to a query sent by POST, as JSON or as plain text, as `model`.

        `refuse` returns the error that a response with status 200 reports; it is retried like others. `quota`
        names what the query counts against: a limit there stops only that quota of the host.

        Raises:
            SourceError: as `get_json`.
        """
        return await self._fetch(
            Call(host, path, model, source, subject, quota, params or {}, body=body, refuse=refuse)
        )

    async def _fetch(self, call: Call[T]) -> ParsedReply[T]:
        circuit = self._circuit(call.host)
        async with circuit.lock:
            if kept := self._shared.get((call.key, call.model)):
                return self._read_again(call, kept)
            self._require_time(call)
            if earlier := circuit.opened_by(call.quota):
                url = urljoin(earlier.url or "", call.target)
                raise replace(earlier, source=call.source, subject=call.subject, url=url, attempts=0)
            limits = replace(self._limits, attempts=1) if circuit.is_suspect(call.quota) else self._limits
            loop = retrying(call.host, limits, self._clock, self._rng)
            try:
                parsed: ParsedReply[T] = await loop(self._attempt, circuit, call)
            except SourceError as error:
                wait_s = error.retry_after_s
                retry_at = None if wait_s is None else self._clock.now() + timedelta(seconds=wait_s)
                final = replace(error, attempts=loop.statistics["attempt_number"], retry_at=retry_at)
                circuit.note_failure(call.quota, final)
                raise final from None  # it has all facts of the single attempt's error
            circuit.note_response(call.quota)
            if call.is_shared:  # without what the model does not read, since it is held until the run ends
                body = kept_body(parsed.reply.body, call.model)
                self._shared[call.key, call.model] = replace(parsed.reply, body=body)
            return parsed

    def _read_again(self, call: Call[T], kept: Reply) -> ParsedReply[T]:
        """Return a response of this run as another source's, which keeps it among its own answers."""
        reply = replace(kept, source=call.source, subject=call.subject)
        body = parse(reply, call.model)
        self._record(call, reply, body)
        return ParsedReply(body, reply)

    async def _attempt(self, circuit: CircuitBreaker, call: Call[T]) -> ParsedReply[T]:
        reply = await self._follow(circuit, call)
        if error := refusal(reply):
            raise error
        if reply.content is not None:
            return ParsedReply(_read_of(reply, reply.content), reply)
        try:
            body = parse(reply, call.model)
        except SourceShapeError:
            self._record(call, reply, None)  # the mistake may be ours
            raise
        if error := call.refuse(body, reply):
            raise error
        self._record(call, reply, body)
        return ParsedReply(body, reply)

    def _record(self, call: Call[T], reply: Reply, body: T | None) -> None:
        """Hand on what is kept of a response; `body` is what it was read as, None if it has another shape."""
        if self._recorder is None or not self._recorder.wants(call.source):
            return
        try:
            answer = answer_of(call.key, reply, call.model, authorized=self.has_token_for(call.host))
            if body is not None and parse(replace(reply, body=answer.body), call.model) != body:
                raise ValueError("its kept fields read as something else")  # noqa: TRY301  one way out for all
        except (ValueError, RecursionError, PydanticUserError, SourceError) as error:
            # its values are stored all the same; only `replay` will lack it
            log.warning("answer not kept", source=call.source, subject=call.subject, reason=str(error))
            return
        self._recorder.note(answer)

    async def _follow(self, circuit: CircuitBreaker, call: Call[T]) -> Reply:
        target = call.target
        for _ in range(_MAX_HOPS + 1):
            await circuit.pace()
            self._require_time(call)
            reply = await self._send(call, target)
            if reply.status not in _REDIRECTS:
                return reply
            if "location" not in reply.headers:
                raise reply.error(TerminalSourceError, "it redirects, but to no address (no Location header)")
            target = self._target_within_host(call, target, reply.headers["location"])
        raise reply.error(TerminalSourceError, f"it redirects more than {_MAX_HOPS} times")

    def _require_time(self, call: Call[T]) -> None:
        if self._deadline_s is not None and self._clock.monotonic() >= self._deadline_s:
            raise call.error(TimeBudgetUsed, "the time budget of the run is used up", self._origin(call.host))

    def _target_within_host(self, call: Call[T], target: str, location: str) -> str:
        """Return path and query of a redirect; refuse one to another host, which must not get the token."""
        origin = self._origin(call.host)
        try:
            parts = urlsplit(urljoin(f"{origin}{target}", location))
        except ValueError:  # https://[half-an-address
            raise _unusable(call, origin, repr(location[:80])) from None
        if f"{parts.scheme}://{parts.netloc}" not in {origin, call.host.public_origin}:
            host = parts.hostname or "none named"
            detail = f"it redirects to another host ({host}), which was not followed"
            raise call.error(TerminalSourceError, detail, origin, fix=_UPDATE)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    async def _send(self, call: Call[T], target: str) -> Reply:
        origin = self._origin(call.host)
        method = "GET" if call.body is None else "POST"
        headers = self._request_headers(call)
        try:
            async with (
                asyncio.timeout(self._limits.attempt_s),
                self._http.stream(method, f"{origin}{target}", headers=headers, **_body_of(call)) as response,
            ):
                content = call.reader() if call.reader and response.status_code == HTTPStatus.OK else None
                body = await self._read(call, origin, response, content)
        except httpx.InvalidURL as error:  # httpx joins a redirect's address even where it does not follow it
            raise _unusable(call, origin, str(error)) from None
        except (TimeoutError, httpx.HTTPError) as error:
            raise _foreign(call, origin, error) from None  # its request holds the token
        now = self._clock.now()
        received = {name.lower(): value for name, value in response.headers.items()}
        sent = date_of(received)
        if sent is not None:
            self.clock_check.note(call.host.key, now, sent)
        return Reply(
            host=call.host,
            source=call.source,
            subject=call.subject,
            public_url=f"{call.host.public_origin}{target}",
            path=urlsplit(target).path,
            status=response.status_code,
            headers=received,
            body=body,
            at=min(now, sent or now),  # the day at the registry decides which days are completed
            origin=origin,
            content=content,
        )

    def _request_headers(self, call: Call[T]) -> dict[str, str]:
        token = self._settings.github_token
        if token is None or not self.has_token_for(call.host):
            return dict(call.headers)
        return {**call.headers, "authorization": f"Bearer {token.get_secret_value()}"}

    async def _read(
        self, call: Call[T], origin: str, response: httpx.Response, content: BodyReader[T] | None
    ) -> bytes:
        """Return the body; nothing of one that `content` reads."""
        body, size, limit = bytearray(), 0, call.max_bytes or self._limits.max_bytes
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if content is None:
                body += chunk
            else:
                content.feed(chunk)
            if size > limit:
                detail = f"the response is larger than {limit:,} bytes; nothing of it was stored"
                raise call.error(SourceShapeError, detail, origin)
        return bytes(body)

    def _origin(self, host: RegistryHost) -> str:
        return self._settings.source_url(host.setting or host.key, host.public_origin)

    def _circuit(self, host: RegistryHost) -> CircuitBreaker:
        if host.key not in self._circuits:
            self._circuits[host.key] = CircuitBreaker(
                self._clock,
                host.pace_s if self._paced else 0.0,
                avoids_full_hour=self._paced and host.avoids_full_hour,
                on_wait=partial(self._on_wait, host),
            )
        return self._circuits[host.key]


def _body_of(call: Call[T]) -> dict[str, Any]:
    return {"content": call.body} if isinstance(call.body, str) else {"json": call.body}


def _as_url(contact: str) -> str:
    """Return a contact as a URL: an e-mail address begins with `mailto:`, which Packagist looks for."""
    return f"mailto:{contact}" if re.fullmatch(r"[^\s/:]+@[^\s/:]+", contact) else contact


def _read_of(reply: Reply, content: BodyReader[T]) -> T:
    try:
        return content.result()
    except ValueError as error:
        raise shape_error(reply, str(error)) from None


def _unusable(call: Call[T], origin: str, fault: str) -> TerminalSourceError:
    detail = f"it redirects to no usable address ({fault}), which was not followed"
    return call.error(TerminalSourceError, detail, origin, fix=_UPDATE)


def _foreign(call: Call[T], origin: str, error: Exception) -> TransientSourceError:
    """Return our error for one of httpx's: no response at all, or one that broke off."""
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return call.error(SourceUnreachable, "no response in time", origin)
    if isinstance(error, httpx.ConnectError):
        return call.error(SourceUnreachable, _reason(error), origin)
    return call.error(TransientSourceError, f"the response broke off ({type(error).__name__})", origin)


def _reason(error: BaseException) -> str:
    """Return why a connection failed in the operating system's words, which httpx hides."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):  # one error for each address of the host
            cause = cause.exceptions[0]
        if isinstance(cause, OSError) and cause.errno:
            is_system_error = cause.errno > 0 and not isinstance(cause, ssl.SSLError)
            return (os.strerror(cause.errno) if is_system_error else cause.strerror or str(cause)).lower()
        cause = cause.__cause__ or cause.__context__
    return str(error)
