"""Send a notice of a failed unit: `python -m community_metrics.host.notice --topic ARN --unit NAME …`.

Started by `OnFailure=`, it publishes to the alarm topic which unit failed, its result, the last run, and the
command for details. It sends the notice even if the database or the settings are the cause.
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
from community_metrics.config import given_stage, load_settings
from community_metrics.views.rows import read
from community_metrics.views.runs import load_history

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from community_metrics.series.freshness import RunView

SUBJECT_LIMIT: Final = 100
"""The maximum length of a subject in SNS."""
HISTORY_LIMIT_S: Final = 60.0
"""How long the database may take; less than the unit's `TimeoutStartSec=`."""


def subject(unit: str, stage: str = "") -> str:
    """Return the subject: ASCII on one line, as SNS requires."""
    deployment = f"community-metrics ({stage})" if stage else "community-metrics"
    text = f"{deployment}: {unit} failed".encode("ascii", "replace").decode()
    return text[:SUBJECT_LIMIT]


def message(unit: str, result: str, status: str, last_run: str) -> str:
    """Return the body: the failed unit and its host, the last run, the commands for details."""
    ended = f"{result or 'unknown'}{f', {status}' if status else ''}"
    return (
        f"{unit} failed on {socket.gethostname()} (result: {ended}).\n\n{last_run}\n\n"
        f"For details, run on the host: `sudo journalctl -u {unit} -n 100` (the unit's log) and "
        "`sudo cm-job history` (the runs). docs/runbook.md describes what to do.\n"
    )


def run_summary(view: RunView | None) -> str:
    """Return a summary of the newest run."""
    if view is None:
        return "No run is stored yet."
    run = view.run
    head = f"Newest run: {run.ingestion_run_id}, {view.state}, started {run.started_at:%Y-%m-%d %H:%M} UTC."
    rows = f"{run.rows_inserted} rows inserted, {run.rows_updated} updated, {run.rows_unchanged} unchanged."
    if run.metrics_left:
        rows += f" Metrics left for the next run: {run.metrics_left}."
    return "\n".join([head, rows, *([run.error_summary] if run.error_summary else [])])


async def last_run(now: datetime, limit_s: float = HISTORY_LIMIT_S) -> str:
    """Return a summary of the newest run, or why it cannot be read."""
    try:
        async with asyncio.timeout(limit_s):
            view, _ = await read(load_settings(), lambda reader: load_history(reader, now, limit=1))
        return run_summary(view.runs[0] if view.runs else None)
    except TimeoutError:
        return f"The last run cannot be read: TimeoutError: no response within {limit_s:g} seconds"
    except Exception as error:  # noqa: BLE001  the notice is sent whatever is wrong with the database
        return f"The last run cannot be read: {type(error).__name__}: {error}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Publish the notice and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("topic", "unit", "result", "status"):
        parser.add_argument(f"--{name}", default="")
    options = parser.parse_args(arguments)
    run = asyncio.run(last_run(SystemClock().now()))
    text = message(options.unit, options.result, options.status, run)
    try:
        sns = boto3.Session().client("sns")
        sns.publish(TopicArn=options.topic, Subject=subject(options.unit, given_stage()), Message=text)
    except (BotoCoreError, ClientError) as error:
        print(f"The notice was not sent to {options.topic}: {error}\n{text}", file=sys.stderr)  # noqa: T201  for the journal
        return 1
    print(text)  # noqa: T201  for the journal
    return 0


if __name__ == "__main__":
    sys.exit(main())
