"""Secrets from moto's Secrets Manager to files: what can be used arrives, what cannot changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from community_metrics.config import SECRETS_COMPLETE
from community_metrics.host.secrets import RENEWED, renew
from infra.names import Reader, secrets_for
from tests.support.aws import believed_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ, WRITE, URI = (f"community-metrics/lancedb-{name}" for name in ("read-key", "write-key", "uri"))
TOKENS = "community-metrics/api-token-hashes"
VALUES = {READ: "read-key", WRITE: "write-key", URI: "db://metrics"}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of Secrets Manager as the secrets stack leaves it, with the values of an operator."""
    monkeypatch.setenv("CM_STORAGE_MODE", "enterprise")
    with believed_aws(monkeypatch):
        client = boto3.client("secretsmanager")
        for entry in secrets_for("enterprise"):  # those of "s3" among them
            client.create_secret(Name=entry.name)
        for name, value in VALUES.items():
            client.put_secret_value(SecretId=name, SecretString=value)
        yield client


@pytest.fixture
def names(tmp_path: Path) -> Path:
    return names_for("enterprise", tmp_path)


def names_for(storage: str, folder: Path) -> Path:
    readers = {
        reader: {entry.id_variable: entry.name for entry in secrets_for(storage, reader)} for reader in Reader
    }
    path = folder / "secrets.json"
    path.write_text(json.dumps(readers), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for reader in Reader:
        (tmp_path / "secrets" / reader).mkdir(parents=True)
    return tmp_path / "secrets"


def held(folder: Path, reader: str) -> dict[str, str]:
    values = (path for path in (folder / reader).iterdir() if path.name != SECRETS_COMPLETE)
    return {path.name: path.read_text(encoding="utf-8") for path in values}


def held_key(folder: Path) -> str:
    return (folder / "api" / "lancedb_api_key").read_text(encoding="utf-8")


def is_complete(folder: Path, reader: str) -> bool:
    return (folder / reader / SECRETS_COMPLETE).exists()


@pytest.mark.usefixtures("secrets")
def test_each_reader_gets_its_own_and_no_other(names: Path, folder: Path) -> None:
    assert renew(names, folder) == []

    assert held(folder, "api") == {"lancedb_api_key": "read-key", "lancedb_uri": "db://metrics"}
    assert held(folder, "jobs") == {"lancedb_api_key": "write-key", "lancedb_uri": "db://metrics"}
    assert {path.stat().st_mode & 0o777 for path in (folder / "api").iterdir()} == {0o400}
    assert is_complete(folder, "api")
    assert is_complete(folder, "jobs")


@pytest.mark.usefixtures("secrets")
def test_what_is_as_it_was_asks_for_no_restart(names: Path, folder: Path) -> None:
    renew(names, folder)
    (folder / RENEWED).unlink()

    assert renew(names, folder) == []
    assert not (folder / RENEWED).exists()


def test_with_a_bucket_the_first_token_reaches_the_api_that_runs_without(
    secrets: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    monkeypatch.setenv("CM_STORAGE_MODE", "local")
    monkeypatch.setenv("CM_DB_PATH", "s3://data/lancedb")
    names = names_for("s3", tmp_path)
    assert renew(names, folder) == []
    assert held(folder, "api") == {}
    assert is_complete(folder, "api")
    assert not (folder / RENEWED).exists()
    secrets.put_secret_value(SecretId=TOKENS, SecretString="a1" * 32)

    assert renew(names, folder) == []

    assert held(folder, "api") == {"api_token_hashes": "a1" * 32}
    assert (folder / RENEWED).exists()


def test_a_rotated_key_of_the_api_asks_for_its_restart(secrets: Any, names: Path, folder: Path) -> None:
    renew(names, folder)
    (folder / RENEWED).unlink()
    secrets.put_secret_value(SecretId=READ, SecretString="rotated")

    assert renew(names, folder) == []
    assert held(folder, "api")["lancedb_api_key"] == "rotated"
    assert (folder / RENEWED).exists()


def test_a_rotated_key_of_the_jobs_does_not(secrets: Any, names: Path, folder: Path) -> None:
    renew(names, folder)
    (folder / RENEWED).unlink()
    secrets.put_secret_value(SecretId=WRITE, SecretString="rotated")

    assert renew(names, folder) == []
    assert held(folder, "jobs")["lancedb_api_key"] == "rotated"
    assert not (folder / RENEWED).exists()


def test_a_value_that_cannot_be_used_is_told_and_not_taken(secrets: Any, names: Path, folder: Path) -> None:
    renew(names, folder)
    secrets.put_secret_value(SecretId=READ, SecretString="half a key")

    (fault,) = renew(names, folder)

    assert "api: " in fault
    assert "CM_LANCEDB_API_KEY: holds a space" in fault
    assert "half a key" not in fault
    assert held(folder, "api")["lancedb_api_key"] == "read-key"


def test_a_value_that_is_lost_goes_on_serving_and_is_told(secrets: Any, names: Path, folder: Path) -> None:
    renew(names, folder)
    secrets.delete_secret(SecretId=READ, ForceDeleteWithoutRecovery=True)
    secrets.create_secret(Name=READ)

    assert renew(names, folder) == [f"api: {READ} has lost its value; put it back"]
    assert held(folder, "api")["lancedb_api_key"] == "read-key"


def test_without_a_required_value_nothing_is_written_for_that_reader(
    secrets: Any, names: Path, folder: Path
) -> None:
    secrets.delete_secret(SecretId=WRITE, ForceDeleteWithoutRecovery=True)
    secrets.create_secret(Name=WRITE)

    (fault,) = renew(names, folder)

    assert "jobs: " in fault
    assert "CM_LANCEDB_API_KEY: is not set" in fault
    assert held(folder, "jobs") == {}
    assert held(folder, "api")["lancedb_api_key"] == "read-key"
    assert not is_complete(folder, "jobs")


def test_at_boot_nothing_is_handed_over_to_an_api_whose_tokens_cannot_be_read(
    secrets: Any, names: Path, folder: Path
) -> None:
    secrets.delete_secret(SecretId=TOKENS, ForceDeleteWithoutRecovery=True)

    faults = renew(names, folder)

    assert faults[0].startswith(f"api: CM_API_TOKEN_HASHES_SECRET: {TOKENS}: there is no such entry")
    assert "`sudo systemctl start community-metrics-secrets`" in faults[1]
    assert held(folder, "api") == {}
    assert not is_complete(folder, "api")
    assert held(folder, "jobs")["lancedb_api_key"] == "write-key"


def test_with_a_bucket_tokens_that_cannot_be_used_at_boot_are_no_leave_to_start_without(
    secrets: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    monkeypatch.setenv("CM_STORAGE_MODE", "local")
    monkeypatch.setenv("CM_DB_PATH", "s3://data/lancedb")
    secrets.put_secret_value(SecretId=TOKENS, SecretString="no-digest")

    (fault,) = renew(names_for("s3", tmp_path), folder)

    assert "CM_API_TOKEN_HASHES" in fault
    assert not is_complete(folder, "api")


def test_what_could_not_be_read_at_boot_is_handed_over_as_soon_as_it_can(
    secrets: Any, names: Path, folder: Path
) -> None:
    secrets.delete_secret(SecretId=TOKENS, ForceDeleteWithoutRecovery=True)
    renew(names, folder)
    secrets.create_secret(Name=TOKENS, SecretString="a1" * 32)

    assert renew(names, folder) == []
    assert held(folder, "api")["api_token_hashes"] == "a1" * 32
    assert is_complete(folder, "api")


def test_a_value_that_cannot_be_read_again_goes_on_serving_beside_one_that_is_new(
    secrets: Any, names: Path, folder: Path
) -> None:
    renew(names, folder)
    secrets.delete_secret(SecretId=URI, ForceDeleteWithoutRecovery=True)
    secrets.put_secret_value(SecretId=READ, SecretString="rotated")

    faults = renew(names, folder)

    assert [fault.partition(": ")[0] for fault in faults] == ["api", "jobs"]
    assert held(folder, "api") == {"lancedb_api_key": "rotated", "lancedb_uri": "db://metrics"}


def test_an_entry_without_a_value_that_cannot_be_read_holds_back_what_is_new(
    secrets: Any, names: Path, folder: Path
) -> None:
    renew(names, folder)
    secrets.delete_secret(SecretId=TOKENS, ForceDeleteWithoutRecovery=True)
    secrets.put_secret_value(SecretId=READ, SecretString="rotated")

    renew(names, folder)

    assert held(folder, "api") == {"lancedb_api_key": "read-key", "lancedb_uri": "db://metrics"}
    assert is_complete(folder, "api")


def test_the_restart_is_asked_for_before_a_value_is_written(secrets: Any, names: Path, folder: Path) -> None:
    renew(names, folder)
    (folder / RENEWED).unlink()
    secrets.put_secret_value(SecretId=READ, SecretString="rotated")
    blocked = folder / "api" / "lancedb_api_key.new"
    blocked.mkdir()  # the write ends as a kill would end it

    with pytest.raises(OSError, match=blocked.name):
        renew(names, folder)

    assert held_key(folder) == "read-key"
    assert (folder / RENEWED).exists()


def test_what_a_kill_left_half_written_blocks_no_later_value(secrets: Any, names: Path, folder: Path) -> None:
    left = folder / "api" / "lancedb_api_key.new"
    left.symlink_to(folder / "nowhere" / "else")  # cannot be written by anybody, root among them

    assert renew(names, folder) == []
    assert held_key(folder) == "read-key"
    assert not left.exists()
