"""The cells of a seed file: what each may hold, and how the days of a row must fit its metric's window."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from community_metrics.errors import CatalogError
from community_metrics.model import MAX_VALUE, SourceWindow
from community_metrics.periods import ONE_DAY, midnight, today

if TYPE_CHECKING:
    from community_metrics.catalog import Catalog, Metric

ASSUMPTIONS = ("window", "variant")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9]{1,19}")


def metric(cell: str, catalog: Catalog) -> Metric:
    """Return the metric of this id; ValueError naming near ids where there is none."""
    try:
        return catalog.metric(cell)
    except CatalogError as error:
        raise ValueError(str(error)) from error


def day(cell: str, now: datetime) -> date:
    """Return the day written as `2026-05-31`; ValueError for another way of writing one, or a future day."""
    try:
        read = date.fromisoformat(cell) if _ISO_DAY.fullmatch(cell) else None
    except ValueError:
        read = None  # 2026-02-30
    if read is None:
        raise ValueError(f"{cell!r} is not a day such as 2026-05-31")
    if read > today(now):
        raise ValueError(f"{cell} is in the future")
    return read


def instant(cell: str) -> datetime | None:
    """Return an instant that states its time zone, in UTC; None for an empty cell."""
    if not cell:
        return None
    try:
        read = datetime.fromisoformat(cell)
        aware = None if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter: a time zone carries year 1 or 9999 over the edge
        aware = None
    if aware is None:
        raise ValueError(f"{cell!r} is not an instant with its time zone such as 2026-02-20T19:34:58Z")
    return aware


def value(cell: str) -> int:
    """Return a count of 0 or more, written in digits only, that the database can hold."""
    if not _DIGITS.fullmatch(cell):
        raise ValueError(f"{cell!r} is not a whole number of 0 or more, written in digits only")
    count = int(cell)
    if count > MAX_VALUE:
        raise ValueError(f"{cell} is more than the database can hold ({MAX_VALUE})")
    return count


def published(cell: str) -> str:
    """Return where the figure was published; ValueError where nothing is said."""
    if not cell:
        raise ValueError("is empty; say where the figure was published")
    return cell


def assumptions(cell: str) -> tuple[str, ...]:
    """Return what about the reading is assumed: words of `ASSUMPTIONS`, separated by spaces."""
    words = tuple(cell.split())
    for word in words:
        if word not in ASSUMPTIONS:
            raise ValueError(f"{word!r} is not one of {', '.join(ASSUMPTIONS)}")
    return words


def period_fault(window: SourceWindow, start: date, end: date) -> str | None:
    """Say why the days do not make one interval of the metric's window; None when they do."""
    if window.spans(start, end):
        return None
    if window is SourceWindow.MONTH:
        return f"{start} to {end} is not a calendar month, which every value of this metric covers"
    days = (end - start).days + 1
    return f"{start} to {end} are {days} days; every value of this metric covers {window.value}"


def unfinished_fault(window: SourceWindow, end: date, now: datetime) -> str | None:
    """Say why a row that does not tell when it was read cannot end on `end`; None when it can."""
    if midnight(end + ONE_DAY) <= now:
        return None
    instead = ", or say in observed_at when it was read" if window is SourceWindow.INSTANT else ""
    return f"{end} is not over; leave the row out until it is{instead}"


def instant_fault(window: SourceWindow, end: date, seen_at: datetime, now: datetime) -> str | None:
    """Say why a reading of a period ending on `end` cannot have been observed then; None when it can."""
    if seen_at > now:
        return f"{seen_at:%Y-%m-%d %H:%M} UTC is in the future"
    if window is not SourceWindow.INSTANT:
        return _part_fault(end, seen_at)
    if seen_at < midnight(end):
        return f"is before the reading's day, {end}"
    if seen_at > midnight(end + ONE_DAY):
        return f"is after the reading's day, {end}"
    return None


def _part_fault(end: date, seen_at: datetime) -> str | None:
    if seen_at >= midnight(end + ONE_DAY):
        return None
    return (
        f"is before the end of the period's last day, {end} UTC, so the value is of a part of it; leave the "
        "row out, or give the value that was read later"
    )
