#!/usr/bin/python3
"""Ship the journal to CloudWatch Logs: each entry at least once, in order, across outages of CloudWatch.

Debian has no package of the CloudWatch agent. This program reads the journal from a cursor, and moves the
cursor only after CloudWatch has accepted the entries before it, so the journal is the buffer. After a crash,
some entries are sent twice. Uses Debian's Python and packages only.
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

# limits of https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
MAX_BATCH_EVENTS = 10_000
MAX_BATCH_BYTES = 1_048_576
EVENT_OVERHEAD_BYTES = 26
MAX_BATCH_SPAN_MS = int(timedelta(hours=23).total_seconds() * 1000)
MAX_MESSAGE_BYTES = 200_000

PAGE_ENTRIES = 2_000
POLL_INTERVAL_S = 5.0
MAX_BACKOFF_S = 60.0
PRODUCT_UNITS = "community-metrics-"
EDGE_UNITS = ("community-metrics-api.service", "nginx.service")
PID_1 = "init.scope"
CURSOR = re.compile(rb'"__CURSOR"\s*:\s*"([^"]+)"')


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One journal entry as CloudWatch stores it."""

    group: str
    at_ms: int
    message: str

    @property
    def size(self) -> int:
        """The bytes that CloudWatch counts for this event."""
        return len(self.message.encode()) + EVENT_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class JournalPage:
    """The output of one `journalctl` call: readable entries, number of lines, cursor of the last line."""

    entries: list[dict[str, Any]]
    lines: int
    cursor: str | None


class Shipper:
    """Sends events to one stream in each of the host's log groups."""

    def __init__(self, client: Any, groups: dict[str, str], stream: str) -> None:
        self._client = client
        self._groups = groups
        self._stream = stream
        self._ready: set[str] = set()

    def send(self, events: Iterable[LogEvent]) -> None:
        """Send events in order; on return CloudWatch has accepted all of them.

        Raises:
            BotoCoreError, ClientError: CloudWatch fails or is unavailable; it may have some events.
        """
        for batch in batches(events):
            group = self._groups[batch[0].group]
            self._create_stream(group)
            try:
                response = self._client.put_log_events(
                    logGroupName=group,
                    logStreamName=self._stream,
                    logEvents=[{"timestamp": event.at_ms, "message": event.message} for event in batch],
                )
            except self._client.exceptions.ResourceNotFoundException:
                self._ready.discard(group)  # the stream was deleted: create it again on the next call
                raise
            if rejected := response.get("rejectedLogEventsInfo"):
                print(f"CloudWatch rejected events that are too old or too new: {rejected}", flush=True)

    def _create_stream(self, group: str) -> None:
        if group in self._ready:
            return
        try:
            self._client.create_log_stream(logGroupName=group, logStreamName=self._stream)
        except self._client.exceptions.ResourceAlreadyExistsException:
            print(f"continuing the stream {self._stream} in {group}", flush=True)
        self._ready.add(group)


def to_event(entry: dict[str, Any]) -> LogEvent:
    """Return the event of a journal entry as `journalctl --output=json` prints it."""
    unit = unit_of(entry)
    message = text_of(entry.get("MESSAGE"))
    if not message.startswith("{"):  # our own messages are JSON and name their origin
        message = f"{entry.get('SYSLOG_IDENTIFIER') or unit or 'kernel'}: {message}"
    kept = message.encode()[:MAX_MESSAGE_BYTES].decode(errors="ignore")
    return LogEvent(group_of(unit), int(entry["__REALTIME_TIMESTAMP"]) // 1000, kept)


def unit_of(entry: dict[str, Any]) -> str:
    """Return the unit that wrote an entry; for an entry of systemd, the unit that it is about."""
    unit = str(entry.get("_SYSTEMD_UNIT") or "")
    # only from systemd: any other program could set UNIT to any value
    return str(entry.get("UNIT") or unit) if unit in {"", PID_1} else unit


def group_of(unit: str) -> str:
    """Return the log group of a unit."""
    if unit in EDGE_UNITS:
        return "api"
    return "jobs" if unit.startswith(PRODUCT_UNITS) else "system"


def text_of(message: Any) -> str:
    """Return a message as text; journalctl prints invalid UTF-8 as numbers and a repeated field as a list."""
    if isinstance(message, list):
        if all(isinstance(part, int) for part in message):
            return bytes(message).decode("utf-8", errors="replace")
        return " ".join(text_of(part) for part in message)
    return "" if message is None else str(message)


def batches(events: Iterable[LogEvent]) -> list[list[LogEvent]]:
    """Return the events of each group, sorted by time, in batches within CloudWatch's limits."""
    found: list[list[LogEvent]] = []
    size = 0
    # sorted() is stable: events of one millisecond keep their order
    for event in sorted(events, key=lambda event: (event.group, event.at_ms)):
        if found and size + event.size <= MAX_BATCH_BYTES and _fits(found[-1], event):
            found[-1].append(event)
            size += event.size
        else:
            found.append([event])
            size = event.size
    return found


def _fits(batch: list[LogEvent], event: LogEvent) -> bool:
    first = batch[0]
    is_near = event.at_ms - first.at_ms < MAX_BATCH_SPAN_MS
    return first.group == event.group and is_near and len(batch) < MAX_BATCH_EVENTS


def read_journal(after_cursor: str | None) -> JournalPage:
    """Return the next entries of the journal, oldest first, at most `PAGE_ENTRIES`."""
    command = ["journalctl", "--quiet", "--all", "--output=json", f"--lines=+{PAGE_ENTRIES}"]
    if after_cursor is not None:
        command.append(f"--after-cursor={after_cursor}")
    # stderr is inherited: it goes to this unit's journal
    return parse_page(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def parse_page(output: bytes) -> JournalPage:
    """Return what `journalctl --output=json` printed; lines that are not JSON are counted and skipped."""
    # not splitlines(): a message may contain U+2028, which journalctl does not escape
    lines = [line for line in output.split(b"\n") if line]
    entries = [entry for line in lines if (entry := parse_entry(line)) is not None]
    if unreadable := len(lines) - len(entries):
        print(f"skipped {unreadable} journal entries that are not valid JSON", flush=True)
    cursors = [found[1].decode() for line in lines if (found := CURSOR.search(line))]
    return JournalPage(entries, len(lines), cursors[-1] if cursors else None)


def parse_entry(line: bytes) -> dict[str, Any] | None:
    """Return the entry of one line, None if the line is not a JSON object."""
    try:
        entry = json.loads(line.decode("utf-8", errors="replace"))
    except json.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None


def ship_next(shipper: Shipper, cursor_file: Path) -> bool:
    """Send the next page and move the cursor behind it; return whether there may be another page."""
    cursor = cursor_file.read_text(encoding="utf-8") if cursor_file.exists() else ""
    page = read_journal(cursor or None)  # a power loss may leave an empty file
    if page.cursor is None:
        return False
    shipper.send([to_event(entry) for entry in page.entries])
    scratch = cursor_file.with_suffix(".new")
    scratch.write_text(page.cursor, encoding="utf-8")
    scratch.rename(cursor_file)
    return page.lines == PAGE_ENTRIES


def main() -> None:
    """Ship the journal until stopped; print one line when an outage begins and one when it ends."""
    facts = json.loads(DEPLOYMENT.read_text(encoding="utf-8"))
    config = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2})
    client = boto3.client("logs", region_name=facts["region"], config=config)
    stream = f"{socket.gethostname()}-{MACHINE_ID.read_text(encoding='utf-8')[:8]}"
    shipper = Shipper(client, facts["log_groups"], stream)
    failures = 0
    while True:
        try:
            has_more = ship_next(shipper, STATE_FOLDER / "cursor")
        except (BotoCoreError, ClientError) as error:
            if failures == 0:
                print(f"CloudWatch is unavailable; entries stay in the journal: {error}", flush=True)
            failures += 1
            time.sleep(min(POLL_INTERVAL_S * 2 ** min(failures - 1, 10), MAX_BACKOFF_S))
            continue
        if failures:
            print("CloudWatch is available again", flush=True)
            failures = 0
        if not has_more:
            time.sleep(POLL_INTERVAL_S)


if __name__ == "__main__":
    main()
