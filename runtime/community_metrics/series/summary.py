"""The summary of a series: newest complete value, changes, share.

Pure. Neither an estimate nor a period with a missing day enters any of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.model import UNIQUES, ValueKind
from community_metrics.periods import ONE_DAY
from community_metrics.readings import number_of_day
from community_metrics.series.change import (
    break_between,
    change_from,
    changes_at,
    latest_complete,
    share,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from community_metrics.model import LevelBreak, MetricDefinition
    from community_metrics.series.change import Change, Values
    from community_metrics.series.grid import Point, PointSeries


@dataclass(frozen=True, slots=True)
class Summary:
    """The newest complete point of a metric, its changes and its share; None for what is not known.

    `change` is from the period before, `trailing` from the four periods before the last four, `year_on_year`
    from 12 months, 52 weeks or 364 days earlier; `share` is the fraction of the product's downloads in the
    same period. A rolling total is compared only with the reading whose window ended before its own began:
    that is its `change`. Uniques have no `trailing`, which is a sum. `level_break` is the newest change of
    counting that one of the three would have to cross, and so is None.
    """

    latest: Point | None = None
    change: Change | None = None
    trailing: Change | None = None
    year_on_year: Change | None = None
    share: float | None = None
    level_break: LevelBreak | None = None


def summarize(
    series: PointSeries,
    kind: ValueKind,
    totals: Values | None,
    reach: int | None = None,
    own: NDArray[np.void] | None = None,
    *,
    breaks: Sequence[LevelBreak] = (),
) -> Summary:
    """Return the summary of `series`, points of one grain without a gap between the periods.

    `totals` are the product's downloads in the same periods (`PointGrid.complete_totals`); None for a metric
    without a share, such as stars. The newest complete point is searched in the last `reach` periods; the
    periods before those are only compared with. `own` has the stored rows of a rolling total. No change is
    computed across one of `breaks`.
    """
    values = series.complete_values()
    at = latest_complete(values)
    if at is None or (reach is not None and at < len(values) - reach):
        return Summary()
    if kind is ValueKind.ROLLING:
        return _rolling(series[at], series.metric, own, breaks)
    found = changes_at(values, at, series.periods, breaks, is_level=kind is ValueKind.LEVEL)
    return Summary(
        latest=series[at],
        change=found.change,
        trailing=None if series.metric.unit == UNIQUES else found.trailing,
        year_on_year=found.year_on_year,
        share=None if totals is None else share(values[at], totals[at]),
        level_break=found.level_break,
    )


def both_windows_begin(last: date, length: int) -> date:
    """Return the first day of two windows of so many days, one right after the other, that end on `last`."""
    return last - (2 * length - 1) * ONE_DAY


def window_before(
    own: NDArray[np.void], last: date, length: int, breaks: Sequence[LevelBreak]
) -> tuple[int | None, LevelBreak | None]:
    """Return the reading of one whole window before `last`, and the newest break within the two windows.

    `own` has the stored rows of a rolling total. The reading is None where it is not stored, and where there
    is such a break: a change is computed across none.
    """
    crossed = break_between(breaks, both_windows_begin(last, length), last)
    earlier = own["value"][own["last_day"] == number_of_day(last) - length].tolist()
    return (int(earlier[0]) if earlier and crossed is None else None), crossed


def _rolling(
    latest: Point, metric: MetricDefinition, own: NDArray[np.void] | None, breaks: Sequence[LevelBreak]
) -> Summary:
    length = metric.source_window.days
    if own is None or length is None:
        return Summary(latest=latest)
    base, crossed = window_before(own, latest.period.end, length, breaks)
    return Summary(latest=latest, change=change_from(base, latest.value), level_break=crossed)
