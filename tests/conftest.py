"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import settings

# speed is measured in bench/; a deadline would make a test fail because the machine was busy
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes run the tests: two for each core, since tests wait as much as they work."""
    return 2 * (os.cpu_count() or 1)
