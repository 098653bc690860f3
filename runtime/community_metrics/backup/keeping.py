"""Which backups of a database are kept: the newest of each of the last weeks and months that have one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.backup.manifest import made_at
from community_metrics.periods import Grain, period_of

if TYPE_CHECKING:
    from collections.abc import Collection

WEEKS: Final = 8
MONTHS: Final = 24
RULE: Final = (
    f"Kept are the newest backup of this database of each of the last {WEEKS} ISO weeks and of each of the "
    f"last {MONTHS} months that have one."
)


def kept(backup_ids: Collection[str]) -> set[str]:
    """Return the ids of the backups to keep; the newest is always one of them.

    Periods without a backup do not count: a database that is backed up rarely loses none for it.
    """
    newest_first = sorted(backup_ids, reverse=True)
    return _newest_of_each(newest_first, Grain.WEEK, WEEKS) | _newest_of_each(
        newest_first, Grain.MONTH, MONTHS
    )


def _newest_of_each(newest_first: list[str], grain: Grain, count: int) -> set[str]:
    found: dict[str, str] = {}
    for backup_id in newest_first:
        label = period_of(made_at(backup_id).date(), grain).label
        if label not in found and len(found) == count:
            break
        found.setdefault(label, backup_id)
    return set(found.values())
