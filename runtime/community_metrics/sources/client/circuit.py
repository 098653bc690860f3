"""The circuit breaker of one host: one request at a time, at its pace, none once the host failed twice.

A subject that gets no response or is limited makes its host suspect; the next one has a single attempt. A
second such failure in a row opens the circuit, so that a dead host costs little more than one subject.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.errors import SourceRateLimited, SourceUnreachable, TransientSourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from community_metrics.clock import Clock
    from community_metrics.errors import SourceError

_EVERY_QUOTA = "*"


@dataclass(frozen=True, slots=True)
class _Open:
    """Why a quota gets no more requests, and until when (None: for the rest of the run)."""

    error: TransientSourceError
    until: datetime | None


class CircuitBreaker:
    """Holds a host's lock, the earliest start of its next request, and the quotas that get no more requests.

    A quota is counted apart by the host (GitHub counts GraphQL apart from REST); a host that does not respond
    at all opens the circuit of every quota. `pace_s` is the least time between the starts of two requests;
    `avoids_full_hour` keeps them out of the first minute of an hour. `on_wait` is called before a pause, with
    its seconds and its reason.
    """

    def __init__(
        self,
        clock: Clock,
        pace_s: float,
        *,
        avoids_full_hour: bool = False,
        on_wait: Callable[[float, str], None] = lambda _seconds, _reason: None,
    ) -> None:
        self.lock = asyncio.Lock()
        self._on_wait = on_wait
        self._clock = clock
        self._pace_s = pace_s
        self._avoids_full_hour = avoids_full_hour
        self._next_start_s = clock.monotonic()
        self._open: dict[str, _Open] = {}
        self._suspects: set[str] = set()

    async def pace(self) -> None:
        """Wait until the next request may start."""
        pause = self._next_start_s - self._clock.monotonic()
        if pause > 0:
            self._on_wait(pause, f"it gets one request in {self._pace_s:g} seconds")
            await self._clock.sleep(pause)
        if self._avoids_full_hour and (now := self._clock.now()).minute == 0:
            self._on_wait(60 - now.second, "it gets no request in the first minute of an hour")
            await self._clock.sleep(60 - now.second)
        self._next_start_s = self._clock.monotonic() + self._pace_s

    def opened_by(self, quota: str) -> TransientSourceError | None:
        """Return the error that keeps this quota from further requests now; None where they may be sent."""
        for name in (_EVERY_QUOTA, quota):
            circuit = self._open.get(name)
            if circuit and (circuit.until is None or self._clock.now() < circuit.until):
                return circuit.error
        return None

    def is_suspect(self, quota: str) -> bool:
        """Return whether the last request of this quota failed in a way that may be the host's fault."""
        return not self._suspects.isdisjoint((_EVERY_QUOTA, quota))

    def note_response(self, quota: str) -> None:
        """Clear the suspicion: the host responded, if only to refuse."""
        self._suspects -= {_EVERY_QUOTA, quota}

    def note_failure(self, quota: str, error: SourceError) -> None:
        """Open the circuit where no further request can succeed, now that all attempts of one failed.

        A wait that the registry demands opens it at once; a failure that may be one subject's fault, when it
        comes twice in a row.
        """
        if isinstance(error, TransientSourceError) and error.retry_at is not None:
            self._open[quota] = _Open(error, error.retry_at)
        elif isinstance(error, SourceUnreachable | SourceRateLimited):
            name = _EVERY_QUOTA if isinstance(error, SourceUnreachable) else quota
            if self.is_suspect(quota):
                self._open[name] = _Open(error, None)
            self._suspects.add(name)
        else:
            self.note_response(quota)
