"""The one HTTP client of a run: identified, paced, retried, bounded.

Within a host requests go one after the other, at its pace; hosts go side by side. A failure that may pass is
tried again with growing, jittered waits, or after exactly the wait that the registry asks for; a wait longer
than a request may take fails it at once. A host that cannot be reached, or keeps limiting us, for two
subjects in a row is closed: what is still to be asked of it fails without a request.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from community_metrics.config import PUBLIC_ORIGINS
from community_metrics.errors import (
    SourceError,
    SourceShapeError,
    SourceUnreachable,
    TerminalSourceError,
    TransientSourceError,
)
from community_metrics.origins import keeps_secrets
from community_metrics.sources.client.circuit import Gate
from community_metrics.sources.client.hosts import GITHUB, RegistryHost
from community_metrics.sources.client.replies import Reply, parse, refusal
from community_metrics.sources.client.retries import Bounds, failure, retrying

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import TracebackType

    from community_metrics.clock import Clock
    from community_metrics.config import Settings

T = TypeVar("T")

_REDIRECTS = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}
_MAX_HOPS = 3


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A validated answer: `body`, and the `reply` it came in (instant, public URL, headers, final path)."""

    body: T
    reply: Reply

    @property
    def at(self) -> datetime:
        """When the answer was read, UTC."""
        return self.reply.at


@dataclass(frozen=True, slots=True)
class _Call(Generic[T]):
    """One request: where, for which source and subject, and what is expected."""

    host: RegistryHost
    path: str
    model: type[T]
    about: str
    lane: str = "core"
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    refuse: Callable[[T, Reply], SourceError | None] = lambda _body, _reply: None

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.params)}" if self.params else self.path


class RegistryClient:
    """Asks registries on behalf of the sources; one for a run, as an async context manager.

    `paced=False` leaves out the pauses between requests (for benches against a replay); retries still wait.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        rng: random.Random,
        *,
        paced: bool = True,
        bounds: Bounds | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._paced = paced
        self._bounds = bounds or Bounds()
        self._gates: dict[str, Gate] = {}
        self._http = httpx.AsyncClient(
            headers={"user-agent": user_agent(settings.contact), "accept": "application/json"},
            timeout=httpx.Timeout(self._bounds.read_s, connect=self._bounds.connect_s),
            follow_redirects=False,
            trust_env=False,  # a .netrc or a proxy variable would change who is asked, and with which secret
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    def has_token_for(self, host: RegistryHost) -> bool:
        """Say whether requests to `host` carry the GitHub token: only GitHub's, and never in the clear."""
        if host is not GITHUB or self._settings.github_token is None:
            return False
        return keeps_secrets(self._origin(host))

    async def get_json(
        self,
        host: RegistryHost,
        path: str,
        model: type[T],
        *,
        about: str,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer[T]:
        """Return the answer to a GET as `model`. `about` names source and subject in messages.

        Raises:
            SourceError: one of its kinds, once every attempt that may help was made.
        """
        return await self._ask(_Call(host, path, model, about, params=params or {}, headers=headers or {}))

    async def post_json(
        self,
        host: RegistryHost,
        path: str,
        model: type[T],
        *,
        about: str,
        body: Mapping[str, Any],
        lane: str,
        refuse: Callable[[T, Reply], SourceError | None],
    ) -> Answer[T]:
        """Return the answer to a query sent by POST as `model`.

        `refuse` finds the errors that come with status 200; they are retried like others. `lane` names the
        quota that the query counts against: a limit there closes only that lane of the host.

        Raises:
            SourceError: as `get_json`.
        """
        return await self._ask(_Call(host, path, model, about, lane, body=body, refuse=refuse))

    async def _ask(self, call: _Call[T]) -> Answer[T]:
        gate = self._gate(call.host)
        async with gate.lock:
            gate.raise_if_closed(call.lane, call.about)
            bounds = replace(self._bounds, attempts=1) if gate.is_suspect(call.lane) else self._bounds
            loop = retrying(call.host, bounds, self._clock, self._rng)
            try:
                answer: Answer[T] = await loop(self._attempt, gate, call)
            except SourceError as error:
                final = failure(error, loop.statistics["attempt_number"], self._clock.now())
                gate.note_failure(call.lane, final)
                raise final from None  # it says all that the single attempt's error said
            gate.note_answer(call.lane)
            return answer

    async def _attempt(self, gate: Gate, call: _Call[T]) -> Answer[T]:
        reply = await self._follow(gate, call)
        error = refusal(reply)
        if error is not None:
            raise error
        body = parse(reply, call.model)
        error = call.refuse(body, reply)
        if error is not None:
            raise error
        return Answer(body, reply)

    async def _follow(self, gate: Gate, call: _Call[T]) -> Reply:
        target = call.target
        for _ in range(_MAX_HOPS + 1):
            await gate.pace()
            reply = await self._send(call, target)
            if reply.status not in _REDIRECTS:
                return reply
            target = self._target_within_host(call, target, reply.headers.get("location", ""))
        raise TerminalSourceError(f"{call.about}: {reply.public_url} redirects more than {_MAX_HOPS} times")

    def _target_within_host(self, call: _Call[T], target: str, location: str) -> str:
        """Return path and query of a redirect; refuse one to another host: the token stays here."""
        origin = self._origin(call.host)
        try:
            parts = urlsplit(urljoin(f"{origin}{target}", location))
        except ValueError:  # https://[half-an-address
            raise _unusable(call, repr(location[:80])) from None
        if not location or f"{parts.scheme}://{parts.netloc}" not in {origin, call.host.public_origin}:
            raise TerminalSourceError(
                f"{call.about}: {call.host.public_origin}{target} redirects to another host "
                f"({parts.hostname or 'none named'}); it was not followed. If the registry has moved, "
                "update community-metrics."
            )
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    async def _send(self, call: _Call[T], target: str) -> Reply:
        origin = self._origin(call.host)
        method = "GET" if call.body is None else "POST"
        headers = self._headers(call)
        try:
            async with (
                asyncio.timeout(self._bounds.attempt_s),
                self._http.stream(method, f"{origin}{target}", headers=headers, json=call.body) as response,
            ):
                body = await self._read(call, response)
        except httpx.InvalidURL as error:  # httpx joins a redirect's address even where it does not follow it
            raise _unusable(call, str(error)) from None
        except (TimeoutError, httpx.HTTPError) as error:
            raise _foreign(call, origin, error) from None  # its request holds the token
        return Reply(
            host=call.host,
            about=call.about,
            public_url=f"{call.host.public_origin}{target}",
            path=urlsplit(target).path,
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=body,
            at=self._clock.now(),
        )

    async def _read(self, call: _Call[T], response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._bounds.max_bytes:
                raise SourceShapeError(
                    f"{call.about}: the answer of {call.host.public_origin}{call.target} is larger than "
                    f"{self._bounds.max_bytes:,} bytes; nothing of it was stored"
                )
        return bytes(body)

    def _headers(self, call: _Call[T]) -> dict[str, str]:
        headers = dict(call.headers)
        if self._settings.github_token is not None and self.has_token_for(call.host):
            headers["authorization"] = f"Bearer {self._settings.github_token.get_secret_value()}"
        return headers

    def _origin(self, host: RegistryHost) -> str:
        return self._settings.source_url(host.key) if host.key in PUBLIC_ORIGINS else host.public_origin

    def _gate(self, host: RegistryHost) -> Gate:
        if host.key not in self._gates:
            self._gates[host.key] = Gate(self._clock, host.pace_s if self._paced else 0.0)
        return self._gates[host.key]


def user_agent(contact: str) -> str:
    """Return who we are, as crates.io demands it: program, version, and how to reach whoever runs it."""
    return f"community-metrics/{version('community-metrics')} (+{contact})"


def _unusable(call: _Call[T], fault: str) -> TerminalSourceError:
    return TerminalSourceError(
        f"{call.about}: {call.host.public_origin}{call.target} redirects to no usable address ({fault}); "
        "it was not followed. Run the job again later; if it stays so, update community-metrics."
    )


def _foreign(call: _Call[T], origin: str, error: Exception) -> TransientSourceError:
    """Return our error for one of httpx's: no answer at all, or an answer that broke off."""
    via = "" if origin == call.host.public_origin else f" (set by CM_SOURCE_URL_{call.host.key.upper()})"
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return SourceUnreachable(f"{call.about}: {origin}{via} gives no answer in time")
    if isinstance(error, httpx.ConnectError):
        return SourceUnreachable(f"{call.about}: {origin}{via} cannot be reached: {error}")
    return TransientSourceError(
        f"{call.about}: the answer of {origin}{via} broke off ({type(error).__name__})"
    )
