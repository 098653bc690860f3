#!/usr/bin/python3
"""The journal, to CloudWatch: every line at least once, in order, also when CloudWatch was away for a while.

Debian packages no agent for CloudWatch. This program reads the journal from its cursor on, and moves the
cursor only when CloudWatch has taken what lies before: the journal itself is the buffer. A crash in between
sends some lines a second time. Runs with Debian's Python and packages alone.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable

DEPLOYMENT = Path("/var/lib/community-metrics/deployment.json")
STATE_FOLDER = Path("/var/lib/community-metrics-logs")
MACHINE_ID = Path("/etc/machine-id")

# the API's limits: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
EVENTS_AT_ONCE = 10_000
BYTES_AT_ONCE = 1_048_576
BYTES_BESIDE_EACH = 26
LONGEST_LINE_BYTES = 200_000
LONGEST_SPAN_MS = int(timedelta(hours=23).total_seconds() * 1000)

ENTRIES_AT_ONCE = 2_000
LOOK_EVERY_S = 5.0
LONGEST_WAIT_S = 60.0
PRODUCT_UNITS = "community-metrics-"
EDGE_UNITS = ("community-metrics-api.service", "nginx.service")
PID_1 = "init.scope"
CURSOR = re.compile(rb'"__CURSOR"\s*:\s*"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the journal: which group it is for, when it was written, what it says."""

    group: str
    at_ms: int
    text: str

    @property
    def size(self) -> int:
        """What it counts for in a request."""
        return len(self.text.encode()) + BYTES_BESIDE_EACH


@dataclass(frozen=True, slots=True)
class News:
    """What the journal says next: the entries that can be read, and the cursor behind all it showed."""

    entries: list[dict[str, Any]]
    shown: int
    cursor: str | None


class Shipper:
    """Sends lines to one stream in each of the host's log groups."""

    def __init__(self, client: Any, groups: dict[str, str], stream: str) -> None:
        self._client = client
        self._groups = groups
        self._stream = stream
        self._known: set[str] = set()

    def send(self, lines: Iterable[Line]) -> None:
        """Send lines in order; what comes back has been taken.

        Raises:
            BotoCoreError, ClientError: CloudWatch is away or refuses; some lines may have been taken.
        """
        for batch in batches(lines):
            group = self._groups[batch[0].group]
            self._make_stream(group)
            events = [{"timestamp": line.at_ms, "message": line.text} for line in batch]
            try:
                said = self._client.put_log_events(
                    logGroupName=group, logStreamName=self._stream, logEvents=events
                )
            except self._client.exceptions.ResourceNotFoundException:
                self._known.discard(group)  # somebody deleted the stream: it is made again
                raise
            if rejected := said.get("rejectedLogEventsInfo"):
                print(f"CloudWatch keeps no lines so old or so new: {rejected}", flush=True)

    def _make_stream(self, group: str) -> None:
        if group in self._known:
            return
        try:
            self._client.create_log_stream(logGroupName=group, logStreamName=self._stream)
        except self._client.exceptions.ResourceAlreadyExistsException:
            print(f"going on with the stream {self._stream} in {group}", flush=True)
        self._known.add(group)


def line_of(entry: dict[str, Any]) -> Line:
    """Return the line of a journal entry as `journalctl --output=json` shows it."""
    unit = unit_of(entry)
    text = text_of(entry.get("MESSAGE"))
    if not text.startswith("{"):  # ours are JSON and name what they are about
        text = f"{entry.get('SYSLOG_IDENTIFIER') or unit or 'kernel'}: {text}"
    kept = text.encode()[:LONGEST_LINE_BYTES].decode(errors="ignore")
    return Line(group_of(unit), int(entry["__REALTIME_TIMESTAMP"]) // 1000, kept)


def unit_of(entry: dict[str, Any]) -> str:
    """Return the unit that an entry comes from, or that systemd speaks of in it."""
    unit = str(entry.get("_SYSTEMD_UNIT") or "")
    # whoever else names a UNIT may name any
    return str(entry.get("UNIT") or unit) if unit in {"", PID_1} else unit


def group_of(unit: str) -> str:
    """Return which of the host's groups a unit's lines belong to."""
    if unit in EDGE_UNITS:
        return "api"
    return "jobs" if unit.startswith(PRODUCT_UNITS) else "system"


def text_of(message: Any) -> str:
    """Return a message; journalctl shows one that is not UTF-8 as numbers, a repeated one as a list."""
    if isinstance(message, list):
        if all(isinstance(part, int) for part in message):
            return bytes(message).decode("utf-8", errors="replace")
        return " ".join(text_of(part) for part in message)
    return "" if message is None else str(message)


def batches(lines: Iterable[Line]) -> list[list[Line]]:
    """Return the lines of each group, sorted by time as CloudWatch wants them, in pieces that it takes."""
    pieces: list[list[Line]] = []
    size = 0
    # sorted() is stable: lines of one millisecond keep their order
    for line in sorted(lines, key=lambda line: (line.group, line.at_ms)):
        if pieces and size + line.size <= BYTES_AT_ONCE and _go_together(pieces[-1], line):
            pieces[-1].append(line)
            size += line.size
        else:
            pieces.append([line])
            size = line.size
    return pieces


def _go_together(piece: list[Line], line: Line) -> bool:
    first = piece[0]
    is_near = line.at_ms - first.at_ms < LONGEST_SPAN_MS
    return first.group == line.group and is_near and len(piece) < EVENTS_AT_ONCE


def news_after(cursor: str | None) -> News:
    """Return the journal's next entries, oldest first, at most `ENTRIES_AT_ONCE`."""
    command = ["journalctl", "--quiet", "--all", "--output=json", f"--lines=+{ENTRIES_AT_ONCE}"]
    if cursor is not None:
        command.append(f"--after-cursor={cursor}")
    # its errors go where ours go: into the unit's journal
    return news_in(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def news_in(shown: bytes) -> News:
    """Return what `journalctl --output=json` showed; what cannot be read is counted, told and left behind."""
    # not splitlines() of text: a message may hold U+2028, which journalctl leaves as it is
    lines = [line for line in shown.split(b"\n") if line]
    entries = [entry for line in lines if (entry := entry_in(line)) is not None]
    if unreadable := len(lines) - len(entries):
        print(f"{unreadable} entries of the journal are no JSON and are not shipped", flush=True)
    cursors = [found[1].decode() for line in lines if (found := CURSOR.search(line))]
    return News(entries, len(lines), cursors[-1] if cursors else None)


def entry_in(line: bytes) -> dict[str, Any] | None:
    """Return the entry that a line of journalctl's shows, unless it is none."""
    try:
        entry = json.loads(line.decode("utf-8", errors="replace"))
    except json.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None


def ship_news(shipper: Shipper, cursor_file: Path) -> bool:
    """Send the next entries and move the cursor behind them; say whether there may be more at once."""
    cursor = cursor_file.read_text(encoding="utf-8") if cursor_file.exists() else ""
    news = news_after(cursor or None)  # a power cut may leave an empty file
    if news.cursor is None:
        return False
    shipper.send([line_of(entry) for entry in news.entries])
    scratch = cursor_file.with_suffix(".new")
    scratch.write_text(news.cursor, encoding="utf-8")
    scratch.rename(cursor_file)
    return news.shown == ENTRIES_AT_ONCE


def main() -> None:
    """Ship for ever; an outage is told once, when it begins and when it is over."""
    facts = json.loads(DEPLOYMENT.read_text(encoding="utf-8"))
    config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2})
    client = boto3.client("logs", region_name=facts["region"], config=config)
    stream = f"{socket.gethostname()}-{MACHINE_ID.read_text(encoding='utf-8')[:8]}"
    shipper = Shipper(client, facts["log_groups"], stream)
    failures = 0
    while True:
        try:
            has_more = ship_news(shipper, STATE_FOLDER / "cursor")
        except (BotoCoreError, ClientError) as error:
            if failures == 0:
                print(f"CloudWatch takes no lines; they wait in the journal: {error}", flush=True)
            failures += 1
            time.sleep(min(LOOK_EVERY_S * 2 ** min(failures - 1, 10), LONGEST_WAIT_S))
            continue
        if failures:
            print("CloudWatch takes lines again", flush=True)
            failures = 0
        if not has_more:
            time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
