"""A caching proxy of this machine's Debian mirror, in the network of the world.

The box's apt reads real, signed indexes, so that a new package of the bootstrap needs no change here. Files
named by their content (pool, by-hash) are cached; others (InRelease) are fetched in each run.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import threading
import time
from functools import cache as remember
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.host import cache

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
SUITES = ("trixie", "trixie-updates", "trixie-security")
_CACHE_S = 45 * 86_400  # since the file was last served
_CACHED = re.compile(r"/(pool|by-hash)/")
_LOCK = threading.Lock()


@remember
def upstream() -> dict[str, str]:
    """Return the mirror of each suite, from this machine's apt or from CM_REHEARSAL_MIRROR.

    Raises:
        RuntimeError: this machine is not Debian and the variable is unset.
    """
    given = os.environ.get("CM_REHEARSAL_MIRROR")
    if given:
        return {"trixie": given.rstrip("/")}
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Identifier: Packages"],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    known = dict(line.split() for line in listed.splitlines())
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    found = {
        suite: known[suite.replace("trixie", codename)].rstrip("/")
        for suite in SUITES
        if suite.replace("trixie", codename) in known
    }
    if platform.freedesktop_os_release().get("ID") != "debian" or "trixie" not in found:
        raise RuntimeError(
            "This machine's apt has no Debian mirror. Fix: set CM_REHEARSAL_MIRROR to one, such as "
            "http://<host>/debian, or run `apt-get update` first."
        )
    return found


def sources() -> str:
    """Return the box's apt sources: every suite from this mirror, verified by Debian's keys."""
    keyring = "/usr/share/keyrings/debian-archive-keyring.pgp"
    return "\n".join(
        f"Types: deb\nURIs: http://packages.rehearsal.test/{suite}\nSuites: {suite}\nComponents: main\n"
        f"Signed-By: {keyring}\n"
        for suite in upstream()
    )


def delete_unused_files() -> None:
    """Delete the files that no rehearsal has used for weeks."""
    oldest = time.time() - _CACHE_S
    for path in (cache.folder() / "debian").rglob("*"):
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


class MirrorHandler(BaseHTTPRequestHandler):
    """Serves the mirror's file at `/<suite>/<path>`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        content = _content(self.path)
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name in http.server
        """Do not log."""


def _content(path: str) -> bytes | None:
    _, suite, rest = path.split("/", 2)
    cached = cache.folder() / "debian" / suite / rest.replace("%2b", "+").replace("%7e", "~")
    if ".." in rest or suite not in upstream():
        return None
    with _LOCK:
        if _CACHED.search(path) and cached.exists():
            cached.touch()
            return cached.read_bytes()
        return _fetch(f"{upstream()[suite]}/{rest}", cached)


def _fetch(url: str, target: Path) -> bytes | None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache.folder()) as scratch:
        part = Path(scratch, "part")
        # apt's own fetcher, with the proxy and credentials of this machine's apt
        command = [
            "/usr/lib/apt/apt-helper",
            "-o",
            "APT::Sandbox::User=root",
            "download-file",
            url,
            str(part),
        ]
        done = subprocess.run(command, capture_output=True, timeout=300, check=False)
        if done.returncode != 0:
            return None
        part.rename(target)
    return target.read_bytes()
