"""What the routes work with, created once per process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from starlette.responses import Response

from community_metrics.api.clients import STALL_S
from community_metrics.api.context import now_of, viewer_of
from community_metrics.api.memory import free_memory
from community_metrics.views.public import seen_by

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from fastapi import Request
    from pydantic import BaseModel

    from community_metrics.api.admission import Admission
    from community_metrics.api.cache.database import ReadDatabase
    from community_metrics.api.export_files import ExportFiles
    from community_metrics.catalog import Catalog
    from community_metrics.model import Visibility
    from community_metrics.storage.reader import LanceDBReader

Content = TypeVar("Content")
View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the API does at once, and how long each part may take. Memory is bounded by the two counts."""

    builds: int = 2
    """Bodies that are built at once."""
    waiting: int = 32
    """Builds that wait for their turn."""
    wait_s: float = 5.0
    """How long a build waits for its turn, in seconds."""
    exports: int = 2
    """Exports at once; each holds up to 40 MB, mostly what LanceDB reads ahead."""
    stall_s: float = STALL_S
    """How long the client of an export may read nothing, in seconds."""


@dataclass(frozen=True, slots=True)
class Services:
    """The database to read, the catalogue for display names and order, the turns and files of exports.

    `has_team` says whether any request can have an accepted token; `feed_tag` begins the ids of feeds.
    """

    database: ReadDatabase
    catalog: Catalog
    builds: Admission
    exports: Admission
    files: ExportFiles
    feed_tag: str
    stall_s: float = STALL_S
    has_team: bool = False

    def seen_by(self, viewer: Visibility, reader: LanceDBReader) -> tuple[LanceDBReader, Catalog]:
        """Return the reader and the catalogue that a view for this viewer gets."""
        return seen_by(viewer, reader, self.catalog, has_team=self.has_team)

    async def built(self, build: Callable[[], Content]) -> Content:
        """Return what `build` returns; it runs in a thread, so that the event loop handles other requests."""

        def build_and_free() -> Content:
            content = build()
            free_memory()
            return content

        return await self.builds.in_thread(build_and_free)


def services_of(request: Request) -> Services:
    """Return the services of the application that handles this request."""
    services: Services = request.app.state.services
    return services


async def read_view(
    request: Request, load: Callable[[LanceDBReader, Catalog, datetime], Awaitable[View]]
) -> tuple[View, Mapping[str, int]]:
    """Return the view that `load` reads, and the versions of the tables, all of one version.

    Raises:
        StorageError: storage failed or was too slow.
        ViewError: the view cannot be made for these parameters.
    """
    services, now, viewer = services_of(request), now_of(request.scope), viewer_of(request.scope)
    return await services.database.read(lambda reader: load(*services.seen_by(viewer, reader), now), now)


def json_response(body: BaseModel) -> Response:
    """Return the response that carries a body."""
    return Response(json_of(body), media_type="application/json")


def json_of(body: BaseModel) -> bytes:
    """Return the bytes of a body."""
    return body.model_dump_json().encode()
