"""One writer for a database, across machines: the conditions under which a lease changes hands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.errors import LeaseLost, RunLocked
from community_metrics.storage import sql

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from community_metrics.model import Lease, Run


def may_be_taken(run_id: str, now: datetime, known_dead_run_id: str | None) -> str:
    """Return the merge condition under which `run_id` may overwrite the stored lease.

    It has expired, or is its own (an answer was lost and the client asked again), or its holder is dead.
    """
    conditions = [f"target.expires_at <= {sql.literal(now)}", sql.equals("target.run_id", run_id)]
    if known_dead_run_id is not None:
        conditions.append(sql.equals("target.run_id", known_dead_run_id))
    return sql.any_of(conditions)


def is_own(run_id: str) -> str:
    """Return the merge condition under which only the holder itself writes."""
    return sql.equals("target.run_id", run_id)


def rival(stored: Sequence[Lease], run_id: str, now: datetime) -> Lease | None:
    """Return the lease that keeps `run_id` from being the only holder; None when it is the only one.

    Should a server let two writers insert the row at once, both see the other's and both step back: two
    runs that wait do no harm, two that write would.
    """
    others = [lease for lease in stored if lease.run_id != run_id and lease.expires_at > now]
    return max(others, key=lambda lease: lease.expires_at, default=None)


def locked(holder: Lease, run: Run | None) -> RunLocked:
    """Return the error that names the holder and says what to do."""
    since = f"since {_words(run.started_at)}, " if run else ""
    job = f" ({run.job_name})" if run else ""
    return RunLocked(
        f"Run {holder.run_id}{job} holds the database {since}as process {holder.pid} on {holder.host}; "
        f"its last sign of life was {_words(holder.heartbeat_at)}. Wait until it ends. If that process is "
        f"dead, the database is free again at {_words(holder.expires_at)}: run the command then."
    )


def lost(lease: Lease, stored: Sequence[Lease]) -> LeaseLost:
    """Return the error of a run whose database is no longer its own."""
    holder = max(stored, key=lambda row: row.expires_at, default=None)
    now_held = "its row is gone" if holder is None else f"run {holder.run_id} on {holder.host} holds it now"
    return LeaseLost(
        f"Run {lease.run_id} stood still past {_words(lease.expires_at)} and lost the database: {now_held}. "
        "What it had gathered was not written; run the command again once the other run has ended."
    )


def _words(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
