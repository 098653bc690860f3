"""The check of LanceDB's keys at boot, against a fake LanceDB Enterprise."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from community_metrics.aws.key_check import WRITE_NOT_CHECKED
from community_metrics.config import Settings, StorageMode
from community_metrics.host.check_keys import main
from community_metrics.storage import LanceDBStore
from tests.support.enterprise import READ_KEY, WRITE_KEY, Enterprise, Fault, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCEPTED = "LanceDB accepts the keys.\n"
UNREACHABLE = "http://127.0.0.1:9"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Enterprise]:
    """A cluster without tables, in the environment file of the host."""
    monkeypatch.setenv("CM_STORAGE_MODE", "enterprise")
    with serving(Enterprise(tmp_path / "cluster")) as cluster:
        yield cluster


def create_tables(cluster: Enterprise) -> None:
    settings = Settings(
        _env_file=None,
        storage_mode=StorageMode.ENTERPRISE,
        lancedb_uri="db://metrics",
        lancedb_host_override=cluster.url,
        lancedb_api_key=WRITE_KEY,
    )

    async def create() -> None:
        async with LanceDBStore.open(settings) as store:
            await store.create_tables()

    asyncio.run(create())


def secrets_of(folder: Path, url: str, *, read_key: str = READ_KEY, write_key: str = WRITE_KEY) -> Path:
    """Write the values of each reader, as `community_metrics.host.secrets` does."""
    for reader, key in (("api", read_key), ("jobs", write_key)):
        (folder / reader).mkdir()
        values = {"lancedb_uri": "db://metrics", "lancedb_host_override": url, "lancedb_api_key": key}
        for name, value in values.items():
            (folder / reader / name).write_text(value, encoding="utf-8")
    return folder


def test_valid_keys_are_accepted(
    cluster: Enterprise, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create_tables(cluster)

    assert main(secrets_of(tmp_path, cluster.url)) == 0
    assert capsys.readouterr().out == ACCEPTED


def test_before_the_bootstrap_a_note_reports_that_the_write_key_is_not_checked(
    cluster: Enterprise, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(secrets_of(tmp_path, cluster.url)) == 0
    assert capsys.readouterr().out == f"{ACCEPTED}{WRITE_NOT_CHECKED}\n"


@pytest.mark.parametrize(
    ("keys", "rejected"),
    [
        ({"read_key": "of-another-cluster"}, "lancedb-read-key"),
        ({"write_key": "of-another-cluster"}, "lancedb-write-key"),
        ({"read_key": WRITE_KEY, "write_key": READ_KEY}, "lancedb-write-key"),
    ],
    ids=["read", "write", "swapped"],
)
def test_a_rejected_key_is_named_and_not_shown(
    cluster: Enterprise,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    keys: dict[str, str],
    rejected: str,
) -> None:
    create_tables(cluster)

    assert main(secrets_of(tmp_path, cluster.url, **keys)) == 1
    printed = capsys.readouterr().out
    assert printed.startswith(f"The keys of LanceDB cannot be used: {rejected} was rejected.")
    assert not {READ_KEY, WRITE_KEY, "of-another-cluster"} & set(printed.split())


def test_a_cluster_that_is_unreachable_is_tried_again(
    cluster: Enterprise, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create_tables(cluster)
    cluster.faults.append(Fault(status=503, times=3))  # as often as the client itself tries

    assert main(secrets_of(tmp_path, cluster.url), waits_s=(0.0,)) == 0
    assert capsys.readouterr().out.startswith("LanceDB is unavailable, next try in 0 s: ")


def test_a_cluster_that_stays_unreachable_fails_the_boot_with_the_address_to_check(
    cluster: Enterprise, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(secrets_of(tmp_path, UNREACHABLE), waits_s=()) == 1
    assert "Fix: check CM_LANCEDB_URI and CM_LANCEDB_HOST_OVERRIDE" in capsys.readouterr().out
