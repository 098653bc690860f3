from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from community_metrics.config import Settings
from community_metrics.errors import StorageSchemaMismatch, StorageUnavailable
from community_metrics.storage import LanceDBReader, LanceDBStore

if TYPE_CHECKING:
    from pathlib import Path


def settings(path: str | Path) -> Settings:
    return Settings(_env_file=None, db_path=str(path))


@pytest.mark.parametrize("kind", [LanceDBReader, LanceDBStore])
async def test_reading_a_missing_database_creates_none(kind: type[LanceDBReader], tmp_path: Path) -> None:
    async with kind.open(settings(tmp_path / "nothing")) as reader:
        with pytest.raises(StorageSchemaMismatch, match=r"bootstrap.*CM_DB_PATH"):
            await reader.metrics()
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("place", ["/proc/db", "{}/file/db"])
async def test_a_folder_that_cannot_be_created_is_named(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    async with LanceDBStore.open(settings(place.format(tmp_path))) as store:
        with pytest.raises(StorageUnavailable, match=r"The folder .*/db cannot be created: .*CM_DB_PATH"):
            await store.create_tables()


async def test_a_file_is_not_a_database_and_is_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    async with LanceDBStore.open(settings(file)) as store:
        for use in (store.create_tables, store.metrics):
            with pytest.raises(StorageUnavailable, match=r"file is a file.*CM_DB_PATH"):
                await use()
    assert file.read_text() == "in the way"


async def test_a_relative_path_that_looks_like_a_cloud_address_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with LanceDBStore.open(settings("db")) as store:
        await store.create_tables()
    assert (tmp_path / "db" / "stats.lance").is_dir()


async def test_an_unreachable_bucket_is_unavailable_soon(tmp_path: Path) -> None:
    options = {
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
        "aws_region": "eu-west-1",
        "aws_endpoint": "http://127.0.0.1:9",
        "allow_http": "true",
    }
    nobody = Settings(_env_file=None, db_path="s3://bucket/x", aws_storage_options=options)
    async with LanceDBReader.open(nobody) as reader:
        with pytest.raises(StorageUnavailable, match="AWS_ENDPOINT_URL"):
            await reader.metrics()


async def test_a_reader_can_be_awaited_and_closed_twice(tmp_path: Path) -> None:
    async with LanceDBStore.open(settings(tmp_path / "db")) as store:
        await store.create_tables()
    reader = await LanceDBReader.open(settings(tmp_path / "db"))
    assert await reader.metrics() == []
    await reader.close()
    await reader.close()


def test_a_reader_has_no_way_to_write() -> None:
    writes = {
        "create_tables",
        "drop_tables",
        "upsert_metrics",
        "upsert_observations",
        "record_run",
        "optimize",
    }
    assert not writes & set(dir(LanceDBReader))


def test_importing_storage_does_not_import_lancedb() -> None:
    check = "import sys, community_metrics.storage; sys.exit('lancedb' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, env=dict(os.environ))
