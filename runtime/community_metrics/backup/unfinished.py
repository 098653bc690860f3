"""A database with a part of a restore is not backed up: it would be the newest backup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.errors import BackupRefused

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.storage.whole import WholeDatabase

RESTORE: Final = "restore"
"""The name in the run id of a restore, by which its lease is known."""


def require_finished(database: WholeDatabase, now: datetime) -> None:
    """Return if the database has all that runs wrote to it.

    Raises:
        BackupRefused: a restore holds the lease, or `history` has no run: every run writes it first, and a
            restore writes it last.
    """
    lease = database.lease
    if lease is not None and lease.expires_at > now and f"-{RESTORE}-" in lease.run_id:
        raise BackupRefused(
            f"The restore {lease.run_id} on {lease.host} writes to the database, so a backup would have a "
            "part of it. Nothing was stored. Fix: make the backup again once the restore has ended."
        )
    if database.first_run is None:
        raise BackupRefused(
            "The database has no row in `history`: a restore of it is unfinished, or no run ever wrote to "
            "it. Nothing was stored. Fix: finish the restore with `community-metrics restore`, then make the "
            "backup again. A new database has a backup after its first run."
        )
