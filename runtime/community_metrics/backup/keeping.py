"""Which backups of a database are kept: the newest of each of the last weeks and months that have one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.backup.manifest import made_at
from community_metrics.periods import Grain, period_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

WEEKS: Final = 8
MONTHS: Final = 24
UNFINISHED_FOR: Final = timedelta(days=1)
"""How long a backup may take: files without a manifest that are younger may be of one that is being made."""
RULE: Final = (
    f"Kept are the newest backup of this database of each of the last {WEEKS} ISO weeks and of each of the "
    f"last {MONTHS} months that have one, and those of the last 2 days with the one before, whose files a "
    "backup that is being made may reuse."
)


def kept(backup_ids: Collection[str]) -> set[str]:
    """Return the ids of the backups to keep; the newest is always one of them.

    Periods without a backup do not count: a database that is backed up rarely loses none for it.
    """
    newest_first = sorted(backup_ids, reverse=True)
    return _newest_of_each(newest_first, Grain.WEEK, WEEKS) | _newest_of_each(
        newest_first, Grain.MONTH, MONTHS
    )


def in_use(backup_ids: Collection[str], now: datetime) -> set[str]:
    """Return the ids of the backups whose files one that is being made may reuse, of any database.

    It reuses those of the backup that was the newest when it began, at most a day ago. That one may have
    been made within the day before, or is the newest from before that.
    """
    before = now - 2 * UNFINISHED_FOR
    older = [one for one in backup_ids if made_at(one) < before]
    return {one for one in backup_ids if made_at(one) >= before} | set(sorted(older)[-1:])


def _newest_of_each(newest_first: list[str], grain: Grain, count: int) -> set[str]:
    found: dict[str, str] = {}
    for backup_id in newest_first:
        label = period_of(made_at(backup_id).date(), grain).label
        if label not in found and len(found) == count:
            break
        found.setdefault(label, backup_id)
    return set(found.values())
