"""The headline of a period, and the series that moved most. Pure.

Totals, changes and summaries are those of the dashboard: `complete_totals`, `change_since` and `summarize`.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import compress
from typing import TYPE_CHECKING

from community_metrics.model import Direction, InsightKind, ValueKind
from community_metrics.periods import Grain
from community_metrics.series.change import YEAR, break_between, change_since
from community_metrics.series.insights.links import series_link, total_link
from community_metrics.series.insights.model import HeadlineNumbers, Insight, MoverNumbers
from community_metrics.series.insights.rules import MOST_MOVERS
from community_metrics.series.insights.words import (
    amount,
    base_words,
    change_words,
    known_changes,
    than,
    value_words,
    why_no_change,
)
from community_metrics.series.summary import both_windows_begin, summarize
from community_metrics.text import named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from community_metrics.model import LevelBreak, MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.change import Change
    from community_metrics.series.insights.material import Material, Total
    from community_metrics.series.summary import Summary


def headlines(material: Material) -> Iterator[Insight]:
    """Yield the total of the period: of each product, and of all together first."""
    for total in material.totals:
        if (found := _headline(material, total)) is not None:
            yield found


def _headline(material: Material, total: Total) -> Insight | None:
    grid, rows, period = material.grid, material.rows, material.period
    ids = sorted(metric.metric_id for metric in total.metrics)
    at = [rows[name] for name in ids]
    is_complete = grid.complete[at, -1].tolist()
    complete = tuple(compress(ids, is_complete))
    if not complete:
        return None
    values = grid.complete_totals(list(compress(at, is_complete)))
    value = values[-1]
    if value is None:  # cannot be: each of them is complete in the last period
        return None
    breaks = [one for name in complete for one in material.breaks_of(name)]
    days = grid.days.tolist()
    changes: list[Change | None] = []
    crossed: list[LevelBreak] = []
    for back in (1, YEAR[period.grain]):
        broken = break_between(breaks, grid.periods[-1 - back].start, period.end)
        crossed += [broken] if broken else []
        changes.append(None if broken else change_since(values, len(values) - 1, back, days))
    others = [name for name, is_known in zip(ids, is_complete, strict=True) if not is_known]
    numbers = HeadlineNumbers(
        total=value,
        change=changes[0],
        year_on_year=changes[1],
        complete=complete,
        series=len(ids),
        waits_for=tuple(name for name in others if name not in total.left_out),
        left_out=tuple(name for name in others if name in total.left_out),
        level_break=max((one.day for one in crossed), default=None),
    )
    bases = [period.shifted(-1), period.shifted(-YEAR[period.grain])]
    unit = total.metrics[0].unit
    return Insight(
        kind=InsightKind.HEADLINE,
        rule="total-of-period",
        importance=abs(numbers.change.absolute) if numbers.change else 0,
        unit=unit,
        product=total.product,
        metric_ids=complete,
        period=period,
        numbers=numbers,
        sentence=_headline_words(total.name, unit, period, bases, numbers),
        link=total_link(period, bases[0], total.product, material.now),
    )


def _headline_words(
    name: str, unit: str, period: Period, bases: Sequence[Period], numbers: HeadlineNumbers
) -> str:
    changes = (numbers.change, numbers.year_on_year)
    text = ", ".join(
        [f"{name}: {amount(numbers.total, unit)} in {period.label}", *known_changes(changes, bases)]
    )
    text += f", over {len(numbers.complete)} of {numbers.series} series."
    text += why_no_change(changes, bases, numbers.level_break)
    if numbers.waits_for:
        text += f" It waits for {named(numbers.waits_for)}."
    if numbers.left_out:
        text += f" Without {named(numbers.left_out)}, which failed for more than two weeks."
    return text


def movers(material: Material) -> Iterator[Insight]:
    """Yield the largest gains and falls of each unit."""
    by_side: dict[tuple[str, bool], list[tuple[float, str]]] = defaultdict(list)
    for metric, size in _sizes(material):
        if size:
            by_side[metric.unit, size > 0].append((-abs(size), metric.metric_id))
    for side in sorted(by_side):
        largest = sorted(by_side[side])[:MOST_MOVERS]
        found = (_mover(material, material.known[name]) for _, name in largest)
        yield from (insight for insight in found if insight is not None)


def _sizes(material: Material) -> Iterator[tuple[MetricDefinition, float]]:
    """Yield how much each metric changed, as far as it takes to rank them; `_mover` computes the change.

    A metric whose counting changed in between has no change, and takes no place from one that has.
    """
    before, last = material.grid.days[-2:].tolist()
    edges = material.values[[material.rows[metric.metric_id] for metric in material.ordered], -2:]
    for metric, (base, value) in zip(material.ordered, edges.tolist(), strict=True):
        if metric.value_kind is ValueKind.ROLLING:
            change = _summary(material, metric).change
            yield metric, 0 if change is None else change.absolute
            continue
        if break_between(
            material.breaks_of(metric.metric_id), material.grid.periods[-2].start, material.period.end
        ):
            continue
        ratio = 1 if metric.value_kind is ValueKind.LEVEL else last / before
        size = value - base * ratio
        if size == size and base:  # noqa: PLR0124  NaN, where one of the two is not complete, is not itself
            yield metric, round(size)


def _summary(material: Material, metric: MetricDefinition) -> Summary:
    name = metric.metric_id
    return summarize(
        material.grid.series(material.rows[name])[-2:],
        metric.value_kind,
        None,
        reach=1,
        own=material.readings.of_metric(name),
        breaks=material.breaks_of(name),
    )


def _mover(material: Material, metric: MetricDefinition) -> Insight | None:
    summary, name = _summary(material, metric), metric.metric_id
    change, latest, period = summary.change, summary.latest, material.period
    if change is None or latest is None or latest.value is None or change.absolute == 0:
        return None
    is_rolling = metric.value_kind is ValueKind.ROLLING
    length = metric.source_window.days or 0
    base = f"in the {length} days before" if is_rolling else base_words(period.shifted(-1), metric.value_kind)
    first = both_windows_begin(period.end, length) if is_rolling else period.shifted(-1).start
    return Insight(
        kind=InsightKind.MOVER,
        rule="largest-changes",
        importance=abs(change.absolute),
        unit=metric.unit,
        product=metric.product,
        metric_ids=(name,),
        period=period,
        numbers=MoverNumbers(latest.value, change, Direction.UP if change.absolute > 0 else Direction.DOWN),
        sentence=f"{metric.display_name}: {value_words(metric, latest.value, period)}, "
        f"{change_words(change)} {than(change)} {base}.",
        link=series_link(name, Grain.DAY if is_rolling else period.grain, first, period.end),
    )
