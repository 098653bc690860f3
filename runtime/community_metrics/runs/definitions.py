"""Which definitions the `metrics` table takes from the catalogue, and which it must not.

An id names one series forever. With another source or subject under the same id, the new numbers would be
stored as restatements of the old ones.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from community_metrics.errors import ConfigurationError, StorageNotBootstrapped, TerminalSourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.model import MetricDefinition
    from community_metrics.storage import LanceDBReader

_ANY_TIME: Final = datetime.min.replace(tzinfo=UTC)
MOST_NAMED: Final = 20
"""How many metrics an error names."""


async def redefined(store: LanceDBReader, metrics: Iterable[Metric]) -> dict[str, MetricDefinition]:
    """Return the stored definitions of metrics that have another source or subject in the catalogue, by id.

    Only metrics with values from a registry count: a subject without values may be corrected.
    """
    stored = {definition.metric_id: definition for definition in await _stored(store)}
    found: dict[str, MetricDefinition] = {}
    for metric in metrics:
        old = stored.get(metric.metric_id)
        meaning = (metric.source, metric.subject, metric.window)
        if old is None or meaning == (old.source, old.subject, old.source_window):
            continue
        if await store.first_fetched_day(metric.metric_id) is not None:
            found[metric.metric_id] = old
    return found


def refusal(metric: Metric, stored: MetricDefinition) -> TerminalSourceError:
    """Return the error of a redefined metric, of which nothing is fetched."""
    return TerminalSourceError(
        f"the stored rows of this id are {stored.source} {stored.subject} ({stored.source_window}), the "
        f"catalogue has {metric.source} {metric.subject} ({metric.window}); fetching it would overwrite one "
        "history with another",
        source=metric.source,
        subject=metric.subject,
        fix="give the new one its own id in the catalogue, or restore the old source, subject and window",
    )


async def retired(store: LanceDBReader, catalog: Catalog) -> list[MetricDefinition]:
    """Return the stored active metrics that are not in the catalogue."""
    named = {metric.metric_id for metric in catalog.defined}
    return [one for one in await _stored(store) if one.is_active and one.metric_id not in named]


async def require_own_catalog(store: LanceDBReader, catalog: Catalog) -> None:
    """Check that this is the catalogue of this database.

    Raises:
        ConfigurationError: the run would retire more than half of the stored active metrics.
    """
    active = [one for one in await _stored(store) if one.is_active and not one.is_registry]
    lost = [one.metric_id for one in await retired(store, catalog) if not one.is_registry]
    if 2 * len(lost) <= len(active):
        return
    more = [f"and {len(lost) - MOST_NAMED} more"] if len(lost) > MOST_NAMED else []
    raise ConfigurationError(
        f"{catalog.path} does not have {len(lost)} of the {len(active)} active metrics in the database. This "
        "run would retire them, so nothing was changed. Fix: set CM_CATALOG to the catalogue of this "
        'database. To retire them, run once with --retire (in Lambda with "retire": true):',
        [*lost[:MOST_NAMED], *more],
    )


async def to_write(
    store: LanceDBReader, catalog: Catalog, now: datetime, *, renamed: frozenset[str], whole: bool
) -> list[MetricDefinition]:
    """Return the definitions to upsert: the catalogue's, and the retired ones where the run is `whole`.

    A redefined metric keeps its stored definition, unless its source proved that it was only `renamed`. A
    metric that is no longer in the catalogue becomes inactive, so that totals do not wait for it.
    """
    kept = (await redefined(store, catalog.defined)).keys() - renamed
    lost = await retired(store, catalog) if whole else []
    wanted = [metric.definition(now) for metric in catalog.defined if metric.metric_id not in kept]
    return wanted + [replace(definition, is_active=False) for definition in lost]


async def differs(store: LanceDBReader, catalog: Catalog, *, whole: bool) -> bool:
    """Return whether a run would write a definition that is not stored yet, or is stored otherwise."""
    stored = {definition.metric_id: definition for definition in await _stored(store)}
    wanted = await to_write(store, catalog, _ANY_TIME, renamed=frozenset(), whole=whole)
    return any(
        (old := stored.get(new.metric_id)) is None or replace(new, created_at=old.created_at) != old
        for new in wanted
    )


async def _stored(store: LanceDBReader) -> list[MetricDefinition]:
    try:
        return list(await store.metrics())
    except StorageNotBootstrapped:  # a dry run creates no table
        return []
