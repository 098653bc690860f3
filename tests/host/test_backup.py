"""Backups on the host: the units, the rights they use, a lost database that is restored, and the drill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.host.ledger import Ledger, as_a_job
from tests.host.mailbox import Mailbox
from tests.host.waiting import eventually
from tests.infra.rehearsal.readback import newest_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.host.box import Box
    from tests.host.world import World

BACKUP, DRILL = "community-metrics-backup", "community-metrics-restore-drill"
REFRESH = "community-metrics-weekly-refresh"
TIMERS = f"{REFRESH}.timer community-metrics-daily-refresh.timer community-metrics-catch-up.timer"
PAGES = ("/api/v1/overview", "/api/v1/dashboard/weekly?weeks=3", "/api/v1/dashboard/daily?days=30")
UP_S, RUN_S = 30, 120
_LOSE = """\
import asyncio
from community_metrics.config import load_settings
from community_metrics.storage import LanceDBStore

async def alone():
    pass

async def lose():
    async with LanceDBStore.open(load_settings()) as store:
        await store.drop_tables(renew=alone)

asyncio.run(lose())
"""


@pytest.fixture(scope="module")
def quiet(box: Box, world: World) -> Iterator[Box]:
    """The shared box without timers that write, after the backup that its first refresh started."""
    box.succeeds(f"systemctl stop {TIMERS}")
    eventually(lambda: has_a_backup(world), RUN_S)
    box.wait_until(f"systemctl show --property=ActiveState --value {BACKUP} | grep -q inactive")
    yield box
    box.succeeds(f"systemctl start {TIMERS}")


def place(world: World) -> tuple[str, str]:
    """Return the bucket and the prefix of the backups."""
    bucket, _, prefix = world.deployment.facts["environment"]["CM_BACKUP_TARGET"][5:].partition("/")
    return bucket, prefix


def manifests(world: World) -> list[str]:
    """Return the key of the manifest of each backup, oldest first."""
    bucket, prefix = place(world)
    found = world.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return sorted(item["Key"] for item in found if item["Key"].endswith("/manifest.json"))


def used_rights(world: World, since: int) -> set[str]:
    """Return the actions on the bucket of the backups since a number of calls."""
    bucket, _ = place(world)
    return {call.action for call in world.aws.calls[since:] if f":::{bucket}" in call.resource}


def numbers(world: World) -> list[dict[str, Any]]:
    """Return what the pages of the API show, without the state of the runs at the request."""
    bodies: list[dict[str, Any]] = [world.get(path).raise_for_status().json() for path in PAGES]
    return [{key: value for key, value in body.items() if key != "freshness"} for body in bodies]


def test_a_refresh_starts_a_backup_and_the_drill_is_monthly(quiet: Box, world: World) -> None:
    shown = quiet.succeeds(f"systemctl show --property=TimersCalendar,Persistent,Unit {DRILL}.timer")

    assert quiet.succeeds(f"systemctl is-enabled {DRILL}.timer") == "enabled\n"
    assert quiet.succeeds(f"systemctl is-active {DRILL}.timer") == "active\n"
    assert "OnCalendar=*-*-01 13:20:00 UTC" in shown
    assert "Persistent=yes" in shown
    assert quiet.succeeds(f"systemctl show --property=OnSuccess --value {REFRESH}") == f"{BACKUP}.service\n"


def test_a_backup_has_the_reading_key_and_the_drill_has_none(quiet: Box) -> None:
    shown = {
        unit: quiet.succeeds(f"systemctl show --property=LoadCredential --value {unit}").strip()
        for unit in (BACKUP, DRILL)
    }

    assert shown == {BACKUP: "cm:/run/community-metrics/secrets/api", DRILL: ""}


def test_a_backup_only_puts_files_and_the_monitor_reports_its_age(quiet: Box, world: World) -> None:
    before, since = len(manifests(world)), len(world.aws.calls)

    quiet.succeeds(f"systemctl start {BACKUP}", limit_s=RUN_S)

    assert len(manifests(world)) == before + 1
    assert used_rights(world, since) == {"s3:PutObject"}
    quiet.succeeds("systemctl start community-metrics-monitor", limit_s=RUN_S)
    assert 0 <= newest_value(world.client("cloudwatch"), "BackupAgeHours") < 1


def test_a_lost_database_is_restored_and_the_numbers_are_those_of_before(quiet: Box, world: World) -> None:
    shown, runs = eventually(lambda: numbers(world), UP_S), Ledger(world).runs()
    quiet.succeeds(f"systemctl start {BACKUP}", limit_s=RUN_S)
    lost = quiet.run(as_a_job("-"), text=_LOSE)
    assert (lost.returncode, Ledger(world).runs()) == (0, []), lost.stderr
    eventually(lambda: is_ready(world, ready=False), UP_S)

    restored = quiet.succeeds("cm-job restore", limit_s=RUN_S)

    assert "every row compared" in restored
    eventually(lambda: is_ready(world, ready=True), UP_S)
    assert numbers(world) == shown
    assert [view.run for view in Ledger(world).runs()] == [view.run for view in runs]


def test_the_drill_restores_the_newest_backup_with_the_role_that_reads(quiet: Box, world: World) -> None:
    since = len(world.aws.calls)

    quiet.succeeds(f"systemctl start {DRILL}", limit_s=RUN_S)

    assert "can be restored" in quiet.journal(DRILL, lines=5)
    assert used_rights(world, since) == {"s3:GetObject", "s3:ListBucket"}
    assert "sts:AssumeRole" in {call.action for call in world.aws.calls[since:]}
    assert newest_value(world.client("cloudwatch"), "RestoreFailed") == 0


def test_a_damaged_backup_fails_the_drill_with_a_gauge_and_a_notice(quiet: Box, world: World) -> None:
    mailbox, (bucket, _) = Mailbox(world, "drill"), place(world)
    stats = manifests(world)[-1].replace("manifest.json", "stats.parquet")
    s3 = world.client("s3")
    whole = s3.get_object(Bucket=bucket, Key=stats)["Body"].read()
    s3.put_object(Bucket=bucket, Key=stats, Body=whole[:-1])
    try:
        done = quiet.run(f"systemctl start {DRILL}", limit_s=RUN_S)
    finally:
        s3.put_object(Bucket=bucket, Key=stats, Body=whole)

    assert done.returncode == 1
    assert "stats.parquet is damaged" in quiet.journal(DRILL, lines=8)
    assert newest_value(world.client("cloudwatch"), "RestoreFailed") == 1
    assert "result: exit-code" in eventually(lambda: mailbox.received(f"{DRILL}.service"), UP_S)


def has_a_backup(world: World) -> None:
    assert manifests(world)


def is_ready(world: World, *, ready: bool) -> None:
    assert (world.get("/api/v1/ready").status_code == 200) is ready
