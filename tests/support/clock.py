"""A clock for tests: its time changes only when a test sleeps or sets it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""A Monday; the newest completed day is Sunday 2026-11-22, the end of 2026-W47."""


class FakeClock:
    """Fits `weeks.Clock`. A sleep takes no real time: it moves the clock and lets other tasks run."""

    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._monotonic = 1000.0
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        """Return the clock's instant."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds that move with `now`, but never go back."""
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        """Move forward by `seconds` and note it in `sleeps`."""
        self.sleeps.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set(self, now: datetime) -> None:
        """Put the wall clock to `now`, forwards or backwards; `monotonic` does not follow it back."""
        self._monotonic += max(0.0, (now - self._now).total_seconds())
        self._now = now
