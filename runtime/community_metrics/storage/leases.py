"""One writer for a database, across machines: the conditions under which a run may take a lease."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import LeaseLost, RunLocked
from community_metrics.storage import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.model import Lease, Run

RELEASED: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The expiry of a released lease."""
LONGEST: Final = timedelta(hours=1)
"""More than any lease is taken for; one that expires later was written by a clock far ahead."""


def may_be_taken(run_id: str, now: datetime, known_dead_run_id: str | None) -> str:
    """Return the merge condition under which `run_id` may overwrite the stored lease.

    It has expired, or it is its own (a response was lost and the client tried again), or its holder is dead,
    or a clock far ahead wrote it: it would lock the database until then. If that run is alive, it notices the
    loss before it writes.
    """
    conditions = [
        f"target.expires_at <= {sql.literal(now)}",
        f"target.expires_at > {sql.literal(now + LONGEST)}",
        sql.equals("target.run_id", run_id),
    ]
    if known_dead_run_id is not None:
        conditions.append(sql.equals("target.run_id", known_dead_run_id))
    return sql.any_of(conditions)


def is_held(stored: Sequence[Lease], run_id: str, now: datetime) -> bool:
    """Return whether the run's own unexpired row is stored; the absence of others proves nothing."""
    return any(lease.run_id == run_id and lease.expires_at > now for lease in stored)


def rival(stored: Sequence[Lease], run_id: str, now: datetime) -> Lease | None:
    """Return the lease that keeps `run_id` from being the only holder; None when it is the only one.

    Where a server allows two writers to insert the row at once, each reads the other's row and neither
    proceeds: two runs that wait do no harm, two that write would.
    """
    others = [one for one in stored if one.run_id != run_id and now < one.expires_at <= now + LONGEST]
    return max(others, key=lambda lease: lease.expires_at, default=None)


def locked(holder: Lease, run: Run | None) -> RunLocked:
    """Return the error that names the holder and the fix."""
    job, since = (f" ({run.job_name})", f"since {_words(run.started_at)}, ") if run else ("", "")
    return RunLocked(
        f"Run {holder.run_id}{job} holds the database {since}as process {holder.pid} on {holder.host}; "
        f"its last heartbeat was {_words(holder.heartbeat_at)}. Fix: wait until it ends. If that process is "
        f"dead, the database is free again at {_words(holder.expires_at)}: run the command then."
    )


def lost(lease: Lease, stored: Sequence[Lease], now: datetime) -> LeaseLost:
    """Return the error of a run whose own row is no longer stored; it states only what the rows show."""
    found = max(stored, key=lambda row: row.expires_at, default=None)
    if found is None:
        reason = "its lease is no longer stored"
    elif found.run_id == lease.run_id:
        reason = "its lease was released"
    elif found.expires_at > now:
        reason = f"run {found.run_id} on {found.host} holds it now"
    else:
        reason = f"run {found.run_id} on {found.host} took the lease, which has expired since"
    return LeaseLost(
        f"Run {lease.run_id} lost the database: {reason}. Its lease was valid "
        f"until {_words(lease.expires_at)}. Fix: run the command again once no other run holds the database."
    )


def _words(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
