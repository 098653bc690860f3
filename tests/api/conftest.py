"""The API over both kinds of storage: a folder, and the Enterprise test server with the read key alone."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.middleware.tokens import new_token, token_hash
from tests.support import api as support
from tests.support.enterprise import Enterprise, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.support.api import Api, Place


@pytest.fixture(scope="session")
def served_enterprise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enterprise]:
    with serving(Enterprise(tmp_path_factory.mktemp("enterprise"))) as enterprise:
        yield enterprise


@pytest.fixture
def enterprise(served_enterprise: Enterprise) -> Iterator[Enterprise]:
    served_enterprise.log.clear()
    yield served_enterprise
    served_enterprise.faults.clear()


@pytest.fixture(scope="session")
def filled_local(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = support.local_place(tmp_path_factory.mktemp("filled"))
    asyncio.run(support.fill(place.writing))
    return place


@pytest.fixture(scope="session")
def filled_enterprise(served_enterprise: Enterprise) -> Place:
    place = support.enterprise_place(served_enterprise)
    asyncio.run(support.fill(place.writing))
    return place


@pytest.fixture(params=["local", "enterprise"])
def filled(request: pytest.FixtureRequest) -> Place:
    """A database with known numbers that no test changes."""
    place: Place = request.getfixturevalue(f"filled_{request.param}")
    return place


@pytest.fixture
async def api(filled: Place) -> AsyncIterator[Api]:
    """The API over known numbers, on both kinds of storage."""
    async for served in support.serving(filled.reading):
        yield served


@pytest.fixture
async def local_api(filled_local: Place) -> AsyncIterator[Api]:
    """The API over known numbers in a folder, for what does not depend on storage."""
    async for served in support.serving(filled_local.reading):
        yield served


@pytest.fixture(params=["local", "enterprise"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place; each test has its own."""
    if request.param == "local":
        return support.local_place(tmp_path)
    return support.enterprise_place(request.getfixturevalue("enterprise"))


@pytest.fixture
def serve() -> Callable[..., AbstractAsyncContextManager[Api]]:
    """Serve a place inside a test: `async with serve(place) as api:`."""
    return asynccontextmanager(support.serving)


@pytest.fixture
async def guarded(filled_local: Place) -> AsyncIterator[tuple[Api, str]]:
    """The API with two accepted tokens, and one of them."""
    token = new_token()
    hashes = (token_hash("another"), token_hash(token))
    settings = filled_local.reading.model_copy(update={"api_token_hashes": hashes})
    async for served in support.serving(settings):
        yield served, token


@pytest.fixture
async def place(enterprise: Enterprise) -> Place:
    """A filled database on the Enterprise test server, which a test may break."""
    made = support.enterprise_place(enterprise)
    await support.fill(made.writing)
    return made


@pytest.fixture
async def folder(tmp_path: Path) -> Place:
    """A filled database in a folder of its own."""
    made = support.local_place(tmp_path)
    await support.fill(made.writing)
    return made
