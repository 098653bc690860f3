"""What the routes work with, created once per process."""

from __future__ import annotations

import asyncio
import ctypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from starlette.responses import Response

from community_metrics.api.context import now_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from fastapi import Request
    from pydantic import BaseModel

    from community_metrics.api.cache.database import ReadDatabase
    from community_metrics.catalog import Catalog
    from community_metrics.storage.reader import LanceDBReader

Content = TypeVar("Content")
View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Services:
    """The database to read, and the catalogue for display names and order."""

    database: ReadDatabase
    catalog: Catalog
    building: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Held while a large body is built: memory has room for one at a time."""

    async def built(self, build: Callable[[], Content]) -> Content:
        """Return what `build` returns; it runs in a thread, so that the event loop handles other requests."""

        def build_and_free() -> Content:
            content = build()
            libc = ctypes.CDLL(None)
            if hasattr(libc, "malloc_trim"):  # glibc: returns free pages to the system in a few milliseconds
                libc.malloc_trim(0)
            return content

        async with self.building:
            return await asyncio.to_thread(build_and_free)


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
    services, now = services_of(request), now_of(request.scope)
    return await services.database.read(lambda reader: load(reader, services.catalog, now), now)


def json_response(body: BaseModel) -> Response:
    """Return the response that carries a body."""
    return Response(json_of(body), media_type="application/json")


def json_of(body: BaseModel) -> bytes:
    """Return the bytes of a body."""
    return body.model_dump_json().encode()
