"""The settings of a function with their secrets in moto's Secrets Manager, from cold start to renewal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from structlog.testing import capture_logs

from community_metrics.api.middleware.tokens import new_token, token_hash
from community_metrics.aws.secrets import KEPT_FOR_S, RETRY_AFTER_S, CachedSettings
from community_metrics.errors import ConfigurationError
from tests.support.aws import believed_aws
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HASHES, GITHUB = "cm/hashes", "cm/github"
OLD, NEW = token_hash(new_token()), token_hash(new_token())


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of Secrets Manager, which this process believes in; two settings have an entry there."""
    monkeypatch.setenv("CM_API_TOKEN_HASHES_SECRET", HASHES)
    monkeypatch.setenv("CM_GITHUB_TOKEN_SECRET", GITHUB)
    with believed_aws(monkeypatch):
        client = boto3.client("secretsmanager")
        client.create_secret(Name=GITHUB)
        yield client


def delete(secrets: Any) -> None:
    secrets.delete_secret(SecretId=HASHES, ForceDeleteWithoutRecovery=True)


def empty(secrets: Any) -> None:
    delete(secrets)
    secrets.create_secret(Name=HASHES)


def spoil(secrets: Any) -> None:
    secrets.put_secret_value(SecretId=HASHES, SecretString="no hash")


def test_an_entry_that_is_not_there_is_not_public_reading(secrets: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"CM_API_TOKEN_HASHES_SECRET: {HASHES}: there is no such"):
        CachedSettings(FakeClock()).current()


def test_an_entry_without_a_value_is_unset(secrets: Any) -> None:
    secrets.create_secret(Name=HASHES)
    settings = CachedSettings(FakeClock()).current()
    assert (settings.api_token_hashes, settings.github_token) == ((), None)


@pytest.mark.parametrize("harm", [delete, empty, spoil])
def test_a_value_that_is_gone_goes_on_protecting_and_is_logged(
    secrets: Any, harm: Callable[[Any], None]
) -> None:
    secrets.create_secret(Name=HASHES, SecretString=OLD)
    clock = FakeClock()
    cached = CachedSettings(clock)
    before = cached.current()
    harm(secrets)
    clock.advance(KEPT_FOR_S)
    with capture_logs() as logged:
        assert cached.current() is before
    assert [(line["log_level"], line["event"]) for line in logged] == [("error", "secrets not renewed")]
    assert before.api_token_hashes == (OLD,)


def test_a_value_put_back_is_taken_a_minute_later(secrets: Any) -> None:
    secrets.create_secret(Name=HASHES, SecretString=OLD)
    clock = FakeClock()
    cached = CachedSettings(clock)
    cached.current()
    delete(secrets)
    clock.advance(KEPT_FOR_S)
    cached.current()
    secrets.create_secret(Name=HASHES, SecretString=NEW)
    clock.advance(RETRY_AFTER_S)
    assert cached.current().api_token_hashes == (NEW,)


def test_a_lost_entry_does_not_hold_up_the_others(secrets: Any) -> None:
    secrets.create_secret(Name=HASHES, SecretString=OLD)
    clock = FakeClock()
    cached = CachedSettings(clock)
    cached.current()
    delete(secrets)
    secrets.put_secret_value(SecretId=GITHUB, SecretString="ghp_new")
    clock.advance(KEPT_FOR_S)
    settings = cached.current()
    assert settings.github_token is not None
    assert settings.github_token.get_secret_value() == "ghp_new"
    assert settings.api_token_hashes == (OLD,)
