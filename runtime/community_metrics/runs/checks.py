"""What no source may give, whoever wrote it: a look at each result before it may be merged."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from community_metrics.model import Observation, SourceWindow, ValueKind
from community_metrics.periods import ONE_DAY

if TYPE_CHECKING:
    from community_metrics.sources.base import FetchResult, Source

_INT64_MAX = 2**63 - 1
_SHOWN = 300
_DAYS = {
    SourceWindow.DAY: 1,
    SourceWindow.WEEK: 7,
    SourceWindow.THIRTY_DAYS: 30,
    SourceWindow.INSTANT: 1,
}


def impossible(result: FetchResult, source: Source, today: date) -> str | None:
    """Return what is wrong with the first observation that cannot be, and what was given; None for nothing.

    `today` is the day that is not over yet: only an instant may lie in it.
    """
    days: set[date] = set()
    for given in result.observations:
        fault = _fault(given, result.metric_id, source.window, today)
        if fault is None and given.period_end in days:
            fault = f"{given.period_end} stands twice"
        if fault is not None:
            return f"{fault}: {str(given)[:_SHOWN]}"
        days.add(given.period_end)
    return None


def _fault(given: object, metric_id: str, window: SourceWindow, today: date) -> str | None:
    """Return the first fault in one sentence."""
    if not isinstance(given, Observation):
        return "it is no Observation"
    if given.metric_id != metric_id or given.source_window is not window:
        return f"it is not of the metric {metric_id} with the window {window.value}"
    return _value_fault(given) or _origin_fault(given) or _period_fault(given, window, today)


def _value_fault(given: Observation) -> str | None:
    if type(given.value) is not int:  # True is an int, and a column would take it for 1
        return f"the value is {type(given.value).__name__}, not int"
    if not 0 <= given.value <= _INT64_MAX:
        return f"the value is not between 0 and {_INT64_MAX}"
    return None


def _origin_fault(given: Observation) -> str | None:
    at: object = given.observed_at
    if not isinstance(at, datetime) or at.utcoffset() is None:
        return "observed_at is no instant with a time zone"
    ref: object = given.source_ref
    if not isinstance(ref, str) or not ref.isprintable() or not ref:
        return "source_ref is no line of text"
    return None


def _period_fault(given: Observation, window: SourceWindow, today: date) -> str | None:
    start, end = given.period_start, given.period_end
    if type(start) is not date or type(end) is not date:  # a datetime is a date, and never equals one
        return "the period does not begin and end with a date"
    if start > end:
        return "the period ends before it begins"
    if not _spans(window, start, end):
        return f"the period is not as long as the window {window.value}"
    if end > today or (end == today and window.value_kind is ValueKind.FLOW):
        return "the period is not over yet"
    return None


def _spans(window: SourceWindow, start: date, end: date) -> bool:
    if window is SourceWindow.MONTH:
        return start.day == 1 and end == (start + timedelta(days=31)).replace(day=1) - ONE_DAY
    return (end - start).days + 1 == _DAYS[window]
