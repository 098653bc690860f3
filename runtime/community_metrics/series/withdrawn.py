"""Round numbers that a digest says were passed, and that restated values were still below. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.model import InsightKind, ValueKind
from community_metrics.model.digest_content import Correction
from community_metrics.periods import Grain, period_named
from community_metrics.readings import number_of_day
from community_metrics.series.insights.links import series_link
from community_metrics.series.insights.words import amount
from community_metrics.series.points import points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from community_metrics.model import MetricDefinition
    from community_metrics.model.digest_content import Digest, Finding
    from community_metrics.periods import Period
    from community_metrics.series.insights import Material

_LAST: Final = {Grain.WEEK: "Last week", Grain.MONTH: "Last month", Grain.QUARTER: "Last quarter"}


def opening(period: Period, current: Period) -> str:
    """Return how a digest of `current` refers to the one of an earlier period."""
    return _LAST[period.grain] if current == period.shifted(1) else f"In the digest of {period.label}"


def withdrawn_milestones(previous: Digest, material: Material) -> Iterator[Correction]:
    """Yield a correction for each milestone of a digest that its series had not reached by its period's end.

    One whose values are not complete by now is left alone: it is not known whether it was passed.
    """
    period = period_named(previous.period, Grain(previous.grain))
    if period is None:
        return
    for one in previous.findings:
        metric = material.known.get(one.metric_ids[0]) if one.kind is InsightKind.MILESTONE else None
        now = None if metric is None else _reached(metric, period, material)
        if metric is not None and now is not None and now < one.numbers["mark"]:
            yield _correction(one, metric, now, period, material.period)


def _reached(metric: MetricDefinition, period: Period, material: Material) -> int | None:
    """Return the sum of a flow, or the reading of another metric, at the end of a period, if complete."""
    if metric.value_kind is not ValueKind.FLOW:
        grid = points([material.as_level(metric)], material.readings, [period], material.now)
        return int(grid.value[0, 0]) if grid.complete[0, 0] else None
    own = material.readings.of_metric(metric.metric_id)
    own = own[own["last_day"] <= number_of_day(period.end)]
    if not len(own) or number_of_day(period.end) - int(own["last_day"][0]) + 1 != len(own):
        return None
    return int(own["value"].sum())


def _correction(
    said: Finding, metric: MetricDefinition, now: int, period: Period, current: Period
) -> Correction:
    mark = int(said.numbers["mark"])
    return Correction(
        metric_id=metric.metric_id,
        mark=mark,
        said=int(said.numbers["value"]),
        now=now,
        sentence=f"{opening(period, current)} we said that {metric.display_name} passed "
        f"{amount(mark, metric.unit)}; that no longer holds: {metric.source} now says {now:,} at the end of "
        f"{period.label}.",
        link=series_link(metric.metric_id, period.grain, period.start, period.end),
    )
