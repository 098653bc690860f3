"""`community-metrics secrets put`, against moto's Secrets Manager and a stand-in for LanceDB Enterprise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from community_metrics.aws.secrets_put import ENTRIES, Vault, entries_for, put_secrets
from community_metrics.errors import ConfigurationError, StorageDenied, StorageUnavailable
from infra import names
from tests.support.enterprise import READ_KEY, WRITE_KEY, Enterprise, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

REGION = "eu-central-1"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enterprise]:
    with serving(Enterprise(tmp_path_factory.mktemp("enterprise"))) as enterprise:
        yield enterprise


@pytest.fixture
def secrets(aws: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Secrets Manager, empty, as the environment of this process names it."""
    for name, value in (
        ("AWS_ENDPOINT_URL", aws),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("secretsmanager", region_name=REGION)
    for found in client.list_secrets()["SecretList"]:
        client.delete_secret(SecretId=found["ARN"], ForceDeleteWithoutRecovery=True)
    return client


@pytest.fixture
def entries(secrets: Any) -> Any:
    for entry in names.SECRETS:
        secrets.create_secret(Name=entry.name)
    return secrets


def answers(cluster: Enterprise, **changes: str) -> dict[str, str]:
    return {
        "lancedb-uri": "db://metrics",
        "lancedb-endpoint": cluster.url,
        "lancedb-read-key": READ_KEY,
        "lancedb-write-key": WRITE_KEY,
        **{key.replace("_", "-"): value for key, value in changes.items()},
    }


async def put(given: Mapping[str, str], storage: str = "enterprise") -> list[str]:
    by_question = {entry.question: given.get(entry.key, "") for entry in ENTRIES}
    stored = await put_secrets(Vault(REGION), storage, lambda question: by_question[question.split(" (")[0]])
    return [entry.key for entry in stored]


def values(secrets: Any) -> dict[str, str]:
    found = {}
    for entry in names.SECRETS:
        try:
            found[entry.key] = secrets.get_secret_value(SecretId=entry.name)["SecretString"]
        except secrets.exceptions.ResourceNotFoundException:
            continue
    return found


def test_the_entries_are_those_that_the_stack_makes() -> None:
    for storage in ("enterprise", "s3"):
        ours = {(entry.name, f"CM_{entry.setting.upper()}", entry.required) for entry in entries_for(storage)}

        assert ours == {(entry.name, entry.variable, entry.required) for entry in names.secrets_for(storage)}


async def test_keys_that_lancedb_takes_are_stored(entries: Any, cluster: Enterprise) -> None:
    stored = await put(answers(cluster, github_token="ghp_x"))

    assert stored == [
        "lancedb-uri",
        "lancedb-endpoint",
        "lancedb-read-key",
        "lancedb-write-key",
        "github-token",
    ]
    assert values(entries) == answers(cluster, github_token="ghp_x")


@pytest.mark.parametrize("key", ["lancedb-read-key", "lancedb-write-key"])
async def test_a_key_that_lancedb_refuses_stores_nothing(entries: Any, cluster: Enterprise, key: str) -> None:
    with pytest.raises(StorageDenied):
        await put({**answers(cluster), key: "a-key-of-somebody-else"})

    assert values(entries) == {}


async def test_a_cluster_that_is_away_stores_nothing(entries: Any, cluster: Enterprise) -> None:
    with pytest.raises(StorageUnavailable):
        await put(answers(cluster, lancedb_endpoint="http://127.0.0.1:9"))

    assert values(entries) == {}


async def test_an_empty_answer_keeps_what_is_there(entries: Any, cluster: Enterprise) -> None:
    await put(answers(cluster))

    assert await put({"github-token": "ghp_new"}) == ["github-token"]
    assert values(entries) == answers(cluster, github_token="ghp_new")


async def test_a_required_secret_cannot_stay_unset(entries: Any, cluster: Enterprise) -> None:
    with pytest.raises(ConfigurationError, match="community-metrics/lancedb-write-key has no value yet"):
        await put(answers(cluster, lancedb_write_key=""))

    assert values(entries) == {}


async def test_a_malformed_value_is_named_and_not_shown(entries: Any) -> None:
    with pytest.raises(ConfigurationError, match="CM_API_TOKEN_HASHES") as refused:
        await put({"api-token-hashes": "not-a-digest"}, storage="s3")

    assert "not-a-digest" not in str(refused.value)
    assert values(entries) == {}


async def test_without_the_stack_it_says_what_to_deploy(secrets: Any) -> None:
    with pytest.raises(ConfigurationError, match="npx cdk deploy community-metrics-secrets"):
        await put({}, storage="s3")


async def test_without_aws_it_says_so_in_one_message(
    entries: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(ConfigurationError, match="refuses community-metrics/github-token"):
        await put({}, storage="s3")
