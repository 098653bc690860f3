"""The totals of several series by period: which of them a total has, and which period it shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.model import Status
from community_metrics.series.change import Changes, break_between, change_since, changes_at, latest_complete

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from community_metrics.model import LevelBreak, MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.change import Change
    from community_metrics.series.grid import Point, PointGrid


@dataclass(frozen=True, slots=True)
class Part:
    """What the series of one SDK (None for those without) add to a total, and their share of it."""

    sdk: str | None
    value: int
    share: float


@dataclass(frozen=True, slots=True)
class PeriodTotal:
    """The sum of several series by period, and the period that it is shown for.

    `period` is the newest one in which every series of the total is complete, None without one. `totals` has
    the sum of each period, None where a series is not complete; `estimates` the sum where it includes an
    estimate. Without a complete period the newest estimate is shown: `is_estimated`, without changes and
    parts. `lacking` are series that have no complete period and so are in no sum; `waits_for` those of the
    total that are not complete in the last one.
    """

    period: Period | None
    value: int | None
    is_estimated: bool
    changes: Changes
    parts: tuple[Part, ...]
    totals: tuple[int | None, ...]
    estimates: tuple[int | None, ...]
    lacking: tuple[str, ...]
    waits_for: tuple[str, ...]
    metric_ids: tuple[str, ...] = ()
    """All of the series, also those that are lacking."""
    points: tuple[Point, ...] = ()
    """What the value is the sum of."""

    @property
    def status(self) -> Status | None:
        """Whether a part of the value may still change; None without a value."""
        if not self.points:
            return None
        is_provisional = any(point.status is Status.PROVISIONAL for point in self.points)
        return Status.PROVISIONAL if is_provisional else Status.FINAL

    @property
    def restated(self) -> bool | None:
        """Whether a part of the value was changed after it had settled; None without a value."""
        return any(point.restated for point in self.points) if self.points else None

    @property
    def observed_at(self) -> datetime | None:
        """When the newest part of the value was read."""
        read = [point.observed_at for point in self.points if point.observed_at is not None]
        return max(read, default=None)


def period_total(
    grid: PointGrid,
    metrics: Sequence[MetricDefinition],
    rows: Mapping[str, int],
    *,
    shown: int,
    breaks: Mapping[str, Sequence[LevelBreak]],
) -> PeriodTotal:
    """Return the total of series that add up, over the last `shown` periods of the grid.

    `rows` has the row of each metric in the grid, `breaks` the declared breaks of each.
    """
    own = {metric.metric_id: rows[metric.metric_id] for metric in metrics}
    first = len(grid.periods) - shown
    included = [name for name, row in own.items() if grid.complete[row, first:].any()]
    totals = grid.complete_totals([own[name] for name in included])
    estimates = _estimates(grid, [own[name] for name in included] or list(own.values()))
    at = latest_complete(totals)
    if at is not None and at < first:
        at = None
    is_estimated = at is None and not included
    if is_estimated:
        at = latest_complete(estimates[first:])
        at = None if at is None else first + at
    of_total = [one for name in included for one in breaks.get(name, ())]
    has_changes = at is not None and not is_estimated
    return PeriodTotal(
        period=None if at is None else grid.periods[at],
        value=None if at is None else (estimates if is_estimated else totals)[at],
        is_estimated=is_estimated and at is not None,
        changes=changes_at(totals, at, grid.periods, of_total)
        if has_changes and at is not None
        else Changes(),
        parts=_parts(grid, metrics, {name: own[name] for name in included}, at) if has_changes else (),
        totals=tuple(totals[first:]),
        estimates=tuple(estimates[first:]),
        lacking=tuple(name for name in own if name not in included),
        waits_for=tuple(name for name in included if not grid.complete[own[name], -1]),
        metric_ids=tuple(own),
        points=_points(grid, [own[name] for name in included] or list(own.values()), at),
    )


def _points(grid: PointGrid, rows: Iterable[int], at: int | None) -> tuple[Point, ...]:
    """Return the points with a value in a period; none without a period."""
    found = () if at is None else (grid.point(row, at) for row in rows)
    return tuple(point for point in found if point.value is not None)


def _estimates(grid: PointGrid, rows: Iterable[int]) -> list[int | None]:
    """Return the sums of periods that have an estimate, over the series that have a value in any period."""
    known = [row for row in rows if not grid.is_unknown(row).all()]
    sums: list[int | None] = [None] * len(grid.periods)
    for at in range(len(sums)) if known else ():
        whole = [grid.complete[row, at] or grid.fallback[row, at] is not None for row in known]
        if all(whole) and not grid.complete[known, at].all():
            sums[at] = sum(grid.value[row, at] for row in known)
    return sums


def _parts(
    grid: PointGrid, metrics: Sequence[MetricDefinition], rows: Mapping[str, int], at: int | None
) -> tuple[Part, ...]:
    """Return the parts by SDK, the largest first; none of a total of 0."""
    sums: dict[str | None, int] = {}
    for metric in metrics:
        if at is not None and metric.metric_id in rows:
            sums[metric.sdk] = sums.get(metric.sdk, 0) + grid.value[rows[metric.metric_id], at]
    total = sum(sums.values())
    ordered = sorted(sums.items(), key=lambda one: (-one[1], one[0] or ""))
    return tuple(Part(sdk, value, value / total) for sdk, value in ordered) if total else ()


@dataclass(frozen=True, slots=True)
class LevelOfPeriod:
    """The sum of levels at the end of a period, over the `included` of `metric_ids`, and its change in it."""

    value: int
    change: Change | None
    included: tuple[str, ...]
    metric_ids: tuple[str, ...]


def level_of_period(
    grid: PointGrid,
    metrics: Sequence[MetricDefinition],
    rows: Mapping[str, int],
    breaks: Mapping[str, Sequence[LevelBreak]],
) -> LevelOfPeriod | None:
    """Return the sum of the levels that were read at the end of the grid's last period; None without one.

    The change is None where one of them was not read at the end of the one before.
    """
    ids = tuple(metric.metric_id for metric in metrics)
    included = tuple(name for name in ids if grid.complete[rows[name], -1])
    totals = grid.complete_totals([rows[name] for name in included])
    if totals[-1] is None:
        return None
    declared = [one for name in included for one in breaks.get(name, ())]
    is_counted_anew = break_between(declared, grid.periods[-2].start, grid.periods[-1].end) is not None
    change = None if is_counted_anew else change_since(totals, len(totals) - 1, 1)
    return LevelOfPeriod(totals[-1], change, included, ids)
