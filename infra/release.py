"""The release asset: what the host installs, as one archive with the same bytes wherever it is built.

A byte that differs would replace the instance at every deploy, so times, owners and modes are fixed here.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
HOST_FILES = ROOT / "infra" / "host"
BUILD_TIME = 1_767_225_600  # 2026-01-01, for every file in the wheel and in the archive
_EXECUTABLE = 0o755
_PLAIN = 0o644


@dataclass(frozen=True, slots=True)
class Release:
    """The archive on disk, and the SHA-256 by which the host knows it."""

    path: Path
    sha256: str


class ReleaseError(Exception):
    """The wheel could not be built; the text is the builder's."""


def build_release(directory: Path) -> Release:
    """Build the archive (wheel, `requirements.lock`, `host/`) into `directory`.

    Raises:
        ReleaseError: the wheel cannot be built from this tree.
    """
    with TemporaryDirectory() as scratch:
        wheel = build_wheel(Path(scratch))
        content = pack({wheel.name: wheel, "requirements.lock": ROOT / "requirements.lock", **_host_files()})
    digest = hashlib.sha256(content).hexdigest()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"release-{digest[:16]}.tar.gz"
    path.write_bytes(content)
    return Release(path, digest)


def pack(files: dict[str, Path]) -> bytes:
    """Return a gzipped tar of the files by their names inside it, free of anything that varies."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, path in sorted(files.items()):
            content = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mtime = BUILD_TIME
            entry.mode = _EXECUTABLE if content.startswith(b"#!") else _PLAIN
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def _host_files() -> dict[str, Path]:
    return {
        f"host/{path.relative_to(HOST_FILES)}": path
        for path in HOST_FILES.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def build_wheel(directory: Path) -> Path:
    """Build the wheel into `directory`, with the same bytes wherever it is built.

    Raises:
        ReleaseError: the wheel cannot be built from this tree.
    """
    # hatchling itself, not an isolated build: synthesis asks no index
    built = subprocess.run(  # noqa: S603  our own interpreter, no input of anybody
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(BUILD_TIME)},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        raise ReleaseError(f"The wheel of the release cannot be built:\n{built.stderr.strip()}")
    return next(directory.glob("*.whl"))
