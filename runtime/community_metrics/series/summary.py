"""The summary of a series (newest complete value, changes, share) and totals over metrics.

Pure, on top of `points`. Neither an estimate nor a period with a missing day enters any of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.model import DistinctRows, newest_copy
from community_metrics.periods import ONE_DAY
from community_metrics.series.points import (
    change_of_trailing,
    change_to_previous,
    change_year_on_year,
    latest_complete,
    share,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.model import StatRow, ValueKind
    from community_metrics.series.points import Change, Point

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


def summarize(
    series: Sequence[Point], kind: ValueKind, downloads_of_product: Sequence[Sequence[Point]]
) -> Summary:
    """Return the summary of `series`, points of one grain without a gap between the periods.

    `downloads_of_product` are the series of all download metrics of the product, this one included; empty
    for a metric without a share, such as stars.
    """
    latest = latest_complete(series)
    if latest is None:
        return Summary()
    at = latest.period
    others = [point for other in downloads_of_product for point in other if point.period == at]
    # a series that does not reach this period counts as missing there, like one with a gap
    shared = others and len(others) == len(downloads_of_product)
    return Summary(
        latest=latest,
        change=change_to_previous(series, at),
        trailing=change_of_trailing(series, at, kind),
        year_on_year=change_year_on_year(series, at),
        share=share(latest, others) if shared else None,
    )


def flow_total(rows: Mapping[str, Sequence[StatRow]], days: int = TOTAL_DAYS) -> FlowTotal:
    """Return the sum of daily metrics over the `days` days that end with the newest day of all of them.

    `rows` has every metric of the total with its daily rows, also a metric without rows.
    """
    by_metric = {
        metric_id: {row.period_end: row.value for row in DistinctRows.of(own).rows}
        for metric_id, own in rows.items()
    }
    missing = tuple(metric_id for metric_id, own in by_metric.items() if not own)
    common = set.intersection(*(set(own) for own in by_metric.values())) if by_metric else set()
    if not common:
        return FlowTotal(tuple(rows), days_expected=days, missing=missing)
    last = max(common)
    first = last - (days - 1) * ONE_DAY
    counted = [day for day in common if day >= first]
    return FlowTotal(
        metric_ids=tuple(rows),
        value=sum(own[day] for own in by_metric.values() for day in counted),
        period_start=first,
        period_end=last,
        days_present=len(counted),
        days_expected=days,
    )


def level_total(rows: Mapping[str, Sequence[StatRow]]) -> LevelTotal:
    """Return the sum of the latest own reading of each metric; samples of a fallback are not included."""
    newest = {metric_id: newest_copy(own) for metric_id, own in rows.items() if own}
    readings = tuple(Reading(metric_id, row.value, row.observed_at) for metric_id, row in newest.items())
    return LevelTotal(
        value=sum(reading.value for reading in readings) if readings else None,
        readings=readings,
        missing=tuple(metric_id for metric_id in rows if metric_id not in newest),
    )
