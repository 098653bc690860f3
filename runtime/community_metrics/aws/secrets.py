"""Settings whose secrets lie in Secrets Manager: read once for a cold start, and again after an hour.

`CM_LANCEDB_API_KEY_SECRET` names the entry whose value is `CM_LANCEDB_API_KEY`, and so for every setting; the
values never enter the environment, which child processes inherit and crash reports print.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from community_metrics.config import load_settings, secret_ids
from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_secretsmanager import SecretsManagerClient

    from community_metrics.config import Settings
    from community_metrics.weeks import Clock

KEPT_FOR_S: Final = 3_600.0
"""A rotated secret is used at the latest this long after it was put."""
RETRY_AFTER_S: Final = 60.0
_CONFIG: Final = Config(
    connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)
_NO_VALUE_YET: Final = "ResourceNotFoundException"

log = structlog.get_logger("community_metrics.aws")


class CachedSettings:
    """The settings of a function, secrets included; cheap to ask for at every invocation."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secrets: dict[str, str] = {}
        self._settings: Settings | None = None
        self._read_again_at = float("-inf")

    def current(self) -> Settings:
        """Return the settings: the same object until a secret has changed.

        Raises:
            ConfigurationError: at a cold start, when a secret cannot be read or a setting cannot be used.
        """
        if self._settings is not None and self._clock.monotonic() < self._read_again_at:
            return self._settings
        if self._settings is None:
            self._take(read_secrets(secret_ids()))
        else:
            self._renew()
        assert self._settings is not None  # noqa: S101  _take has set it
        return self._settings

    def _take(self, secrets: dict[str, str]) -> None:
        if self._settings is None or secrets != self._secrets:
            self._settings = load_settings(secrets)
            self._secrets = secrets
        self._read_again_at = self._clock.monotonic() + KEPT_FOR_S

    def _renew(self) -> None:
        """Read the secrets again; while that fails, the ones at hand go on serving."""
        try:
            self._take(read_secrets(secret_ids()))
        except ConfigurationError as error:
            log.warning("secrets not renewed", reason=str(error))
            self._read_again_at = self._clock.monotonic() + RETRY_AFTER_S


def read_secrets(ids: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the entries, by setting; an entry that never got a value is left out.

    Raises:
        ConfigurationError: naming every entry that could not be read, and why.
    """
    if not ids:
        return {}
    client = boto3.client("secretsmanager", config=_CONFIG)
    with ThreadPoolExecutor(max_workers=len(ids)) as pool:  # a cold start waits for one answer, not for four
        found = dict(
            zip(ids, pool.map(lambda entry: _read_or_fault(client, entry), ids.values()), strict=True)
        )
    faults: list[str] = [value for value in found.values() if isinstance(value, _Fault)]
    if faults:
        raise ConfigurationError("Secrets Manager did not give what this function needs:", faults)
    return {name: value for name, value in found.items() if value is not None}


class _Fault(str):
    """Why an entry could not be read."""

    __slots__ = ()


def _read_or_fault(client: SecretsManagerClient, entry: str) -> str | _Fault | None:
    try:
        return client.get_secret_value(SecretId=entry)["SecretString"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == _NO_VALUE_YET:
            return None  # which settings may be without a value, Settings knows
        return _Fault(f"{entry}: {code}; the function's role needs secretsmanager:GetSecretValue on it")
    except (BotoCoreError, KeyError) as error:
        return _Fault(f"{entry}: {type(error).__name__}; it must be a text, and Secrets Manager reachable")
