"""Puts a deployment's secrets into Secrets Manager, after LanceDB has taken the keys.

The entries are made without a value by the secrets stack (`infra/secrets_stack.py`), whose names these are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from community_metrics.config import given_settings
from community_metrics.errors import ConfigurationError, StorageDenied, StorageNotBootstrapped
from community_metrics.model import Lease
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.storage.reader import DATABASE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from types_boto3_secretsmanager import SecretsManagerClient

    from community_metrics.config import Settings

PREFIX: Final = "community-metrics"
_NOT_THERE: Final = "ResourceNotFoundException"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOBODYS_LEASE: Final = Lease(DATABASE, "secrets put", "", 0, _EPOCH, _EPOCH)
WRITE_UNTRIED: Final = (
    "Nothing proves yet that the write key may write: the database has no tables. Run "
    "`community-metrics bootstrap` with it."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: the end of its name, the setting it becomes, and how a person is asked for it."""

    key: str
    setting: str
    question: str
    enterprise_only: bool = False
    required: bool = False

    @property
    def name(self) -> str:
        """Its name in Secrets Manager."""
        return f"{PREFIX}/{self.key}"


READ_KEY: Final = Entry("lancedb-read-key", "lancedb_api_key", "LanceDB key that can only read", True, True)
WRITE_KEY: Final = Entry("lancedb-write-key", "lancedb_api_key", "LanceDB key that can write", True, True)
URI: Final = Entry("lancedb-uri", "lancedb_uri", "LanceDB database, db://<name>", True, True)
ENDPOINT: Final = Entry(
    "lancedb-endpoint", "lancedb_host_override", "Endpoint of a private cluster, https://<host>", True
)
GITHUB_TOKEN: Final = Entry("github-token", "github_token", "GitHub token without any scope")
TOKEN_HASHES: Final = Entry(
    "api-token-hashes", "api_token_hashes", "SHA-256 of accepted API tokens, comma separated"
)
ENTRIES: Final = (URI, ENDPOINT, READ_KEY, WRITE_KEY, GITHUB_TOKEN, TOKEN_HASHES)


@dataclass(frozen=True, slots=True)
class Deployment:
    """What `deployment.toml` says and the entries do not: `enterprise` or `s3`, and the cluster's region."""

    storage: str
    lancedb_region: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The entries that were stored, and sentences for a person about what could not be checked."""

    stored: tuple[Entry, ...]
    notes: tuple[str, ...] = ()


class Vault:
    """The entries of one region. Everything AWS says against it becomes one sentence of ours."""

    def __init__(self, region: str | None) -> None:
        try:
            # a session of its own, so that credentials are looked for anew
            self._client: SecretsManagerClient = boto3.Session(region_name=region).client("secretsmanager")
        except BotoCoreError as error:
            raise ConfigurationError(f"{error} Name the region of the deployment with --region.") from None
        self.region = self._client.meta.region_name

    def read(self, entry: Entry) -> str | None:
        """Return the value of the entry, None while it has none.

        Raises:
            ConfigurationError: the entry does not exist or holds no text, or AWS refuses these credentials.
        """
        try:
            self._client.describe_secret(SecretId=entry.name)
            found = self._client.get_secret_value(SecretId=entry.name)
        except ClientError as error:
            if error.response["Error"]["Code"] != _NOT_THERE:
                raise self._refused(entry, error) from None
            if error.operation_name == "GetSecretValue":
                return None
            raise ConfigurationError(
                f"There is no entry {entry.name} in {self.region}. Make the entries first with "
                f"`npx cdk deploy {PREFIX}-secrets`, or name their region with --region."
            ) from None
        except BotoCoreError as error:
            raise self._refused(entry, error) from None
        return self._text(entry, found.get("SecretString"))

    def put(self, entry: Entry, value: str) -> None:
        """Store a value as the entry's current one.

        Raises:
            ConfigurationError: AWS refuses these credentials or cannot be reached.
        """
        try:
            self._client.put_secret_value(SecretId=entry.name, SecretString=value)
        except (ClientError, BotoCoreError) as error:
            raise self._refused(entry, error) from None

    def _text(self, entry: Entry, value: str | None) -> str:
        if value is None:
            raise ConfigurationError(
                f"{entry.name} in {self.region} holds bytes (SecretBinary), which nothing of ours reads. "
                f"Put text in: `aws secretsmanager put-secret-value --region {self.region} "
                f"--secret-id {entry.name} --secret-string file:///dev/stdin`."
            )
        return value

    def _refused(self, entry: Entry, error: Exception) -> ConfigurationError:
        return ConfigurationError(f"Secrets Manager in {self.region} refuses {entry.name}: {error}")


def entries_for(storage: str) -> tuple[Entry, ...]:
    """Return the entries of a deployment with this storage, `enterprise` or `s3`."""
    return tuple(entry for entry in ENTRIES if storage == "enterprise" or not entry.enterprise_only)


async def put_secrets(vault: Vault, deployment: Deployment, ask: Callable[[str], str]) -> Outcome:
    """Ask for each entry, check all of them together, store the new ones, and return those.

    An empty answer leaves an entry as it is. Nothing is stored before everything has been checked.

    Raises:
        ConfigurationError: an entry is missing, a value cannot be used, or a required one is unset.
        StorageDenied: LanceDB refuses a key.
        StorageUnavailable: LanceDB cannot be reached, so the keys could not be checked.
    """
    entries = entries_for(deployment.storage)
    values = {entry: vault.read(entry) for entry in entries}
    answers = {entry: ask(_question(entry, values[entry])).strip() for entry in entries}
    new = {entry: answer for entry, answer in answers.items() if answer}
    notes = await check({**values, **new}, deployment)
    for entry, value in new.items():
        vault.put(entry, value)
    return Outcome(tuple(new), notes)


async def check(values: Mapping[Entry, str | None], deployment: Deployment) -> tuple[str, ...]:
    """Try the values as the deployment will use them, and return what stayed untried.

    Raises:
        ConfigurationError: one message with every fault.
        StorageError: LanceDB refuses a key, or cannot be reached.
    """
    if faults := _faults(values):
        raise ConfigurationError("Nothing was stored:", faults)
    if deployment.storage != "enterprise":
        settings_as_deployed(values, deployment)
        return ()
    settings = {key: settings_as_deployed(values, deployment, key) for key in (READ_KEY, WRITE_KEY)}
    try:
        await _read_with(settings[READ_KEY])
    except StorageDenied as error:
        raise StorageDenied(f"{READ_KEY.name} is refused, nothing was stored. {error}") from None
    try:
        await _write_with(settings[WRITE_KEY])
    except StorageDenied as error:
        raise StorageDenied(f"{WRITE_KEY.name} is refused, nothing was stored. {error}") from None
    except StorageNotBootstrapped:
        return (WRITE_UNTRIED,)
    return ()


def settings_as_deployed(
    values: Mapping[Entry, str | None], deployment: Deployment, key: Entry | None = None
) -> Settings:
    """Return the settings of a process of the deployment that has this key, and of nothing else.

    Raises:
        ConfigurationError: one message with every fault.
    """
    without = {READ_KEY, WRITE_KEY} - {key}
    given = {entry.setting: value for entry, value in values.items() if value and entry not in without}
    if deployment.storage == "enterprise":
        given["storage_mode"] = "enterprise"
    if deployment.lancedb_region:
        given["lancedb_region"] = deployment.lancedb_region
    return given_settings(given)


def _faults(values: Mapping[Entry, str | None]) -> list[str]:
    faults = [
        f"{entry.name} has no value yet" for entry in values if entry.required and values[entry] is None
    ]
    key = values.get(READ_KEY)
    if key is not None and key == values.get(WRITE_KEY):
        faults.append(
            f"{READ_KEY.name} and {WRITE_KEY.name} are one key; the API, which the world can reach, must "
            "hold one that cannot write"
        )
    return faults


async def _read_with(settings: Settings) -> None:
    async with LanceDBReader.open(settings) as reader:
        try:
            await reader.runs(limit=1)
        except StorageNotBootstrapped:
            return  # the cluster took the key; the tables come with the first bootstrap


async def _write_with(settings: Settings) -> None:
    async with LanceDBStore.open(settings) as store:
        # a write that matches no row: it needs the right to write, changes nothing and keeps nobody waiting
        await store.release_lease(_NOBODYS_LEASE, _EPOCH)


def _question(entry: Entry, value: str | None) -> str:
    state = "unset" if value is None else "set; empty keeps it"
    return f"{entry.question} ({state})"
