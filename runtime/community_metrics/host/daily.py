"""The metrics whose days can be late or missing, which is what the host looks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.model import SourceWindow
from community_metrics.sources import SEED_SOURCE

if TYPE_CHECKING:
    from community_metrics.catalog import Catalog, Metric


def daily_metrics(catalog: Catalog) -> list[Metric]:
    """Return the active metrics that a registry counts by the day; a seed file gets no new day."""
    return [
        metric
        for metric in catalog.active
        if metric.window is SourceWindow.DAY and metric.source != SEED_SOURCE
    ]
