"""Which stored leases hold the database, and which are rivals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.model import Lease
from community_metrics.storage import leases, sql
from tests.support.rows import run

if TYPE_CHECKING:
    from community_metrics.model import Run

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def lease(run_id: str, expires_at: datetime) -> Lease:
    return Lease("database", run_id, f"host of {run_id}", 22, NOW, expires_at)


OURS, OTHER, LATER = (
    lease("ours", NOW + SECOND),
    lease("other", NOW + SECOND),
    lease("later", NOW + 2 * SECOND),
)


@pytest.mark.parametrize(
    ("stored", "rival"),
    [
        ([], None),
        ([OURS], None),
        ([OURS, OTHER], OTHER),
        ([OTHER, LATER, OURS], LATER),
        ([OURS, lease("other", NOW)], None),
        ([OURS, lease("other", NOW - SECOND)], None),
        ([lease("ours", NOW), OTHER], OTHER),
    ],
)
def test_only_an_unexpired_lease_of_another_run_is_a_rival(stored: list[Lease], rival: Lease | None) -> None:
    assert leases.rival(stored, "ours", NOW) == rival


@pytest.mark.parametrize(
    ("stored", "held"),
    [([], False), ([OURS], True), ([OTHER], False), ([OTHER, OURS], True), ([lease("ours", NOW)], False)],
)
def test_a_run_holds_only_its_own_unexpired_lease(stored: list[Lease], held: bool) -> None:
    assert leases.is_held(stored, "ours", NOW) is held


@pytest.mark.parametrize(("beyond", "is_rival"), [(timedelta(0), True), (SECOND, False)])
def test_a_lease_that_expires_in_more_than_an_hour_is_no_rival(beyond: timedelta, is_rival: bool) -> None:
    ahead = lease("ahead", NOW + HOUR + beyond)
    assert leases.rival([ahead], "ours", NOW) == (ahead if is_rival else None)


@pytest.mark.parametrize(
    ("dead", "holders"),
    [(None, ["target.run_id = 'ours'"]), ("it's", ["target.run_id = 'ours'", "target.run_id = 'it''s'"])],
)
def test_a_lease_may_be_taken_if_it_expired_is_far_ahead_or_is_of_ours_or_of_a_dead_run(
    dead: str | None, holders: list[str]
) -> None:
    times = [f"target.expires_at <= {sql.literal(NOW)}", f"target.expires_at > {sql.literal(NOW + HOUR)}"]
    assert leases.may_be_taken("ours", NOW, dead) == sql.any_of([*times, *holders])


@pytest.mark.parametrize(
    ("recorded", "holder"),
    [
        (None, "Run other holds the database as process 22"),
        (
            run(NOW - SECOND, run_id="other"),
            "Run other (weekly_refresh) holds the database since 2026-11-23 11:59:59 UTC, as process 22",
        ),
    ],
)
def test_the_error_of_a_locked_database_names_its_holder_and_when_it_is_free(
    recorded: Run | None, holder: str
) -> None:
    assert str(leases.locked(OTHER, recorded)) == (
        f"{holder} on host of other; its last heartbeat was 2026-11-23 12:00:00 UTC. Fix: wait until it "
        "ends. If that process is dead, the database is free again at 2026-11-23 12:00:01 UTC: run the "
        "command then."
    )


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ([], "its lease is no longer stored"),
        ([lease("ours", leases.RELEASED)], "its lease was released"),
        ([lease("gone", NOW), OTHER], "run other on host of other holds it now"),
        ([LATER, OTHER], "run later on host of later holds it now"),
        ([lease("other", NOW)], "run other on host of other took the lease, which has expired since"),
    ],
)
def test_the_error_of_a_lost_lease_states_only_what_the_rows_show(stored: list[Lease], reason: str) -> None:
    assert str(leases.lost(OURS, stored, NOW)) == (
        f"Run ours lost the database: {reason}. Its lease was valid until 2026-11-23 12:00:01 UTC. "
        "Fix: run the command again once no other run holds the database."
    )
