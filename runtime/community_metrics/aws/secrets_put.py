"""Puts a deployment's secrets into Secrets Manager, after LanceDB has taken the keys.

The entries are made without a value by the secrets stack (`infra/secrets_stack.py`), whose names these are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from community_metrics.config import load_settings
from community_metrics.errors import ConfigurationError, StorageNotBootstrapped
from community_metrics.storage import LanceDBReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from types_boto3_secretsmanager import SecretsManagerClient

PREFIX: Final = "community-metrics"
_NOT_THERE: Final = "ResourceNotFoundException"


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
            ConfigurationError: the entry does not exist, or AWS refuses these credentials.
        """
        try:
            self._client.describe_secret(SecretId=entry.name)
            return self._client.get_secret_value(SecretId=entry.name)["SecretString"]
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

    def put(self, entry: Entry, value: str) -> None:
        """Store a value as the entry's current one.

        Raises:
            ConfigurationError: AWS refuses these credentials or cannot be reached.
        """
        try:
            self._client.put_secret_value(SecretId=entry.name, SecretString=value)
        except (ClientError, BotoCoreError) as error:
            raise self._refused(entry, error) from None

    def _refused(self, entry: Entry, error: Exception) -> ConfigurationError:
        return ConfigurationError(f"Secrets Manager in {self.region} refuses {entry.name}: {error}")


def entries_for(storage: str) -> tuple[Entry, ...]:
    """Return the entries of a deployment with this storage, `enterprise` or `s3`."""
    return tuple(entry for entry in ENTRIES if storage == "enterprise" or not entry.enterprise_only)


async def put_secrets(vault: Vault, storage: str, ask: Callable[[str], str]) -> list[Entry]:
    """Ask for each entry, check all of them together, store the new ones, and return those.

    An empty answer leaves an entry as it is. Nothing is stored before everything has been checked.

    Raises:
        ConfigurationError: an entry is missing, a value cannot be used, or a required one is unset.
        StorageDenied: LanceDB refuses a key.
        StorageUnavailable: LanceDB cannot be reached, so the keys could not be checked.
    """
    entries = entries_for(storage)
    values = {entry: vault.read(entry) for entry in entries}
    answers = {entry: ask(_question(entry, values[entry])).strip() for entry in entries}
    new = {entry: answer for entry, answer in answers.items() if answer}
    await check({**values, **new}, storage)
    for entry, value in new.items():
        vault.put(entry, value)
    return list(new)


async def check(values: Mapping[Entry, str | None], storage: str) -> None:
    """Try the values as the deployment will use them: the API's, and the jobs'.

    Raises:
        ConfigurationError: one message with every fault.
        StorageError: LanceDB refuses a key, or cannot be reached.
    """
    unset = [entry.name for entry in values if entry.required and values[entry] is None]
    if unset:
        raise ConfigurationError("Nothing was stored:", [f"{name} has no value yet" for name in unset])
    if storage != "enterprise":
        load_settings(_settings(values, READ_KEY, WRITE_KEY))
        return
    for other in (WRITE_KEY, READ_KEY):
        settings = load_settings({**_settings(values, other), "storage_mode": "enterprise"})
        async with LanceDBReader.open(settings) as reader:
            try:
                await reader.runs(limit=1)
            except StorageNotBootstrapped:
                continue  # the cluster took the key; the tables come with the first bootstrap


def _settings(values: Mapping[Entry, str | None], *without: Entry) -> dict[str, str]:
    return {
        entry.setting: value for entry, value in values.items() if entry not in without and value is not None
    }


def _question(entry: Entry, value: str | None) -> str:
    state = "unset" if value is None else "set; empty keeps it"
    return f"{entry.question} ({state})"
