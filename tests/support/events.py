"""Events as tests need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from community_metrics.model import Event, EventKind, Visibility
from tests.support.worlds import NOW

if TYPE_CHECKING:
    from datetime import datetime


def release(key: str = "crates:lance@0.38.1", at: datetime = NOW, **fields: Any) -> Event:
    """Return the release of Lance that a registry states, with other fields where they are given."""
    usual: dict[str, Any] = {
        "event_id": key,
        "day": at.date(),
        "happened_at": at,
        "kind": EventKind.RELEASE,
        "title": "lance 0.38.1 (crates.io)",
        "product": "lance",
        "url": "https://crates.io/crates/lance/0.38.1",
        "origin": "crates:lance",
        "metric_id": None,
        "visibility": Visibility.PUBLIC,
        "author": None,
        "recorded_at": NOW,
        "ingestion_run_id": "run-1",
    }
    return Event(**usual | fields)


def note(key: str = "note:1", at: datetime = NOW, **fields: Any) -> Event:
    """Return what a person recorded."""
    usual: dict[str, Any] = {
        "kind": EventKind.NOTE,
        "title": "Lance-DuckDB posts",
        "happened_at": None,
        "origin": "note",
        "author": "Prashanth",
        "url": None,
    }
    return release(key, at, **usual | fields)
