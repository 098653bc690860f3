"""The machine's clock, compared with the clocks of the registries.

A clock that is a day ahead makes the running day a past one, and one that is a year ahead hides every true
reading behind a later one. Nothing that was read with such a clock may be stored.
"""

from __future__ import annotations

from datetime import timedelta
from statistics import median_low
from typing import TYPE_CHECKING, Final

from community_metrics.errors import ClockWrong

if TYPE_CHECKING:
    from datetime import datetime

MOST_SKEW: Final = timedelta(minutes=5)
"""How far the clock may be ahead of the registries', or behind."""


class ClockCheck:
    """Collects how far this machine's clock was from each host's, and judges it once all were asked."""

    def __init__(self) -> None:
        self._skews: dict[str, tuple[timedelta, datetime, datetime]] = {}
        self._newest: dict[str, datetime] = {}

    def note(self, host: str, now: datetime, sent: datetime) -> None:
        """Keep the smallest difference of a host: a cache may repeat an old `Date`."""
        self._newest[host] = max(sent, self._newest.get(host, sent))
        skew = abs(now - sent)
        if host not in self._skews or skew < self._skews[host][0]:
            self._skews[host] = (skew, now, sent)

    def newest(self, host: str) -> datetime | None:
        """Return when the host sent its newest response, by its own clock; None where it states no `Date`."""
        return self._newest.get(host)

    def require_true(self) -> None:
        """Raise ClockWrong where the clock differs from most hosts'; a single wrong host decides nothing."""
        if not self._skews:
            return
        skew, now, sent = median_low(self._skews.values())
        if skew > MOST_SKEW:
            raise ClockWrong(now, sent, sorted(self._skews))
