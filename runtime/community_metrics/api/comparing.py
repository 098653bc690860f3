"""From the views of what may share a chart to the bodies of `/compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from community_metrics.api.mappers import freshness_body
from community_metrics.api.schemas import compare, points

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.series.alike import Candidate
    from community_metrics.views.compare import Comparable, Compared

    TableVersions = Mapping[str, int]


def compared_body(view: Compared, versions: TableVersions) -> compare.Comparison:
    """Return which metrics may share a chart."""
    found = view.alike
    metrics = [_candidate_of(one, view.watched) for one in found.accepted]
    return compare.Comparison.model_validate(
        {
            "period_start": view.first,
            "period_end": view.last,
            "metrics": metrics,
            "refused": found.refused,
            "axes": found.axes,
            "advice": found.advice,
            "rule": view.rule,
            "freshness": freshness_body(view.freshness, versions),
        },
        from_attributes=True,
    )


def comparable_body(view: Comparable, versions: TableVersions) -> compare.Comparable:
    """Return what decides on each metric which others may share its chart."""
    metrics = [
        _candidate_of(one.candidate, view.watched)
        | {
            "measure": one.candidate.measure,
            "way": one.candidate.way_in_words,
            "changes": one.changes,
        }
        for one in view.parts
    ]
    return compare.Comparable.model_validate(
        {
            "period_end": view.last,
            "metrics": metrics,
            "far_apart": view.far_apart,
            "sentences": view.sentences,
            "rule": view.rule,
            "freshness": freshness_body(view.freshness, versions),
        },
        from_attributes=True,
    )


def _candidate_of(one: Candidate, watched: frozenset[str]) -> dict[str, Any]:
    identity = {name: getattr(one.metric, name) for name in points.MetricIdentity.model_fields}
    watch = one.metric.metric_id in watched
    return identity | {"watch": watch, "first_day": one.first_day, "size": one.size}
