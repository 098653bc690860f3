"""How long two things take, turn by turn, so that a slow minute of the machine falls on both."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def alternating(
    ours: Callable[[], object],
    yardstick: Callable[[], object],
    *,
    rounds: int,
    warm_ups: int = 1,
    before_each: Callable[[], object] = lambda: None,
) -> tuple[float, float]:
    """Return the median seconds of each, over `rounds` in which each has one turn.

    The first `warm_ups` rounds are not counted: they fill the caches of disk and interpreter. Nor is the
    time of `before_each`, which is called before every turn.
    """
    pairs = [
        (_seconds(ours, before_each), _seconds(yardstick, before_each)) for _ in range(warm_ups + rounds)
    ][warm_ups:]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def _seconds(work: Callable[[], object], before: Callable[[], object]) -> float:
    before()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
