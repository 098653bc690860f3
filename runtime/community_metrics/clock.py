"""The only place that asks what time it is."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time as everything else sees it; tests hand in one that stands still or runs fast."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, for measuring waits."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up other tasks."""
        await asyncio.sleep(seconds)
