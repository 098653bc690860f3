"""What is kept of backups, the digest of rows, manifests, and places that fail: no database is needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.backup.digests import RowsDigest
from community_metrics.backup.keeping import MONTHS, WEEKS, in_use, kept
from community_metrics.backup.manifest import Column, Manifest, StoredFile, StoredTable, columns_of, made_at
from community_metrics.backup.place import place_beside, place_of
from community_metrics.backup.reading import require_known
from community_metrics.config import Settings, StorageMode, settings_at, settings_from_file
from community_metrics.errors import (
    BackupUnavailable,
    ConfigurationError,
    StorageSchemaMismatch,
)
from community_metrics.periods import Grain, period_of
from community_metrics.storage.schemas import HISTORY, STATS

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from pathlib import Path

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


def digest_of(rows: Sequence[dict[str, object]], size: int = 9) -> tuple[int, ...]:
    digest = RowsDigest()
    for batch in pa.Table.from_pylist(list(rows), SCHEMA).to_batches(max_chunksize=size):
        digest.add(batch)
    return digest.state


@given(ROWS, st.randoms())
def test_the_order_and_the_batches_of_rows_do_not_change_their_digest(
    rows: list[dict[str, object]], rng: random.Random
) -> None:
    shuffled = rng.sample(rows, len(rows))
    assert digest_of(rows) == digest_of(shuffled, size=2)


@given(ROWS, ROWS)
def test_other_rows_have_another_digest(
    first: list[dict[str, object]], second: list[dict[str, object]]
) -> None:
    first_texts, second_texts = (
        sorted(repr(sorted(row.items())) for row in rows) for rows in (first, second)
    )
    same = first_texts == second_texts
    assert (digest_of(first) == digest_of(second)) is same


@pytest.mark.parametrize(
    ("name", "other"),
    [("value", 8), ("value", None), ("flag", None), ("content", b"x"), ("names", []), ("key", "b")],
)
def test_one_changed_value_changes_the_digest(name: str, other: object) -> None:
    row = {"key": "a", "value": 0, "flag": False, "content": b"", "names": ["a", "b"]}
    assert digest_of([row]) != digest_of([row | {name: other}])
    assert digest_of([row, row]) != digest_of([row])


# manifests of other versions

A_FILE = StoredFile(key="x/stats.parquet", bytes=1, sha256="00")


def manifest_with(name: str, columns: Sequence[Column]) -> Manifest:
    table = StoredTable(name=name, version=1, rows=0, columns=tuple(columns), file=A_FILE)
    return Manifest(
        backup_id=backup_id(FIRST),
        made_at=FIRST,
        program_version="9.9",
        storage_mode=StorageMode.LOCAL,
        database="x",
        tables=(table,),
        catalog=A_FILE,
    )


def test_a_backup_of_an_earlier_version_is_completed_with_nulls() -> None:
    lacking = [column for column in columns_of(HISTORY.schema) if column.name != "scope"]
    require_known(manifest_with("history", lacking))
    rows = HISTORY.schema.empty_table().drop_columns("scope")
    assert HISTORY.completed(rows).schema.equals(HISTORY.schema, check_metadata=True)


@pytest.mark.parametrize(
    ("name", "changed", "problem"),
    [
        ("moods", {}, "the table moods is unknown"),
        ("stats", {"value": None}, "stats: value is missing"),
        ("stats", {"value": "double"}, "stats: value is double, not int64"),
        ("stats", {"mood": "string"}, "stats: mood is unknown"),
    ],
)
def test_a_backup_of_another_version_is_refused_with_its_version(
    name: str, changed: dict[str, str | None], problem: str
) -> None:
    types = {column.name: column.type for column in columns_of(STATS.schema)} | changed
    columns = [Column(name=one, type=kind, nullable=True) for one, kind in types.items() if kind]
    with pytest.raises(StorageSchemaMismatch, match=rf"of version 9\.9 .*{problem}.* Fix: install"):
        require_known(manifest_with(name, columns))


# places


@pytest.mark.parametrize("target", ["gs://bucket/x", "s3://", "s3:///x"])
def test_a_place_that_is_neither_folder_nor_bucket_is_refused(target: str) -> None:
    with pytest.raises(ConfigurationError, match="a backup goes to a folder or to s3://bucket/prefix"):
        place_of(LOCAL, target)


def test_a_command_without_a_place_names_the_setting() -> None:
    with pytest.raises(ConfigurationError, match="set CM_BACKUP_TARGET"):
        place_of(LOCAL)


def test_a_place_beside_the_database_is_used_where_no_other_is_set(tmp_path: Path) -> None:
    database = LOCAL.model_copy(update={"db_path": f"{tmp_path}/metrics.lancedb"})
    assert str(place_beside(database)) == f"{tmp_path}/metrics.backups"
    bucket = LOCAL.model_copy(
        update={"db_path": "s3://bucket", "aws_storage_options": {"aws_region": "eu-central-1"}}
    )
    assert str(place_beside(bucket)) == "s3://bucket/backups"
    set_one = database.model_copy(update={"backup_target": f"{tmp_path}/mine"})
    assert str(place_beside(set_one)) == f"{tmp_path}/mine"
    cluster = LOCAL.model_copy(
        update={"storage_mode": StorageMode.ENTERPRISE, "lancedb_uri": "db://team/metrics"}
    )
    assert str(place_beside(cluster)).endswith("/data/team-metrics.backups")


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    place = place_of(LOCAL, f"{tmp_path}/file/backups")
    with pytest.raises(BackupUnavailable, match=r"stats cannot be written: Not a directory\. Fix: give this"):
        place.put("a/stats", tmp_path / "file")


def test_a_file_that_is_being_written_is_no_file_of_the_place(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/stats.part").write_text("x")
    place = place_of(LOCAL, str(tmp_path))
    (tmp_path / "source").write_text("y")
    place.put("a/stats", tmp_path / "source")
    assert place.keys() == ["a/stats", "source"]
    assert place.unfinished() == []
    (tmp_path / "a/history.part").write_text("z")
    assert place.keys() == ["a/stats", "source"]
    assert place.unfinished() == ["a/history.part"]


# the settings of another database


def test_a_file_of_settings_names_another_database(tmp_path: Path) -> None:
    file = tmp_path / "other.env"
    file.write_text("CM_STORAGE_MODE=enterprise\nCM_LANCEDB_URI=db://other\nCM_LANCEDB_API_KEY=key\n")
    assert settings_from_file(file).storage_location == "db://other"
    assert settings_at(f"{tmp_path}/x").db_path == f"{tmp_path}/x"


def test_a_misspelt_setting_of_such_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.env"
    file.write_text("CM_DB_PAHT=x\n")
    with pytest.raises(
        ConfigurationError, match=r"other\.env cannot be used:\n.*CM_DB_PAHT: is not a setting"
    ):
        settings_from_file(file)
    with pytest.raises(ConfigurationError, match="There is no file"):
        settings_from_file(tmp_path / "missing.env")
