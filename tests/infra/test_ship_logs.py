"""Lines keep their order and their group, fit into what CloudWatch takes, and none is lost to a failure."""

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
from infra.host.ship_logs import Line, Shipper, batches, line_of, ship_news

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.rehearsal.recorder import Recorder

GROUP = "/a/group"
MS_OF_A_DAY = 86_400_000
LINES = st.lists(
    st.builds(
        Line,
        group=st.sampled_from(sorted(names.JOURNAL_GROUPS)),
        at_ms=st.integers(0, 3 * MS_OF_A_DAY),
        text=st.text(min_size=1, max_size=20),
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
        ("community-metrics-weekly-refresh.service", "jobs"),
        ("community-metrics-job-update-all-7.service", "jobs"),
        ("ssh.service", "system"),
        ("", "system"),
    ],
)
def test_a_line_goes_to_its_group(unit: str, group: str) -> None:
    assert line_of(entry(_SYSTEMD_UNIT=unit, MESSAGE="x")).group == group
    assert group in names.JOURNAL_GROUPS


@pytest.mark.parametrize(
    ("speaker", "group"), [("init.scope", "jobs"), ("", "jobs"), ("ssh.service", "system")]
)
def test_what_systemd_says_of_a_unit_is_the_units_and_nobody_else_may_name_one(
    speaker: str, group: str
) -> None:
    said = entry(
        _SYSTEMD_UNIT=speaker,
        UNIT="community-metrics-weekly-refresh.service",
        MESSAGE="community-metrics-weekly-refresh.service: Failed with result 'exit-code'.",
    )

    assert line_of(said).group == group


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
def test_a_line_says_what_the_journal_says(fields: dict[str, Any], text: str) -> None:
    line = line_of(entry(**fields))

    assert (line.text, line.at_ms) == (text, 1_764_000_000_123)


def test_a_line_beyond_the_limit_is_cut_at_a_character() -> None:
    line = line_of(entry(MESSAGE="{" + "é" * ship_logs.LONGEST_LINE_BYTES))

    assert len(line.text.encode()) in {ship_logs.LONGEST_LINE_BYTES, ship_logs.LONGEST_LINE_BYTES - 1}


@given(LINES)
def test_every_line_is_in_one_batch_in_order(lines: list[Line]) -> None:
    sent = [line for batch in batches(lines) for line in batch]

    for group in names.JOURNAL_GROUPS:
        of_group = [line for line in lines if line.group == group]
        assert [line for line in sent if line.group == group] == sorted(of_group, key=lambda line: line.at_ms)
    assert len(sent) == len(lines)


@given(LINES)
def test_a_batch_is_what_cloudwatch_takes(lines: list[Line]) -> None:
    for batch in batches(lines):
        assert len({line.group for line in batch}) == 1
        assert batch[-1].at_ms - batch[0].at_ms < MS_OF_A_DAY
        assert sum(line.size for line in batch) <= ship_logs.BYTES_AT_ONCE


def test_many_long_lines_are_split() -> None:
    lines = [Line("api", number, "x" * 200_000) for number in range(20)]

    assert [len(batch) for batch in batches(lines)] == [5, 5, 5, 5]


@pytest.fixture
def client(aws: Recorder, monkeypatch: pytest.MonkeyPatch) -> Any:
    """CloudWatch with one group and nothing in it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "a")
    made = boto3.client("logs", region_name="us-east-1", endpoint_url=aws.endpoint)
    made.create_log_group(logGroupName=GROUP)
    return made


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the journal shows next, by a `journalctl` that shows a file; `asked` has what it was asked."""
    shown = tmp_path / "shown"
    program = tmp_path / "bin/journalctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\ncat {shown}\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return shown


def shipper_to(client: Any) -> Shipper:
    return Shipper(client, dict.fromkeys(names.JOURNAL_GROUPS, GROUP), "box")


def shipped(client: Any) -> list[str]:
    told = client.get_log_events(logGroupName=GROUP, logStreamName="box", startFromHead=True)
    return [event["message"] for event in told["events"]]


def shown_as(cursor: str, message: str) -> str:
    now = str(time.time_ns() // 1000)
    fields = entry(__CURSOR=cursor, __REALTIME_TIMESTAMP=now, SYSLOG_IDENTIFIER="n", MESSAGE=message)
    return json.dumps(fields, ensure_ascii=False) + "\n"


def test_a_separator_of_unicode_ends_no_entry(client: Any, journal: Path, tmp_path: Path) -> None:
    message = "GET /\u2028\u2029\x85"
    journal.write_text(shown_as("s=1", message) + shown_as("s=2", "next"), encoding="utf-8")

    ship_news(shipper_to(client), tmp_path / "cursor")

    assert shipped(client) == [f"n: {message}", "n: next"]
    assert (tmp_path / "cursor").read_text(encoding="utf-8") == "s=2"


@pytest.mark.parametrize("damaged", ['{"__CURSOR":"s=2","MESSAGE":"torn', "7"])
def test_an_entry_that_is_no_json_is_told_and_left_behind(
    damaged: str, client: Any, journal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.write_text(shown_as("s=1", "before") + damaged + "\n", encoding="utf-8")

    ship_news(shipper_to(client), tmp_path / "cursor")

    assert shipped(client) == ["n: before"]
    assert "1 entries of the journal are no JSON and are not shipped" in capsys.readouterr().out


def test_damaged_entries_alone_do_not_stop_the_shipping(client: Any, journal: Path, tmp_path: Path) -> None:
    journal.write_text('{"__CURSOR":"s=9","MESSAGE":"torn\n', encoding="utf-8")

    ship_news(shipper_to(client), tmp_path / "cursor")

    assert (tmp_path / "cursor").read_text(encoding="utf-8") == "s=9"


def test_an_empty_cursor_counts_as_none(client: Any, journal: Path, tmp_path: Path) -> None:
    (tmp_path / "cursor").touch()
    journal.write_text(shown_as("s=1", "first"), encoding="utf-8")

    ship_news(shipper_to(client), tmp_path / "cursor")
    assert "--after-cursor" not in (tmp_path / "asked").read_text(encoding="utf-8")

    ship_news(shipper_to(client), tmp_path / "cursor")
    assert "--after-cursor=s=1" in (tmp_path / "asked").read_text(encoding="utf-8")


def test_what_journalctl_complains_of_is_told(journal: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        ship_logs.news_after(None)

    assert f"{journal}: No such file" in capfd.readouterr().err


def test_a_stream_that_somebody_deleted_is_made_again(client: Any) -> None:
    shipper, line = shipper_to(client), Line("api", time.time_ns() // 1_000_000, "again")
    shipper.send([line])
    client.delete_log_stream(logGroupName=GROUP, logStreamName="box")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        shipper.send([line])

    shipper.send([line])

    assert shipped(client) == ["again"]
