"""Memory under more work than the API accepts: 60 cold dashboards at once, and 30 exports that nobody reads.

The API is a uvicorn process with the memory settings of the deployment; its peak is the system's own count
(`VmHWM`). The 60 requests are for dashboards of 45 to 104 weeks over 70 metrics of two years, so that no body
serves two of them. Each response must be a 200 or an early 503: a problem of the kind `busy` with
`Retry-After`, sent before a read that hangs would be given up (10 s).

The exports are of 500 metrics of ten years (1.8 million rows), half of them CSV and half Parquet, over
connections whose client never reads. After 8 s the client closes them. Memory at the start is that after a
request to each small route and an export of a small table; memory afterwards is the least within 15 s.
"""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx

from bench.api import DASHBOARD, our_server
from bench.asking import is_busy
from bench.loopback import get
from bench.made_up import LARGE, Catalogue, fill
from bench.results import Result
from community_metrics.api.cache.database import READ_TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.loopback import Server

USUAL = Catalogue(metrics=70, years=2, products=7, has_stars=True)
COLD_REQUESTS = 60
LONGEST_WEEKS = 104
STALLED_EXPORTS = 30
STALL_S, SETTLE_S = 8.0, 15.0
AT_MOST_MB = 350
WARM = (
    *(
        "status",
        "definitions",
        "history",
        "series/downloads:m0003:python",
        "dashboard/weekly?weeks=4&product=p0",
    ),
    *("export/metrics.csv", "export/metrics.parquet"),
)
_RECEIVE_BUFFER = 4_096


@dataclass(frozen=True, slots=True)
class Answer:
    """How the API responded, and after how many seconds."""

    is_whole: bool
    is_busy: bool
    seconds: float


def measure() -> Iterator[Result]:
    """Yield the cold requests, then the stalled exports."""
    with TemporaryDirectory() as folder:
        usual, large = Path(folder) / "usual.lancedb", Path(folder) / "large.lancedb"
        asyncio.run(fill(usual, USUAL.definitions, years=USUAL.years))
        with our_server(usual) as server:
            yield from _cold(server)
        definitions = replace(LARGE, products=10).definitions
        asyncio.run(fill(large, definitions, years=LARGE.years))
        with our_server(large) as server:
            yield from _stalled(server)


def _cold(server: Server) -> Iterator[Result]:
    paths = [f"{DASHBOARD}?weeks={LONGEST_WEEKS - number}" for number in range(COLD_REQUESTS)]
    answers = asyncio.run(_at_once(server.port, paths))
    whole, busy = sum(answer.is_whole for answer in answers), sum(answer.is_busy for answer in answers)
    name = f"{COLD_REQUESTS} cold dashboards at once"
    yield Result.at_most(f"{name}, peak memory", server.peak_mb(), "MB", bound=AT_MOST_MB)
    others = len(answers) - whole - busy
    yield Result.at_most(f"{name}, not 200 ({whole}) or busy ({busy})", others, "responses", bound=0)
    latest = max((answer.seconds for answer in answers if answer.is_busy), default=0.0)
    yield Result.at_most(f"{name}, slowest busy response", latest, "s", bound=READ_TIMEOUT_S)


async def _at_once(port: int, paths: Sequence[str]) -> list[Answer]:
    origin, limits = f"http://127.0.0.1:{port}", httpx.Limits(max_connections=len(paths))
    async with httpx.AsyncClient(base_url=origin, limits=limits, timeout=120) as client:

        async def one(path: str) -> Answer:
            started = time.perf_counter()
            response = await client.get(path)
            seconds = time.perf_counter() - started
            return Answer(response.status_code == 200, is_busy(response), seconds)

        return await asyncio.gather(*map(one, paths))


def _stalled(server: Server) -> Iterator[Result]:
    for path in WARM:
        httpx.get(f"http://127.0.0.1:{server.port}/api/v1/{path}", timeout=60).raise_for_status()
    start_mb = server.memory_mb()
    exports = [f"/api/v1/export/stats.{('csv', 'parquet')[n % 2]}" for n in range(STALLED_EXPORTS)]
    clients = [_unread(server.port, path) for path in exports]
    time.sleep(STALL_S)
    heads = [_head(client) for client in clients]
    for client in clients:
        client.close()
    begun, busy = heads.count(b"HTTP/1.1 200"), heads.count(b"HTTP/1.1 503")
    name = f"{STALLED_EXPORTS} stalled exports"
    yield Result.at_most(f"{name}, peak memory", server.peak_mb(), "MB", bound=AT_MOST_MB)
    others = len(heads) - begun - busy
    yield Result.at_most(f"{name}, not begun ({begun}) or busy ({busy})", others, "responses", bound=0)
    yield Result.against(f"{name}, memory afterwards", _settled_mb(server), start_mb, "MB", bound=1.1)


def _unread(port: int, path: str) -> Any:
    """Send a request over a connection that has little room for a response."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    client.connect(("127.0.0.1", port))
    client.sendall(get(path))
    return client


def _head(client: Any) -> bytes:
    with suppress(BlockingIOError):
        return bytes(client.recv(len("HTTP/1.1 200"), socket.MSG_PEEK | socket.MSG_DONTWAIT))
    return b""


def _settled_mb(server: Server) -> float:
    """Return the least memory that the server holds within some seconds."""
    least, deadline = server.memory_mb(), time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        time.sleep(0.5)
        least = min(least, server.memory_mb())
    return least
