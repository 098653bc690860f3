"""The gate in front of one host: one request at a time, at its pace, none once the host is given up.

One subject that stays silent or is limited makes its host suspect; the next one has a single attempt to clear
it. A second such failure in a row closes the host, so that a dead one costs little more than one subject.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from community_metrics.errors import SourceRateLimited, SourceUnreachable, TransientSourceError

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.clock import Clock
    from community_metrics.errors import SourceError

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
        self._suspects: set[str] = set()

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

    def is_suspect(self, lane: str) -> bool:
        """Say whether the last request of this lane failed in a way that may be the host's."""
        return not self._suspects.isdisjoint((_EVERY_LANE, lane))

    def note_answer(self, lane: str) -> None:
        """Clear the host of suspicion: it answered, if only to say no."""
        self._suspects -= {_EVERY_LANE, lane}

    def note_failure(self, lane: str, error: SourceError) -> None:
        """Close what no other request would get through either, now that all attempts of one failed.

        A wait that the registry asks for closes at once; what may be the fault of one subject, at the second
        time in a row.
        """
        if isinstance(error, TransientSourceError) and error.retry_after_s is not None:
            until = self._clock.now() + timedelta(seconds=error.retry_after_s)
            self._closures[lane] = _Closure(error, until)
        elif isinstance(error, SourceUnreachable | SourceRateLimited):
            name = _EVERY_LANE if isinstance(error, SourceUnreachable) else lane
            if self.is_suspect(lane):
                self._closures[name] = _Closure(error, None)
            self._suspects.add(name)
        else:
            self.note_answer(lane)
