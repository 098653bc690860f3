"""The gate in front of one host: one request at a time, at its pace, none once the host is given up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from community_metrics.errors import SourceRateLimited, SourceUnreachable, TransientSourceError

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.errors import SourceError
    from community_metrics.weeks import Clock

_EVERY_LANE = "*"


@dataclass(frozen=True, slots=True)
class _Closure:
    """Why a lane is not used any more, and until when (None: for the rest of the run)."""

    error: TransientSourceError
    until: datetime | None


class Gate:
    """Holds a host's lock, its next free start, and the lanes given up.

    A lane is a quota of its own (GitHub counts GraphQL apart from REST); a host that gives no answer at all
    closes every lane. `pace_s` is the least time between the starts of two requests.
    """

    def __init__(self, clock: Clock, pace_s: float) -> None:
        self.lock = asyncio.Lock()
        self._clock = clock
        self._pace_s = pace_s
        self._next_start_s = clock.monotonic()
        self._closures: dict[str, _Closure] = {}

    async def pace(self) -> None:
        """Wait until the next request may start."""
        pause = self._next_start_s - self._clock.monotonic()
        if pause > 0:
            await self._clock.sleep(pause)
        self._next_start_s = self._clock.monotonic() + self._pace_s

    def raise_if_closed(self, lane: str, about: str) -> None:
        """Raise what closed this lane, without a request, while it is closed."""
        for name in (_EVERY_LANE, lane):
            closure = self._closures.get(name)
            if closure and (closure.until is None or self._clock.now() < closure.until):
                raise type(closure.error)(
                    f"{about}: not asked, because of an earlier failure: {closure.error}",
                    retry_after_s=closure.error.retry_after_s,
                )

    def close_after(self, lane: str, error: SourceError) -> None:
        """Close what no other request would get through either, now that all attempts of one failed."""
        if isinstance(error, SourceUnreachable):
            self._closures[_EVERY_LANE] = _Closure(error, None)
        elif isinstance(error, TransientSourceError) and error.retry_after_s is not None:
            until = self._clock.now() + timedelta(seconds=error.retry_after_s)
            self._closures[lane] = _Closure(error, until)
        elif isinstance(error, SourceRateLimited):
            self._closures[lane] = _Closure(error, None)
