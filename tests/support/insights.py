"""Made-up series of days for the rules of insights."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from community_metrics.model import InsightKind, Provenance, SourceWindow
from community_metrics.periods import Grain, midnight, period_of
from community_metrics.readings import PROVENANCES, ROW, WINDOWS, Readings, number_of_day, number_of_instant
from community_metrics.series.insights import Insight, Material, Total, insights_of
from tests.support.readings import metric

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period

    Values = Mapping[date, int]

_API = PROVENANCES.index(Provenance.API)
WEEK = (1.2, 1.3, 1.25, 1.2, 1.1, 0.5, 0.45)
"""Downloads of a weekday, as a factor: a weekend has few."""


def days_before(end: date, count: int) -> list[date]:
    """Return the days up to `end`, oldest first."""
    return [end - timedelta(days=back) for back in reversed(range(count))]


def noisy(end: date, count: int, *, seed: int = 1, mean: float = 1000, noise: float = 0.1) -> dict[date, int]:
    """Return downloads with a weekly pattern and noise, `noise` as the standard deviation of the log."""
    random = np.random.default_rng(seed)
    values = mean * np.exp(random.normal(0, noise, count))
    return {
        day: max(1, round(value * WEEK[day.weekday()]))
        for day, value in zip(days_before(end, count), values.tolist(), strict=True)
    }


def flow(metric_id: str, source: str = "pypistats", **changes: Any) -> MetricDefinition:
    """Return daily downloads of a source."""
    return replace(metric(metric_id, SourceWindow.DAY), source=source, **changes)


def rows_of(
    metrics: Sequence[MetricDefinition],
    values: Mapping[str, Values],
    read_on: date | None = None,
    *,
    hours: float | None = None,
) -> Readings:
    """Return the values as rows, each read so many hours after its day began, or all on `read_on`.

    By default at noon of the day after; a level at the end of its day.
    """
    ids = [one.metric_id for one in metrics]
    parts = []
    for position, one in enumerate(metrics):
        own = values.get(one.metric_id, {})
        rows = np.zeros(len(own), ROW)
        is_instant = one.source_window is SourceWindow.INSTANT
        for at, (day, value) in enumerate(sorted(own.items())):
            read_at = midnight(day) + timedelta(hours=hours or (23 if is_instant else 36))
            if read_on is not None:
                read_at = midnight(read_on) + timedelta(hours=12)
            length = (one.source_window.days or 1) - 1
            number = number_of_day(day)
            rows[at] = (position, number - length, number, 0, value, number_of_instant(read_at),
                        WINDOWS.index(one.source_window), 1, _API, 0, False, False)  # fmt: skip
        parts.append(rows)
    return Readings.of(ids, parts)


def material(
    period: Period,
    values: Mapping[str, Values],
    *,
    metrics: Sequence[MetricDefinition] | None = None,
    now: datetime | None = None,
    read_on: date | None = None,
    **changes: Any,
) -> Material:
    """Return the material of a period; without `metrics` each id of `values` is daily downloads of PyPI."""
    chosen = tuple(metrics or (flow(name) for name in values))
    totals = (Total("All", None, tuple(one for one in chosen if one.unit == "downloads")),)
    fields = {"totals": totals if totals[0].metrics else ()} | changes
    read = rows_of(chosen, values, read_on)
    return Material(period, now or midnight(period.end + timedelta(days=4)), chosen, read, **fields)


def found_in(given: Material, *kinds: InsightKind) -> list[Insight]:
    """Return the insights, only of some kinds where these are named."""
    return [one for one in insights_of(given) if not kinds or one.kind in kinds]


def week_of(day: date) -> Period:
    """Return the ISO week of a day."""
    return period_of(day, Grain.WEEK)
