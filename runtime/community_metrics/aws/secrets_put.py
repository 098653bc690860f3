"""Store a deployment's secrets in Secrets Manager, after checking the keys against LanceDB.

The secrets stack (`infra/secrets_stack.py`) creates the secrets, without values, under the same names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from community_metrics.aws.key_check import check_keys
from community_metrics.config import given_settings
from community_metrics.errors import ConfigurationError, StorageDenied, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from types_boto3_secretsmanager import SecretsManagerClient

    from community_metrics.config import Settings

PREFIX: Final = "community-metrics"
_NOT_FOUND: Final = "ResourceNotFoundException"
KEYS_NOT_CHECKED: Final = (
    "The keys are not checked. A host checks them when it boots: if LanceDB rejects one, the deploy fails. "
    "With Lambda nothing checks them: request /api/v1/ready after the deploy."
)


@dataclass(frozen=True, slots=True)
class SecretEntry:
    """One secret: the end of its name, its setting, and the prompt for its value."""

    key: str
    setting: str
    prompt: str
    enterprise_only: bool = False
    required: bool = False


READ_KEY: Final = SecretEntry("lancedb-read-key", "lancedb_api_key", "LanceDB key, read-only", True, True)
WRITE_KEY: Final = SecretEntry(
    "lancedb-write-key", "lancedb_api_key", "LanceDB key, read and write", True, True
)
URI: Final = SecretEntry("lancedb-uri", "lancedb_uri", "LanceDB database, db://<name>", True, True)
ENDPOINT: Final = SecretEntry(
    "lancedb-endpoint", "lancedb_host_override", "Endpoint of a private cluster, https://<host>", True
)
GITHUB_TOKEN: Final = SecretEntry("github-token", "github_token", "GitHub token without scopes")
TOKEN_HASHES: Final = SecretEntry(
    "api-token-hashes", "api_token_hashes", "SHA-256 of accepted API tokens, comma separated"
)
DELIVERY: Final = SecretEntry(
    "delivery", "delivery", "Addresses and keys of deliveries, a JSON object as docs/digest.md shows it"
)
ENTRIES: Final = (URI, ENDPOINT, READ_KEY, WRITE_KEY, GITHUB_TOKEN, TOKEN_HASHES, DELIVERY)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Settings of the same names in `deployment.toml`; the storage is `enterprise` or `s3`.

    `delivery` says whether it has that table. `reachable` is false if this machine cannot reach the
    cluster, so that the keys are not checked here.
    """

    storage: str
    lancedb_region: str | None = None
    stage: str = ""
    reachable: bool = True
    delivery: bool = False

    @property
    def prefix(self) -> str:
        """The beginning of the names of the deployment's stacks and secrets."""
        return f"{PREFIX}-{self.stage}" if self.stage else PREFIX

    def name(self, entry: SecretEntry) -> str:
        """Return the name of a secret in Secrets Manager."""
        return f"{self.prefix}/{entry.key}"


@dataclass(frozen=True, slots=True)
class PutResult:
    """The secrets that were stored, and notes about what could not be checked."""

    stored: tuple[SecretEntry, ...]
    notes: tuple[str, ...] = ()


class SecretsManager:
    """The secrets of one deployment. An error of AWS becomes a ConfigurationError."""

    def __init__(self, region: str | None, deployment: Deployment) -> None:
        self._deployment = deployment
        try:
            # a new session, so that boto3 looks up the credentials again
            self._client: SecretsManagerClient = boto3.Session(region_name=region).client("secretsmanager")
        except BotoCoreError as error:
            raise ConfigurationError(f"{error} Fix: set the deployment's region with --region.") from None
        self.region = self._client.meta.region_name

    def read(self, entry: SecretEntry) -> str | None:
        """Return the value of a secret, None if it has none.

        Raises:
            ConfigurationError: the secret does not exist or is not text, or AWS returns an error.
        """
        name = self._deployment.name(entry)
        try:
            self._client.describe_secret(SecretId=name)
            found = self._client.get_secret_value(SecretId=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != _NOT_FOUND:
                raise self._failed(entry, error) from None
            if error.operation_name == "GetSecretValue":
                return None
            raise ConfigurationError(
                f"{name} does not exist in {self.region}. Fix: create the secrets with `npx cdk deploy "
                f"{self._deployment.prefix}-secrets`, or set --region and --stage as in deployment.toml."
            ) from None
        except BotoCoreError as error:
            raise self._failed(entry, error) from None
        if "SecretString" not in found:
            raise ConfigurationError(
                f"{name} in {self.region} holds bytes (SecretBinary), not text. "
                f"Fix: store text with `aws secretsmanager put-secret-value --region {self.region} "
                f"--secret-id {name} --secret-string file:///dev/stdin`."
            )
        return found["SecretString"]

    def put(self, entry: SecretEntry, value: str) -> None:
        """Store a value as the current version of a secret.

        Raises:
            ConfigurationError: AWS returns an error or is unreachable.
        """
        try:
            self._client.put_secret_value(SecretId=self._deployment.name(entry), SecretString=value)
        except (ClientError, BotoCoreError) as error:
            raise self._failed(entry, error) from None

    def _failed(self, entry: SecretEntry, error: Exception) -> ConfigurationError:
        return ConfigurationError(
            f"Secrets Manager in {self.region}, {self._deployment.name(entry)}: {error}"
        )


def entries_for(storage: str, *, delivery: bool = False) -> tuple[SecretEntry, ...]:
    """Return the secrets of a deployment with this storage, `enterprise` or `s3`, and with `delivery`."""
    return tuple(
        entry
        for entry in ENTRIES
        if (storage == "enterprise" or not entry.enterprise_only) and (delivery or entry is not DELIVERY)
    )


async def put_secrets(
    secrets: SecretsManager, deployment: Deployment, ask: Callable[[str], str]
) -> PutResult:
    """Prompt for each secret, check all values together, store the new ones, and return those.

    An empty answer keeps the stored value. Nothing is stored unless every check succeeds.

    Raises:
        ConfigurationError: a secret does not exist, a value is invalid, or a required one is not set.
        StorageDenied: LanceDB rejects a key.
        StorageUnavailable: LanceDB is unreachable, so the keys cannot be checked.
    """
    entries = entries_for(deployment.storage, delivery=deployment.delivery)
    values = {entry: secrets.read(entry) for entry in entries}
    new = {}
    for entry in entries:
        state = "not set" if values[entry] is None else "set; empty keeps it"
        if answer := ask(f"{entry.prompt} ({state})").strip():
            new[entry] = answer
    notes = await check({**values, **new}, deployment)
    for entry, value in new.items():
        secrets.put(entry, value)
    return PutResult(tuple(new), notes)


async def check(values: Mapping[SecretEntry, str | None], deployment: Deployment) -> tuple[str, ...]:
    """Check the values as the deployment will use them, and return notes about what could not be checked.

    Raises:
        ConfigurationError: values are invalid; one message lists every error.
        StorageError: LanceDB rejects a key or is unreachable.
    """
    if errors := _errors(values, deployment):
        raise ConfigurationError("Nothing was stored:", errors)
    if deployment.storage != "enterprise":
        settings_as_deployed(values, deployment)
        return ()
    api, jobs = (settings_as_deployed(values, deployment, key) for key in (READ_KEY, WRITE_KEY))
    if not deployment.reachable:
        return (KEYS_NOT_CHECKED,)
    try:
        return await check_keys(api, jobs)
    except StorageDenied as error:
        raise StorageDenied(f"Nothing was stored: {error}") from None
    except StorageUnavailable as error:
        raise StorageUnavailable(
            f"Nothing was stored: {error} If this machine cannot reach a private cluster, store the secrets "
            "with --unchecked. A host checks the keys when it boots; with Lambda, request /api/v1/ready "
            "after the deploy."
        ) from None


def settings_as_deployed(
    values: Mapping[SecretEntry, str | None], deployment: Deployment, key: SecretEntry | None = None
) -> Settings:
    """Return the settings of a deployed process that has this key, without this shell's environment.

    Raises:
        ConfigurationError: the settings are invalid; one message lists every error.
    """
    without = {READ_KEY, WRITE_KEY} - {key}
    given = {entry.setting: value for entry, value in values.items() if value and entry not in without}
    if deployment.storage == "enterprise":
        given["storage_mode"] = "enterprise"
    if deployment.lancedb_region:
        given["lancedb_region"] = deployment.lancedb_region
    return given_settings(given)


def _errors(values: Mapping[SecretEntry, str | None], deployment: Deployment) -> list[str]:
    errors = [
        f"{deployment.name(entry)} has no value"
        for entry in values
        if entry.required and values[entry] is None
    ]
    key = values.get(READ_KEY)
    if key is not None and key == values.get(WRITE_KEY):
        errors.append(
            f"{deployment.name(READ_KEY)} and {deployment.name(WRITE_KEY)} are the same key; the public API "
            "needs a key that cannot write"
        )
    return errors
