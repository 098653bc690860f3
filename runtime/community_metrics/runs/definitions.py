"""What the `metrics` table takes over from the catalogue, and what it must not.

An id names one series for good. Were its source or subject exchanged under it, the new numbers would read as
restatements of the old ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from community_metrics.errors import StorageNotBootstrapped

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.model import MetricDefinition
    from community_metrics.storage import LanceDBReader


async def redefined(store: LanceDBReader, metrics: Iterable[Metric]) -> dict[str, MetricDefinition]:
    """Return the stored definitions of metrics that the catalogue now gives another source or meaning, by id.

    Only a metric with values from a registry is bound: a subject that never brought one may be corrected.
    """
    try:
        stored = {definition.metric_id: definition for definition in await store.metrics()}
    except StorageNotBootstrapped:  # a dry run makes no table that is missing
        return {}
    return {
        metric.metric_id: stored[metric.metric_id]
        for metric in metrics
        if metric.metric_id in stored
        and _meaning(metric) != _stored_meaning(stored[metric.metric_id])
        and await store.first_fetched_day(metric.metric_id) is not None
    }


def refusal(metric: Metric, stored: MetricDefinition) -> str:
    """Return why nothing of a redefined metric is fetched, and what to do."""
    return (
        f"so far this id is {_named(*_stored_meaning(stored))}, the catalogue now says "
        f"{_named(*_meaning(metric))}. That would overwrite its history with another one's, so nothing was "
        "fetched. Give the new one an id of its own in the catalogue, or write the old source, subject and "
        "window back."
    )


async def to_write(
    store: LanceDBReader, catalog: Catalog, now: datetime, *, same: frozenset[str], whole: bool
) -> list[MetricDefinition]:
    """Return the definitions to upsert: the catalogue's, and the retired ones where the run is `whole`.

    A redefined metric keeps its stored definition, unless its source proved it the `same` under a new name.
    A metric that the catalogue no longer names is not active any more, so that totals do not wait for it.
    """
    bound = (await redefined(store, catalog.metrics)).keys() - same
    named = {metric.metric_id for metric in catalog.metrics}
    retired = [
        replace(definition, is_active=False)
        for definition in (await store.metrics() if whole else [])
        if definition.metric_id not in named and definition.is_active
    ]
    wanted = [metric.definition(now) for metric in catalog.metrics if metric.metric_id not in bound]
    return wanted + retired


def _meaning(metric: Metric) -> tuple[str, str, str]:
    return metric.source, metric.subject, metric.window.value


def _stored_meaning(stored: MetricDefinition) -> tuple[str, str, str]:
    return stored.source, stored.subject, stored.source_window.value


def _named(source: str, subject: str, window: str) -> str:
    return f"{source} {subject} ({window})"
