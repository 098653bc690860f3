"""What backups add to a deployment, that `[backup]` turns them off, and that each right is used."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.aws.backups import backup_gauges
from community_metrics.backup.place import place_of
from community_metrics.backup.reading import verify
from community_metrics.backup.writing import back_up
from community_metrics.clock import SystemClock
from community_metrics.config import Settings
from community_metrics.storage import LanceDBStore
from infra.release import HOST_FILES
from infra.schedule import schedules_of
from infra.settings import SettingsError
from tests.infra.flavours import settings
from tests.infra.resolve import resolve
from tests.infra.test_delivery import schedules
from tests.infra.test_needed_actions import ACCOUNT, BACKUPS, allowing, check, make_buckets, process
from tests.infra.test_network import instance_id
from tests.infra.test_policies import role_of
from tests.infra.test_templates import facts
from tests.support import rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.conftest import Assembly
    from tests.infra.rehearsal.recorder import Recorder

__all__ = ["process"]  # the fixture
UNITS = "etc/systemd/system"
VARIABLES = {"CM_BACKUP_TARGET", "CM_BACKUP_WRITE_ONLY", "CM_BACKUP_READ_ROLE"}


def bucket_of_backups(assembly: Assembly) -> dict[str, Any]:
    (found,) = [
        bucket
        for bucket in assembly.properties_of("AWS::S3::Bucket", "storage")
        if "-bkup-" in resolve(bucket["BucketName"])
    ]
    return found


async def backed_up(folder: Path) -> Settings:
    """Return the settings of a deployment after its first backup."""
    chosen = Settings(
        _env_file=None,
        db_path=str(folder / "metrics.lancedb"),
        backup_target=f"s3://{BACKUPS}/backups",
        backup_read_role=f"arn:aws:iam::{ACCOUNT}:role/BackupReader",
    )
    async with LanceDBStore.open(chosen) as store:
        await store.create_tables()
        await store.record_run(rows.run(SystemClock().now()))
    await back_up(chosen, place_of(chosen), write_only=True)
    return chosen


@pytest.mark.parametrize("flavour", ["smallest", "serverless-s3", "backup-off"])
def test_backups_are_kept_for_24_months_and_overwritten_ones_for_90_days(
    assemblies: dict[str, Assembly], flavour: str
) -> None:
    (rule,) = bucket_of_backups(assemblies[flavour])["LifecycleConfiguration"]["Rules"]

    assert rule == {
        "Status": "Enabled",
        "ExpirationInDays": 744,
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }


def test_the_rights_are_what_a_backup_and_the_monitor_use(
    assemblies: dict[str, Assembly], process: Recorder, tmp_path: Path
) -> None:
    writer = role_of(assemblies["fullest"], "host", "Role")
    reader = role_of(assemblies["fullest"], "host", "BackupReader")
    make_buckets(process)

    chosen = asyncio.run(backed_up(tmp_path))

    assert process.calls
    assert {pair for call in process.calls for pair in allowing(writer, call)} == {
        ("WriteBackups", "s3:PutObject")
    }
    assert all(allowing(writer, call) for call in process.calls)
    process.calls.clear()
    assert 0 <= backup_gauges(chosen, SystemClock().now())["BackupAgeHours"] < 1
    asyncio.run(verify(place_of(chosen)))
    assert {call.action for call in process.calls} >= {"sts:AssumeRole"}
    check(reader, [call for call in process.calls if call.action != "sts:AssumeRole"], {})


def test_the_jobs_of_lambda_have_the_place_the_role_and_room_and_the_api_has_none(
    serverless: Assembly,
) -> None:
    found = {item["FunctionName"]: item for item in serverless.properties_of("AWS::Lambda::Function")}
    jobs, api = (found[f"community-metrics-{name}"] for name in ("jobs", "api"))
    variables = resolve(jobs["Environment"]["Variables"])

    assert variables["CM_BACKUP_TARGET"] == f"s3://community-metrics-bkup-{ACCOUNT}-us-east-1/backups"
    assert variables["CM_BACKUP_READ_ROLE"] == f"arn:aws:iam::{ACCOUNT}:role/JobsBackupReader"
    assert jobs["EphemeralStorage"] == {"Size": 4096}
    assert not VARIABLES & set(api["Environment"]["Variables"])
    assert "EphemeralStorage" not in api


def test_the_schedules_of_backups_follow_the_weekly_refresh_and_are_monthly(serverless: Assembly) -> None:
    found = {
        name.removeprefix("community-metrics-"): (
            item["ScheduleExpression"],
            json.loads(item["Target"]["Input"]),
        )
        for name, item in schedules(serverless).items()
    }

    assert found["backup"] == ("cron(20 12 ? * MON-WED *)", {"job": "backup"})
    assert found["restore-drill"] == ("cron(20 13 1 * ? *)", {"job": "restore_drill"})


def test_backups_can_be_turned_off_and_their_bucket_stays(
    assemblies: dict[str, Assembly], smallest: Assembly
) -> None:
    off = assemblies["backup-off"]
    alarms = {alarm["AlarmName"] for alarm in off.properties_of("AWS::CloudWatch::Alarm")}

    assert bucket_of_backups(off) == bucket_of_backups(smallest)
    assert not VARIABLES & set(facts(off)["environment"])
    assert set(facts(smallest)["environment"]) >= VARIABLES
    assert instance_id(off) != instance_id(smallest)  # another host, without the units
    assert not {"community-metrics-backup-age", "community-metrics-restore-failed"} & alarms
    chosen = settings("serverless", backup={"enabled": False})
    assert not {"backup", "restore-drill"} & set(schedules_of(chosen))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (False, r"backup is False; it is a table: write the line \[backup\] at the end of the file"),
        ({}, "backup.enabled is not set"),
        ({"enabled": "no"}, "backup.enabled: Input should be a valid boolean"),
        ({"enabled": True, "keep": 3}, r"backup.keep is not a setting; \[backup\] has enabled. Settings of"),
    ],
)
def test_an_invalid_table_is_an_error_that_names_the_setting(table: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings("smallest", backup=table)


@pytest.mark.parametrize(
    "drop_in",
    [
        *(
            f"community-metrics-{unit}.service.d/{name}"
            for unit in ("backup", "restore-drill")
            for name in ("10-sandbox.conf", "20-job.conf", "40-backup.conf")
        ),
        "community-metrics-backup.service.d/30-backup-key.conf",
        "community-metrics-job-backup-.service.d/30-backup-key.conf",
        *(f"community-metrics-job-{job}-.service.d/40-backup.conf" for job in ("backup", "restore", "runs")),
        "community-metrics-job-bootstrap-.service.d/40-backup.conf",  # `--reset` makes a backup first
    ],
)
def test_the_drop_ins_of_the_units_are_the_shared_ones(drop_in: str) -> None:
    path = HOST_FILES / "files-backup" / UNITS / drop_in

    assert path.resolve() == HOST_FILES / "shared" / path.name[3:]
