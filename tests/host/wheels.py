"""The package index of the world: the wheels of requirements.lock for the box's Python."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from packaging.markers import Marker

from infra.release import ROOT
from tests.host import cache

if TYPE_CHECKING:
    from collections.abc import Callable

BOX_PYTHON = "3.13"
GLIBCS = (41, 39, 36, 34, 31, 28, 27, 26, 24, 17)  # glibc versions of wheels, up to that of the box
LOCK = ROOT / "requirements.lock"


def wheel_index() -> Path:
    """Return a folder with a simple index (PEP 503)."""
    recipe = Path(__file__).read_text(encoding="utf-8")
    return cache.cached("wheels", [recipe, LOCK.read_text(encoding="utf-8"), platform.machine()], _make)


def index_handler(root: Path) -> Callable[..., Any]:
    """Return the handler that serves the index."""
    return partial(_QuietHandler, directory=str(root))


class _QuietHandler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name in http.server
        """Do not log."""


def _make(path: Path) -> None:
    with TemporaryDirectory() as scratch:
        requirements = Path(scratch, "requirements.txt")
        requirements.write_text(_for_the_box(LOCK.read_text(encoding="utf-8")), encoding="utf-8")
        _download(requirements, Path(scratch, "wheels"))
        for wheel in sorted(Path(scratch, "wheels").glob("*.whl")):
            project = re.sub(r"[-_.]+", "-", wheel.name.partition("-")[0]).lower()
            folder = path / "simple" / project
            folder.mkdir(parents=True, exist_ok=True)
            wheel.rename(folder / wheel.name)
            (folder / "index.html").write_text(f'<!doctype html><a href="{wheel.name}">{wheel.name}</a>\n')


def _download(requirements: Path, target: Path) -> None:
    """Download the wheels with the machine's pip settings; a new venv has pip, ours may not."""
    venv = target.with_name("venv")
    machine = platform.machine()
    subprocess.run([sys.executable, "-m", "venv", str(venv)], capture_output=True, timeout=120, check=True)
    platforms = [*(f"manylinux_2_{glibc}_{machine}" for glibc in GLIBCS), f"manylinux2014_{machine}"]
    command = [
        str(venv / "bin/pip"), "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:",
        "--python-version", BOX_PYTHON,
        *(f"--platform={name}" for name in platforms),
        "--requirement", str(requirements), "--dest", str(target),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=400, check=False, env={**os.environ}
    )
    if done.returncode != 0:
        raise RuntimeError(f"pip could not fetch the wheels of requirements.lock:\n{done.stderr[-3000:]}")


def _for_the_box(lock: str) -> str:
    """Return the lock with the requirements whose markers match the box, not this machine."""
    box = {
        "python_version": BOX_PYTHON,
        "python_full_version": f"{BOX_PYTHON}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": platform.machine(),
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
        "os_name": "posix",
    }
    kept = []
    for entry in re.split(r"\n(?=\S)", lock):
        if entry.startswith("#"):
            continue
        head, _, rest = entry.partition("\\\n")
        name, _, marker = head.partition(";")
        if not marker.strip() or Marker(marker.strip()).evaluate(dict(box)):
            kept.append(f"{name.strip()} \\\n{rest}")
    return "\n".join(kept) + "\n"
