"""What the routes work with, created once per process."""

from __future__ import annotations

import asyncio
import ctypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from community_metrics.api.context import now_of
from community_metrics.api.schemas import Freshness, Versions
from community_metrics.series.freshness import is_stale
from community_metrics.views.runs import newest_success

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import Request
    from pydantic import BaseModel

    from community_metrics.api.cache.database import ReadDatabase
    from community_metrics.catalog import Catalog
    from community_metrics.model import Run
    from community_metrics.storage.reader import LanceDBReader

Content = TypeVar("Content")


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
            _return_free_memory()
            return content

        async with self.building:
            return await asyncio.to_thread(build_and_free)


def _return_free_memory() -> None:
    """Return the free pages of the heap to the system, in a few milliseconds; only glibc can."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


def services_of(request: Request) -> Services:
    """Return the services of the application that handles this request."""
    services: Services = request.app.state.services
    return services


async def read_fresh(
    request: Request, read: Callable[[LanceDBReader], Awaitable[Content]]
) -> tuple[Content, Freshness]:
    """Return what `read` returns and how fresh it is, both from one version of the tables.

    Raises:
        StorageError: storage failed or was too slow.
    """

    async def with_success(reader: LanceDBReader) -> tuple[Content, Run | None]:
        return await read(reader), await newest_success(reader)

    (content, success), versions = await services_of(request).database.consistently(with_success)
    freshness = Freshness(
        last_success_at=success and (success.finished_at or success.started_at),
        is_stale=is_stale(success, now_of(request.scope)),
        versions=Versions(**{name: versions[name] for name in Versions.model_fields}),
    )
    return content, freshness


def json_of(body: BaseModel) -> bytes:
    """Return the body as JSON."""
    return body.model_dump_json().encode()
