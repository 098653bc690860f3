"""Which stored leases hold the database, and which are rivals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from community_metrics.model import Lease
from community_metrics.storage import leases

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


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
