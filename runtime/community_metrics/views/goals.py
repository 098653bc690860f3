"""Where the goals of the catalogue stand, by what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from community_metrics.periods import ONE_DAY, Grain, today
from community_metrics.readings import number_of_day
from community_metrics.series.change import break_between
from community_metrics.series.goal_values import counted_by, weeks_read
from community_metrics.series.goals import RECENT_WITHIN, RULE, goal_words, standing
from community_metrics.series.insights.links import series_link, total_link
from community_metrics.text import named
from community_metrics.views.dashboard import failed_downloads
from community_metrics.views.product_table import last_day_read, left_out_of
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics, declared_breaks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.catalog.goals import Goal
    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.readings import Readings
    from community_metrics.series.goals import Counted, Standing
    from community_metrics.series.totals import LeftOut
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness


@dataclass(frozen=True, slots=True)
class GoalView:
    """A goal and where it stands.

    `series` are the metrics that are counted together, `waits_for` those without the day after the newest
    one that all have, `left_out` those that have failed for more than two weeks. `level_break` is the newest
    declared change of counting since the first counted day, or since the first week that is looked at.
    """

    goal: Goal
    name: str
    product: str
    unit: str
    counted: Counted
    standing: Standing
    series: tuple[str, ...]
    waits_for: tuple[str, ...]
    left_out: tuple[str, ...]
    level_break: date | None
    link: str

    rule: ClassVar[str] = RULE.rule_id

    @property
    def sentence(self) -> str:
        """Where the goal stands, in plain English, made of its numbers."""
        text = goal_words(self.name, self.goal.value, self.unit, self.goal.day, self.counted, self.standing)
        if self.left_out:
            text += f" Without {named(self.left_out)}, which failed for more than two weeks."
        return f"{text} It waits for {named(self.waits_for)}." if self.waits_for else text


@dataclass(frozen=True, slots=True)
class Goals:
    """The goals in the catalogue's order; `not_stored` names the metrics of goals that no run has stored."""

    goals: tuple[GoalView, ...]
    not_stored: tuple[str, ...]
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class _Stored:
    """What goals rest on: as of now, or as of the end of a `period`.

    Values are those that are stored now, also where a registry changed one since the period's end.
    """

    stored: StoredMetrics
    readings: Readings
    freshness: Freshness
    period: Period | None

    @property
    def at(self) -> datetime:
        """The end of the period, or now."""
        return self.freshness.now if self.period is None else self.period.end_instant

    def last_day(self, goal: Goal) -> date:
        """Return the last day that counts for a goal."""
        return goal.day if self.period is None else min(goal.day, self.period.end)

    def begun(self, goal: Goal, metrics: Sequence[MetricDefinition]) -> Sequence[MetricDefinition]:
        """Return the metrics that had a value by the end of the period: a later one was no part of it."""
        if self.period is None:
            return metrics
        last, spans = number_of_day(self.last_day(goal)), self.readings.spans
        known = {name for name, (first, _) in spans.items() if first <= last}
        return [metric for metric in metrics if metric.metric_id in known] or metrics

    def failed(self, goal: Goal, metrics: Sequence[MetricDefinition]) -> tuple[LeftOut, ...]:
        """Return the downloads of a goal's product that had failed for more than two weeks."""
        if goal.product is None:
            return ()
        if self.period is None:
            return failed_downloads(self.stored, goal.product, self.readings, self.freshness)
        return left_out_of(self.period, metrics, self.readings, self.freshness)


async def load_goals(
    reader: LanceDBReader, catalog: Catalog, now: datetime, *, period: Period | None = None
) -> Goals:
    """Return every goal whose metric, or a download of whose product, is stored.

    With a `period` that is over, each stands as at its end.
    """
    ended = period if period is not None and period.is_over(now) else None
    stored = StoredMetrics(await reader.metrics(), catalog)
    freshness = await load_freshness(reader, now, stored.definitions)
    known = {metric.metric_id: metric for metric in stored.definitions}
    chosen = [(goal, _metrics_of(goal, stored, known)) for goal in catalog.goals]
    ids = list(dict.fromkeys(metric.metric_id for _, metrics in chosen for metric in metrics))
    # up to the last day by which `failed` judges what is late
    until = today(now) if ended is None else last_day_read(ended, now)
    values = _Stored(stored, await reader.readings(ids, until=until), freshness, ended)
    return Goals(
        goals=tuple(_view(goal, metrics, values) for goal, metrics in chosen if metrics),
        not_stored=tuple(goal.metric_id or goal.product or "" for goal, metrics in chosen if not metrics),
        freshness=freshness,
    )


def _metrics_of(
    goal: Goal, stored: StoredMetrics, known: Mapping[str, MetricDefinition]
) -> list[MetricDefinition]:
    if goal.metric_id is not None:
        return [known[goal.metric_id]] if goal.metric_id in known else []
    return list(stored.downloads.get(goal.product or "", ()))


def _view(goal: Goal, metrics: Sequence[MetricDefinition], of: _Stored) -> GoalView:
    now, readings, metrics = of.at, of.readings, of.begun(goal, metrics)
    failed = of.failed(goal, metrics)
    left_out = tuple(one.metric_id for one in failed)
    # where all have failed, nothing is left to count: their total stays what it was
    counted_ones = [metric for metric in metrics if metric.metric_id not in left_out] or list(metrics)
    breaks = sorted(
        {one for metric in counted_ones for one in declared_breaks(metric)}, key=lambda one: one.day
    )
    counted = counted_by(counted_ones, readings, of.last_day(goal), now, since=goal.since, breaks=breaks)
    stands = standing(counted, goal.value, goal.day, today(now))
    first = counted.first or weeks_read(now)[0].start
    crossed = break_between(breaks, first, today(now))
    metric = metrics[0]
    name = goal.name or metric.display_name
    if goal.name is None and goal.product is not None:
        name = f"{of.stored.product_names.get(goal.product, goal.product)} downloads"
    return GoalView(
        goal=goal,
        name=name,
        product=metric.product,
        unit=metric.unit,
        counted=counted,
        standing=stands,
        series=tuple(one.metric_id for one in counted_ones),
        waits_for=_waits_for(counted_ones, readings, counted, of.last_day(goal)),
        left_out=left_out if len(left_out) < len(metrics) else (),
        level_break=crossed.day if crossed else None,
        link=_link(goal, counted, now),
    )


def _waits_for(
    metrics: Sequence[MetricDefinition], readings: Readings, counted: Counted, last: date
) -> tuple[str, ...]:
    """Return the metrics without a day later than the newest one of all, where others have one."""
    if counted.first is None or len(metrics) == 1:
        return ()
    reached = counted.as_of or counted.first - ONE_DAY
    newest = {
        metric.metric_id: max((day for day in readings.days(metric.metric_id) if day <= last), default=None)
        for metric in metrics
    }
    late = tuple(name for name, day in newest.items() if day is None or day <= reached)
    return late if len(late) < len(metrics) else ()


def _link(goal: Goal, counted: Counted, now: datetime) -> str:
    """Return the path of the API that has the weeks."""
    weeks = weeks_read(now)
    if goal.metric_id is None:
        return total_link(weeks[-1], weeks[-RECENT_WITHIN], goal.product, now)
    last = min(counted.as_of or today(now), today(now))
    first = min(counted.first or weeks[-RECENT_WITHIN].start, last)
    return series_link(goal.metric_id, Grain.WEEK, first, last)
