"""A row of a seed file: what each cell may hold, and how its days must match the metric's window."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from community_metrics.errors import CatalogError, InvalidObservation, SeedFileError
from community_metrics.model import MAX_VALUE, Observation, SourceWindow
from community_metrics.periods import ONE_DAY, midnight, today

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from community_metrics.catalog import Catalog, Metric

ASSUMPTIONS = ("window", "variant")


@dataclass(frozen=True, slots=True)
class SeedRow:
    """A valid row at `place`; `suspect` is the file's reason to doubt it, or empty."""

    observation: Observation
    place: str
    suspect: str


def parse_row(
    cells: Mapping[str, str], catalog: Catalog, now: datetime, *, place: str, label: str
) -> SeedRow:
    """Return the row that has these cells; `place` is for messages, `label` is stored in the `source_ref`.

    A row without `observed_at` counts as observed at the first instant after its period, the earliest at
    which all of it can have been read.

    Raises:
        SeedFileError: with every fault of the row; each starts with the column.
    """
    values = _values(cells, catalog, now)
    metric, start, end, seen_at = (
        values[column] for column in ("metric_id", "period_start", "period_end", "observed_at")
    )
    faults = [
        *_period_faults(metric.window, start, end, is_over=bool(seen_at) or midnight(end + ONE_DAY) <= now),
        *(_instant_faults(metric.window, end, seen_at, now) if seen_at else ()),
        *_assumption_faults(metric, values["assumed"]),
    ]
    if faults:
        raise SeedFileError("", faults)
    suspect = cells["suspect"].strip()
    marks = [f"#assumed-{what}" for what in values["assumed"]] + (["#suspect"] if suspect else [])
    ref = f"{label} {values['source_ref']}{''.join(marks)}"
    seen_at = seen_at or midnight(end + ONE_DAY)
    try:
        observation = Observation(metric.metric_id, start, end, values["value"], metric.window, seen_at, ref)
    except InvalidObservation as error:  # a reference of two lines, or such a file name
        raise SeedFileError("", [f"{error.field}: {error}"]) from error
    return SeedRow(observation, place, suspect)


def _values(cells: Mapping[str, str], catalog: Catalog, now: datetime) -> dict[str, Any]:
    parsers: dict[str, Callable[[str], Any]] = {
        "metric_id": catalog.metric,
        "period_start": lambda cell: _day(cell, now),
        "period_end": lambda cell: _day(cell, now),
        "value": _value,
        "observed_at": _instant,
        "source_ref": _reference,
        "assumed": _assumptions,
    }
    values: dict[str, Any] = {}
    faults: list[str] = []
    for column, parse in parsers.items():
        try:
            values[column] = parse(cells[column].strip())
        except (ValueError, CatalogError) as error:
            faults.append(f"{column}: {error}")
    if faults:
        raise SeedFileError("", faults)
    return values


def _day(cell: str, now: datetime) -> date:
    try:
        day = date.fromisoformat(cell) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell) else None
    except ValueError:
        day = None  # 2026-02-30
    if day is None:
        raise ValueError(f"{cell!r} is not a day such as 2026-05-31")
    if day > today(now):
        raise ValueError(f"{cell} is in the future")
    return day


def _value(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", cell):
        raise ValueError(f"{cell!r} is not a whole number of 0 or more, written in digits only")
    if int(cell) > MAX_VALUE:
        raise ValueError(f"{cell} is more than any registry counts ({MAX_VALUE})")
    return int(cell)


def _instant(cell: str) -> datetime | None:
    if not cell:
        return None
    try:
        instant = datetime.fromisoformat(cell)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: year 1 or 9999 in another time zone
        pass
    raise ValueError(f"{cell!r} is not an instant with its time zone such as 2026-02-20T19:34:58Z")


def _reference(cell: str) -> str:
    if not cell:
        raise ValueError("is empty. Fix: write where the number was published")
    return cell


def _assumptions(cell: str) -> list[str]:
    words = cell.split()
    for word in words:
        if word not in ASSUMPTIONS:
            raise ValueError(f"{word!r} is not one of {', '.join(ASSUMPTIONS)}")
    return words


def _period_faults(window: SourceWindow, start: date, end: date, *, is_over: bool) -> Iterator[str]:
    if not is_over:
        instead = ", or set observed_at" if window is SourceWindow.INSTANT else ""
        yield f"period_end: {end} is not over. Fix: leave the row out until it is{instead}"
    elif not window.spans(start, end) and window is SourceWindow.MONTH:
        yield f"period_end: {start} to {end} is not a calendar month, as every value of this metric is"
    elif not window.spans(start, end):
        days = (end - start).days + 1
        yield f"period_end: {start} to {end} covers {days}d; every value of this metric covers {window.value}"


def _instant_faults(window: SourceWindow, end: date, seen_at: datetime, now: datetime) -> Iterator[str]:
    """Yield why a value of a period that ends on `end` cannot have been read at this instant."""
    over_at = midnight(end + ONE_DAY)
    if seen_at > now:
        yield f"observed_at: {seen_at:%Y-%m-%d %H:%M} UTC is in the future"
    elif window is SourceWindow.INSTANT:
        if not midnight(end) <= seen_at <= over_at:
            yield f"observed_at: is {'after' if seen_at > over_at else 'before'} the reading's day, {end}"
    elif seen_at < over_at:
        yield (
            f"observed_at: is before the end of the period's last day, {end} UTC, so the value covers only a "
            "part of it. Fix: leave the row out, or use a later reading"
        )


def _assumption_faults(metric: Metric, assumed: list[str]) -> Iterator[str]:
    if "window" in assumed and metric.window is SourceWindow.DAY:
        yield (
            f"assumed: {metric.metric_id} has values of known days only. "
            "Fix: add a fallback metric for such readings"
        )
