"""Fixtures of the rehearsal; `__init__.py` says what a test may do with them."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.host import image, tools
from tests.host.box import Box
from tests.host.deployment import synthesised
from tests.host.tree import base_tree
from tests.host.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INSTALLED = "installed"
LONGEST_S = 600  # for one test, with the making of the tree and the first boot in it
_NUMBERS = itertools.count(2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, visibly, where a rehearsal cannot run, and fail in CI; boots and cold caches get their time."""
    ours = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    missing = tools.missing() if ours else []
    reason = f"no rehearsal of the host: {', '.join(missing)} missing. As root: `{tools.INSTALL}`"
    if missing and os.environ.get("CI"):
        raise pytest.UsageError(reason)
    for item in ours:
        item.add_marker(pytest.mark.timeout(LONGEST_S))
        if missing:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    with World(folder, synthesised(folder)) as world:
        yield world


@pytest.fixture(scope="session")
def box(world: World) -> Iterator[Box]:
    box = Box(world, "shared", [base_tree()])
    try:
        box.boot()
        done = box.run_user_data()
        assert done.returncode == 0, box.journal("cloud-final")
        image.keep(box, world.folder / INSTALLED)
        box.take_address()
        yield box
    finally:
        box.remove()
        shutil.rmtree(world.folder / INSTALLED, ignore_errors=True)  # or pytest keeps it for three runs


@pytest.fixture
def make_box(world: World, request: pytest.FixtureRequest) -> Iterator[Callable[..., Box]]:
    yield from _factory(world, request)


@pytest.fixture(scope="module")
def make_module_box(world: World, request: pytest.FixtureRequest) -> Iterator[Callable[..., Box]]:
    yield from _factory(world, request)


def _factory(world: World, request: pytest.FixtureRequest) -> Iterator[Callable[..., Box]]:
    made: list[Box] = []

    def make(*, installed: bool = False) -> Box:
        layers = [base_tree()]
        if installed:
            request.getfixturevalue("box")
            layers.insert(0, world.folder / INSTALLED)
        made.append(Box(world, f"box{next(_NUMBERS)}", layers))
        return made[-1]

    yield make
    for box in made:
        box.remove()
