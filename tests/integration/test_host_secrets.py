"""Secrets from moto's Secrets Manager to files: valid values are written, invalid ones change nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from community_metrics.config import SECRETS_COMPLETE
from community_metrics.host.secrets import RENEWED, renew
from infra.names import Reader, secrets_for
from tests.support.aws import aws_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ, WRITE, URI = (f"community-metrics/lancedb-{name}" for name in ("read-key", "write-key", "uri"))
TOKENS = "community-metrics/api-token-hashes"
VALUES = {READ: "read-key", WRITE: "write-key", URI: "db://metrics"}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of Secrets Manager with the secrets of the stack and the values of an operator."""
    monkeypatch.setenv("CM_STORAGE_MODE", "enterprise")
    with aws_environment(monkeypatch):
        client = boto3.client("secretsmanager")
        for entry in secrets_for("enterprise", delivery=True):  # includes those of "s3"
            client.create_secret(Name=entry.name)
        for name, value in VALUES.items():
            client.put_secret_value(SecretId=name, SecretString=value)
        yield client


@pytest.fixture
def names(tmp_path: Path) -> Path:
    return names_for("enterprise", tmp_path)


def names_for(storage: str, folder: Path) -> Path:
    readers = {
        reader: {entry.id_variable: entry.name for entry in secrets_for(storage, reader, delivery=True)}
        for reader in Reader
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
def test_each_reader_gets_its_own_secrets_only(names: Path, folder: Path) -> None:
    assert renew(names, folder) == []

    assert held(folder, "api") == {"lancedb_api_key": "read-key", "lancedb_uri": "db://metrics"}
    assert held(folder, "jobs") == {"lancedb_api_key": "write-key", "lancedb_uri": "db://metrics"}
    assert {path.stat().st_mode & 0o777 for path in (folder / "api").iterdir()} == {0o400}
    assert is_complete(folder, "api")
    assert is_complete(folder, "jobs")


def test_the_addresses_and_keys_of_targets_reach_the_deliveries_alone(
    secrets: Any, names: Path, folder: Path
) -> None:
    text = '{"CM_DELIVERY_URL_TEAM": "https://hooks.example.org/services/T0/B0/secret"}'
    secrets.put_secret_value(SecretId="community-metrics/delivery", SecretString=text)

    assert renew(names, folder) == []

    key = {"lancedb_api_key": "write-key", "lancedb_uri": "db://metrics"}
    assert held(folder, "deliver") == {**key, "delivery": text}
    assert held(folder, "jobs") == key
    assert "delivery" not in held(folder, "api")


@pytest.mark.usefixtures("secrets")
def test_unchanged_secrets_need_no_restart(names: Path, folder: Path) -> None:
    renew(names, folder)
    (folder / RENEWED).unlink()

    assert renew(names, folder) == []
    assert not (folder / RENEWED).exists()


def test_with_a_bucket_the_first_token_restarts_the_running_api(
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


def test_a_rotated_key_of_the_api_restarts_it(secrets: Any, names: Path, folder: Path) -> None:
    renew(names, folder)
    (folder / RENEWED).unlink()
    secrets.put_secret_value(SecretId=READ, SecretString="rotated")

    assert renew(names, folder) == []
    assert held(folder, "api")["lancedb_api_key"] == "rotated"
    assert (folder / RENEWED).exists()


def test_a_rotated_key_of_the_jobs_restarts_nothing(secrets: Any, names: Path, folder: Path) -> None:
    renew(names, folder)
    (folder / RENEWED).unlink()
    secrets.put_secret_value(SecretId=WRITE, SecretString="rotated")

    assert renew(names, folder) == []
    assert held(folder, "jobs")["lancedb_api_key"] == "rotated"
    assert not (folder / RENEWED).exists()


def test_an_invalid_value_is_reported_and_not_written(secrets: Any, names: Path, folder: Path) -> None:
    renew(names, folder)
    secrets.put_secret_value(SecretId=READ, SecretString="half a key")

    (error,) = renew(names, folder)

    assert "api: " in error
    assert "CM_LANCEDB_API_KEY: holds a space" in error
    assert "half a key" not in error
    assert held(folder, "api")["lancedb_api_key"] == "read-key"


def test_after_a_value_is_deleted_the_old_one_stays_and_the_error_is_reported(
    secrets: Any, names: Path, folder: Path
) -> None:
    renew(names, folder)
    secrets.delete_secret(SecretId=READ, ForceDeleteWithoutRecovery=True)
    secrets.create_secret(Name=READ)

    assert renew(names, folder) == [f"api: {READ} no longer has a value. Fix: store it again"]
    assert held(folder, "api")["lancedb_api_key"] == "read-key"


def test_without_a_required_value_nothing_is_written_for_its_reader(
    secrets: Any, names: Path, folder: Path
) -> None:
    secrets.delete_secret(SecretId=WRITE, ForceDeleteWithoutRecovery=True)
    secrets.create_secret(Name=WRITE)

    errors = renew(names, folder)

    assert [error.partition(": ")[0] for error in errors] == ["jobs", "deliver"]
    assert all("CM_LANCEDB_API_KEY: is not set" in error for error in errors)
    assert held(folder, "jobs") == held(folder, "deliver") == {}
    assert held(folder, "api")["lancedb_api_key"] == "read-key"
    assert not is_complete(folder, "jobs")


def test_at_boot_the_api_gets_no_secret_while_its_tokens_cannot_be_read(
    secrets: Any, names: Path, folder: Path
) -> None:
    secrets.delete_secret(SecretId=TOKENS, ForceDeleteWithoutRecovery=True)

    errors = renew(names, folder)

    assert errors[0].startswith(
        f"api: CM_API_TOKEN_HASHES_SECRET: {TOKENS}: not found. Fix: create the secret"
    )
    assert "`sudo systemctl start community-metrics-secrets`" in errors[1]
    assert held(folder, "api") == {}
    assert not is_complete(folder, "api")
    assert held(folder, "jobs")["lancedb_api_key"] == "write-key"


def test_with_a_bucket_the_api_does_not_start_with_invalid_tokens(
    secrets: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path
) -> None:
    monkeypatch.setenv("CM_STORAGE_MODE", "local")
    monkeypatch.setenv("CM_DB_PATH", "s3://data/lancedb")
    secrets.put_secret_value(SecretId=TOKENS, SecretString="no-digest")

    (error,) = renew(names_for("s3", tmp_path), folder)

    assert "CM_API_TOKEN_HASHES" in error
    assert not is_complete(folder, "api")


def test_a_secret_that_can_be_read_later_is_written_then(secrets: Any, names: Path, folder: Path) -> None:
    secrets.delete_secret(SecretId=TOKENS, ForceDeleteWithoutRecovery=True)
    renew(names, folder)
    secrets.create_secret(Name=TOKENS, SecretString="a1" * 32)

    assert renew(names, folder) == []
    assert held(folder, "api")["api_token_hashes"] == "a1" * 32
    assert is_complete(folder, "api")


def test_an_unreadable_secret_keeps_its_value_and_the_others_are_renewed(
    secrets: Any, names: Path, folder: Path
) -> None:
    renew(names, folder)
    secrets.delete_secret(SecretId=URI, ForceDeleteWithoutRecovery=True)
    secrets.put_secret_value(SecretId=READ, SecretString="rotated")

    errors = renew(names, folder)

    assert [error.partition(": ")[0] for error in errors] == ["api", "jobs", "deliver"]
    assert held(folder, "api") == {"lancedb_api_key": "rotated", "lancedb_uri": "db://metrics"}


def test_while_a_secret_without_a_previous_value_is_unreadable_nothing_is_renewed(
    secrets: Any, names: Path, folder: Path
) -> None:
    renew(names, folder)
    secrets.delete_secret(SecretId=TOKENS, ForceDeleteWithoutRecovery=True)
    secrets.put_secret_value(SecretId=READ, SecretString="rotated")

    renew(names, folder)

    assert held(folder, "api") == {"lancedb_api_key": "read-key", "lancedb_uri": "db://metrics"}
    assert is_complete(folder, "api")


def test_the_restart_is_requested_before_a_value_is_written(secrets: Any, names: Path, folder: Path) -> None:
    renew(names, folder)
    (folder / RENEWED).unlink()
    secrets.put_secret_value(SecretId=READ, SecretString="rotated")
    blocked = folder / "api" / "lancedb_api_key.new"
    blocked.mkdir()  # the write fails as if the process were killed

    with pytest.raises(OSError, match=blocked.name):
        renew(names, folder)

    assert held_key(folder) == "read-key"
    assert (folder / RENEWED).exists()


def test_a_leftover_of_a_killed_process_does_not_block_the_next_value(
    secrets: Any, names: Path, folder: Path
) -> None:
    left = folder / "api" / "lancedb_api_key.new"
    left.symlink_to(folder / "nowhere" / "else")  # nobody can write it, not even root

    assert renew(names, folder) == []
    assert held_key(folder) == "read-key"
    assert not left.exists()
