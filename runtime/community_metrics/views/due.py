"""Which digests are due: a pure function of the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.periods import last_completed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from community_metrics.periods import Grain, Period

EARLIEST: Final = timedelta(hours=7)
"""A digest is sent this long after the end of its period at the earliest: Monday 07:00 UTC for a week."""
PATIENCE: Final = timedelta(days=2)
"""How long it waits then for a complete period: a week until Wednesday 07:00 UTC."""
OLDEST: Final = timedelta(days=7)
"""A period that ended this long ago is not sent: a new target receives nothing from the past."""


_NEXT_RUN: Final = timedelta(hours=1)
"""How long after `final_at` the job, which starts every hour, may not have started yet."""


@dataclass(frozen=True, slots=True)
class Due:
    """A period whose digest may be sent; from `final_at` on also if it is not complete."""

    period: Period
    final_at: datetime

    def is_final(self, now: datetime) -> bool:
        """Return whether the digest no longer waits for a complete period."""
        return now >= self.final_at

    def is_overdue(self, now: datetime) -> bool:
        """Return whether a run should have sent the digest by now, complete or not."""
        return now >= self.final_at + _NEXT_RUN


def due_periods(grains: Iterable[Grain], now: datetime) -> list[Due]:
    """Return the last week, month and quarter that are due, of those lengths that are asked for."""
    found = []
    for grain in grains:
        period = last_completed(now, grain)
        opens = period.end_instant + EARLIEST
        if opens <= now < period.end_instant + OLDEST:
            found.append(Due(period, opens + PATIENCE))
    return found


def past_periods(grain: Grain, now: datetime, since: timedelta) -> Iterator[Period]:
    """Yield the periods that ended less than `since` ago and are not due any more, newest first."""
    period = last_completed(now, grain)
    while now < period.end_instant + since:
        if now >= period.end_instant + OLDEST:
            yield period
        period = period.shifted(-1)
