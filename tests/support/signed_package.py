"""A Debian package that is signed as AWS signs its agent: an OpenPGP key and a detached signature."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROGRAMS = ("gpg", "gpgv", "dpkg-deb")
needs_gpg = pytest.mark.skipif(
    any(shutil.which(name) is None for name in PROGRAMS) and not os.environ.get("CI"),
    reason=f"needs the programs {', '.join(PROGRAMS)}",
)
_CONTROL = """\
Package: {name}
Version: 9.9
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: stands in for the agent
"""
_UNIT = """\
[Service]
ExecStart=/bin/sleep infinity

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key in a GnuPG home folder that is valid for a year from `at`, when it also signs."""

    home: Path
    at: str

    def armoured_key(self) -> str:
        """Return the public key as AWS publishes it."""
        return self._gpg("--armor", "--export").decode()

    def sign(self, package: Path) -> Path:
        """Write the signature beside the package, and return it."""
        signature = package.with_name(f"{package.name}.sig")
        self._gpg("--yes", "--output", str(signature), "--detach-sign", str(package))
        return signature

    def create(self) -> Signer:
        """Create the key."""
        self.home.mkdir(mode=0o700, parents=True)
        self._gpg("--passphrase", "", "--quick-generate-key", "signer@example.org", "rsa2048", "sign", "1y")
        return self

    def _gpg(self, *arguments: str) -> bytes:
        command = ["gpg", "--batch", "--homedir", str(self.home), "--faked-system-time", self.at, *arguments]
        return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout


def stop_agent(signer: Signer) -> None:
    """Stop the background process that gpg has started for this key."""
    subprocess.run(["gpgconf", "--homedir", str(signer.home), "--kill", "gpg-agent"], check=False, timeout=60)


def build_package(folder: Path, name: str) -> Path:
    """Build a package with a service of its name, and return it."""
    unit = folder / "tree" / "usr/lib/systemd/system" / f"{name}.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(_UNIT, encoding="utf-8")
    control = folder / "tree" / "DEBIAN" / "control"
    control.parent.mkdir(parents=True)
    control.write_text(_CONTROL.format(name=name), encoding="utf-8")
    package = folder / f"{name}.deb"
    command = ["dpkg-deb", "--root-owner-group", "--build", str(folder / "tree"), str(package)]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    return package
