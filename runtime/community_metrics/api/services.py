"""What every route works with, made once for a process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from starlette.responses import Response

from community_metrics.api.memory import return_free_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request
    from pydantic import BaseModel

    from community_metrics.api.cache.database import ReadDatabase
    from community_metrics.catalog import Catalog

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class Services:
    """The database to read, and the catalogue for display names and order."""

    database: ReadDatabase
    catalog: Catalog
    building: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    """Held while a large body is built: one at a time, since memory has room for one and not for many."""

    async def built(self, build: Callable[[], Content]) -> Content:
        """Return what `build` returns. It runs in a thread, so that the event loop stays free for others."""

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


def json_response(body: BaseModel) -> Response:
    """Return the response that carries a body."""
    return Response(json_of(body), media_type="application/json")


def json_of(body: BaseModel) -> bytes:
    """Return the bytes of a body."""
    return body.model_dump_json().encode()
