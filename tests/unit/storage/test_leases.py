"""Who holds the lease: a table of stored rows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from community_metrics.model import Lease
from community_metrics.storage.leases import RELEASED, is_held, rival
from tests.support.clock import NOON

SECOND = timedelta(seconds=1)
LATER, NOW, EXPIRED = NOON + SECOND, NOON, NOON - SECOND


def row(run_id: str, expires_at: object) -> Lease:
    return Lease("database", run_id, "host", 1, NOON, expires_at)  # type: ignore[arg-type]  # instants above


@pytest.mark.parametrize(
    ("rows", "held", "held_by"),
    [
        ([], False, None),
        ([("own", LATER)], True, None),
        ([("own", NOW)], False, None),
        ([("own", EXPIRED)], False, None),
        ([("own", RELEASED)], False, None),
        ([("own", LATER), ("other", EXPIRED)], True, None),
        ([("own", LATER), ("other", NOW)], True, None),
        ([("own", LATER), ("other", RELEASED)], True, None),
        ([("own", LATER), ("other", LATER)], True, "other"),
        ([("other", LATER)], False, "other"),
        ([("a", LATER), ("b", LATER + SECOND), ("c", EXPIRED)], False, "b"),
    ],
)
def test_only_a_row_that_has_not_expired_counts(
    rows: list[tuple[str, object]], held: bool, held_by: str | None
) -> None:
    stored = [row(run_id, expires_at) for run_id, expires_at in rows]
    other = rival(stored, "own", NOON)
    assert is_held(stored, "own", NOON) is held
    assert (other.run_id if other else None) == held_by
