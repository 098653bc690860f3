"""What holds for every test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from hypothesis import settings

if TYPE_CHECKING:
    import pytest

# speed is measured in bench/; a deadline would make a test fail because the machine was busy
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes run the tests: two for each core, since tests wait as much as they work."""
    return 2 * (os.cpu_count() or 1)


_LONG_FILES: Final = (
    "test_fresh_clone.py",
    "test_cli.py",
    "test_rehearsal.py",
    "test_json.py",
    "test_schemathesis.py",
    "test_private_network.py",
    "test_moves.py",
    "test_many_packages.py",
    "test_deploy.py",
    "test_docs_commands.py",
    "test_rehearsal_stages.py",
)
"""Files of minutes. A process runs a file whole: one that began last would go on alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; what else is collected keeps its order."""
    places = {name: place for place, name in enumerate(_LONG_FILES)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))
