from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from infra.release import BUILD_TIME, Release, build_release, pack

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return build_release(tmp_path_factory.mktemp("release"))


def entries(content: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        return {entry.name: entry for entry in archive}


def test_the_release_has_what_the_host_installs(release: Release) -> None:
    names = set(entries(release.path.read_bytes()))

    assert {"requirements.lock", "host/bootstrap.py", "host/first_boot.py"} <= names
    assert any(name.startswith("community_metrics-") and name.endswith(".whl") for name in names)


def test_nothing_of_the_machine_that_built_it_is_in_the_release(release: Release) -> None:
    for entry in entries(release.path.read_bytes()).values():
        assert (entry.mtime, entry.uid, entry.gid, entry.uname) == (BUILD_TIME, 0, 0, "")
        assert entry.mode == (0o755 if entry.name.startswith("host/") else 0o644)


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    contents = {"b": b"#!/bin/sh\n", "a": b"text"}
    for folder, names in (("one", "ab"), ("two", "ba")):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_bytes(contents[name])

    one, two = ({name: tmp_path / folder / name for name in contents} for folder in ("one", "two"))
    assert pack(one) == pack(dict(reversed(two.items())))


def test_the_wheel_in_the_release_is_the_same_at_a_second_build(release: Release, tmp_path: Path) -> None:
    again = build_release(tmp_path)

    def wheels(built: Release) -> list[bytes]:
        with tarfile.open(built.path) as archive:
            return [_read(archive, name) for name in archive.getnames() if name.endswith(".whl")]

    assert wheels(again) == wheels(release)


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None
    return member.read()
