"""What the rules compute with: the readings of a period and of what came before it, as arrays."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from community_metrics.model import SourceWindow, ValueKind
from community_metrics.periods import ONE_DAY, Grain, last_periods, period_of
from community_metrics.readings import Readings, number_of_day, rows_at
from community_metrics.series.insights.rules import (
    BASELINE_WEEKS,
    PEAK_BEFORE,
    PEAK_USUAL,
    SCALE_DAYS,
    WEEKS_AFTER,
    WEEKS_BEFORE,
)
from community_metrics.series.points import points

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from numpy.typing import NDArray

    from community_metrics.model import LevelBreak, MetricDefinition, StatRow
    from community_metrics.periods import Period
    from community_metrics.series.disputes import Dispute
    from community_metrics.series.grid import PointGrid

PERIODS: Final = {Grain.WEEK: 53, Grain.MONTH: 13, Grain.QUARTER: 1 + PEAK_BEFORE + PEAK_USUAL}
"""Periods that the rules look at, the last of which is the one that the insights are about."""
_SHIFT_WEEKS: Final = WEEKS_BEFORE + WEEKS_AFTER
LEAD_DAYS: Final = 7 * BASELINE_WEEKS + SCALE_DAYS
"""Days before the first judged one."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a product."""

    product: str
    at: datetime
    title: str


@dataclass(frozen=True, slots=True)
class Total:
    """A total that is a headline: its name, its product (None for all), its series, and those that left."""

    name: str
    product: str | None
    metrics: tuple[MetricDefinition, ...]
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Material:
    """Everything that the insights of a period follow from; what is not given is not known.

    `readings` has every stored row of the metrics. Of the days after the period only one thing counts: that
    they are stored, so that an earlier day is missing and not late.
    `breaks` has the declared breaks of each metric, `hosts` the registry behind each source where several
    sources share one, `registries` the registry's own series of a source by day, `registry_breaks` its
    declared breaks, `uncounted` the days that the registry of a source did not count or only in part, `low`
    the days of metrics that it counted low for everybody, `restated` the rows that were restated since the
    period began, `disputes` its days that a second witness counts otherwise. `answered` has the UTC days of
    successful readings of a metric that its rows do not show, `retention_days` how many
    completed days a source keeps that does not keep all.
    """

    period: Period
    now: datetime
    metrics: tuple[MetricDefinition, ...]
    readings: Readings
    totals: tuple[Total, ...] = ()
    breaks: Mapping[str, tuple[LevelBreak, ...]] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    registries: Mapping[str, Mapping[date, int]] = field(default_factory=dict)
    registry_breaks: Mapping[str, tuple[LevelBreak, ...]] = field(default_factory=dict)
    uncounted: Mapping[str, frozenset[date]] = field(default_factory=dict)
    low: frozenset[tuple[str, date]] = frozenset()
    releases: tuple[Release, ...] = ()
    restated: tuple[StatRow, ...] = ()
    has_more_restated: bool = False
    disputes: tuple[Dispute, ...] = ()
    answered: Mapping[str, frozenset[date]] = field(default_factory=dict)
    retention_days: Mapping[str, int] = field(default_factory=dict)

    def with_answers(self, answered: Mapping[str, frozenset[date]]) -> Material:
        """Return the same with `answered`; it keeps what was computed, none of which depends on that."""
        other = copy(self)
        object.__setattr__(other, "answered", answered)
        return other

    def read_on(self, metric_id: str) -> list[date]:
        """Return the UTC days on which a metric was read successfully, in order."""
        return sorted({*self.readings.read_on(metric_id), *self.answered.get(metric_id, ())})

    @cached_property
    def known(self) -> dict[str, MetricDefinition]:
        """The metrics by id, sorted, so that their order changes nothing; with those of the totals."""
        every = [*self.metrics, *(metric for total in self.totals for metric in total.metrics)]
        return {metric.metric_id: metric for metric in sorted(every, key=lambda one: one.metric_id)}

    @cached_property
    def ordered(self) -> tuple[MetricDefinition, ...]:
        """The metrics that insights are about, by id."""
        return tuple(sorted(self.metrics, key=lambda metric: metric.metric_id))

    @cached_property
    def recent(self) -> Readings:
        """The rows of the last periods, with the day before them, whose reading may be at their edge."""
        first = self.period.shifted(1 - PERIODS[self.period.grain]).start - ONE_DAY
        rows = self.readings.rows
        return Readings(self.readings.metric_ids, rows_at(rows, rows["last_day"] >= number_of_day(first)))

    @cached_property
    def grid(self) -> PointGrid:
        """The points of every metric in the last periods; the last one is the period itself."""
        periods = last_periods(self.period, PERIODS[self.period.grain])
        return points(list(self.known.values()), self.recent, periods, self.now)

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each metric in `grid`."""
        return {name: row for row, name in enumerate(self.known)}

    @property
    def values(self) -> NDArray[np.float64]:
        """The values of the complete points of `grid`, NaN for all others."""
        return self.grid.complete_floats

    def weekly(self) -> tuple[NDArray[np.float64], tuple[Period, ...]]:
        """Return the complete weeks of the metrics `with_days` that a lasting shift in the period needs."""
        if self.period.grain is Grain.WEEK:
            rows, needed = [self.rows[metric.metric_id] for metric in self.with_days], _SHIFT_WEEKS
            return self.values[rows, -needed:], self.grid.periods[-needed:]
        last = period_of(self.period.end + ONE_DAY, Grain.WEEK).shifted(-1)
        inside = (last.end - self.period.start).days // 7 + 1
        periods = last_periods(last, inside - 1 + _SHIFT_WEEKS)
        return points(self.with_days, self.recent, periods, self.now).complete_floats, tuple(periods)

    @cached_property
    def with_days(self) -> list[MetricDefinition]:
        """The metrics that have a value of a day: daily flows and counters."""
        return [
            metric
            for metric in self.ordered
            if metric.value_kind is ValueKind.COUNTER
            or (metric.value_kind is ValueKind.FLOW and metric.source_window is SourceWindow.DAY)
        ]

    @cached_property
    def first_day(self) -> int:
        """The first day of `daily`, as a number: that of a Monday, so that whole weeks are judged."""
        monday = period_of(self.period.start, Grain.WEEK).start
        return number_of_day(monday) - LEAD_DAYS

    @cached_property
    def daily(self) -> NDArray[np.float64]:
        """The value of each metric `with_days` on each day from `first_day` to the period's end, or NaN."""
        last = number_of_day(self.period.end)
        values = np.full((len(self.with_days), last - self.first_day + 1), np.nan)
        row_of = np.full(len(self.readings.metric_ids), -1, np.int64)
        for number, metric in enumerate(self.with_days):
            position = self.readings.position(metric.metric_id)
            if position is not None and metric.value_kind is ValueKind.FLOW:
                row_of[position] = number
        stored, row = self.recent.rows, self.recent.of_each_row(row_of)
        day = stored["last_day"] - self.first_day
        inside = np.flatnonzero((row >= 0) & (day >= 0) & (day < values.shape[1]))
        values[row[inside], day[inside]] = stored["value"][inside]
        self._set_counters(values)
        return values

    def _set_counters(self, values: NDArray[np.float64]) -> None:
        counters = [
            (row, one) for row, one in enumerate(self.with_days) if one.value_kind is ValueKind.COUNTER
        ]
        if not counters:
            return
        days = last_periods(period_of(self.period.end, Grain.DAY), values.shape[1])
        grid = points([metric for _, metric in counters], self.recent, days, self.now)
        values[[row for row, _ in counters]] = grid.complete_floats

    @cached_property
    def spans(self) -> dict[str, tuple[int, int]]:
        """The first and the last stored day of each daily flow that has one, as numbers."""
        stored = self.readings.spans
        flows = [metric.metric_id for metric in self.with_days if metric.value_kind is ValueKind.FLOW]
        return {name: stored[name] for name in flows if name in stored}

    def as_level(self, metric: MetricDefinition) -> MetricDefinition:
        """Return a counter as the level that it also is: its reading at the end of a period."""
        return replace(metric, value_kind=ValueKind.LEVEL)

    def breaks_of(self, metric_id: str) -> tuple[LevelBreak, ...]:
        """Return the declared breaks of a metric."""
        return self.breaks.get(metric_id, ())

    def host(self, source: str) -> str:
        """Return the registry that a source reads."""
        return self.hosts.get(source, source)
