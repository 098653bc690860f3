"""Backups of a deployment: events of Lambda, the host's restore drill, and the gauges that alarms watch."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest

from community_metrics.aws.backups import backup_gauges
from community_metrics.aws.telemetry import NAMESPACE
from community_metrics.backup.place import place_of
from community_metrics.backup.writing import back_up
from community_metrics.config import Settings
from community_metrics.errors import BackupUnavailable
from community_metrics.host import restore_drill
from community_metrics.storage import LanceDBStore
from tests.support import lambda_runtime, rows
from tests.support.aws import REGION, aws_environment, empty_aws
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JOBS = "community_metrics.aws.lambda_jobs.handler"
ROLE = "arn:aws:iam::123456789012:role/BackupReader"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws_environment(monkeypatch):
        yield


def a_backup(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a backup of a database with one run, name its place in the environment, and return its folder."""
    target = folder / "backups"
    chosen = Settings(_env_file=None, db_path=str(folder / "metrics.lancedb"), backup_target=str(target))

    async def make() -> str:
        async with LanceDBStore.open(chosen) as store:
            await store.create_tables()
            await store.record_run(rows.run(NOON))
        return (await back_up(chosen, place_of(chosen))).manifest.backup_id

    monkeypatch.setenv("CM_BACKUP_TARGET", str(target))
    return target / asyncio.run(make())


def published(gauge: str) -> list[float]:
    data = boto3.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=gauge,
        StartTime=datetime(2000, 1, 1, tzinfo=UTC),
        EndTime=datetime(2100, 1, 1, tzinfo=UTC),
        Period=86_400,
        Statistics=["Maximum"],
    )["Datapoints"]
    return [point["Maximum"] for point in data]


def test_events_make_a_backup_try_it_and_report_its_age(tmp_path: Path) -> None:
    with empty_aws() as port:
        url = f"http://127.0.0.1:{port}"
        boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
        ).create_bucket(Bucket="backups")
        environment = {
            "AWS_ENDPOINT_URL": url,
            "CM_DB_PATH": str(tmp_path / "metrics.lancedb"),
            "CM_BACKUP_TARGET": "s3://backups/backups",
            "CM_BACKUP_WRITE_ONLY": "true",
            "CM_BACKUP_READ_ROLE": ROLE,
        }
        with lambda_runtime.started(JOBS, environment) as function:
            _, made, tried, gauges = (
                function.invoke({"job": job})
                for job in ("bootstrap_tables", "backup", "restore_drill", "monitor")
            )

    assert not made.is_error, made.body
    assert made.body["rows"] > 0
    assert (tried.is_error, tried.body) == (False, made.body)
    assert 0 <= gauges.body["BackupAgeHours"] < 1


@pytest.mark.usefixtures("aws")
def test_the_drill_of_the_host_reports_whether_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = a_backup(tmp_path, monkeypatch)

    assert restore_drill.main() == 0
    assert published("RestoreFailed") == [0.0]
    assert f"The backup {made.name} can be restored" in capsys.readouterr().out

    (made / "stats.parquet").write_bytes(b"damaged")

    assert restore_drill.main() != 0
    assert published("RestoreFailed") == [1.0]
    assert "stats.parquet is damaged" in capsys.readouterr().out


def test_a_drill_that_fails_names_its_reason_also_while_cloudwatch_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CM_BACKUP_TARGET", str(tmp_path))
    for name, value in (
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_MAX_ATTEMPTS", "1"),
    ):
        monkeypatch.setenv(name, value)

    assert restore_drill.main() != 0
    assert "has no complete backup" in capsys.readouterr().out


def test_an_age_that_nobody_measured_is_no_gauge(tmp_path: Path) -> None:
    nothing = Settings(_env_file=None, backup_target=str(tmp_path))

    assert backup_gauges(nothing, NOON) == {}
    assert backup_gauges(nothing.model_copy(update={"backup_target": None}), NOON) == {}


@pytest.mark.usefixtures("aws")
def test_a_role_that_cannot_be_assumed_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    chosen = Settings(
        _env_file=None,
        backup_target="s3://backups/backups",
        backup_read_role=ROLE,
        aws_storage_options={"aws_region": REGION},
    )

    with pytest.raises(BackupUnavailable, match=f"The role {ROLE} cannot be assumed: .* Fix: let the role"):
        place_of(chosen).keys()


@pytest.mark.parametrize("role", ["backups", "arn:aws:iam::1:role/backups", "arn:aws:s3:::bucket"])
def test_a_role_that_is_no_arn_is_refused(role: str) -> None:
    with pytest.raises(ValueError, match="the ARN of a role is such as arn:aws:iam::123456789012:role/"):
        Settings(_env_file=None, backup_read_role=role)
