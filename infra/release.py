"""The release that the host installs: a reproducible archive, with the same bytes on every machine.

If a byte differed, every deploy would replace the instance. So times, owners and modes are fixed, and nothing
is compressed: the output of deflate depends on the version of zlib.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.names import CATALOG_PATH

ROOT = Path(__file__).resolve().parents[1]
HOST_FILES = ROOT / "infra" / "host"
BUILD_TIME = 1_767_225_600  # 2026-01-01, for every file in the wheel and in the archive
# files of editors and Python to leave out; hidden files are left out too
_STRAY = re.compile(r".*(~|#|\.(pyc|swp|swo|orig|rej|bak|tmp))")
_GZIP_HEADER = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"  # no name, no time, "unknown" system
_LARGEST_BLOCK = 0xFFFF
_EXECUTABLE = 0o755
_PLAIN = 0o644


@dataclass(frozen=True, slots=True)
class Release:
    """The archive on disk, and its SHA-256, which the host checks."""

    path: Path
    sha256: str


class ReleaseError(Exception):
    """The wheel could not be built; the message has the builder's output."""


def build_release(directory: Path, catalog: Path | None = None) -> Release:
    """Build the archive (wheel, `requirements.lock`, `host/`, the catalogue) into `directory`.

    Raises:
        ReleaseError: the wheel cannot be built from this tree.
    """
    with TemporaryDirectory() as scratch:
        wheel = build_wheel(Path(scratch))
        files = {wheel.name: wheel, "requirements.lock": ROOT / "requirements.lock"}
        content = pack({**files, **host_files(HOST_FILES), **catalog_files(catalog)})
    digest = hashlib.sha256(content).hexdigest()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"release-{digest[:16]}.tar.gz"
    path.write_bytes(content)
    return Release(path, digest)


def pack(files: dict[str, Path]) -> bytes:
    """Return a reproducible gzipped tar of the files, by their names in it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, path in sorted(files.items()):
            content = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mtime = BUILD_TIME
            entry.mode = _EXECUTABLE if content.startswith(b"#!") else _PLAIN
            archive.addfile(entry, io.BytesIO(content))
    return _gzip_stored(raw.getvalue())


def trim(wheel: Path) -> None:
    """Rewrite the wheel with the same times and modes, stored instead of deflated, and without the dashboard.

    A host serves no dashboard, and a change of the page alone must not replace it.
    """
    with zipfile.ZipFile(wheel) as archive:
        files = [(entry, archive.read(entry)) for entry in archive.infolist() if not _is_page(entry.filename)]
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for entry, content in files:
            stored = zipfile.ZipInfo(entry.filename, entry.date_time)
            stored.create_system = 3  # Unix, on every system
            stored.external_attr = entry.external_attr
            is_list = entry.filename.endswith(".dist-info/RECORD")
            archive.writestr(stored, _without_page(content) if is_list else content)


def _is_page(line: str) -> bool:
    return line.startswith(("community_metrics/dashboard/", "community_metrics/dashboard_static/"))


def _without_page(record: bytes) -> bytes:
    """Return the list of the wheel's files without those of the dashboard, which pip would miss."""
    return "".join(line for line in record.decode().splitlines(True) if not _is_page(line)).encode()


def _gzip_stored(content: bytes) -> bytes:
    """Return a gzip file (RFC 1951, 1952) of stored blocks, an encoding with one result only."""
    starts = range(0, len(content), _LARGEST_BLOCK)
    blocks = []
    for start in starts:
        block = content[start : start + _LARGEST_BLOCK]
        head = struct.pack("<BHH", start == starts[-1], len(block), len(block) ^ 0xFFFF)
        blocks.append(head + block)
    return b"".join([_GZIP_HEADER, *blocks, struct.pack("<II", zlib.crc32(content), len(content))])


def host_files(folder: Path) -> dict[str, Path]:
    """Return the files of the host by their names in the release."""
    return {
        f"host/{path.relative_to(folder)}": path
        for path in folder.rglob("*")
        if path.is_file() and not _is_stray(path.relative_to(folder))
    }


def catalog_files(catalog: Path | None) -> dict[str, Path]:
    """Return the catalogue by its name in the release; the host copies it to `CATALOG_PATH`."""
    return {} if catalog is None else {f"host/files{CATALOG_PATH}": catalog}


def _is_stray(path: Path) -> bool:
    return _STRAY.fullmatch(path.name) is not None or any(part.startswith(".") for part in path.parts)


def build_wheel(directory: Path) -> Path:
    """Build the wheel of a deployment into `directory`, with the same bytes on every machine.

    Raises:
        ReleaseError: the wheel cannot be built from this tree.
    """
    # hatchling itself, not an isolated build: synthesis must not need a package index
    built = subprocess.run(  # noqa: S603  our own interpreter, no external input
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(BUILD_TIME)},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        raise ReleaseError(f"Cannot build the wheel:\n{built.stderr.strip()}")
    wheel = next(directory.glob("*.whl"))
    trim(wheel)
    return wheel
