"""Totals over metrics: what they cover, what they wait for, and what they leave out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from community_metrics.periods import days_between, today
from community_metrics.readings import STATUSES, day_of_number, instant_of_number, number_of_day
from community_metrics.series.additive import require_additive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.model import MetricDefinition, Status
    from community_metrics.readings import Readings

TOTAL_DAYS = 30
"""The days of a product's downloads total."""
LEAVES_AFTER_DAYS: Final = 14
"""A metric leaves totals and shares when its newest day is more days than this behind the others."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A metric that left a total because it has failed for more than two weeks, and its newest day."""

    metric_id: str
    newest_day: date | None


@dataclass(frozen=True, slots=True)
class FlowTotal:
    """A sum over several metrics and the `days` that every one of them has.

    The interval is the 30 days that end with the newest day that all have; the sum lacks `missing_days` of
    them. `value` is None if there is no such day. `waits_for` names the metrics without the next day, which
    another one has. `left_out` have no part in the sum and are not waited for.
    """

    metric_ids: tuple[str, ...]
    value: int | None = None
    period_start: date | None = None
    period_end: date | None = None
    days_present: int = 0
    days_expected: int = TOTAL_DAYS
    missing_days: tuple[date, ...] = ()
    waits_for: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One stored value, the last day that it covers, and the instant it was read.

    `status` says whether it may still change, `restated` whether it was changed after it had settled.
    """

    metric_id: str
    value: int
    period_end: date
    observed_at: datetime
    status: Status
    restated: bool


@dataclass(frozen=True, slots=True)
class LevelTotal:
    """The sum of the latest reading of each metric, without those in `missing`, which were never read.

    `left_out` have a reading that is more than two weeks older than the newest one, and are not in the sum.
    """

    value: int | None
    readings: tuple[Reading, ...]
    missing: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()


def left_out(
    metrics: Sequence[MetricDefinition], newest: Mapping[str, date], published: Mapping[str, date | None]
) -> tuple[LeftOut, ...]:
    """Return the metrics that have failed for more than two weeks.

    Such a metric has no value for more than 14 days up to the newest day of the others or of its source,
    whichever is later; one that never had a value counts from the day on which it was first stored.
    `newest` has the newest day of each metric that has one, `published` that of each source.
    """
    of_others = max((newest[one.metric_id] for one in metrics if one.metric_id in newest), default=None)
    found = []
    for metric in metrics:
        own = newest.get(metric.metric_id)
        known = [day for day in (of_others, published.get(metric.source)) if day is not None]
        since = today(metric.created_at) if own is None else own
        if known and (max(known) - since).days > LEAVES_AFTER_DAYS:
            found.append(LeftOut(metric.metric_id, own))
    return tuple(found)


def newest_days(readings: Readings, metric_ids: Sequence[str], since: date) -> dict[str, date]:
    """Return the newest day of each metric that has one since a day."""
    ends = {name: readings.of_metric(name)["last_day"][-1:].tolist() for name in metric_ids}
    return {
        name: day_of_number(end[0]) for name, end in ends.items() if end and end[0] >= number_of_day(since)
    }


def flow_total(
    readings: Readings,
    metric_ids: Sequence[str],
    since: date,
    length: int = TOTAL_DAYS,
    *,
    left_out: Sequence[LeftOut] = (),
) -> FlowTotal:
    """Return the sum of daily metrics over the `length` days that end with the newest day of all of them.

    Rows of days before `since` do not count, nor the metrics in `left_out`.
    """
    excluded = {one.metric_id for one in left_out}
    ids = tuple(metric_id for metric_id in metric_ids if metric_id not in excluded)
    parts = {metric_id: readings.of_metric(metric_id) for metric_id in ids}
    parts = {name: own[own["last_day"] >= number_of_day(since)] for name, own in parts.items()}
    numbers = np.concatenate([readings.rows["last_day"][:0], *(own["last_day"] for own in parts.values())])
    present, counts = np.unique(numbers, return_counts=True)
    common = present[counts == len(ids)]
    if not len(common):
        waits_for = tuple(name for name, own in parts.items() if not len(own)) or ids
        return FlowTotal(ids, days_expected=length, waits_for=waits_for, left_out=tuple(left_out))
    last, values = int(common[-1]), np.concatenate([own["value"] for own in parts.values()])
    counted = common[common > last - length]
    interval = days_between(day_of_number(last - length + 1), day_of_number(last))
    known = {day_of_number(number) for number in counted.tolist()}
    later = present[present > last]
    return FlowTotal(
        metric_ids=ids,
        value=sum(values[np.isin(numbers, counted)].tolist()),
        period_start=day_of_number(last - length + 1),
        period_end=day_of_number(last),
        days_present=len(counted),
        days_expected=length,
        missing_days=tuple(day for day in interval if day not in known),
        waits_for=tuple(
            name for name, own in parts.items() if len(later) and later[0] not in own["last_day"]
        ),
        left_out=tuple(left_out),
    )


def latest_reading(newest: Readings, metric_id: str) -> Reading | None:
    """Return the newest own reading of a metric; None if it was never read."""
    for row in newest.of_metric(metric_id):
        day, instant = day_of_number(int(row["last_day"])), instant_of_number(int(row["observed_at"]))
        status, is_restated = STATUSES[int(row["status"])], bool(row["revision"] > 0)
        return Reading(metric_id, int(row["value"]), day, instant, status, is_restated)
    return None


def level_total(newest: Readings, metrics: Sequence[MetricDefinition]) -> LevelTotal:
    """Return the sum of the newest own reading of each metric; samples of a fallback are not included.

    Raises:
        NotAdditive: one of them has values that do not add up.
        NotAlike: one counts what another one counts too.
    """
    require_additive(metrics)
    readings = [latest_reading(newest, metric.metric_id) for metric in metrics]
    known = {reading.metric_id: reading for reading in readings if reading is not None}
    read = [metric for metric in metrics if metric.metric_id in known]
    failed = left_out(read, {name: today(reading.observed_at) for name, reading in known.items()}, {})
    excluded = {one.metric_id for one in failed}
    included = tuple(reading for name, reading in known.items() if name not in excluded)
    return LevelTotal(
        value=sum(reading.value for reading in included) if included else None,
        readings=included,
        missing=tuple(metric.metric_id for metric in metrics if metric.metric_id not in known),
        left_out=failed,
    )
