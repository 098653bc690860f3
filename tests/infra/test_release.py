from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.names import CATALOG_PATH
from infra.push_image import write_context
from infra.release import BUILD_TIME, ROOT, Release, build_release, host_files, pack


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return build_release(tmp_path_factory.mktemp("release"))


def entries(content: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        return {entry.name: entry for entry in archive}


def test_the_release_contains_the_files_of_the_host(release: Release) -> None:
    names = set(entries(release.path.read_bytes()))

    assert {
        "requirements.lock",
        "host/bootstrap.py",
        "host/edge.py",
        "host/keys.py",
        "host/steps.py",
        "host/first_boot.py",
    } <= names
    assert any(name.startswith("community_metrics-") and name.endswith(".whl") for name in names)


def test_the_release_contains_the_catalogue_of_the_deployment(tmp_path: Path) -> None:
    catalog = tmp_path / "my-catalog.toml"
    catalog.write_text("[[product]]\n", encoding="utf-8")

    release = build_release(tmp_path, catalog)

    with tarfile.open(release.path) as archive:
        found = archive.extractfile("host/files/etc/community-metrics/catalog.toml")
        assert found is not None
        assert found.read() == catalog.read_bytes()


@pytest.mark.parametrize("has_catalogue", [True, False])
def test_the_image_is_built_with_the_catalogue_of_the_deployment(tmp_path: Path, has_catalogue: bool) -> None:
    catalog = tmp_path / "my-catalog.toml"
    catalog.write_text("[[product]]\n", encoding="utf-8")
    context = tmp_path / "image"

    write_context(context, catalog if has_catalogue else None)

    # `COPY dist/image/files/ /` fails without the folder
    found = {str(path.relative_to(context / "files")) for path in (context / "files").rglob("*.toml")}
    assert found == ({CATALOG_PATH.lstrip("/")} if has_catalogue else set())
    assert "COPY dist/image/files/ /" in (ROOT / "runtime/Dockerfile").read_text(encoding="utf-8")


def test_the_user_of_the_functions_can_read_the_catalogue_whatever_the_umask(tmp_path: Path) -> None:
    catalog = tmp_path / "my-catalog.toml"
    catalog.write_text("[[product]]\n", encoding="utf-8")
    before = os.umask(0o077)
    try:
        write_context(tmp_path / "image", catalog)
    finally:
        os.umask(before)

    files = tmp_path / "image" / "files"
    modes = {str(path.relative_to(files)): path.stat().st_mode & 0o777 for path in (files, *files.rglob("*"))}
    assert modes.pop(CATALOG_PATH.lstrip("/")) == 0o644
    assert modes == {".": 0o755, "etc": 0o755, "etc/community-metrics": 0o755}


def test_the_release_contains_no_times_and_owners_of_the_build_machine(release: Release) -> None:
    found = entries(release.path.read_bytes())

    assert found
    for entry in found.values():
        assert (entry.mtime, entry.uid, entry.gid, entry.uname) == (BUILD_TIME, 0, 0, "")
        assert entry.mode in {0o755, 0o644}


def test_programs_are_executable_and_settings_are_not(release: Release) -> None:
    modes = {name: entry.mode for name, entry in entries(release.path.read_bytes()).items()}

    assert modes["host/bootstrap.py"] == modes["host/files/usr/local/sbin/cm-certificate"] == 0o755
    assert modes["host/files/etc/nginx/nginx.conf"] == 0o644


def test_no_byte_depends_on_the_compressor(release: Release) -> None:
    content = release.path.read_bytes()
    with tarfile.open(release.path) as archive:
        (wheel,) = [_read(archive, name) for name in archive.getnames() if name.endswith(".whl")]

    assert content[:10] == bytes.fromhex("1f8b08000000000000ff")  # no time, no system
    assert len(content) > len(gzip.decompress(content))  # stored, not deflated
    with zipfile.ZipFile(io.BytesIO(wheel)) as stored:
        assert stored.testzip() is None
        assert {entry.compress_type for entry in stored.infolist()} == {zipfile.ZIP_STORED}


@given(st.binary(min_size=1, max_size=200) | st.integers(65_000, 140_000).map(bytes))
def test_packed_content_can_be_unpacked(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        packed = pack({"file": path})

    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        assert _read(archive, "file") == content


def test_files_of_editors_are_not_packed(tmp_path: Path) -> None:
    for name in ("nginx.py", ".nginx.py.swp", ".DS_Store", "nginx.py~", "nginx.pyc", "api.service"):
        (tmp_path / name).write_bytes(b"content")

    assert set(host_files(tmp_path)) == {"host/nginx.py", "host/api.service"}


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    contents = {"b": b"#!/bin/sh\n", "a": b"text"}
    for folder, names in (("one", "ab"), ("two", "ba")):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_bytes(contents[name])

    one, two = ({name: tmp_path / folder / name for name in contents} for folder in ("one", "two"))
    assert pack(one) == pack(dict(reversed(two.items())))


def test_a_second_build_gives_the_same_wheel(release: Release, tmp_path: Path) -> None:
    again = build_release(tmp_path)

    def wheels(built: Release) -> list[bytes]:
        with tarfile.open(built.path) as archive:
            return [_read(archive, name) for name in archive.getnames() if name.endswith(".whl")]

    assert wheels(again) == wheels(release)


def test_the_wheel_of_a_host_has_no_dashboard_and_lists_each_file_that_it_has(release: Release) -> None:
    with tarfile.open(release.path) as archive:
        (wheel,) = [_read(archive, name) for name in archive.getnames() if name.endswith(".whl")]
    with zipfile.ZipFile(io.BytesIO(wheel)) as stored:
        names = stored.namelist()
        (record,) = [stored.read(name).decode() for name in names if name.endswith("/RECORD")]

    assert (ROOT / "runtime/community_metrics/dashboard/index.html").is_file()
    assert not [name for name in names if name.startswith("community_metrics/dashboard")]
    assert [line.split(",")[0] for line in record.splitlines()] == names


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None
    return member.read()
