"""Spikes and dips: days outside the usual range of their series, and who else moved. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from community_metrics.model import UNIQUES, Cause, Direction, InsightKind
from community_metrics.periods import Grain, midnight, period_of
from community_metrics.readings import day_of_number, number_of_day
from community_metrics.series.insights.gaps import source_days
from community_metrics.series.insights.links import series_link
from community_metrics.series.insights.material import LEAD_DAYS
from community_metrics.series.insights.model import Insight, UnusualDay, UnusualNumbers
from community_metrics.series.insights.robust import Judgement, median_of_known
from community_metrics.series.insights.rules import (
    FEWEST_OTHER_DAYS,
    RELEASE_DAYS,
    WEEK_FACTOR,
)
from community_metrics.series.insights.words import amount, weekday
from community_metrics.text import counted, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from community_metrics.model import LevelBreak, MetricDefinition
    from community_metrics.series.insights.gaps import SourceDays
    from community_metrics.series.insights.material import Material

    Mask = NDArray[np.bool_]

_CAUSES: Final = {
    Cause.REGISTRY: "The registry {also} moved as a whole.",
    Cause.COLLECTION_OR_HOLIDAY: "Series of other registries moved on the same day ({also}): a collection or "
    "a holiday.",
    Cause.RELEASE: f"With a release on the day or in the {RELEASE_DAYS} days before ({{also}}).",
    Cause.UNEXPLAINED: "Unexplained: no registry moved as a whole, and no release is near.",
}


@dataclass(frozen=True)
class Days:
    """The judged days of a period: from the Monday of its first week to its end, by column."""

    material: Material

    @cached_property
    def first(self) -> int:
        """The first judged day, as a number."""
        return self.material.first_day + LEAD_DAYS

    @cached_property
    def judgement(self) -> Judgement:
        """Each day of each metric of `with_days`; values from before a declared break are not used."""
        breaks = [self.material.breaks_of(metric.metric_id) for metric in self.material.with_days]
        return self._judged(self.material.daily, breaks)

    def _judged(self, values: NDArray[np.float64], breaks: Sequence[Sequence[LevelBreak]]) -> Judgement:
        """Return the judgement of days from `first_day` on, by row, with the breaks of each row."""
        judged = Judgement.of(values)
        by_day: dict[int, list[int]] = {}
        for row, own in enumerate(breaks):
            for one in own:
                by_day.setdefault(number_of_day(one.day), []).append(row)
        for number in sorted(by_day):
            column = number - self.material.first_day
            if 0 < column < values.shape[1]:
                rows = np.array(by_day[number])
                since = values[rows].copy()
                since[:, :column] = np.nan
                judged.replaced(rows, Judgement.of(since), max(0, column - LEAD_DAYS))
        return judged

    @cached_property
    def sources(self) -> dict[str, SourceDays]:
        """What each source lacks on the judged days."""
        return source_days(self.material, self.first)

    @cached_property
    def of_registries(self) -> dict[str, tuple[Mask, Mask]]:
        """The days on which each registry's own series is unusually high, and unusually low."""
        count = self.judgement.value.shape[1]
        found = {}
        for source, series in self.material.registries.items():
            values = np.full((1, LEAD_DAYS + count), np.nan)
            known = {number_of_day(day): value for day, value in series.items()}
            for number, value in known.items():
                if 0 <= number - self.material.first_day < LEAD_DAYS + count:
                    values[0, number - self.material.first_day] = value
            own = self._judged(values, [self.material.registry_breaks.get(source, ())])
            found[source] = own.is_high[0], own.is_low[0]
        return found

    @cached_property
    def moved_by_host(self) -> dict[str, tuple[Mask, Mask]]:
        """The days on which at least half of our judged series of a registry moved up, and down."""
        hosts = [self.material.host(metric.source) for metric in self.material.with_days]
        up, down = self.judgement.moved()
        found = {}
        for host in sorted(set(hosts)):
            rows = np.array([one == host for one in hosts])
            judged = self.judgement.is_judged[rows].sum(axis=0)
            halves = (2 * moved[rows].sum(axis=0) >= np.maximum(judged, 1) for moved in (up, down))
            found[host] = (next(halves), next(halves))
        return found

    @cached_property
    def of_sources(self) -> dict[tuple[str, Direction], Mask]:
        """The days on which a registry moved: by its own series, or since it has no value of others."""
        count = self.judgement.value.shape[1]
        found = {}
        for source in {metric.source for metric in self.material.with_days}:
            nothing = np.zeros(count, np.bool_)
            high, low = self.of_registries.get(source, (nothing, nothing))
            days = self.sources.get(source)
            gaps = [
                days is not None
                and (days.is_low(number) or number in days.uncounted or days.is_lacked_by_others(number))
                for number in range(self.first, self.first + count)
            ]
            found[source, Direction.UP] = high
            found[source, Direction.DOWN] = low | np.array(gaps)
        return found

    def cause(self, metric: MetricDefinition, at: int, direction: Direction) -> tuple[Cause, tuple[str, ...]]:
        """Return why a day may be unusual, and what the sentence names."""
        if self.of_sources[metric.source, direction][at]:
            return Cause.REGISTRY, (metric.source,)
        own, side = self.material.host(metric.source), direction is Direction.DOWN
        others = tuple(host for host, moved in self.moved_by_host.items() if host != own and moved[side][at])
        if others:
            return Cause.COLLECTION_OR_HOLIDAY, others
        starts = midnight(day_of_number(self.first + at))
        near = timedelta(days=RELEASE_DAYS)
        releases = sorted(
            {
                one.title
                for one in self.material.releases
                if one.product == metric.product and starts - near <= one.at < starts + timedelta(days=1)
            }
        )
        return (Cause.RELEASE, tuple(releases)) if releases else (Cause.UNEXPLAINED, ())

    def is_week_usual(self, row: int, at: int) -> bool:
        """Return whether the other known days of the week of a day have a usual median ratio."""
        monday = at - day_of_number(self.first + at).weekday()
        week = [day for day in range(monday, monday + 7) if day != at and day < self.judgement.value.shape[1]]
        others = np.where(self.judgement.is_judged[row, week], self.judgement.excess[row, week], np.nan)
        median, known = median_of_known(others)
        return bool(known >= FEWEST_OTHER_DAYS and abs(median) <= np.log(WEEK_FACTOR))


def unusual_days(days: Days) -> Iterator[Insight]:
    """Yield the spikes and dips of the period, neighbouring days together."""
    judged = days.judgement
    skipped = number_of_day(days.material.period.start) - days.first
    for direction, marks in ((Direction.UP, judged.is_high), (Direction.DOWN, judged.is_low)):
        for row in np.flatnonzero(marks[:, skipped:].any(axis=1)).tolist():
            columns = [at for at in np.flatnonzero(marks[row]).tolist() if at >= skipped]
            for run in _runs(days, row, columns, direction):
                yield _insight(days, row, run, direction)


@dataclass(frozen=True, slots=True)
class _Run:
    """Columns of unusual days of one cause, and what its sentence names."""

    columns: tuple[int, ...]
    cause: Cause
    also: tuple[str, ...]


def _runs(days: Days, row: int, columns: Sequence[int], direction: Direction) -> list[_Run]:
    """Return the marked days in runs of one cause, which only a missing day may interrupt."""
    metric = days.material.with_days[row]
    found: list[_Run] = []
    for at in columns:
        cause, also = days.cause(metric, at, direction)
        last = found[-1] if found else None
        if last is not None and last.cause is cause:
            between = days.judgement.value[row, last.columns[-1] + 1 : at]
            if np.isnan(between).all():
                found[-1] = _Run((*last.columns, at), cause, tuple(sorted({*last.also, *also})))
                continue
        found.append(_Run((at,), cause, also))
    return found


def _insight(days: Days, row: int, run: _Run, direction: Direction) -> Insight:
    metric, judged = days.material.with_days[row], days.judgement
    shown = tuple(
        UnusualDay(day_of_number(days.first + at), round(judged.value[row, at]), *judged.range_at(row, at))
        for at in run.columns
    )
    effects = [abs(one.value - one.usual) for one in shown]
    is_one_day = len(shown) == 1 and days.is_week_usual(row, run.columns[0])
    numbers = UnusualNumbers(shown, run.cause, is_one_day, run.also)
    return Insight(
        kind=InsightKind.SPIKE if direction is Direction.UP else InsightKind.DIP,
        rule="robust-range",
        importance=max(effects) if metric.unit == UNIQUES else sum(effects),
        unit=metric.unit,
        product=metric.product,
        metric_ids=(metric.metric_id,),
        period=days.material.period,
        numbers=numbers,
        sentence=_sentence(metric, numbers, direction, days.material.period.end),
        link=series_link(metric.metric_id, Grain.DAY, shown[0].day, shown[-1].day),
    )


def _sentence(metric: MetricDefinition, numbers: UnusualNumbers, direction: Direction, end: date) -> str:
    shown, word = numbers.days, "more" if direction is Direction.UP else "fewer"
    top = max(shown, key=lambda one: abs(one.value - one.usual))
    value = (
        f"{amount(top.value, metric.unit)} on {weekday(top.day)} {top.day}, "
        f"{abs(top.value - top.usual):,} {word} than the usual {top.usual:,}"
    )
    if len(shown) == 1:
        text = f"{metric.display_name}: {value}."
    else:
        side = "above" if direction is Direction.UP else "below"
        text = (
            f"{metric.display_name}: {counted(len(shown), 'day')} between {shown[0].day} and "
            f"{shown[-1].day} are {side} the usual range, most of all {value}."
        )
    one_day = ""
    if numbers.is_one_day:
        is_cut = period_of(top.day, Grain.WEEK).end > end
        known = f"the known days of its week{f' up to {end}' if is_cut else ''}"
        one_day = f" One day, not a trend: {known} are usual."
    return f"{text}{one_day} {_CAUSES[numbers.cause].format(also=named(numbers.also))}"
