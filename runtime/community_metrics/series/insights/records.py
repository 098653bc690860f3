"""Records, milestones, and values that settle after a peak. Pure."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from community_metrics.model import InsightKind, SourceWindow, ValueKind
from community_metrics.readings import day_of_number, number_of_day
from community_metrics.series.additive import adds_up
from community_metrics.series.change import break_between
from community_metrics.series.insights.links import series_link
from community_metrics.series.insights.model import Insight, MilestoneNumbers, RecordNumbers, SettlingNumbers
from community_metrics.series.insights.rules import (
    FEWEST_OF_RECORD,
    LEAST_FACTOR,
    PEAK_BEFORE,
    PEAK_USUAL,
    ROUND,
    WEEK_FACTOR,
    YEAR_OF_RECORD,
)
from community_metrics.series.insights.words import amount, value_words
from community_metrics.series.points import points

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from community_metrics.model import MetricDefinition
    from community_metrics.series.insights.material import Material

_ROUND_NUMBERS: Final = np.array([number * 10**power for power in range(19) for number in sorted(ROUND)])
"""Up to 5 * 10^18: an int64, which a value is stored in, has none above it."""


def records(material: Material) -> Iterator[Insight]:
    """Yield the flows and counters whose period is above each period of the year before."""
    grain, metrics = material.period.grain, _flows(material)
    most, fewest = YEAR_OF_RECORD[grain], FEWEST_OF_RECORD[grain]
    values = _values_of(material, metrics)[:, -1 - most :]
    begun = _begun(material, metrics, most)
    compared = np.where(
        np.arange(most) < begun[:, np.newaxis], -1.0, values[:, :-1]
    )  # not yet: below any value
    highest = compared.max(axis=1)  # NaN where one of them is not complete
    labels = [one.label for one in material.grid.periods[-1 - most : -1]]
    best = compared.argmax(axis=1).tolist()
    for row in np.flatnonzero((values[:, -1] > highest) & (most - begun >= fewest)).tolist():
        metric, count = metrics[row], most - int(begun[row])
        periods = material.grid.periods[-1 - count :]
        if _is_broken(material, metric, periods[0].start):
            continue
        value, previous = int(values[row, -1]), int(highest[row])
        of_previous = labels[best[row]]
        yield Insight(
            kind=InsightKind.RECORD,
            rule="highest-in-a-year",
            importance=value - previous,
            unit=metric.unit,
            product=metric.product,
            metric_ids=(metric.metric_id,),
            period=material.period,
            numbers=RecordNumbers(value, previous, of_previous, count),
            sentence=f"{metric.display_name}: {value_words(metric, value, material.period)}, the highest of "
            f"the last {count + 1} {grain.value}s; before, it was {previous:,} in {of_previous}.",
            link=series_link(metric.metric_id, grain, periods[0].start, periods[-1].end),
        )


def settling(material: Material) -> Iterator[Insight]:
    """Yield the flows and counters that fell back from a peak to what was usual before it."""
    periods, metrics = material.grid.periods, _flows(material)
    values = _values_of(material, metrics)
    for row, (at, usual) in sorted(peaks_before(values).items()):
        metric, first = metrics[row], periods[at - PEAK_USUAL].start
        if _is_broken(material, metric, first):
            continue
        value, peak = int(values[row, -1]), int(values[row, at])
        yield Insight(
            kind=InsightKind.SETTLING,
            rule="settling-after-peak",
            importance=peak - value,
            unit=metric.unit,
            product=metric.product,
            metric_ids=(metric.metric_id,),
            period=material.period,
            numbers=SettlingNumbers(value, peak, periods[at].label, usual),
            sentence=f"{metric.display_name}: {value_words(metric, value, material.period)}, after the peak "
            f"of {peak:,} in {periods[at].label}; {usual:,} was usual before it.",
            link=series_link(metric.metric_id, material.period.grain, first, material.period.end),
        )


def peaks_before(values: NDArray[np.float64]) -> dict[int, tuple[int, int]]:
    """Return the peak that the last value of a row settles after, by row: its position, what was usual."""
    found: dict[int, tuple[int, int]] = {}
    count = values.shape[1]
    for at in range(max(PEAK_USUAL, count - 1 - PEAK_BEFORE), count - 1):
        before, since = values[:, at - PEAK_USUAL : at], values[:, at:]
        usual, peak, last = np.median(before, axis=1), values[:, at], values[:, -1]
        is_peak = (usual > 0) & (peak >= LEAST_FACTOR * usual) & (peak == since.max(axis=1))
        is_first = (since[:, :-1] * LEAST_FACTOR >= peak[:, np.newaxis]).all(axis=1)
        is_back = (last * LEAST_FACTOR < peak) & (usual <= last * WEEK_FACTOR) & (last <= usual * WEEK_FACTOR)
        for row in np.flatnonzero(is_peak & is_first & is_back).tolist():
            found.setdefault(row, (at, round(float(usual[row]))))
    return found


def milestones(material: Material) -> Iterator[Insight]:
    """Yield the round numbers that a level, a counter or the sum of a flow first passed in the period."""
    yield from _sums(material)
    yield from _levels(material)


def round_below(value: int) -> int:
    """Return the largest of 1, 2, 5, 10, 20, 50, … up to a value; 0 below 1."""
    return int(_ROUND_NUMBERS[bisect_right(_ROUND_NUMBERS, value) - 1]) if value >= 1 else 0


def _sums(material: Material) -> Iterator[Insight]:
    for metric, mark, total, own in _sums_past_a_mark(material):
        before = total - int(own["value"].sum())
        running = before + np.cumsum(own["value"])
        day = day_of_number(int(own["last_day"][np.argmax(running >= mark)]))
        since = day_of_number(material.spans[metric.metric_id][0])
        text = f"{metric.display_name} passed {amount(mark, metric.unit)} on {day}, counted since {since}."
        crossed = _break_since(material, metric, since)
        yield _milestone(material, metric, MilestoneNumbers(mark, total, since, day, crossed), text)


def _sums_past_a_mark(material: Material) -> Iterator[tuple[MetricDefinition, int, int, NDArray[np.void]]]:
    """Yield each daily flow whose sum passed a round number in the period, and that number.

    With its sum up to the period's end, and its rows of the period. A flow that misses a day is left out: it
    may have passed the number on that day.
    """
    flows = [one for one in material.with_days if one.metric_id in material.spans and adds_up(one)]
    if not flows:
        return
    rows, days = material.readings.rows, material.readings.rows["last_day"]
    # values are at most 10^13, so that an int64 holds the sum of more days than a registry exists; a sum of
    # all series that wraps around still has the right differences
    sums = np.append(0, np.cumsum(np.ascontiguousarray(rows["value"])))
    at, stop = material.readings.bounds_of([one.metric_id for one in flows])
    since = days[at]
    begin = at + np.maximum(0, number_of_day(material.period.start) - since)
    end = np.minimum(stop, at + number_of_day(material.period.end) - since + 1)
    is_inside = begin < end  # a series may begin after the period, or end before it
    begin, end = np.where(is_inside, begin, at), np.where(is_inside, end, stop)
    before, total = sums[begin] - sums[at], sums[end] - sums[at]
    is_whole = is_inside & (days[end - 1] == since + end - at - 1)
    marks = _ROUND_NUMBERS[np.searchsorted(_ROUND_NUMBERS, np.maximum(total, 1), side="right") - 1]
    for row in np.flatnonzero(is_whole & (before < marks) & (marks <= total)).tolist():
        yield flows[row], int(marks[row]), int(total[row]), rows[begin[row] : end[row]]


def _levels(material: Material) -> Iterator[Insight]:
    totals = [
        metric
        for metric in material.ordered
        if metric.source_window is SourceWindow.INSTANT
        and metric.value_kind in {ValueKind.LEVEL, ValueKind.COUNTER}
    ]
    if not totals:
        return
    both = [material.period.shifted(-1), material.period]
    grid = points([material.as_level(metric) for metric in totals], material.readings, both, material.now)
    edges = grid.complete_floats
    for metric, (before, value) in zip(totals, edges.tolist(), strict=True):
        if np.isnan(before) or np.isnan(value):
            continue
        mark = round_below(int(value))
        own = material.readings.of_metric(metric.metric_id)
        earlier = own["value"][own["observed_at"] < grid.starts[-1]]
        if before >= mark or (len(earlier) and int(earlier.max()) >= mark):
            continue
        text = (
            f"{metric.display_name} passed {amount(mark, metric.unit)}: {int(value):,} at the end of "
            f"{material.period.label}, {int(before):,} at the end of {both[0].label}."
        )
        # the total of a counter has all that was ever counted, a level only what is there
        is_sum = metric.value_kind is ValueKind.COUNTER
        crossed = _break_since(material, metric, date.min if is_sum else both[0].start)
        yield _milestone(material, metric, MilestoneNumbers(mark, int(value), None, None, crossed), text)


def _milestone(
    material: Material, metric: MetricDefinition, numbers: MilestoneNumbers, sentence: str
) -> Insight:
    start = numbers.since or material.period.shifted(-1).start
    if numbers.level_break is not None:
        sentence += f" {metric.source} counts in another way since {numbers.level_break}."
    return Insight(
        kind=InsightKind.MILESTONE,
        rule="round-number",
        importance=numbers.mark,
        unit=metric.unit,
        product=metric.product,
        metric_ids=(metric.metric_id,),
        period=material.period,
        numbers=numbers,
        sentence=sentence,
        link=series_link(metric.metric_id, material.period.grain, start, material.period.end),
    )


def _flows(material: Material) -> list[MetricDefinition]:
    """Return the metrics that have a value of a whole period which is not a total: flows and counters."""
    kinds = {ValueKind.FLOW, ValueKind.COUNTER}
    return [metric for metric in material.ordered if metric.value_kind in kinds and adds_up(metric)]


def _is_broken(material: Material, metric: MetricDefinition, first: date) -> bool:
    return _break_since(material, metric, first) is not None


def _break_since(material: Material, metric: MetricDefinition, first: date) -> date | None:
    """Return the day of the newest declared break after a day, up to the end of the period."""
    crossed = break_between(material.breaks_of(metric.metric_id), first, material.period.end)
    return None if crossed is None else crossed.day


def _values_of(material: Material, metrics: Sequence[MetricDefinition]) -> NDArray[np.float64]:
    return material.values[[material.rows[metric.metric_id] for metric in metrics]]


def _begun(material: Material, metrics: Sequence[MetricDefinition], most: int) -> NDArray[np.int64]:
    """Return how many of the last periods begin before the first stored day: they are not missing."""
    starts = material.grid.first_days[-1 - most : -1]
    first = material.readings.first_days
    begun: NDArray[np.int64] = np.searchsorted(
        starts, [first.get(metric.metric_id, starts[-1] + 1) for metric in metrics]
    )
    return begun
