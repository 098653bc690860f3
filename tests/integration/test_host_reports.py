"""Monitor and notice with an unreachable or broken database: they report what does not depend on it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import boto3
import lancedb
import pytest
from structlog.testing import capture_logs

from community_metrics.aws.telemetry import NAMESPACE
from community_metrics.host import monitor, notice
from community_metrics.runs.registry import WeeklyRefresh
from tests.support.aws import REGION, aws_environment
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.jobs import Rig

MONITOR = [sys.executable, "-m", "community_metrics.host.monitor"]
UNIT = "community-metrics-weekly-refresh.service"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws_environment(monkeypatch):
        yield


@pytest.fixture
def silent_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cluster that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        for name, value in {
            "STORAGE_MODE": "enterprise",
            "LANCEDB_URI": "db://metrics",
            "LANCEDB_API_KEY": "key",
            "LANCEDB_HOST_OVERRIDE": f"http://127.0.0.1:{listening.getsockname()[1]}",
        }.items():
            monkeypatch.setenv(f"CM_{name}", value)
        yield


def published() -> set[str]:
    metrics = boto3.client("cloudwatch").list_metrics(Namespace=NAMESPACE)["Metrics"]
    return {metric["MetricName"] for metric in metrics}


@pytest.mark.usefixtures("aws", "silent_database")
def test_the_host_gauges_are_published_while_the_database_does_not_respond() -> None:
    program = subprocess.Popen(MONITOR)
    try:
        until = time.monotonic() + 60
        while not published() and time.monotonic() < until and program.poll() is None:
            time.sleep(0.1)

        assert {monitor.DISK_USED, monitor.MEMORY_USED} <= published()
        assert program.poll() is None  # it still waits for the database
    finally:
        program.kill()
        program.wait(timeout=20)


@pytest.mark.usefixtures("aws")
def test_without_a_database_the_monitor_publishes_the_host_gauges_and_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CM_DB_PATH", str(tmp_path / "nothing"))

    ended = subprocess.run(MONITOR, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 1
    assert {monitor.DISK_USED, monitor.MEMORY_USED} <= published()
    gauges, error = (json.loads(line) for line in ended.stderr.splitlines())
    assert gauges["event"] == "gauges"
    assert "if it is elsewhere, set CM_DB_PATH" in error["reason"]


def test_an_error_of_cloudwatch_is_logged_with_the_other_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with capture_logs() as lines:
        is_complete = monitor.report_gauges({monitor.DISK_USED: 1.0}, ["MemoryUsedPercent: KeyError"])

    first, rejection = (line["reason"] for line in lines if line["log_level"] == "error")
    assert first == "MemoryUsedPercent: KeyError"
    assert rejection.startswith("CloudWatch rejected the gauges: ")
    assert not is_complete


@pytest.mark.usefixtures("silent_database")
async def test_a_notice_waits_for_the_database_at_most_its_limit() -> None:
    begin = time.monotonic()

    text = await notice.last_run(NOON, limit_s=0.5)

    assert text == "The last run cannot be read: TimeoutError: no response within 0.5 seconds"
    assert time.monotonic() - begin < 10


async def test_a_notice_is_sent_even_if_another_release_wrote_the_history(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.run(WeeklyRefresh())
    connection = await lancedb.connect_async(str(rig.folder))
    runs = await connection.open_table("history")
    await runs.update({"status": "odd"})
    connection.close()

    monkeypatch.setenv("CM_DB_PATH", str(rig.folder))

    text = await notice.last_run(NOON)

    assert text.startswith(
        "The last run cannot be read: UnknownStoredValue: The table history has a row with "
    )
    assert "status 'odd', which this version does not know" in text


@pytest.mark.usefixtures("aws")
def test_a_notice_is_sent_without_a_usable_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "db").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("CM_DB_PATH", str(tmp_path / "db"))
    topic = boto3.client("sns").create_topic(Name="alarms")["TopicArn"]
    mails = boto3.client("sqs").create_queue(QueueName="mails")["QueueUrl"]
    boto3.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:mails"
    )

    assert notice.main(["--topic", topic, "--unit", UNIT]) == 0

    (mail,) = boto3.client("sqs").receive_message(QueueUrl=mails)["Messages"]
    text = json.loads(mail["Body"])["Message"]
    assert text.startswith(f"{UNIT} failed on ")
    assert "\n\nThe last run cannot be read: StorageUnavailable: " in text
