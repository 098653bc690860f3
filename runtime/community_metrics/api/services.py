"""What every route works with, made once for a process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from community_metrics.api.cache.middleware import now_of
from community_metrics.api.memory import return_free_memory
from community_metrics.api.schemas import Freshness, Versions
from community_metrics.series.freshness import is_stale
from community_metrics.views.runs import newest_success

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from fastapi import Request
    from pydantic import BaseModel

    from community_metrics.api.cache.database import ReadDatabase
    from community_metrics.catalog import Catalog
    from community_metrics.model import Run
    from community_metrics.storage.reader import LanceDBReader

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class Services:
    """The database to read, and the catalogue for the names and the order that people expect."""

    database: ReadDatabase
    catalog: Catalog
    building: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Held while a large body is built: one at a time, so that memory has room for one and not for many."""

    async def built(self, build: Callable[[], Content]) -> Content:
        """Return what `build` returns, made in a thread, so that the loop goes on answering others."""

        def build_and_tidy() -> Content:
            content = build()
            return_free_memory()
            return content

        async with self.building:
            return await asyncio.to_thread(build_and_tidy)


def services_of(request: Request) -> Services:
    """Return the services of the app that answers this request."""
    services: Services = request.app.state.services
    return services


async def read_fresh(
    request: Request, read: Callable[[LanceDBReader], Awaitable[Content]]
) -> tuple[Content, Freshness]:
    """Return what `read` brings and how fresh it is, both from one version of the tables.

    Raises:
        StorageError: storage failed or was too slow.
    """

    async def with_success(reader: LanceDBReader) -> tuple[Content, Run | None]:
        return await read(reader), await newest_success(reader)

    (content, success), versions = await services_of(request).database.consistently(with_success)
    return content, _freshness(success, versions, now_of(request.scope))


def _freshness(success: Run | None, versions: Mapping[str, int], now: datetime) -> Freshness:
    return Freshness(
        last_success_at=success and (success.finished_at or success.started_at),
        is_stale=is_stale(success, now),
        versions=Versions(**{name: versions[name] for name in Versions.model_fields}),
    )


def json_of(body: BaseModel) -> bytes:
    """Return the body as it goes over the wire."""
    return body.model_dump_json().encode()
