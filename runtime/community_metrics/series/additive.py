"""Which values may be summed: no uniques and no rolling totals, and nothing beside its registry or fallback.

That one source counts a subject in two ways is known to the catalogue, whose rules keep one of the two out
of totals; a sum of metrics that somebody names is refused by `alike`. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.errors import NotAdditive, NotAlike
from community_metrics.model import UNIQUES, SourceWindow, ValueKind
from community_metrics.periods import Grain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from community_metrics.model import MetricDefinition

_UNIQUES: Final = (
    "counts uniques, which do not add up: a visitor of two days or two places is counted in both"
)
_ROLLING: Final = "is a rolling total, whose windows overlap: a sum would count their days more than once"
_REGISTRY: Final = "counts every package of its registry: beside it in a sum, each of them would count twice"


def adds_up(metric: MetricDefinition) -> bool:
    """Return whether the values of a metric can be added to those of another one."""
    return _reason(metric) is None


def require_additive(metrics: Sequence[MetricDefinition]) -> None:
    """Let metrics pass whose kinds have a sum: every sum of the product is preceded by this check.

    Raises:
        NotAdditive: the values of one of them cannot be added to those of another one.
        NotAlike: one is the total of a registry, or replaces missing values of another one.
    """
    for metric in metrics:
        if reason := _reason(metric):
            raise NotAdditive(metric.metric_id, reason)
    if twice := counted_twice(metrics):
        raise NotAlike(twice)


def require_grain(metrics: Iterable[MetricDefinition], grain: Grain) -> None:
    """Raise NotAdditive if the points of one of these metrics would be sums of days that do not add up."""
    for metric in metrics:
        if grain is not Grain.DAY and is_by_day_only(metric):
            raise NotAdditive(metric.metric_id, f"{_UNIQUES}, so it has no value of a {grain}")


def is_by_day_only(metric: MetricDefinition) -> bool:
    """Return whether a metric has values of days that do not sum to the value of a week."""
    return metric.unit == UNIQUES and metric.source_window is SourceWindow.DAY


def counted_twice(metrics: Sequence[MetricDefinition]) -> tuple[str, ...]:
    """Return which metrics have their registry's total or their own fallback beside them, in sentences."""
    if len(metrics) < 2:  # noqa: PLR2004  one metric is its own sum
        return ()
    registries = [f"{one.display_name} {_REGISTRY}." for one in metrics if one.is_registry]
    names = {one.metric_id: one.display_name for one in metrics}
    fallbacks = [
        f"{names[other]} replaces missing values of {one.display_name}, so it counts the same events."
        for one in metrics
        for other in one.fallbacks
        if other in names
    ]
    return (*registries, *fallbacks)


def reason_against_sums(metric: MetricDefinition) -> str | None:
    """Return why the values of a metric cannot be added to those of others; None if they can."""
    return _REGISTRY if metric.is_registry else _reason(metric)


def _reason(metric: MetricDefinition) -> str | None:
    if metric.unit == UNIQUES:
        return _UNIQUES
    return _ROLLING if metric.value_kind is ValueKind.ROLLING else None
