"""The choice of the copy to keep, where two writers inserted one key twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from community_metrics.model import StatRow, precedence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from community_metrics.storage.schemas import AnyTable


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """An extra copy that a repair deleted: its table, its key and its values."""

    table: str
    key: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Copy:
    """One row of a key that has several, with LanceDB's own id of the row."""

    row_id: int
    key: str
    row: Any


def surplus(copies: Sequence[Copy]) -> list[Copy]:
    """Return every copy but the one to keep of each key."""
    kept: dict[str, Copy] = {}
    for copy in copies:
        best = kept.get(copy.key)
        if best is None or _precedence(copy) > _precedence(best):
            kept[copy.key] = copy
    return [copy for copy in copies if kept[copy.key] is not copy]


def dropped(spec: AnyTable, copy: Copy) -> DroppedRow:
    """Return the report about a deleted copy."""
    return DroppedRow(spec.name, copy.key, {name: getattr(copy.row, name) for name in spec.columns})


def _precedence(copy: Copy) -> tuple[Any, ...]:
    """Return a key that is greatest for the newest observation, in other tables for the latest instant."""
    if isinstance(copy.row, StatRow):
        return (*precedence(copy.row), copy.row_id)
    latest = [
        getattr(copy.row, name, None) for name in ("expires_at", "finished_at", "started_at", "created_at")
    ]
    return (
        *((instant is not None, instant.timestamp() if instant else 0.0) for instant in latest),
        copy.row_id,
    )
