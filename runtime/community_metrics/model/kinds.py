"""What kind of value a metric has, and who may see it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final

from community_metrics.periods import Grain, period_of

UNIQUES: Final = "uniques"
"""The unit of visitors counted once: they do not add up, neither over days nor over metrics."""


class ValueKind(StrEnum):
    """How values of a metric combine over time."""

    FLOW = "flow"
    """A count of events in an interval; adds up over time, unless its unit is `uniques`."""
    LEVEL = "level"
    """A total read at an instant; the last reading counts, and it may fall."""
    COUNTER = "counter"
    """A total read at an instant that only grows; the difference of two readings is a flow."""
    ROLLING = "rolling"
    """The total of the days up to the reading, such as 30; never summed, differenced or scaled."""


class SourceWindow(StrEnum):
    """Length of the interval that one value covers; fixed for each metric."""

    DAY = "1d"
    WEEK = "7d"
    THIRTY_DAYS = "30d"
    NINETY_DAYS = "90d"
    YEAR = "365d"
    MONTH = "month"
    INSTANT = "instant"

    @property
    def kinds(self) -> tuple[ValueKind, ...]:
        """The kinds that a metric with this window can have, the usual one first."""
        match self:
            case SourceWindow.INSTANT:
                return (ValueKind.LEVEL, ValueKind.COUNTER)
            case SourceWindow.DAY | SourceWindow.MONTH:
                return (ValueKind.FLOW,)
            case SourceWindow.WEEK:
                return (ValueKind.ROLLING, ValueKind.FLOW)
            case _:
                return (ValueKind.ROLLING,)

    @property
    def usual_kind(self) -> ValueKind:
        """The kind of a metric whose catalogue entry names none."""
        return self.kinds[0]

    @property
    def days(self) -> int | None:
        """The number of days in the window; None for a month."""
        return {"1d": 1, "7d": 7, "30d": 30, "90d": 90, "365d": 365, "instant": 1}.get(self)

    def spans(self, start: date, end: date) -> bool:
        """Return whether the days from `start` to `end`, both inclusive, are exactly one window."""
        if self is SourceWindow.MONTH:
            month = period_of(end, Grain.MONTH)
            return (start, end) == (month.start, month.end)
        return (end - start).days + 1 == self.days


class Visibility(StrEnum):
    """Who may see a metric; the later member is the stricter one."""

    PUBLIC = "public"
    """Everybody who may read the API."""
    TEAM = "team"
    """Only who sends an accepted token, and the operator on the host."""
