"""The checks of a fetch result that need its metric and the day; `Observation` checks itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.model import Observation, ValueKind

if TYPE_CHECKING:
    from datetime import date

    from community_metrics.sources.base import FetchResult, Source

_TEXT_LIMIT = 300


def invalid_observation(result: FetchResult, source: Source, today: date) -> str | None:
    """Return the first observation that the metric cannot have, after the reason; None if there is none."""
    days: set[date] = set()
    for observation in result.observations:
        reason = _reason(observation, result.metric_id, source, today)
        if reason is None and observation.period_end in days:
            reason = f"{observation.period_end} occurs twice"
        if reason is not None:
            return f"{reason}: {observation!s:.{_TEXT_LIMIT}}"
        days.add(observation.period_end)
    return None


def _reason(observation: object, metric_id: str, source: Source, today: date) -> str | None:
    if not isinstance(observation, Observation):  # a plug-in may return anything
        return "it is not an Observation"
    if (observation.metric_id, observation.source_window) != (metric_id, source.window):
        return f"it is not of the metric {metric_id} with the window {source.window}"
    is_running = observation.period_end == today and source.window.value_kind is ValueKind.FLOW
    if is_running or observation.period_end > today:
        return "the period is not over yet"
    return None
