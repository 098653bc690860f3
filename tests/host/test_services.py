"""The API under load through TLS: restart, kill, hang, and unreachable storage."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.release import HOST_FILES
from tests.host import hangs
from tests.host.load import Load
from tests.host.waiting import eventually

if TYPE_CHECKING:
    from tests.host.box import Box
    from tests.host.world import World

API = "community-metrics-api"
WEEKLY = "/api/v1/dashboard/weekly?weeks=3"
HEALTH = "/api/v1/health"
UP_S = 15
OURS = (
    f"{API}.service",
    "community-metrics-secrets.service",
    "community-metrics-daily-refresh.service",
    "community-metrics-weekly-refresh.service",
    "community-metrics-catch-up.service",
    "community-metrics-deliver.service",
    "community-metrics-backup.service",
    "community-metrics-restore-drill.service",
    "community-metrics-monitor.service",
    "community-metrics-readiness.service",
    "community-metrics-notice@any.service",
)
PYTHON = "/opt/community-metrics/current/bin/python -P"
MAX_EXPOSURE = 1.5
HANGS = "/run/rehearsal-hangs.py"
ANY = "http://localhost/api/v1/health"


def process_of(box: Box) -> str:
    """Return the PID of the API after it responds."""
    box.wait_until(
        f"systemctl is-active {API} && curl --silent --fail --max-time 5 "
        "--unix-socket /run/community-metrics/api.sock http://localhost/api/v1/health"
    )
    return box.succeeds(f"systemctl show --property=MainPID --value {API}").strip()


@pytest.mark.parametrize("path", [HEALTH, WEEKLY], ids=["health", "dashboard"])
def test_a_restart_loses_no_request(world: World, box: Box, path: str) -> None:
    before = process_of(box)
    with Load(world, path) as load:
        time.sleep(1)
        box.succeeds(f"systemctl restart {API}")
        time.sleep(1)

    assert load.failed() == []
    assert len(load.results) >= 100
    assert process_of(box) != before


def test_a_kill_loses_only_requests_in_progress(world: World, box: Box) -> None:
    before = process_of(box)
    with Load(world, HEALTH) as load:
        time.sleep(1)
        # the box has the same clock: entering the box takes longer than a request
        killing = f"import os, time; os.kill({before}, 9); print(time.monotonic())"
        killed_at = float(box.succeeds(f"python3 -c '{killing}'"))
        time.sleep(4)

    assert load.failed(in_progress_at=killed_at) == []
    assert load.outcomes["200"] >= 200
    assert process_of(box) != before


def test_a_stopped_process_is_killed_and_restarted(world: World, box: Box) -> None:
    hung = process_of(box)
    box.succeeds(f"kill -STOP {hung}")

    answer = world.get(HEALTH, timeout=40)

    assert answer.status_code == 200
    assert process_of(box) != hung
    assert "Failed with result 'watchdog'" in box.journal(API)


def test_the_stack_of_a_blocked_event_loop_is_logged(box: Box) -> None:
    """Here only the event loop hangs; a stopped process has no running thread."""
    folder = f"/run/systemd/system/{API}.service.d"
    program = Path(hangs.__file__).read_text(encoding="utf-8")
    assert box.run(f"cat > {HANGS} && chmod 644 {HANGS}", text=program).returncode == 0
    box.succeeds(
        f"mkdir -p {folder} && printf '[Service]\\nExecStart=\\nExecStart={PYTHON} {HANGS}\\n' "
        f"> {folder}/rehearsal.conf"
    )
    try:
        box.succeeds(f"systemctl daemon-reload && systemctl restart {API}")
        since = box.succeeds("date +%s").strip()
    finally:
        box.succeeds(f"rm -r {folder} && systemctl daemon-reload")
    box.run(f"curl --silent --max-time 1 --unix-socket /run/community-metrics/api.sock {ANY}")

    log = box.wait_until(f"journalctl --unit={API} --since=@{since} --no-pager | grep -A99 'Aborted'")

    assert "Current thread" in log
    assert f'File "{HANGS}", line' in log
    assert process_of(box)


def test_a_process_that_cannot_start_does_not_stop_the_socket(world: World, box: Box) -> None:
    """With a start limit, connections would fail until someone restarts the socket; here they wait."""
    folder = f"/run/systemd/system/{API}.service.d"
    box.succeeds(
        f"mkdir -p {folder} && printf '[Service]\\nExecStartPre=/bin/false\\n' > {folder}/rehearsal.conf"
    )
    box.succeeds(f"systemctl daemon-reload && systemctl kill --signal=KILL {API}")
    with Load(world, HEALTH) as load:
        time.sleep(3)
        box.succeeds(f"rm -r {folder} && systemctl daemon-reload")
        time.sleep(3)

    assert box.succeeds(f"systemctl is-active {API}.socket") == "active\n"
    assert load.failed() == []
    assert process_of(box)


def test_bodies_are_served_and_marked_stale_while_storage_is_unavailable(world: World, box: Box) -> None:
    freshness(world, reachable=True)
    world.stop("lancedb")
    try:
        stale = eventually(lambda: freshness(world, reachable=False), UP_S)
        assert stale["data_as_of"]
        answer = world.get(WEEKLY)
        assert (answer.status_code, answer.headers.get_list("x-data-stale")) == (200, ["true"])
        assert int(answer.headers["age"]) >= 0
        assert world.get(HEALTH).json() == {"status": "ok"}
        assert world.get("/api/v1/ready").status_code == 503
    finally:
        world.start("lancedb")

    eventually(lambda: freshness(world, reachable=True), UP_S)
    assert "x-data-stale" not in world.get(WEEKLY).headers


@pytest.mark.parametrize("unit", OURS)
def test_a_unit_is_valid_and_its_exposure_is_limited(box: Box, unit: str) -> None:
    verified = box.run(f"systemd-analyze verify --man=no {unit}")
    score = box.run(f"systemd-analyze security --no-pager {unit} | tail -1").stdout

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    assert float(score.partition(".service: ")[2].split()[0]) <= MAX_EXPOSURE


@pytest.mark.parametrize("unit", [f"{API}.service", "community-metrics-weekly-refresh.service"])
def test_the_unit_denies_the_metadata_service(box: Box, unit: str) -> None:
    denied = box.succeeds(f"systemctl show --property=IPAddressDeny --value {unit}").split()

    assert {"169.254.169.254/32", "fd00:ec2::254/128"} <= set(denied)


def test_with_a_bucket_the_unit_allows_the_metadata_service(box: Box) -> None:
    units = (
        f"{API}.service",
        "community-metrics-daily-refresh.service",
        "community-metrics-weekly-refresh.service",
        "community-metrics-catch-up.service",
    )
    overlay = HOST_FILES / "files-s3" / "etc" / "systemd" / "system"
    drop_ins = sorted(overlay.glob("*/*.conf"))
    assert drop_ins
    for path in drop_ins:
        target = f"/run/systemd/system/{path.relative_to(overlay)}"
        assert (
            box.run(
                f"mkdir -p $(dirname {target}) && cat > {target}", text=path.read_text("utf-8")
            ).returncode
            == 0
        )
    try:
        box.succeeds("systemctl daemon-reload")
        denied = {
            unit: box.succeeds(f"systemctl show --property=IPAddressDeny --value {unit}") for unit in units
        }
    finally:
        box.succeeds("rm -r /run/systemd/system/community-metrics-*.d && systemctl daemon-reload")

    assert denied == dict.fromkeys(units, "\n")


def test_with_a_bucket_a_job_uses_the_credentials_of_the_role(world: World, box: Box) -> None:
    world.client("s3").create_bucket(Bucket="data")
    before = len(world.imds.requests)

    done = box.run(
        # without credentials: a deployment with a bucket has no keys of a cluster
        "systemd-run --quiet --pipe --wait --collect --unit=community-metrics-job-s3.service env "
        f"-u CREDENTIALS_DIRECTORY CM_STORAGE_MODE=local CM_DB_PATH=s3://data/lancedb {PYTHON} "
        "-m community_metrics.jobs.bootstrap_tables"
    )

    assert done.returncode == 0, done.stderr
    assert world.client("s3").list_objects_v2(Bucket="data", Prefix="lancedb/")["KeyCount"] > 0
    assert any("/iam/security-credentials/" in path for _, path, _ in world.imds.requests[before:])


def freshness(world: World, *, reachable: bool) -> dict[str, Any]:
    found: dict[str, Any] = world.get(WEEKLY).raise_for_status().json()["freshness"]
    assert found["storage_reachable"] is reachable
    return found
