"""The calendar: UTC days, ISO weeks, months, quarters.

A week is an ISO 8601 week: Monday 00:00 UTC to Sunday, named by its ISO year (`2026-W53` exists and includes
2027-01-01). A day is complete once it is over in UTC, so today has no flow.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE_DAY = timedelta(days=1)
ONE_WEEK = timedelta(weeks=1)
FIRST_YEAR, LAST_YEAR = 1971, 2199
"""The years of a period that is named by its label."""


class Grain(StrEnum):
    """The length of the periods of a series."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A day, an ISO week, a calendar month or a quarter: first and last UTC day, both inclusive."""

    start: date
    end: date
    grain: Grain

    @property
    def label(self) -> str:
        """`2026-11-22`, `2026-W47`, `2026-11` or `2026-Q4`."""
        match self.grain:
            case Grain.DAY:
                return self.start.isoformat()
            case Grain.WEEK:
                year, week, _ = self.start.isocalendar()
                return f"{year:04d}-W{week:02d}"
            case Grain.MONTH:
                return self.start.isoformat()[:7]  # %Y has no leading zeros
            case Grain.QUARTER:
                return f"{self.start.year:04d}-Q{(self.start.month + 2) // 3}"

    @property
    def days(self) -> int:
        """The number of days in the period."""
        return (self.end - self.start).days + 1

    @property
    def end_instant(self) -> datetime:
        """The first instant after the period, UTC."""
        return midnight(self.end + ONE_DAY)

    def is_over(self, now: datetime) -> bool:
        """Return whether the last day of the period is over."""
        return now >= self.end_instant

    def shifted(self, count: int) -> Period:
        """Return the period `count` periods later (earlier when negative)."""
        match self.grain:
            case Grain.DAY:
                return period_of(self.start + count * ONE_DAY, Grain.DAY)
            case Grain.WEEK:
                return period_of(self.start + count * ONE_WEEK, Grain.WEEK)
            case Grain.MONTH | Grain.QUARTER:
                step = 3 if self.grain is Grain.QUARTER else 1
                months = self.start.year * 12 + self.start.month - 1 + step * count
                return period_of(date(months // 12, months % 12 + 1, 1), self.grain)


def midnight(day: date) -> datetime:
    """Return the first instant of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def period_of(day: date, grain: Grain) -> Period:
    """Return the day, ISO week, month or quarter that includes `day`."""
    match grain:
        case Grain.DAY:
            return Period(day, day, grain)
        case Grain.WEEK:
            monday = day - timedelta(days=day.weekday())
            return Period(monday, monday + 6 * ONE_DAY, grain)
        case Grain.MONTH:
            last = calendar.monthrange(day.year, day.month)[1]
            return Period(day.replace(day=1), day.replace(day=last), grain)
        case Grain.QUARTER:
            first = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
            return Period(first, period_of(first.replace(month=first.month + 2), Grain.MONTH).end, grain)


def period_named(label: str, grain: Grain) -> Period | None:
    """Return the week, month or quarter of a label such as `2026-W47`; None for any other text.

    The years are 1971 to 2199: LanceDB compares no other instants, and nothing is stored outside of them.
    """
    found = re.fullmatch(r"(\d{4})-(?:W(\d{2})|(\d{2})|Q([1-4]))", label)
    if found is None:
        return None
    year, week, month, quarter = found.groups()
    try:
        if week:
            period = period_of(date.fromisocalendar(int(year), int(week), 1), Grain.WEEK)
        elif month:
            period = period_of(date(int(year), int(month), 1), Grain.MONTH)
        else:
            period = period_of(date(int(year), 3 * int(quarter), 1), Grain.QUARTER)
    except (ValueError, OverflowError):  # week 54, month 13, year 0
        return None
    return period if period.grain is grain and FIRST_YEAR <= int(year) <= LAST_YEAR else None


def today(now: datetime) -> date:
    """Return the UTC day of `now`, which is not over."""
    return now.astimezone(UTC).date()


def last_completed_day(now: datetime) -> date:
    """Return yesterday, in UTC."""
    return today(now) - ONE_DAY


def last_completed(now: datetime, grain: Grain) -> Period:
    """Return the newest day, week, month or quarter that is over."""
    return period_of(today(now), grain).shifted(-1)


def last_periods(end: Period, count: int) -> list[Period]:
    """Return `count` periods of one grain, oldest first, ending with `end`."""
    return [end.shifted(offset) for offset in range(1 - count, 1)]


def lookback_start(now: datetime, weeks: int) -> date:
    """Return the Monday on which the last `weeks` completed ISO weeks begin."""
    return last_completed(now, Grain.WEEK).shifted(1 - weeks).start


def last_weekly(now: datetime, hour: int) -> datetime:
    """Return the latest Monday at this UTC hour that is not in the future."""
    monday = midnight(period_of(today(now), Grain.WEEK).start) + timedelta(hours=hour)
    return monday if monday <= now else monday - ONE_WEEK


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield every day from `first` to `last`, both inclusive; none if `first` is later."""
    for offset in range((last - first).days + 1):
        yield first + offset * ONE_DAY
