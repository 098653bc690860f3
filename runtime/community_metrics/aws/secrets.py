"""Settings with their secrets from Secrets Manager: read at a cold start, and again after an hour.

`CM_LANCEDB_API_KEY_SECRET` is the id of the secret that holds `CM_LANCEDB_API_KEY`, and so for every setting.
The values are never in the environment, which child processes inherit and crash reports print.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from community_metrics.config import load_settings, secret_ids
from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from types_boto3_secretsmanager import SecretsManagerClient

    from community_metrics.clock import Clock
    from community_metrics.config import Settings

CACHE_S: Final = 3_600.0
"""A rotated secret is used at most this long after it was stored."""
RETRY_AFTER_S: Final = 60.0
_CONFIG: Final = Config(
    connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)
# A missing secret ("... specified secret.") and one without a value have the same error code, and the roles
# may not DescribeSecret. Any other text counts as a missing secret.
_NO_VALUE: Final = "specified secret value for staging label"

log = structlog.get_logger("community_metrics.aws")


@dataclass(frozen=True, slots=True)
class FetchedSecrets:
    """Values and errors by setting; a value is None if the secret exists without one."""

    values: dict[str, str | None]
    errors: dict[str, str]

    @property
    def found(self) -> dict[str, str]:
        """The values of the secrets that have one."""
        return {name: value for name, value in self.values.items() if value is not None}

    def lost(self, known: Iterable[str]) -> list[str]:
        """Return the known settings whose secret no longer has a value."""
        return [name for name in known if self.values.get(name, "") is None]


class CachedSettings:
    """The settings of a Lambda function, secrets included; cheap to get at every invocation."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secrets: dict[str, str] = {}
        self._settings: Settings | None = None
        self._read_again_at = float("-inf")

    def current(self) -> Settings:
        """Return the settings: the same object until a secret has changed.

        Raises:
            ConfigurationError: at a cold start, a secret cannot be read or a setting is invalid.
        """
        if self._settings is not None and self._clock.monotonic() < self._read_again_at:
            return self._settings
        if self._settings is None:
            self._use(read_secrets(secret_ids()))
            self._read_again_at = self._clock.monotonic() + CACHE_S
        else:
            self._renew()
        assert self._settings is not None  # noqa: S101  set by _use
        return self._settings

    def _use(self, secrets: dict[str, str]) -> None:
        if self._settings is None or secrets != self._secrets:
            self._settings = load_settings(secrets)
            self._secrets = secrets

    def _renew(self) -> None:
        """Fetch the secrets again; where a value is missing or invalid, keep the old one and log an error."""
        ids = secret_ids()
        fetched = fetch_secrets(ids)
        errors = list(fetched.errors.values())
        # an API must not lose its tokens unnoticed
        errors += [
            f"{_variable(name)}: {ids[name]} no longer has a value. Fix: store it again"
            for name in fetched.lost(self._secrets)
        ]
        try:
            self._use(self._secrets | fetched.found)
        except ConfigurationError as error:
            errors.append(str(error))
        if errors:
            log.error("secrets not renewed", errors=errors)
        self._read_again_at = self._clock.monotonic() + (RETRY_AFTER_S if errors else CACHE_S)


def read_secrets(ids: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the secrets, by setting; a secret without a value is left out.

    Raises:
        ConfigurationError: a secret cannot be read; the message lists each of them with the reason.
    """
    fetched = fetch_secrets(ids)
    if fetched.errors:
        raise ConfigurationError("Secrets of this function cannot be read:", list(fetched.errors.values()))
    return fetched.found


def fetch_secrets(ids: Mapping[str, str]) -> FetchedSecrets:
    """Fetch every secret; `ids` are the secrets' ids by setting."""
    fetched = FetchedSecrets({}, {})
    if not ids:
        return fetched
    client = boto3.client("secretsmanager", config=_CONFIG)
    # at the same time, so that a cold start waits for one response
    with ThreadPoolExecutor(max_workers=len(ids)) as pool:
        results = pool.map(lambda secret_id: _fetch(client, secret_id), ids.values())
    for name, (value, error) in zip(ids, results, strict=True):
        if error is None:
            fetched.values[name] = value
        else:
            fetched.errors[name] = f"{_variable(name)}: {ids[name]}: {error}"
    return fetched


def _fetch(client: SecretsManagerClient, secret_id: str) -> tuple[str | None, str | None]:
    """Return the value of a secret, or why it cannot be read; None and None if it has no value."""
    try:
        return client.get_secret_value(SecretId=secret_id)["SecretString"], None
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        if code != "ResourceNotFoundException":
            return None, f"{code}. Fix: allow the role secretsmanager:GetSecretValue on it"
        if _NO_VALUE in message:
            return None, None  # Settings knows which settings are required
        return None, "not found. Fix: create the secret, or remove the variable"
    except (BotoCoreError, KeyError) as error:
        return None, f"{type(error).__name__}; the secret must be text, and Secrets Manager reachable"


def _variable(name: str) -> str:
    return f"CM_{name.upper()}_SECRET"
