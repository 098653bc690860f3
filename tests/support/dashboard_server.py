"""The worlds of the dashboard's tests behind the real API: `python -m tests.support.dashboard_server`.

One process; each world has a port of its own, counted from `--port`, and the page of `frontend/dist` beside
it. A clock stands still at the world's own instant. `POST /__slow?s=6` lets a world wait before each answer,
`POST /__break` takes its database away, `POST /__mend` gives it back, `POST /__where` says where it is.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles

from community_metrics.api.app import create_app
from community_metrics.api.static_dashboard import WithPage
from community_metrics.clock import SystemClock
from community_metrics.model import RunStatus
from tests.support import dashboard_scenarios as worlds
from tests.support.clock import NOON
from tests.support.dashboard_scenarios import Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from community_metrics.clock import Clock
    from community_metrics.config import Settings

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "frontend" / "dist"
ELSEWHERE = ROOT / "frontend" / "dist-elsewhere"
"""The page as built for another origin's API: `VITE_API_BASE_URL` is the first world's."""
ALLOWED, REFUSED = 20, 21
"""Ports, from the base, of that page at an origin that the API allows and at one that it does not."""
PARTIAL = Run(
    RunStatus.PARTIAL,
    error="downloads:lance:rust: crates.io answered 503 three times\nstars:lance:github: GitHub took 30 s",
)


class StoppedClock(SystemClock):
    """Stands at one instant, while the seconds that waits are measured in go on: outages end by those."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the instant the clock stands at."""
        return self._now


@dataclass
class World:
    """One database and its API; a `fill` of None leaves the place empty."""

    name: str
    fill: Callable[[Settings], Awaitable[None]] | None
    now: datetime = worlds.NOW
    is_big: bool = False
    is_today: bool = False

    @property
    def clock(self) -> Clock:
        """The world's own instant, standing still, or the machine's clock."""
        return SystemClock() if self.is_today else StoppedClock(self.now)


def _rich(newest: Run) -> Callable[[Settings], Awaitable[None]]:
    return lambda settings: worlds.fill_rich(settings, newest)


WORLDS = (
    World("rich", _rich(Run())),
    World("seeded", worlds.fill_seeded, NOON),
    World("empty", None),
    World("stale", _rich(Run()), worlds.NOW + timedelta(days=19)),
    World("partial", _rich(PARTIAL)),
    World("failing", _rich(Run())),
    World("big", worlds.fill_big, is_big=True),
    World("today", worlds.fill_today, is_today=True),
)


class Faulty:
    """The application of a world, which tests make slow or rob of its database."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._folder = folder
        self._delay_s = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/__"):
            self._obey(scope)
            await PlainTextResponse(str(self._folder))(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            await asyncio.sleep(self._delay_s)
        await self._app(scope, receive, send)

    def _obey(self, scope: Scope) -> None:
        away = self._folder.with_name(f"{self._folder.name}-away")
        match scope["path"]:
            case "/__slow":
                self._delay_s = float(parse_qs(scope["query_string"].decode())["s"][0])
            case "/__break" if not away.exists():
                self._folder.rename(away)
                self._folder.write_text("no folder")
            case "/__mend" if away.exists():
                self._folder.unlink()
                away.rename(self._folder)


async def serve(base: int, names: list[str]) -> None:
    """Fill the worlds and serve them until the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="dashboard-worlds-"))
    try:
        apps = [
            (base + index, await _app_of(world, folder / world.name, base))
            for index, world in enumerate(WORLDS)
            if not names or world.name in names
        ]
        if ELSEWHERE.is_dir():
            apps += [
                (base + port, StaticFiles(directory=ELSEWHERE, html=True)) for port in (ALLOWED, REFUSED)
            ]
        await asyncio.gather(*(_serve(app, port) for port, app in apps))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _app_of(world: World, folder: Path, base: int) -> ASGIApp:
    settings = _settings_of(world, folder, f"http://127.0.0.1:{base + ALLOWED}")
    if world.fill is not None:
        await world.fill(settings)
    api = create_app(settings, clock=world.clock)
    return Faulty(WithPage(api, PAGE if PAGE.is_dir() else None), folder / "metrics.lancedb")


def _settings_of(world: World, folder: Path, origin: str) -> Settings:
    folder.mkdir()
    catalog = worlds.big_catalog(folder) if world.is_big else None
    return worlds.settings_in(folder, origins=(origin,), catalog=catalog)


async def _serve(app: ASGIApp, port: int) -> None:
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
    await uvicorn.Server(config).serve()


def main() -> None:
    """Serve every world, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=24_170)
    parser.add_argument("worlds", nargs="*", metavar="world", help=", ".join(world.name for world in WORLDS))
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.worlds))


if __name__ == "__main__":
    main()
