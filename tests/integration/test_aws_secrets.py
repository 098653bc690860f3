"""The settings of a Lambda function with secrets from moto's Secrets Manager, at cold start and renewal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from structlog.testing import capture_logs

from community_metrics.api.middleware.tokens import new_token, token_hash
from community_metrics.aws.lambda_api import Gateway
from community_metrics.aws.secrets import CACHE_S, RETRY_AFTER_S, CachedSettings
from community_metrics.errors import ConfigurationError
from tests.support.aws import aws_environment
from tests.support.clock import FakeClock
from tests.support.lambda_runtime import http_event, loop_of_mangum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HASHES, GITHUB = "cm/hashes", "cm/github"
OLD, NEW = token_hash(new_token()), token_hash(new_token())


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of the Secrets Manager of this process; two settings have a secret there."""
    monkeypatch.setenv("CM_API_TOKEN_HASHES_SECRET", HASHES)
    monkeypatch.setenv("CM_GITHUB_TOKEN_SECRET", GITHUB)
    with aws_environment(monkeypatch):
        client = boto3.client("secretsmanager")
        client.create_secret(Name=GITHUB)
        yield client


def delete(secrets: Any) -> None:
    secrets.delete_secret(SecretId=HASHES, ForceDeleteWithoutRecovery=True)


def empty(secrets: Any) -> None:
    delete(secrets)
    secrets.create_secret(Name=HASHES)


def invalidate(secrets: Any) -> None:
    secrets.put_secret_value(SecretId=HASHES, SecretString="no hash")


def test_a_missing_secret_of_tokens_is_an_error(secrets: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"CM_API_TOKEN_HASHES_SECRET: {HASHES}: not found"):
        CachedSettings(FakeClock()).current()


def test_a_secret_without_a_value_is_an_unset_setting(secrets: Any) -> None:
    secrets.create_secret(Name=HASHES)
    settings = CachedSettings(FakeClock()).current()
    assert (settings.api_token_hashes, settings.github_token) == ((), None)


@pytest.mark.parametrize("damage", [delete, empty, invalidate])
def test_a_lost_value_stays_in_use_and_an_error_is_logged(
    secrets: Any, damage: Callable[[Any], None]
) -> None:
    secrets.create_secret(Name=HASHES, SecretString=OLD)
    clock = FakeClock()
    cached = CachedSettings(clock)
    before = cached.current()
    damage(secrets)
    clock.advance(CACHE_S)
    with capture_logs() as logged:
        assert cached.current() is before
    assert [(line["log_level"], line["event"]) for line in logged] == [("error", "secrets not renewed")]
    assert before.api_token_hashes == (OLD,)


def test_a_value_that_is_stored_again_is_used_a_minute_later(secrets: Any) -> None:
    secrets.create_secret(Name=HASHES, SecretString=OLD)
    clock = FakeClock()
    cached = CachedSettings(clock)
    cached.current()
    delete(secrets)
    clock.advance(CACHE_S)
    cached.current()
    secrets.create_secret(Name=HASHES, SecretString=NEW)
    clock.advance(RETRY_AFTER_S)
    assert cached.current().api_token_hashes == (NEW,)


def test_a_lost_secret_does_not_delay_the_others(secrets: Any) -> None:
    secrets.create_secret(Name=HASHES, SecretString=OLD)
    clock = FakeClock()
    cached = CachedSettings(clock)
    cached.current()
    delete(secrets)
    secrets.put_secret_value(SecretId=GITHUB, SecretString="ghp_new")
    clock.advance(CACHE_S)
    settings = cached.current()
    assert settings.github_token is not None
    assert settings.github_token.get_secret_value() == "ghp_new"
    assert settings.api_token_hashes == (OLD,)


def test_a_secret_is_read_again_an_hour_after_it_was_read_and_not_before(secrets: Any) -> None:
    secrets.create_secret(Name=HASHES, SecretString=OLD)
    clock = FakeClock()
    cached = CachedSettings(clock)
    before = cached.current()
    secrets.put_secret_value(SecretId=HASHES, SecretString=NEW)
    clock.advance(3_599)
    assert cached.current() is before
    clock.advance(1)
    assert cached.current().api_token_hashes == (NEW,)


def test_a_warm_function_rejects_a_rotated_token_and_accepts_the_new_one(
    secrets: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CM_DB_PATH", str(tmp_path / "db.lancedb"))
    old, new = new_token(), new_token()
    secrets.create_secret(Name=HASHES, SecretString=token_hash(old))
    clock = FakeClock()
    gateway = Gateway(CachedSettings(clock))

    def status_with(token: str) -> int:
        event = http_event("/api/v1/openapi.json", headers={"authorization": f"Bearer {token}"})
        return int(gateway.handle(event, None)["statusCode"])  # type: ignore[arg-type]  # no context is read

    with loop_of_mangum():
        assert [status_with(token) for token in (old, new)] == [200, 401]
        secrets.put_secret_value(SecretId=HASHES, SecretString=token_hash(new))
        clock.advance(3_600)
        assert [status_with(token) for token in (old, new)] == [401, 200]
