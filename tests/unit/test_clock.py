from __future__ import annotations

from datetime import timedelta

from community_metrics.clock import SystemClock


async def test_the_system_clock_is_in_utc_and_only_moves_forward() -> None:
    clock = SystemClock()
    before = clock.monotonic()

    await clock.sleep(0)

    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() >= before
