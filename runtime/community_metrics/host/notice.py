"""The notice of a failed unit: `python -m community_metrics.host.notice --topic ARN --unit NAME …`.

Started by `OnFailure=`, it publishes to the alarm topic what failed, how, what the history says of the last
run, and the command that shows more. It speaks even where the database or the settings are the trouble.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from community_metrics.clock import SystemClock
from community_metrics.config import load_settings
from community_metrics.views.rows import read
from community_metrics.views.runs import load_history

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from community_metrics.series.freshness import RunView

SUBJECT_LIMIT: Final = 100
"""Characters of the subject of a mail that SNS takes."""
HISTORY_LIMIT_S: Final = 60.0
"""How long the database may take, well within the unit's `TimeoutStartSec=`."""


def subject(unit: str) -> str:
    """Return the subject: plain characters on one line, as SNS demands."""
    text = f"community-metrics: {unit} failed".encode("ascii", "replace").decode()
    return text[:SUBJECT_LIMIT]


def message(unit: str, result: str, status: str, last_run: str) -> str:
    """Return the body: what failed where, the last run, what shows more."""
    ended = f"{result or 'unknown'}{f', {status}' if status else ''}"
    return (
        f"{unit} failed on {socket.gethostname()} (result: {ended}).\n\n{last_run}\n\n"
        f"On the box, `sudo journalctl -u {unit} -n 100` shows what it said, and `sudo cm-job history` the "
        "runs. docs/runbook.md says what to do.\n"
    )


def run_summary(view: RunView | None) -> str:
    """Return what the history says of the newest run."""
    if view is None:
        return "The history holds no run yet."
    run = view.run
    head = f"Newest run: {run.ingestion_run_id}, {view.state}, started {run.started_at:%Y-%m-%d %H:%M} UTC."
    rows = f"{run.rows_inserted} rows new, {run.rows_updated} changed, {run.rows_unchanged} equal."
    return "\n".join([head, rows, *([run.error_summary] if run.error_summary else [])])


async def last_run(now: datetime, limit_s: float = HISTORY_LIMIT_S) -> str:
    """Return the summary of the newest run, or why it cannot be told."""
    try:
        async with asyncio.timeout(limit_s):
            view, _ = await read(load_settings(), lambda reader: load_history(reader, now, limit=1))
        return run_summary(view.runs[0] if view.runs else None)
    except TimeoutError:
        return f"The history cannot be read: TimeoutError: no answer within {limit_s:g} seconds"
    except Exception as error:  # noqa: BLE001  the notice goes out whatever is wrong with the database
        return f"The history cannot be read: {type(error).__name__}: {error}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish the notice, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("topic", "unit", "result", "status"):
        parser.add_argument(f"--{name}", default="")
    told = parser.parse_args(arguments)
    text = message(told.unit, told.result, told.status, asyncio.run(last_run(SystemClock().now())))
    try:
        boto3.Session().client("sns").publish(TopicArn=told.topic, Subject=subject(told.unit), Message=text)
    except (BotoCoreError, ClientError) as error:
        print(f"The notice could not be sent to {told.topic}: {error}\n{text}", file=sys.stderr)  # noqa: T201  the journal is all that is left
        return 1
    print(text)  # noqa: T201  for the journal
    return 0


if __name__ == "__main__":
    sys.exit(main())
