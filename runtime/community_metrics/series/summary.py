"""The summary of a series (newest complete value, changes, share) and totals over metrics.

Pure. Neither an estimate nor a period with a missing day enters any of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from community_metrics.readings import day_of_number, instant_of_number, number_of_day
from community_metrics.series.change import YEAR, change_of_trailing, change_since, latest_complete, share

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from community_metrics.model import ValueKind
    from community_metrics.readings import Readings
    from community_metrics.series.change import Change, Values
    from community_metrics.series.grid import Point, PointSeries

TOTAL_DAYS = 30
"""The days of a product's downloads total."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The newest complete point of a metric, its changes and its share; None for what is not known.

    `change` is from the period before, `trailing` from the four periods before the last four, `year_on_year`
    from 12 months, 52 weeks or 364 days earlier; `share` is the fraction of the product's downloads in the
    same period.
    """

    latest: Point | None = None
    change: Change | None = None
    trailing: Change | None = None
    year_on_year: Change | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class FlowTotal:
    """A sum over several metrics and the `days` that every one of them has.

    The interval is the 30 days that end with the newest day that all have; `days_present` of them are in
    the sum. `value` is None if there is no such day; `missing` names the metrics without a single day.
    """

    metric_ids: tuple[str, ...]
    value: int | None = None
    period_start: date | None = None
    period_end: date | None = None
    days_present: int = 0
    days_expected: int = TOTAL_DAYS
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One level and the instant it was read."""

    metric_id: str
    value: int
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class LevelTotal:
    """The sum of the latest reading of each metric, without those in `missing`, which were never read."""

    value: int | None
    readings: tuple[Reading, ...]
    missing: tuple[str, ...]


def summarize(series: PointSeries, kind: ValueKind, totals: Values | None) -> Summary:
    """Return the summary of `series`, points of one grain without a gap between the periods.

    `totals` are the product's downloads in the same periods (`PointGrid.complete_totals`); None for a metric
    without a share, such as stars.
    """
    values = series.complete_values()
    at = latest_complete(values)
    if at is None:
        return Summary()
    return Summary(
        latest=series[at],
        change=change_since(values, at, 1),
        trailing=change_of_trailing(values, at, kind),
        year_on_year=change_since(values, at, YEAR[series.periods[at].grain]),
        share=None if totals is None else share(values[at], totals[at]),
    )


def flow_total(
    readings: Readings, metric_ids: Sequence[str], since: date, length: int = TOTAL_DAYS
) -> FlowTotal:
    """Return the sum of daily metrics over the `length` days that end with the newest day of all of them.

    Rows of days before `since` do not count.
    """
    parts = [readings.of_metric(metric_id) for metric_id in metric_ids]
    parts = [own[own["last_day"] >= number_of_day(since)] for own in parts]
    days = np.concatenate([own["last_day"] for own in parts])
    present, counts = np.unique(days, return_counts=True)
    common = present[counts == len(metric_ids)]
    if not len(common):
        missing = tuple(name for name, own in zip(metric_ids, parts, strict=True) if not len(own))
        return FlowTotal(tuple(metric_ids), days_expected=length, missing=missing)
    last = int(common[-1])
    counted = common[common > last - length]
    return FlowTotal(
        metric_ids=tuple(metric_ids),
        value=sum(np.concatenate([own["value"] for own in parts])[np.isin(days, counted)].tolist()),
        period_start=day_of_number(last - length + 1),
        period_end=day_of_number(last),
        days_present=len(counted),
        days_expected=length,
    )


def level_total(newest: Readings, metric_ids: Sequence[str]) -> LevelTotal:
    """Return the sum of the newest own reading of each metric; samples of a fallback are not included."""
    readings = tuple(
        Reading(metric_id, int(row["value"]), instant_of_number(int(row["observed_at"])))
        for metric_id in metric_ids
        for row in newest.of_metric(metric_id)
    )
    known = {reading.metric_id for reading in readings}
    return LevelTotal(
        value=sum(reading.value for reading in readings) if readings else None,
        readings=readings,
        missing=tuple(metric_id for metric_id in metric_ids if metric_id not in known),
    )
