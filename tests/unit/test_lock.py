"""requirements.lock is what the host and the image install."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.lock import LOCK, ROOT, expected_stamp, locked_requirements

LINES = LOCK.read_text().splitlines()
PINS = {
    canonicalize_name(match[1]): Version(match[2])
    for line in LINES
    if (match := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", line))
}
DIRECT = locked_requirements(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"])


def test_the_lock_was_made_from_todays_dependencies() -> None:
    assert LINES[0] == expected_stamp(), "requirements.lock is stale: run `make lock`"


@pytest.mark.parametrize("requirement", [Requirement(line) for line in DIRECT], ids=lambda r: r.name)
def test_every_dependency_is_pinned_within_its_range(requirement: Requirement) -> None:
    assert requirement.specifier.contains(PINS[canonicalize_name(requirement.name)])


def test_every_pin_has_a_hash() -> None:
    pins = [index for index, line in enumerate(LINES) if "==" in line and not line.startswith((" ", "#"))]
    assert len(pins) >= len(PINS) > len(DIRECT)
    assert all(LINES[index + 1].strip().startswith("--hash=sha256:") for index in pins)


def test_the_lock_names_no_index() -> None:
    assert not [line for line in LINES if "://" in line or line.startswith("-")]
