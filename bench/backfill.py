"""Backfill of 5 crates over 11 years of the archive of crates.io: some 4,000 files of a megabyte each.

A server in a process of its own sends the same file for every day, as fast as the connection takes it; the
clock does not sleep, and the rows are merged into an empty database. The figure is the processor time of the
job for each megabyte of CSV; at most 20 ms are 50 MB a second. The yardstick is the parser alone, fed with
the same bytes in pieces of 64 KiB. What is above it is mostly the cost of a request; larger files cost less.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from bench.results import Result
from community_metrics.config import PUBLIC_ORIGINS, Settings
from community_metrics.model import RunStatus
from community_metrics.periods import days_between
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import Backfill
from community_metrics.sources.archive_file import DayFile, Owners
from community_metrics.storage import LanceDBReader
from tests.support.clock import NOON, FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

CRATES: Final = 5
VERSIONS: Final = 60
FIRST_DAY: Final = date(2015, 8, 25)
LAST_DAY: Final = NOON.date() - timedelta(days=91)
ROWS: Final = 76_000
MOST_MS: Final = 20.0
"""For each megabyte: 50 MB a second."""
_PIECE: Final = 64 * 1024


def measure() -> Iterator[Result]:
    """Yield the time for each megabyte of the files, beside that of the parser alone."""
    content = _file()
    days = (LAST_DAY - FIRST_DAY).days + 1
    server = subprocess.Popen([sys.executable, "-m", "bench.backfill"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        origin = server.stdout.readline().strip()
        with TemporaryDirectory() as folder:
            ours = _seconds(Path(folder), origin, days)
    finally:
        server.terminate()
        server.wait()
    megabytes = days * len(content) / 1e6
    alone = min(_parsing(content) for _ in range(20)) / (len(content) / 1e6)
    name = f"backfill of {CRATES} crates over 11 years, each MB of CSV"
    yield Result(name, ours / megabytes * 1e3, alone * 1e3, "ms", None, MOST_MS)


def _file() -> bytes:
    """Return the file of a day: the versions of our crates among those of many others."""
    rng = random.Random(0)  # noqa: S311  made-up downloads
    rows = (f"{7 * number + 1},{int(rng.paretovariate(0.6)) % 100_000}\n" for number in range(ROWS))
    return ("version_id,downloads\n" + "".join(rows)).encode()


def _ids(crate: int) -> frozenset[int]:
    return frozenset(7 * (crate + CRATES * number) + 1 for number in range(VERSIONS))


def _parsing(content: bytes) -> float:
    owners = Owners({f"crate-{number}": _ids(number) for number in range(CRATES)})
    started = time.process_time()
    file = DayFile(owners)
    for at in range(0, len(content), _PIECE):
        file.feed(content[at : at + _PIECE])
    assert len(file.result().by_crate) == CRATES
    return time.process_time() - started


def _seconds(folder: Path, origin: str, days: int) -> float:
    """Return how long the job takes, from the first request to the last merge."""
    catalog = folder / "catalog.toml"
    entries = "".join(
        f'[[metric]]\nid = "downloads:p:crate-{number}"\nsource = "crates"\nsubject = "crate-{number}"\n'
        f'window = "1d"\ndisplay_name = "Crate {number}"\n'
        for number in range(CRATES)
    )
    catalog.write_text(f'[[product]]\nid = "p"\nname = "P"\n{entries}', encoding="utf-8")
    values: dict[str, Any] = {f"source_url_{host}": origin for host in PUBLIC_ORIGINS}
    settings = Settings(_env_file=None, db_path=str(folder / "db"), catalog=catalog, **values)
    rng = random.Random(0)  # noqa: S311  run ids and jitter
    LanceDBReader.load_client()
    started = time.process_time()
    report = asyncio.run(execute(Backfill(since=FIRST_DAY), settings, clock=FakeClock(NOON), rng=rng))
    spent = time.process_time() - started
    assert report.run.status is RunStatus.SUCCESS, report.run.error_summary
    assert report.run.rows_inserted == (CRATES + 1) * days, report.run.rows_inserted
    return spent


class _Archive(BaseHTTPRequestHandler):
    """The two hosts of crates.io: the list of the archive, its files, the versions of a crate."""

    protocol_version = "HTTP/1.1"
    content = _file()

    def do_GET(self) -> None:
        kind, body = "application/json", self.content
        if self.path.endswith("/index.json"):
            days = (f'{{"name":"{day}.csv"}}' for day in days_between(FIRST_DAY, LAST_DAY))
            body = f"[{','.join(days)}]".encode()
        elif "/versions" in self.path:
            crate = int(self.path.split("crate-")[1].partition("/")[0])
            versions = (f'{{"id":{number},"created_at":"2015-01-01T00:00:00Z"}}' for number in _ids(crate))
            body = f'{{"versions":[{",".join(versions)}],"meta":{{"next_page":null}}}}'.encode()
        else:
            kind = "binary/octet-stream"
        self.send_response_only(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        """Keep the output to the origin."""


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), _Archive) as http:
        print(f"http://127.0.0.1:{http.server_port}", flush=True)
        http.serve_forever()
