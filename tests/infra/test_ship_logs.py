"""Lines keep their order and their group, fit into what CloudWatch takes, and none is lost to a failure."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import names
from infra.host import ship_logs
from infra.host.ship_logs import Line, batches, line_of

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
