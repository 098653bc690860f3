"""The locks are what the host, the images and the action install, and what builds the program."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.lock import LOCKS, Lock

each_lock = pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.file.name)


def lines_of(lock: Lock) -> list[str]:
    return lock.file.read_text(encoding="utf-8").splitlines()


def pins_of(lock: Lock) -> dict[str, Version]:
    found = (re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", line) for line in lines_of(lock))
    return {canonicalize_name(match[1]): Version(match[2]) for match in found if match}


@each_lock
def test_a_lock_was_made_from_todays_requirements(lock: Lock) -> None:
    assert lines_of(lock)[0] == lock.expected_stamp(), f"{lock.file.name} is stale: run `make lock`"


@pytest.mark.parametrize(
    ("lock", "requirement"),
    [(lock, Requirement(line)) for lock in LOCKS for line in lock.requirements],
    ids=lambda value: value.name if isinstance(value, Requirement) else value.file.name,
)
def test_every_requirement_is_pinned_within_its_range(lock: Lock, requirement: Requirement) -> None:
    assert requirement.specifier.contains(pins_of(lock)[canonicalize_name(requirement.name)])


@each_lock
def test_every_pin_has_a_hash(lock: Lock) -> None:
    lines, pins = lines_of(lock), pins_of(lock)
    pinned = [index for index, line in enumerate(lines) if "==" in line and not line.startswith((" ", "#"))]
    assert len(pinned) >= len(pins) > len(lock.requirements)
    assert all(lines[index + 1].strip().startswith("--hash=sha256:") for index in pinned)


@each_lock
def test_a_lock_names_no_index(lock: Lock) -> None:
    assert not [line for line in lines_of(lock) if "://" in line or line.startswith("-")]
