"""The response cache over routes and tables that a test changes, without a server or a database."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from community_metrics.api.admission import Admission
from community_metrics.api.cache.middleware import ResponseCache
from community_metrics.api.cache.watch import TableWatch
from community_metrics.api.context import as_team, now_of
from community_metrics.api.middleware.state import KEY, RequestState
from community_metrics.errors import StorageUnavailable
from tests.support.asgi import Responds, Sent, http, requested
from tests.support.clock import FakeClock
from tests.support.tables import ScriptedDatabase

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Receive, Scope, Send

INTERVAL_S = 5.0
PATH, OTHER = "/api/v1/status", "/api/v1/definitions"
BODY = {"freshness": {"sources": [], "is_stale": False}}
JSON = [(b"content-type", b"application/json"), (b"vary", b"Origin")]


@dataclass
class Routes(Responds):
    """Responds with the newest run and the number of the build; waits for `may_respond` if there is one."""

    may_respond: asyncio.Event | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if self.may_respond is not None:
            await self.may_respond.wait()
        built = BODY | {"build": len(self.scopes) + 1, "now": now_of(scope).isoformat()}
        self.body = json.dumps(built).encode() if self.status == 200 else b"no body"
        await super().__call__(scope, receive, send)


@dataclass
class Rig:
    """A cache over routes and tables that a test changes."""

    routes: Routes = field(default_factory=lambda: Routes(headers=JSON))
    clock: FakeClock = field(default_factory=FakeClock)
    is_team: bool = False
    builds: Admission = field(default_factory=lambda: Admission(at_once=8))

    def __post_init__(self) -> None:
        """Build the cache."""
        self.database = ScriptedDatabase(self.clock)
        self.cache = ResponseCache(
            self.routes,
            watch=TableWatch(self.database, self.clock, INTERVAL_S),
            database=self.database,
            builds=self.builds,
            clock=self.clock,
        )

    async def get(self, path: str = PATH, **headers: str) -> Sent:
        """Return the response to a request; `state` has what the layers noted of it."""
        self.state = RequestState("a-1")
        scope = {**http(path, **headers), KEY: self.state}
        return await requested(self.cache, as_team(scope) if self.is_team else scope)

    def later(self, seconds: float = INTERVAL_S) -> None:
        """Let seconds pass; without a number, until the next look."""
        self.clock.advance(seconds)

    def close_a_run(self, ago_s: float) -> None:
        """Let a run end, some seconds ago."""
        self.database.run_id = "two"
        self.later(ago_s)

    def fail(self) -> None:
        """Let the next look at the tables fail."""
        self.database.failure = StorageUnavailable("away")
        self.later()


def build_of(sent: Sent) -> int:
    """Return the number of the build that a body is of."""
    build: int = json.loads(sent.body)["build"]
    return build


def kind(sent: Sent) -> str:
    """Return the kind of a problem."""
    return str(json.loads(sent.body)["type"]).partition("#")[2]
