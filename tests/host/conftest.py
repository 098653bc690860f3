"""Fixtures of the rehearsal; `__init__.py` documents them."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.host import cache, tools
from tests.host.box import Box
from tests.host.deployment import synthesised
from tests.host.image import installed_image
from tests.host.tree import base_tree
from tests.host.waiting import eventually
from tests.host.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
LONGEST_S = 600  # for one test, which may build the tree and the first image
# The first four have their own boxes, which are removed before the shared box takes the address. Then the
# longest first, so that no process has a long one left at the end.
ORDER = (
    "boot", "certificates", "replacement", "take_over", "services", "jobs", "secrets", "backup",
    "deliveries", "runbook", "limits", "logs", "session_manager", "edge", "upkeep",
)  # fmt: skip
READY_S = 120
LIMIT_S, COLD_LIMIT_S = 180, 480  # for the whole rehearsal, on two cores
_NUMBERS = itertools.count(2)
_BEGAN = time.time()


def pytest_configure(config: pytest.Config) -> None:
    """In CI, fail if the rehearsal cannot run, in one process only."""
    if os.environ.get("CI") and not hasattr(config, "workerinput") and (reason := _obstacle()):
        raise pytest.UsageError(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests if the rehearsal cannot run, and sort the files."""
    reason = _obstacle()
    for item in (item for item in items if item.path.is_relative_to(HERE)):
        item.add_marker(pytest.mark.timeout(LONGEST_S))
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
    places = {f"test_{name}": place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


def _obstacle() -> str:
    if missing := tools.missing():
        return f"no rehearsal of the host: {', '.join(missing)} missing. As root: `{tools.INSTALL}`"
    return ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how long a complete rehearsal took, and its limit."""
    is_complete = HERE in {Path(given).resolve() for given in config.args}
    if not (is_complete and config.getoption("numprocesses", None)):
        return
    made = cache.made_since(_BEGAN)
    limit, state = (COLD_LIMIT_S, f"with {', '.join(made)} to make") if made else (LIMIT_S, "warm")
    took = time.time() - _BEGAN
    comparison = "within" if took <= limit else "! BEYOND"
    terminalreporter.write_line(f"The rehearsal took {took:.0f} s, {state}: {comparison} its {limit} s.")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    ours = tmp_path_factory.getbasetemp()
    of_all_processes = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    deployment = synthesised(of_all_processes / "synthesis")
    with World(tmp_path_factory.mktemp("world"), deployment) as world:
        yield world


@pytest.fixture(scope="session")
def box(world: World) -> Iterator[Box]:
    box = Box(world, "shared", [installed_image(world), base_tree()])
    try:
        box.boot()
        box.take_address()
        # its timers would start both within a minute, which test_boot.py tests
        box.succeeds("systemctl start --no-block community-metrics-certificate.service")
        box.succeeds("systemctl start community-metrics-weekly-refresh.service", limit_s=READY_S)
        eventually(lambda: world.get("/api/v1/health").raise_for_status(), READY_S)
        yield box
    finally:
        box.remove()


@pytest.fixture
def make_box(world: World) -> Iterator[Callable[..., Box]]:
    yield from _factory(world)


@pytest.fixture(scope="module")
def make_module_box(world: World) -> Iterator[Callable[..., Box]]:
    yield from _factory(world)


def _factory(world: World) -> Iterator[Callable[..., Box]]:
    made: list[Box] = []

    def make(*, installed: bool = False) -> Box:
        layers = [installed_image(world), base_tree()] if installed else [base_tree()]
        made.append(Box(world, f"box{next(_NUMBERS)}", layers))
        return made[-1]

    yield make
    for box in made:
        box.remove()
