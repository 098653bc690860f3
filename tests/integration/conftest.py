"""Fixtures of the tests that use real servers and real folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.clock import NOON, FakeClock
from tests.support.jobs import Rig
from tests.support.registry import Registry
from tests.support.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def registry() -> Registry:
    return Registry(NOON.date())


@pytest.fixture
def replay(registry: Registry) -> Iterator[Replay]:
    """A loopback server in the place of all hosts, with made-up registries behind it."""
    with Replay(registry) as server:
        yield server


@pytest.fixture
def rig(replay: Replay, tmp_path: Path) -> Rig:
    """A database in a folder and the registries that it is filled from."""
    return Rig(replay, tmp_path / "metrics.lancedb")
