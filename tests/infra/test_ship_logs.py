"""Events keep their order and group, stay within CloudWatch's limits, and survive failures."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import names
from infra.host import ship_logs
from infra.host.ship_logs import LogEvent, Shipper, batches, ship_next, to_event

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.rehearsal.recorder import Recorder

GROUP = "/a/group"
MS_OF_A_DAY = 86_400_000
EVENTS = st.lists(
    st.builds(
        LogEvent,
        group=st.sampled_from(sorted(names.JOURNAL_GROUPS)),
        at_ms=st.integers(0, 3 * MS_OF_A_DAY),
        message=st.text(min_size=1, max_size=20),
    ),
    max_size=200,
)


def entry(**fields: Any) -> dict[str, Any]:
    return {"__CURSOR": "s=1", "__REALTIME_TIMESTAMP": "1764000000123456", **fields}


@pytest.mark.parametrize(
    ("unit", "group"),
    [
        ("community-metrics-api.service", "api"),
        ("nginx.service", "api"),
        ("community-metrics-daily-refresh.service", "jobs"),
        ("community-metrics-weekly-refresh.service", "jobs"),
        ("community-metrics-job-update-all-7.service", "jobs"),
        ("ssh.service", "system"),
        ("", "system"),
    ],
)
def test_an_entry_goes_to_the_group_of_its_unit(unit: str, group: str) -> None:
    assert to_event(entry(_SYSTEMD_UNIT=unit, MESSAGE="x")).group == group
    assert group in names.JOURNAL_GROUPS


@pytest.mark.parametrize(
    ("writer", "group"), [("init.scope", "jobs"), ("", "jobs"), ("ssh.service", "system")]
)
def test_only_systemd_can_write_an_entry_for_another_unit(writer: str, group: str) -> None:
    found = entry(
        _SYSTEMD_UNIT=writer,
        UNIT="community-metrics-weekly-refresh.service",
        MESSAGE="community-metrics-weekly-refresh.service: Failed with result 'exit-code'.",
    )

    assert to_event(found).group == group


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"MESSAGE": '{"event": "request"}', "SYSLOG_IDENTIFIER": "python"}, '{"event": "request"}'),
        ({"MESSAGE": "Started.", "SYSLOG_IDENTIFIER": "systemd"}, "systemd: Started."),
        ({"MESSAGE": [99, 97, 102, 233]}, "kernel: caf�"),
        ({"MESSAGE": ["one", "two"], "_SYSTEMD_UNIT": "a.service"}, "a.service: one two"),
        ({"MESSAGE": None, "SYSLOG_IDENTIFIER": "sshd"}, "sshd: "),
    ],
)
def test_an_event_has_the_message_and_the_time_of_its_entry(fields: dict[str, Any], text: str) -> None:
    event = to_event(entry(**fields))

    assert (event.message, event.at_ms) == (text, 1_764_000_000_123)


def test_a_long_message_is_cut_between_two_characters() -> None:
    event = to_event(entry(MESSAGE="{" + "é" * ship_logs.MAX_MESSAGE_BYTES))

    assert len(event.message.encode()) in {ship_logs.MAX_MESSAGE_BYTES, ship_logs.MAX_MESSAGE_BYTES - 1}


@given(EVENTS)
def test_every_event_is_in_one_batch_in_order(events: list[LogEvent]) -> None:
    sent = [event for batch in batches(events) for event in batch]

    for group in names.JOURNAL_GROUPS:
        of_group = sorted((event for event in events if event.group == group), key=lambda event: event.at_ms)
        assert [event for event in sent if event.group == group] == of_group
    assert len(sent) == len(events)


@given(EVENTS)
def test_a_batch_is_within_cloudwatchs_limits(events: list[LogEvent]) -> None:
    found = list(batches(events))

    assert bool(found) == bool(events)
    for batch in found:
        assert len({event.group for event in batch}) == 1
        assert batch[-1].at_ms - batch[0].at_ms < MS_OF_A_DAY
        assert sum(event.size for event in batch) <= ship_logs.MAX_BATCH_BYTES


def test_many_long_events_are_split() -> None:
    events = [LogEvent("api", number, "x" * 200_000) for number in range(20)]

    assert [len(batch) for batch in batches(events)] == [5, 5, 5, 5]


@pytest.fixture
def client(aws: Recorder, monkeypatch: pytest.MonkeyPatch) -> Any:
    """CloudWatch with one empty log group."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a")
    made = boto3.client("logs", region_name="us-east-1", endpoint_url=aws.endpoint)
    made.create_log_group(logGroupName=GROUP)
    return made


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that a fake `journalctl` prints; it writes its arguments to `arguments`."""
    shown = tmp_path / "shown"
    program = tmp_path / "bin/journalctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/arguments\ncat {shown}\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return shown


def shipper_to(client: Any) -> Shipper:
    return Shipper(client, dict.fromkeys(names.JOURNAL_GROUPS, GROUP), "host")


def shipped(client: Any) -> list[str]:
    found = client.get_log_events(logGroupName=GROUP, logStreamName="host", startFromHead=True)
    return [event["message"] for event in found["events"]]


def shown_as(cursor: str, message: str) -> str:
    now = str(time.time_ns() // 1000)
    fields = entry(__CURSOR=cursor, __REALTIME_TIMESTAMP=now, SYSLOG_IDENTIFIER="n", MESSAGE=message)
    return json.dumps(fields, ensure_ascii=False) + "\n"


def test_a_unicode_line_separator_does_not_end_an_entry(client: Any, journal: Path, tmp_path: Path) -> None:
    message = "GET /\u2028\u2029\x85"
    journal.write_text(shown_as("s=1", message) + shown_as("s=2", "next"), encoding="utf-8")

    ship_next(shipper_to(client), tmp_path / "cursor")

    assert shipped(client) == [f"n: {message}", "n: next"]
    assert (tmp_path / "cursor").read_text(encoding="utf-8") == "s=2"


@pytest.mark.parametrize("damaged", ['{"__CURSOR":"s=2","MESSAGE":"torn', "7"])
def test_an_entry_that_is_not_json_is_reported_and_skipped(
    damaged: str, client: Any, journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.write_text(shown_as("s=1", "before") + damaged + "\n", encoding="utf-8")

    ship_next(shipper_to(client), tmp_path / "cursor")

    assert shipped(client) == ["n: before"]
    assert "skipped 1 journal entries that are not valid JSON" in capsys.readouterr().out


def test_a_page_of_damaged_entries_does_not_stop_the_shipping(
    client: Any, journal: Path, tmp_path: Path
) -> None:
    journal.write_text('{"__CURSOR":"s=9","MESSAGE":"torn\n', encoding="utf-8")

    ship_next(shipper_to(client), tmp_path / "cursor")

    assert (tmp_path / "cursor").read_text(encoding="utf-8") == "s=9"


def test_an_empty_cursor_file_counts_as_no_cursor(client: Any, journal: Path, tmp_path: Path) -> None:
    (tmp_path / "cursor").touch()
    journal.write_text(shown_as("s=1", "first"), encoding="utf-8")

    ship_next(shipper_to(client), tmp_path / "cursor")
    assert "--after-cursor" not in (tmp_path / "arguments").read_text(encoding="utf-8")

    ship_next(shipper_to(client), tmp_path / "cursor")
    assert "--after-cursor=s=1" in (tmp_path / "arguments").read_text(encoding="utf-8")


def test_errors_of_journalctl_are_printed(journal: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        ship_logs.read_journal(None)

    assert f"{journal}: No such file" in capfd.readouterr().err


def test_a_deleted_stream_is_created_again(client: Any) -> None:
    shipper, event = shipper_to(client), LogEvent("api", time.time_ns() // 1_000_000, "again")
    shipper.send([event])
    client.delete_log_stream(logGroupName=GROUP, logStreamName="host")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        shipper.send([event])

    shipper.send([event])

    assert shipped(client) == ["again"]
