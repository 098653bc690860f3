"""What is kept of backups, the digest of rows, manifests, and places that fail: no database is needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.backup.keeping import MONTHS, WEEKS, in_use, kept
from community_metrics.backup.manifest import made_at
from community_metrics.backup.row_bits import row_bits
from community_metrics.config import Settings
from community_metrics.periods import Grain, period_of

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
LOCAL = Settings(_env_file=None)


def backup_id(instant: datetime) -> str:
    return f"{instant:%Y%m%dT%H%M%SZ}-00000000"


IDS = st.lists(
    st.integers(0, 3 * 365 * 24).map(lambda hours: backup_id(FIRST + timedelta(hours=hours))), min_size=1
)


# what is kept


@given(IDS)
def test_the_newest_is_kept_and_so_is_the_newest_of_its_month(ids: Sequence[str]) -> None:
    keeps = kept(ids)
    assert max(ids) in keeps
    assert keeps <= set(ids)
    assert len(keeps) <= WEEKS + MONTHS


@given(IDS)
def test_removing_twice_removes_nothing_more(ids: Sequence[str]) -> None:
    assert kept(kept(ids)) == kept(ids)


@given(IDS)
def test_every_one_that_goes_has_a_newer_one_of_its_week_or_is_old(ids: Sequence[str]) -> None:
    weeks = sorted({period_of(made_at(one).date(), Grain.WEEK) for one in ids})[-WEEKS:]
    for one in set(ids) - kept(ids):
        week = period_of(made_at(one).date(), Grain.WEEK)
        same = [other for other in ids if period_of(made_at(other).date(), Grain.WEEK) == week]
        assert week not in weeks or one != max(same)


def test_daily_backups_of_three_years_leave_8_weeks_and_24_months() -> None:
    days = [FIRST + timedelta(days=day) for day in range(3 * 365)]  # to 2026-12-30, a Wednesday
    keeps = sorted(made_at(one).date().isoformat() for one in kept([backup_id(day) for day in days]))
    assert keeps[-9:] == [
        "2026-11-15",
        "2026-11-22",
        "2026-11-29",
        "2026-11-30",
        "2026-12-06",
        "2026-12-13",
        "2026-12-20",
        "2026-12-27",
        "2026-12-30",
    ]
    assert keeps[:2] == ["2025-01-31", "2025-02-28"]
    assert len(keeps) == WEEKS + MONTHS - 1  # the newest is of both


@given(IDS, st.integers(0, 24), st.integers(0, 24))
def test_what_a_backup_that_is_being_made_may_reuse_is_in_use(
    ids: Sequence[str], took_h: int, begun_h: int
) -> None:
    now = made_at(max(ids)) + timedelta(hours=24)
    begun = now - timedelta(hours=begun_h)
    ended = [one for one in ids if made_at(one) + timedelta(hours=took_h) <= begun]
    assert {max(ended, default=max(ids))} <= in_use(ids, now)


# the digest

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.text(max_size=3),
            "value": st.none() | st.integers(-(2**63), 2**63 - 1),
            "day": st.none() | st.dates(),
            "at": st.none() | st.datetimes(timezones=st.just(UTC)),
            "flag": st.none() | st.booleans(),
            "content": st.none() | st.binary(max_size=3),
            "names": st.none() | st.lists(st.text(max_size=2), max_size=3),
        }
    ),
    max_size=6,
)
SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("value", pa.int64()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("flag", pa.bool_()),
        ("content", pa.binary()),
        ("names", pa.list_(pa.string())),
    ]
)


def bits_of(rows: Sequence[dict[str, object]], size: int = 9) -> list[tuple[int, ...]]:
    batches = pa.Table.from_pylist(list(rows), SCHEMA).to_batches(max_chunksize=size)
    return [tuple(bits) for batch in batches for bits in row_bits(batch).tolist()]


@given(ROWS)
def test_the_batches_of_rows_do_not_change_their_bits(rows: list[dict[str, object]]) -> None:
    assert bits_of(rows) == bits_of(rows, size=2)


@given(ROWS)
def test_rows_have_the_same_bits_where_they_are_the_same(rows: list[dict[str, object]]) -> None:
    texts = [repr(sorted(row.items())) for row in rows]
    pairs = list(zip(texts, bits_of(rows), strict=True))
    assert all((text == other) is (bits == found) for text, bits in pairs for other, found in pairs)


@pytest.mark.parametrize(
    ("name", "other"),
    [("value", 8), ("value", None), ("flag", None), ("content", b"x"), ("names", []), ("key", "b")],
)
def test_one_changed_value_changes_the_bits(name: str, other: object) -> None:
    row = {"key": "a", "value": 0, "flag": False, "content": b"", "names": ["a", "b"]}
    first, second = bits_of([row, row | {name: other}])
    assert first != second
