"""`community-metrics secrets put`, against moto's Secrets Manager and a fake LanceDB Enterprise."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from community_metrics.aws import key_check, secrets_put
from community_metrics.aws.key_check import WRITE_NOT_CHECKED
from community_metrics.aws.secrets_put import (
    ENTRIES,
    KEYS_NOT_CHECKED,
    Deployment,
    PutResult,
    SecretsManager,
    entries_for,
    put_secrets,
    settings_as_deployed,
)
from community_metrics.errors import ConfigurationError, StorageDenied, StorageUnavailable
from community_metrics.storage import LanceDBStore
from infra import names
from tests.support.aws import REGION, aws_environment
from tests.support.enterprise import READ_KEY, WRITE_KEY, Enterprise, serving
from tests.support.origins import KEEP_SECRETS, LEAK_SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

KEYS = ("lancedb-read-key", "lancedb-write-key")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enterprise]:
    with serving(Enterprise(tmp_path_factory.mktemp("enterprise"))) as enterprise:
        yield enterprise


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty Secrets Manager, in the environment of this process."""
    with aws_environment(monkeypatch):
        yield boto3.client("secretsmanager", region_name=REGION)


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


async def filled(
    given: Mapping[str, str],
    storage: str = "enterprise",
    stage: str = "",
    *,
    reachable: bool = True,
    delivery: bool = False,
) -> PutResult:
    by_prompt = {entry.prompt: given.get(entry.key, "") for entry in ENTRIES}
    deployment = Deployment(storage, stage=stage, reachable=reachable, delivery=delivery)
    return await put_secrets(
        SecretsManager(REGION, deployment), deployment, lambda prompt: by_prompt[prompt.split(" (")[0]]
    )


async def put(given: Mapping[str, str], storage: str = "enterprise") -> list[str]:
    return [entry.key for entry in (await filled(given, storage)).stored]


async def bootstrap(cluster: Enterprise, database: str) -> None:
    given = {
        secrets_put.URI: f"db://{database}",
        secrets_put.ENDPOINT: cluster.url,
        secrets_put.WRITE_KEY: WRITE_KEY,
    }
    settings = settings_as_deployed(given, Deployment("enterprise"), secrets_put.WRITE_KEY)
    async with LanceDBStore.open(settings) as store:
        await store.create_tables()


def values(secrets: Any) -> dict[str, str]:
    found = {}
    for entry in names.SECRETS:
        try:
            found[entry.key] = secrets.get_secret_value(SecretId=entry.name)["SecretString"]
        except secrets.exceptions.ResourceNotFoundException:
            continue
    return found


def test_the_secrets_are_those_of_the_stack() -> None:
    for storage, stage, delivery in product(("enterprise", "s3"), ("", "staging"), (False, True)):
        name = Deployment(storage, stage=stage).name
        ours = {
            (name(entry), f"CM_{entry.setting.upper()}", entry.required)
            for entry in entries_for(storage, delivery=delivery)
        }

        assert ours == {
            (names.staged(entry.name, stage), entry.variable, entry.required)
            for entry in names.secrets_for(storage, delivery=delivery)
        }


async def test_without_deliveries_their_secret_is_neither_read_nor_needed(
    secrets: Any, cluster: Enterprise
) -> None:
    for entry in names.secrets_for("enterprise"):
        secrets.create_secret(Name=entry.name)

    assert "delivery" not in await put(answers(cluster, delivery="{}"))


async def test_with_deliveries_their_addresses_and_keys_are_stored(entries: Any, cluster: Enterprise) -> None:
    text = '{"CM_DELIVERY_URL_TEAM": "https://hooks.example.org/services/T0/B0/secret"}'

    result = await filled(answers(cluster, delivery=text), delivery=True)

    assert "delivery" in {entry.key for entry in result.stored}
    assert values(entries)["delivery"] == text


async def test_valid_keys_are_stored(entries: Any, cluster: Enterprise) -> None:
    stored = await put(answers(cluster, github_token="ghp_x"))

    assert stored == [
        "lancedb-uri",
        "lancedb-endpoint",
        "lancedb-read-key",
        "lancedb-write-key",
        "github-token",
    ]
    assert values(entries) == answers(cluster, github_token="ghp_x")


@pytest.mark.parametrize("key", KEYS)
async def test_if_lancedb_rejects_a_key_nothing_is_stored(
    entries: Any, cluster: Enterprise, key: str
) -> None:
    with pytest.raises(StorageDenied, match="key"):
        await put({**answers(cluster), key: "a-key-of-another-cluster"})

    assert values(entries) == {}


UNREACHABLE = "http://127.0.0.1:9"


async def test_if_the_cluster_is_unreachable_nothing_is_stored(entries: Any, cluster: Enterprise) -> None:
    with pytest.raises(StorageUnavailable, match=r"cannot be reached.* store the secrets with --unchecked"):
        await put(answers(cluster, lancedb_endpoint=UNREACHABLE))

    assert values(entries) == {}


async def test_unchecked_keys_of_an_unreachable_cluster_are_stored_with_a_note(
    entries: Any, cluster: Enterprise
) -> None:
    given = answers(cluster, lancedb_endpoint=UNREACHABLE)

    assert (await filled(given, reachable=False)).notes == (KEYS_NOT_CHECKED,)
    assert values(entries) == given
    # the same command is for a host and for Lambda, where no boot checks the keys
    for place in (
        "A host checks them when it boots",
        "With Lambda nothing checks them: request /api/v1/ready",
    ):
        assert place in KEYS_NOT_CHECKED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lancedb_uri": "https://metrics"}, "CM_LANCEDB_URI"),
        ({"lancedb_write_key": READ_KEY}, "are the same key"),
        ({"lancedb_read_key": ""}, "lancedb-read-key has no value"),
    ],
    ids=str,
)
async def test_without_the_check_of_the_keys_invalid_values_are_rejected_too(
    entries: Any, cluster: Enterprise, change: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        await filled(answers(cluster, **change), reachable=False)

    assert values(entries) == {}


def test_the_checked_keys_are_those_of_the_secrets() -> None:
    assert (secrets_put.READ_KEY.key, secrets_put.WRITE_KEY.key) == (key_check.READ_KEY, key_check.WRITE_KEY)


async def test_an_empty_answer_keeps_the_stored_value(entries: Any, cluster: Enterprise) -> None:
    await put(answers(cluster))

    assert await put({"github-token": "ghp_new"}) == ["github-token"]
    assert values(entries) == answers(cluster, github_token="ghp_new")


async def test_a_required_secret_must_have_a_value(entries: Any, cluster: Enterprise) -> None:
    with pytest.raises(ConfigurationError, match="community-metrics/lancedb-write-key has no value"):
        await put(answers(cluster, lancedb_write_key=""))

    assert values(entries) == {}


async def test_the_same_key_for_both_is_rejected(entries: Any, cluster: Enterprise) -> None:
    with pytest.raises(ConfigurationError, match="are the same key"):
        await put(answers(cluster, lancedb_read_key=WRITE_KEY))

    assert values(entries) == {}


async def test_swapped_keys_are_found_if_the_database_has_tables(entries: Any, cluster: Enterprise) -> None:
    await bootstrap(cluster, "swapped")
    swapped = {"lancedb-uri": "db://swapped", "lancedb-read-key": WRITE_KEY, "lancedb-write-key": READ_KEY}

    with pytest.raises(StorageDenied, match=r"^Nothing was stored: lancedb-write-key was rejected"):
        await put({**answers(cluster), **swapped})

    assert values(entries) == {}


async def test_without_tables_a_note_reports_that_the_write_key_is_not_checked(
    entries: Any, cluster: Enterprise
) -> None:
    assert (await filled(answers(cluster, lancedb_uri="db://empty"))).notes == (WRITE_NOT_CHECKED,)

    await bootstrap(cluster, "empty")
    assert (await filled({})).notes == ()


async def test_the_check_takes_no_lease(entries: Any, cluster: Enterprise) -> None:
    await bootstrap(cluster, "idle")
    await put(answers(cluster, lancedb_uri="db://idle"))
    given = {entry: values(entries).get(entry.key) for entry in ENTRIES}

    settings = settings_as_deployed(given, Deployment("enterprise"), secrets_put.READ_KEY)
    async with LanceDBStore.open(settings) as store:
        assert await store.lease() is None


async def test_the_check_ignores_the_environment_of_this_shell(
    entries: Any, cluster: Enterprise, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CM_CORS_ORIGINS", "*")
    monkeypatch.setenv("CM_STORAGE_MODE", "local")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("CM_API_TOKEN_HASHES=not-a-digest\nCM_LANCEDB_REGION=eu-west-9\n")

    assert await put(answers(cluster)) == ["lancedb-uri", "lancedb-endpoint", *KEYS]


def test_the_region_of_the_cluster_is_that_of_the_deployment() -> None:
    given = {
        secrets_put.URI: "db://metrics",
        secrets_put.READ_KEY: READ_KEY,
        secrets_put.WRITE_KEY: WRITE_KEY,
    }

    settings = settings_as_deployed(given, Deployment("enterprise", "us-west-2"), secrets_put.READ_KEY)

    assert settings.lancedb_region == "us-west-2"
    assert settings.lancedb_api_key is not None
    assert settings.lancedb_api_key.get_secret_value() == READ_KEY


async def test_a_secret_with_bytes_is_reported(entries: Any) -> None:
    entries.put_secret_value(SecretId="community-metrics/github-token", SecretBinary=b"ghp_x")

    with pytest.raises(
        ConfigurationError, match="community-metrics/github-token in eu-central-1 holds bytes"
    ):
        await put({}, storage="s3")


async def test_an_invalid_value_is_reported_and_not_shown(entries: Any) -> None:
    with pytest.raises(ConfigurationError, match="CM_API_TOKEN_HASHES") as refused:
        await put({"api-token-hashes": "not-a-digest"}, storage="s3")

    assert "not-a-digest" not in str(refused.value)
    assert values(entries) == {}


@pytest.mark.parametrize("url", LEAK_SECRETS)
async def test_an_unencrypted_endpoint_is_rejected_without_a_request(
    entries: Any, cluster: Enterprise, url: str
) -> None:
    with pytest.raises(
        ConfigurationError, match=r"CM_LANCEDB_HOST_OVERRIDE: .* unencrypted\. Fix: write https://"
    ):
        await put(answers(cluster, lancedb_endpoint=url))

    assert values(entries) == {}


@pytest.mark.parametrize("url", KEEP_SECRETS)
def test_an_encrypted_or_loopback_endpoint_is_accepted(url: str) -> None:
    given = {secrets_put.URI: "db://metrics", secrets_put.ENDPOINT: url, secrets_put.READ_KEY: READ_KEY}
    settings = settings_as_deployed(given, Deployment("enterprise"), secrets_put.READ_KEY)
    assert settings.lancedb_host_override == url


async def test_without_the_stack_the_error_has_the_command_to_deploy_it(secrets: Any) -> None:
    with pytest.raises(ConfigurationError, match="npx cdk deploy community-metrics-secrets"):
        await put({}, storage="s3")


async def test_without_credentials_the_error_is_one_message(
    entries: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(
        ConfigurationError, match="Secrets Manager in eu-central-1, community-metrics/github-token"
    ):
        await put({}, storage="s3")
