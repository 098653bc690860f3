"""Settings whose secrets lie in Secrets Manager: read once for a cold start, and again after an hour.

`CM_LANCEDB_API_KEY_SECRET` names the entry whose value is `CM_LANCEDB_API_KEY`, and so for every setting; the
values never enter the environment, which child processes inherit and crash reports print.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeAlias

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from community_metrics.config import load_settings, secret_ids
from community_metrics.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_secretsmanager import SecretsManagerClient

    from community_metrics.clock import Clock
    from community_metrics.config import Settings

KEPT_FOR_S: Final = 3_600.0
"""A rotated secret is used at the latest this long after it was put."""
RETRY_AFTER_S: Final = 60.0
_CONFIG: Final = Config(
    connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)
_NOT_FOUND: Final = "ResourceNotFoundException"
# One code stands for two answers, and the roles may not DescribeSecret, so only the text tells them apart:
# "... specified secret." is a missing entry. Whatever is not plainly the other answer counts as missing.
_NO_VALUE: Final = "specified secret value for staging label"

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
            self._read_again_at = self._clock.monotonic() + KEPT_FOR_S
        else:
            self._renew()
        assert self._settings is not None  # noqa: S101  _take has set it
        return self._settings

    def _take(self, secrets: dict[str, str]) -> None:
        if self._settings is None or secrets != self._secrets:
            self._settings = load_settings(secrets)
            self._secrets = secrets

    def _renew(self) -> None:
        """Read the secrets again; a value that is gone or cannot be used goes on serving, and is logged."""
        ids = secret_ids()
        answers = read_entries(ids)
        faults: list[str] = [answer for answer in answers.values() if isinstance(answer, Fault)]
        # also where the entry is there and empty: the tokens of an API must not lapse unseen
        faults += [
            f"{_variable(name)}: {ids[name]} has lost its value; put it back"
            for name in self._secrets
            if answers.get(name) is None
        ]
        try:
            self._take(self._secrets | _values(answers))
        except ConfigurationError as error:
            faults.append(str(error))
        if faults:
            log.error("secrets not renewed", faults=faults)
        self._read_again_at = self._clock.monotonic() + (RETRY_AFTER_S if faults else KEPT_FOR_S)


def read_secrets(ids: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the entries, by setting; an entry that never got a value is left out.

    Raises:
        ConfigurationError: naming every entry that is not there or could not be read, its variable, and why.
    """
    answers = read_entries(ids)
    faults: list[str] = [answer for answer in answers.values() if isinstance(answer, Fault)]
    if faults:
        raise ConfigurationError("Secrets Manager did not give what this function needs:", faults)
    return _values(answers)


def read_entries(ids: Mapping[str, str]) -> dict[str, Answer]:
    """Return what each entry answered, by setting, all asked at once."""
    if not ids:
        return {}
    client = boto3.client("secretsmanager", config=_CONFIG)
    with ThreadPoolExecutor(max_workers=len(ids)) as pool:  # a cold start waits for one answer, not for four
        return dict(zip(ids, pool.map(lambda name: _answer(client, name, ids[name]), ids), strict=True))


def _values(answers: Mapping[str, Answer]) -> dict[str, str]:
    return {
        name: answer
        for name, answer in answers.items()
        if answer is not None and not isinstance(answer, Fault)
    }


def _variable(name: str) -> str:
    return f"CM_{name.upper()}_SECRET"


class Fault(str):
    """Why an entry could not be read."""

    __slots__ = ()


Answer: TypeAlias = str | Fault | None
"""A value, why there is none, or None: the entry is there and never got one."""


def _answer(client: SecretsManagerClient, name: str, entry: str) -> Answer:
    try:
        return client.get_secret_value(SecretId=entry)["SecretString"]
    except ClientError as error:
        return _refusal(error, f"{_variable(name)}: {entry}")
    except (BotoCoreError, KeyError) as error:
        return Fault(
            f"{_variable(name)}: {entry}: {type(error).__name__}; "
            "it must be a text, and Secrets Manager reachable"
        )


def _refusal(error: ClientError, where: str) -> Fault | None:
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    if code != _NOT_FOUND:
        return Fault(f"{where}: {code}; the role needs secretsmanager:GetSecretValue on it")
    if _NO_VALUE in message:
        return None  # which settings may be without a value, Settings knows
    return Fault(f"{where}: there is no such entry; make it, or take the variable away")
