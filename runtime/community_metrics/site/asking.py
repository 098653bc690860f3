"""Asks the API in this process, so that a frozen number is the one that a server would send."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from community_metrics.api.app import create_app
from community_metrics.api.cache.database import ReadDatabase
from community_metrics.api.cache.middleware import response_of
from community_metrics.api.context import PREFIX
from community_metrics.api.middleware.tokens import new_token, token_hash
from community_metrics.api.schemas.status import History
from community_metrics.clock import SystemClock
from community_metrics.config import StorageMode
from community_metrics.errors import SiteError, StorageNotBootstrapped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from community_metrics.api.app import ReadApi
    from community_metrics.api.middleware.request_log import LoggedRequest
    from community_metrics.clock import Clock
    from community_metrics.config import Settings

_RUNS: Final = 50
_BASE: Final = PREFIX.rstrip("/")
_FILL: Final = (
    "Fix: run `community-metrics refresh`, which reads the registries, or `community-metrics seed`, which "
    "loads the published history; if it is elsewhere, set CM_DB_PATH."
)


class StoppedClock(SystemClock):
    """Stands at one instant: the API never looks for newer data, so that every answer is of one state."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Return the instant."""
        return self._at

    def monotonic(self) -> float:
        """Return the same seconds each time."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the API; `path` is below `/api/v1`."""

    path: str
    status: int
    body: bytes


class FrozenApi:
    """The API at one instant, as a viewer with or without a token sees it."""

    def __init__(self, app: ReadApi, token: str | None, as_of: datetime) -> None:
        self._app = app
        self._token = token
        self.as_of = as_of

    async def ask(self, path: str) -> Answer:
        """Return the response at a path below `/api/v1`, which may be a problem of the request.

        Raises:
            SiteError: the API or storage failed.
        """
        route, _, query = path.partition("?")
        built = await response_of(self._app, _scope(f"{_BASE}{route}", query, self._token))
        if built.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise SiteError(
                f"{_BASE}{path} returned {built.status}: {built.body.decode()}. Nothing was changed. "
                "Fix: run `community-metrics doctor`."
            )
        return Answer(path, built.status, built.body)

    async def body(self, path: str) -> bytes:
        """Return the body at a path that must have one.

        Raises:
            SiteError: there is none.
        """
        answer = await self.ask(path)
        if answer.status != HTTPStatus.OK:
            raise SiteError(
                f"{_BASE}{path} returned {answer.status}: {answer.body.decode()}. Nothing was changed. "
                "Fix: report it with the version that `community-metrics --version` prints."
            )
        return answer.body


@asynccontextmanager
async def frozen_api(
    settings: Settings, *, is_team: bool, address: str | None = None, clock: Clock | None = None
) -> AsyncIterator[FrozenApi]:
    """Yield the API at the end of the newest run: its answers depend on the database alone.

    Without `is_team` it has what everybody may see, also where the settings let nobody read without a token.
    `address` is where the answers are published, which the ids of feeds begin with.

    Raises:
        SiteError: there is no database, or no run has ended yet.
        StorageError: storage failed.
        ConfigurationError: the catalogue is invalid.
    """
    token = new_token()
    # a token of its own: with one, everybody else never sees how many rows a run wrote for the team
    changed = {"api_token_hashes": (token_hash(token),), "public_read": True, "api_url": address}
    own = settings.model_copy(update=changed)
    used = token if is_team else None
    database = ReadDatabase(own)
    try:
        clock = clock or SystemClock()
        await _require_tables(database, clock, settings)
        now = FrozenApi(_app(own, database, clock), used, clock.now())
        as_of = _newest_end(await now.body(f"/history?limit={_RUNS}"))
        yield FrozenApi(_app(own, database, StoppedClock(as_of)), used, as_of)
    finally:
        await database.close()


async def _require_tables(database: ReadDatabase, clock: Clock, settings: Settings) -> None:
    try:
        await database.look(clock.now())
    except StorageNotBootstrapped as error:
        place = settings.db_path if settings.storage_mode is StorageMode.LOCAL else settings.lancedb_uri
        raise SiteError(f"There is no database at {place}, so there is nothing to freeze. {_FILL}") from error


def _app(settings: Settings, database: ReadDatabase, clock: Clock) -> ReadApi:
    return create_app(settings, clock=clock, database=database, log_request=_log_nothing)


def _log_nothing(_request: LoggedRequest, _at: datetime) -> None:
    pass


def _newest_end(history: bytes) -> datetime:
    runs = History.model_validate_json(history).runs
    ends = [run.finished_at or run.started_at for run in runs]
    if not ends:
        raise SiteError(f"The database has no run, so there is nothing to freeze. {_FILL}")
    return max(ends)


def _scope(path: str, query: str, token: str | None) -> dict[str, Any]:
    headers = [(b"accept", b"application/json")]
    if token is not None:
        headers.append((b"authorization", f"Bearer {token}".encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
