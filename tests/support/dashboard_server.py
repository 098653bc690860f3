"""Serve the scenarios of the dashboard's tests with the real API: `python -m tests.support.dashboard_server`.

One process serves every scenario on its own port, from `--port` upwards, with the page of `frontend/dist`.
Some scenarios are served a second time, `SITES` ports upwards, as a site without a server at a sub-path.
The clock is fixed at the scenario's time. `POST /__slow?s=6` delays each response, `POST /__break` makes the
database unavailable, `POST /__restore` restores it, `POST /__database` returns its path.
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
from starlette.routing import Mount, Router
from starlette.staticfiles import StaticFiles

from community_metrics.api.app import create_app
from community_metrics.api.middleware.compression import CompressionMiddleware
from community_metrics.clock import SystemClock
from community_metrics.model import RunStatus
from community_metrics.site.page import static_page
from community_metrics.site.writing import write_site
from tests.support import dashboard_scenarios as scenarios
from tests.support.clock import NOON
from tests.support.dashboard_scenarios import Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from community_metrics.clock import Clock
    from community_metrics.config import Settings

ROOT = Path(__file__).parents[2]
PAGE, STATIC_PAGE = ROOT / "frontend" / "dist", ROOT / "frontend" / "dist-static"
CROSS_ORIGIN = ROOT / "frontend" / "dist-cross-origin"
"""The page built for a cross-origin API: `VITE_API_BASE_URL` is the first scenario's origin."""
ALLOWED, REFUSED = 20, 21
"""Port offsets of that page: an origin that the API allows, and one that it does not."""
SITES, SITE_PATH, SITE_WEEKS = 30, "/some/where", 12
PARTIAL = Run(
    RunStatus.PARTIAL,
    errors={
        "downloads:lance:rust": "crates.io returned 503",
        "stars:lance:github": "api.github.com cannot be reached: no response in time",
    },
)


class FixedClock(SystemClock):
    """A clock with a fixed time; monotonic seconds go on, because outages end after a number of them."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the fixed time."""
        return self._now


@dataclass
class Scenario:
    """One database and its API; without `fill` there is no database."""

    name: str
    fill: Callable[[Settings], Awaitable[None]] | None
    now: datetime = scenarios.NOW
    is_big: bool = False
    is_today: bool = False
    is_watching: bool = False
    is_demo: bool = False
    has_site: bool = False

    @property
    def clock(self) -> Clock:
        """The scenario's fixed clock, or the system clock."""
        return SystemClock() if self.is_today else FixedClock(self.now)


def _rich(latest: Run) -> Callable[[Settings], Awaitable[None]]:
    return lambda settings: scenarios.fill_rich(settings, latest)


SCENARIOS = (
    Scenario("rich", _rich(Run()), is_watching=True, has_site=True),
    Scenario("seeded", scenarios.fill_seeded, NOON, has_site=True),
    Scenario("empty", None),
    Scenario("stale", _rich(Run()), scenarios.NOW + timedelta(days=19)),
    Scenario("partial", _rich(PARTIAL)),
    Scenario("failing", _rich(Run())),
    Scenario("big", scenarios.fill_big, is_big=True),
    Scenario("today", scenarios.fill_today, is_today=True, has_site=True),
    Scenario("demo", scenarios.fill_demo, is_demo=True),
)


class Faulty:
    """A scenario's application; tests can delay its responses and make its database unavailable."""

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._folder = folder
        self._delay_s = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/__"):
            self._control(scope)
            await PlainTextResponse(str(self._folder))(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            await asyncio.sleep(self._delay_s)
        await self._app(scope, receive, send)

    def _control(self, scope: Scope) -> None:
        moved = self._folder.with_name(f"{self._folder.name}-away")
        match scope["path"]:
            case "/__slow":
                self._delay_s = float(parse_qs(scope["query_string"].decode())["s"][0])
            case "/__break" if not moved.exists():
                self._folder.rename(moved)
                self._folder.write_text("no folder")
            case "/__restore" if moved.exists():
                self._folder.unlink()
                moved.rename(self._folder)


async def serve(base: int, names: list[str]) -> None:
    """Fill the scenarios and serve them until the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="dashboard-scenarios-"))
    try:
        apps: list[tuple[int, ASGIApp]] = []
        for index, scenario in enumerate(SCENARIOS):
            if not names or scenario.name in names:
                apps.append((base + index, await _app_of(scenario, folder / scenario.name, base)))
                if scenario.has_site and STATIC_PAGE.is_dir():
                    port = base + SITES + index
                    apps.append((port, await _site_of(scenario, folder / scenario.name, port)))
        if CROSS_ORIGIN.is_dir():
            apps += [
                (base + port, StaticFiles(directory=CROSS_ORIGIN, html=True)) for port in (ALLOWED, REFUSED)
            ]
        await asyncio.gather(*(_serve(app, port) for port, app in apps))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _app_of(scenario: Scenario, folder: Path, base: int) -> ASGIApp:
    settings = _settings_of(scenario, folder, f"http://127.0.0.1:{base + ALLOWED}")
    if scenario.fill is not None:
        await scenario.fill(settings)
    folder_of_page = PAGE if PAGE.is_dir() else None
    app = create_app(settings, clock=scenario.clock, dashboard_folder=folder_of_page)
    return Faulty(CompressionMiddleware(app), folder / "metrics.lancedb")


async def _site_of(scenario: Scenario, folder: Path, port: int) -> ASGIApp:
    settings = _settings_of(scenario, folder, f"http://127.0.0.1:{ALLOWED}")
    site = folder / "site"
    address, page = f"http://127.0.0.1:{port}{SITE_PATH}/", static_page(STATIC_PAGE)
    await write_site(settings, site, page, weeks=SITE_WEEKS, address=address, clock=scenario.clock)
    return Router([Mount(SITE_PATH, StaticFiles(directory=site, html=True))])


def _settings_of(scenario: Scenario, folder: Path, origin: str) -> Settings:
    folder.mkdir(exist_ok=True)
    catalog = scenarios.big_catalog(folder) if scenario.is_big else None
    if scenario.is_watching:
        catalog = scenarios.watching_catalog(folder)
    if scenario.is_demo:
        catalog = scenarios.demo_catalog(folder)
    return scenarios.settings_in(folder, origins=(origin,), catalog=catalog)


async def _serve(app: ASGIApp, port: int) -> None:
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
    await uvicorn.Server(config).serve()


def main() -> None:
    """Serve every scenario, or only the named ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=24_170)
    parser.add_argument(
        "scenarios", nargs="*", metavar="scenario", help=", ".join(scenario.name for scenario in SCENARIOS)
    )
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.port, arguments.scenarios))


if __name__ == "__main__":
    main()
