"""Digests of made-up series."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from community_metrics.catalog import load_catalog
from community_metrics.model import StoredDigest, Visibility
from community_metrics.periods import Grain, midnight, period_of
from community_metrics.views.digest import DigestRows, DigestScope
from community_metrics.views.events import Events
from community_metrics.views.goals import Goals
from community_metrics.views.insights import InsightRows
from community_metrics.views.runs import Freshness
from community_metrics.views.selection import StoredMetrics
from tests.support.insights import days_before, flow, material
from tests.support.worlds import NOW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.model import Event, MetricDefinition
    from community_metrics.model.digest_content import Digest
    from community_metrics.periods import Period

WEEK = period_of(date(2026, 11, 16), Grain.WEEK)
PYTHON, RUST, OTHER = "downloads:p:python", "downloads:p:rust", "downloads:q:python"
METRICS = (
    flow(PYTHON, product="p", sdk="python"),
    flow(RUST, "crates", product="p", sdk="rust"),
    flow(OTHER, product="q", sdk="python"),
)
VERSIONS = {"metrics": 1, "stats": 2, "history": 3}


def a_stored_digest(**changes: Any) -> StoredDigest:
    """Return a row of `digests`, with other fields where they are given."""
    usual: dict[str, Any] = {
        "digest_id": "2026-W47",
        "grain": Grain.WEEK,
        "period": "2026-W47",
        "period_start": date(2026, 11, 16),
        "period_end": date(2026, 11, 22),
        "products": ("lance", "lancedb"),
        "visibility": Visibility.PUBLIC,
        "edition": 1,
        "is_complete": True,
        "title": "Week 2026-W47: complete",
        "made_at": NOW,
        "metric_ids": (PYTHON,),
        "origins": (),
        "content": "{}",
        "ingestion_run_id": "run-1",
    }
    return StoredDigest(**usual | changes)


def steady(value: int, end: date, count: int = 800) -> dict[date, int]:
    """Return the same value for each of the days up to `end`."""
    return dict.fromkeys(days_before(end, count), value)


def digest_of(
    values: Mapping[str, Mapping[date, int]],
    period: Period = WEEK,
    *,
    metrics: Sequence[MetricDefinition] = METRICS,
    now: datetime | None = None,
    stated: Sequence[Event] = (),
    notes: Sequence[Event] = (),
    previous: Digest | None = None,
    **scope: Any,
) -> Digest:
    """Return the digest of a period, read four days after its end."""
    now = now or midnight(period.end + timedelta(days=4))
    read = material(period, values, metrics=metrics, now=now)
    sources = {metric.source: period.end for metric in metrics}
    freshness = Freshness(now, None, sources)
    rows = InsightRows(StoredMetrics(metrics, load_catalog(None)), read, freshness)
    events, goals = Events(stated, notes, freshness), Goals((), (), freshness)
    return DigestRows(DigestScope(period, **scope), rows, events, goals, previous).build(VERSIONS)
