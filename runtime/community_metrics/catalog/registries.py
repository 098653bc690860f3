"""The totals of registries: metrics that a catalogue tracks without an entry, as its metrics need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.catalog.entries import Cadence, Metric
from community_metrics.model import SourceWindow, Visibility
from community_metrics.sources.base import EVERYTHING, registry_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from community_metrics.sources.base import RegistrySeries, Source

_UNIT = "downloads"


def registries_of(
    metrics: Sequence[Metric], sources: Mapping[str, Source]
) -> tuple[tuple[Metric, ...], dict[str, str]]:
    """Return the totals of the registries that active metrics come from, and the one of each metric."""
    series: dict[str, RegistrySeries] = {}
    users: dict[str, list[Metric]] = {}
    for metric in metrics:
        found = registry_of(sources.get(metric.source), metric.options)
        if found is not None and metric.is_active and metric.window is SourceWindow.DAY:
            series[found.metric_id] = found
            users.setdefault(found.metric_id, []).append(metric)
    totals = tuple(_total(series[name], users[name]) for name in sorted(series))
    return totals, {metric.metric_id: name for name, own in users.items() for metric in own}


def _total(series: RegistrySeries, users: Sequence[Metric]) -> Metric:
    """Return the metric of a total: read as often as its users, and as public as the most public of them.

    That a team counts something at a registry may itself be the team's matter.
    """
    is_public = any(metric.visibility is Visibility.PUBLIC for metric in users)
    is_daily = any(metric.cadence is Cadence.DAILY for metric in users)
    return Metric.model_validate(
        {
            "id": series.metric_id,
            "source": series.source,
            "subject": EVERYTHING,
            "options": series.options,
            "window": SourceWindow.DAY,
            "unit": _UNIT,
            "display_name": series.display_name,
            "cadence": Cadence.DAILY if is_daily else None,
            "visibility": Visibility.PUBLIC if is_public else Visibility.TEAM,
        }
    )
