"""A client that answers from what was kept, and opens no connection."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from community_metrics.errors import SourceShapeError, TerminalSourceError
from community_metrics.sources.client.client import RegistryClient
from community_metrics.sources.client.replies import Reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.sources.client.circuit import CircuitBreaker
    from community_metrics.sources.client.client import Call, ParsedReply
    from community_metrics.sources.client.hosts import RegistryHost
    from community_metrics.sources.client.recording import Answer, RequestKey

T = TypeVar("T")


class ReplayedClient(RegistryClient):
    """Returns kept answers to the same requests, in the order in which they were received.

    Everything after the response is the real client's: the meaning of the status, the model, the errors. A
    request without a kept answer is an error of its metric.
    """

    def __init__(self, settings: Settings, clock: Clock, answers: Iterable[Answer]) -> None:
        rng = random.Random(0)  # noqa: S311  nothing is retried
        super().__init__(settings, clock, rng, paced=False)
        self._answers: dict[RequestKey, deque[Answer]] = {}
        self._authorized: set[str] = set()
        for answer in answers:
            self._answers.setdefault(answer.request, deque()).append(answer)
            if answer.authorized:
                self._authorized.add(answer.request.host)

    def has_token_for(self, host: RegistryHost) -> bool:
        """Return whether the run whose answers these are sent a token: a source then asks otherwise."""
        return host.key in self._authorized

    async def _attempt(self, circuit: CircuitBreaker, call: Call[T]) -> ParsedReply[T]:
        try:
            return await super()._attempt(circuit, call)
        except SourceShapeError as error:
            detail = f"a kept answer cannot be read: {error.detail}"
            fix = "none if this version reads a field that was not read, and so not kept, on that day"
            raise replace(error, detail=detail, fix=fix) from None

    async def _follow(self, circuit: CircuitBreaker, call: Call[T]) -> Reply:  # noqa: ARG002  it has no pace here
        kept = self._answers.get(call.key)
        if not kept:
            detail = "no answer to this request was kept, and a replay sends none"
            raise call.error(TerminalSourceError, detail, call.host.public_origin)
        answer = kept.popleft() if len(kept) > 1 else kept[0]
        return _reply(answer, call)


def _reply(answer: Answer, call: Call[Any]) -> Reply:
    return Reply(
        host=call.host,
        source=call.source,
        subject=call.subject,
        public_url=answer.public_url,
        path=urlsplit(answer.public_url).path,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        at=answer.at,
        origin=call.host.public_origin,
    )
