"""The choice of the copy to keep, where two writers inserted one key twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from community_metrics.model import StatRow, precedence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INSTANTS: Final = (
    "last_attempt_at",
    "removed_at",
    "recorded_at",
    "observed_at",
    "expires_at",
    "finished_at",
    "started_at",
    "created_at",
)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


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
    """Return every copy of each key except the one to keep."""
    kept = {copy.key: copy for copy in sorted(copies, key=_precedence)}
    return [copy for copy in copies if kept[copy.key] is not copy]


def _precedence(copy: Copy) -> tuple[Any, ...]:
    """Return a sort key, greatest for the newest observation, in other tables for the latest instant.

    A removed event stays removed.
    """
    if isinstance(copy.row, StatRow):
        return (*precedence(copy.row), copy.row_id)
    return (*(getattr(copy.row, name, None) or _NEVER for name in _INSTANTS), copy.row_id)
