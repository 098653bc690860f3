"""The ids of stored subjects, for sources that can prove whether a subject is still the same thing.

A repository's name may pass to another owner. A new response is compared with the ids that its source stored
beside the values, in this metric or in another one of the same subject.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.model import Provenance
from community_metrics.periods import today
from community_metrics.runs.definitions import redefined
from community_metrics.sources import available_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from community_metrics.catalog import Metric
    from community_metrics.model import StatRow
    from community_metrics.runs.job import RunContext
    from community_metrics.sources.base import Source


@dataclass(frozen=True, slots=True)
class StoredIds:
    """The `subject_id`s of a metric's own rows, and of its siblings' rows that were read no later."""

    own: frozenset[int | None] = frozenset()
    siblings: frozenset[int | None] = frozenset()


def proves_subject(source: Source | None) -> bool:
    """Return whether the source can prove that a subject is the one whose rows are stored."""
    return bool(getattr(source, "proves_subject", False))


async def stored_ids(context: RunContext, chosen: Sequence[Metric]) -> dict[str, StoredIds]:
    """Return the ids of the chosen metrics whose source proves its subjects and that have rows, by id.

    A sibling is another metric of the catalogue with the same host and the same stored subject.
    """
    sources = available_sources()
    if not any(proves_subject(sources[metric.source]) for metric in chosen):
        return {}
    provable = [metric for metric in context.catalog.metrics if proves_subject(sources.get(metric.source))]
    renamed = await redefined(context.store, provable)
    things = {
        metric.metric_id: (sources[metric.source].host, renamed.get(metric.metric_id, metric).subject.lower())
        for metric in provable
    }
    rows: dict[str, list[StatRow]] = defaultdict(list)
    for row in await context.store.stats(list(things)):
        if row.provenance is not Provenance.CSV_SEED:
            rows[row.metric_id].append(row)
    return {
        metric.metric_id: StoredIds(
            own=frozenset(row.subject_id for row in rows[metric.metric_id]),
            siblings=_sibling_ids(metric.metric_id, things, rows),
        )
        for metric in chosen
        if metric.metric_id in rows
    }


def _sibling_ids(
    metric_id: str, things: Mapping[str, tuple[str, str]], rows: Mapping[str, Sequence[StatRow]]
) -> frozenset[int | None]:
    """Return siblings' ids up to the day when the first own row was read; later ones prove nothing."""
    first_read = min(today(row.observed_at) for row in rows[metric_id])
    return frozenset(
        row.subject_id
        for other, thing in things.items()
        if other != metric_id and thing == things[metric_id]
        for row in rows.get(other, ())
        if today(row.observed_at) <= first_read
    )
