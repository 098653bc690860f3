"""Level breaks: lasting shifts that the weeks show, and changes of counting that a source declares. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from community_metrics.model import UNIQUES, InsightKind
from community_metrics.periods import Grain
from community_metrics.series.change import break_between
from community_metrics.series.insights.links import series_link
from community_metrics.series.insights.model import Insight, ShiftNumbers
from community_metrics.series.insights.robust import median_of_known
from community_metrics.series.insights.rules import (
    LEAST_FACTOR,
    NORMAL,
    SHIFTED,
    STEP_SHARE,
    WEEKS_AFTER,
    WEEKS_BEFORE,
)
from community_metrics.series.insights.words import amount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from community_metrics.series.insights.material import Material

_WEEKS = WEEKS_BEFORE + WEEKS_AFTER


def level_breaks(material: Material) -> Iterator[Insight]:
    """Yield the declared breaks of the period, then the shifts that became lasting in it."""
    yield from _declared(material)
    yield from _shifts(material)


def _declared(material: Material) -> Iterator[Insight]:
    period = material.period
    groups = defaultdict(list)
    for metric in material.ordered:
        for one in material.breaks_of(metric.metric_id):
            if period.start <= one.day <= period.end:
                groups[metric.source, one].append(metric)
    for (source, one), metrics in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1].day)):
        ids = tuple(metric.metric_id for metric in metrics)
        yield Insight(
            kind=InsightKind.LEVEL_BREAK,
            rule="declared-break",
            importance=0,
            unit=metrics[0].unit,
            product=metrics[0].product if len({metric.product for metric in metrics}) == 1 else None,
            metric_ids=ids,
            period=period,
            numbers=ShiftNumbers(one.day, None, None, one.reason),
            sentence=f"{source} counts in another way since {one.day}: {one.reason}. No change is "
            "computed across that day.",
            link=series_link(ids[0], Grain.DAY, period.start, period.end),
        )


def _shifts(material: Material) -> Iterator[Insight]:
    if not material.with_days:
        return
    values, periods = material.weekly()
    if values.shape[1] < _WEEKS:
        return
    found = shifts(values)
    for row, first in np.argwhere(found).tolist():
        window = periods[first : first + _WEEKS]
        metric, own = material.with_days[row], values[row, first : first + _WEEKS]
        is_of_period = material.period.start <= window[-1].end <= material.period.end
        if metric.unit == UNIQUES or not is_of_period:
            continue
        if break_between(material.breaks_of(metric.metric_id), window[0].start, window[-1].end):
            continue
        before, after = (round(float(np.median(part))) for part in np.split(own, [WEEKS_BEFORE]))
        day = window[WEEKS_BEFORE].start
        word = "rose" if after > before else "fell"
        yield Insight(
            kind=InsightKind.LEVEL_BREAK,
            rule="lasting-shift",
            importance=abs(after - before),
            unit=metric.unit,
            product=metric.product,
            metric_ids=(metric.metric_id,),
            period=material.period,
            numbers=ShiftNumbers(day, before, after, None),
            sentence=f"{metric.display_name} {word} to another level in the week of {day}, and stayed "
            f"there for {WEEKS_AFTER} weeks: from {before:,} to {amount(after, metric.unit)} "
            "a week.",
            link=series_link(metric.metric_id, Grain.WEEK, window[0].start, window[-1].end),
        )


def shifts(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where 12 weeks begin in the last of which a shift became lasting: (series, weeks - 11)."""
    windows = np.lib.stride_tricks.sliding_window_view(values, _WEEKS, axis=1)
    is_known: NDArray[np.bool_] = np.all(windows > 0, axis=-1)  # never true of NaN
    logs = np.log(np.where(is_known[..., np.newaxis], windows, 1.0))
    before, after = logs[..., :WEEKS_BEFORE], logs[..., WEEKS_BEFORE:]
    usual = median_of_known(before)[0]
    shift = median_of_known(after)[0] - usual
    scale = NORMAL * median_of_known(np.abs(before - usual[..., np.newaxis]))[0]
    step = (after[..., 0] - before[..., -1]) * np.sign(shift)
    is_apart = (after.min(axis=-1) > before.max(axis=-1)) | (after.max(axis=-1) < before.min(axis=-1))
    size = np.abs(shift)
    found: NDArray[np.bool_] = (
        is_known
        & is_apart
        & (size >= np.log(LEAST_FACTOR))
        & (size >= SHIFTED * scale)
        & (step >= STEP_SHARE * size)
    )
    return found


def newest_shift(weeks: NDArray[np.float64]) -> int | None:
    """Return the position of the first week after the newest lasting shift; None without one.

    `weeks` come oldest first and without a gap, NaN for one that is not complete.
    """
    if len(weeks) < _WEEKS:
        return None
    found = np.flatnonzero(shifts(weeks[np.newaxis])[0])
    return int(found[-1]) + WEEKS_BEFORE if len(found) else None
