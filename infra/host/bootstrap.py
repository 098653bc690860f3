#!/usr/bin/python3
"""Install a release on the host; run by first_boot.py as `bootstrap.py RELEASE CONFIG`, and again by hand.

Each release gets a virtual environment of its own, built from `requirements.lock` with hashes; the link
`current` moves to it last, so that a run that fails in between changes nothing that serves. A second run does
nothing that was done.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

USER = "community-metrics"
HOME = Path("/opt/community-metrics")
ENVIRONMENT_FILE = Path("/etc/community-metrics.env")
SECRETS_FILE = Path("/etc/community-metrics/secrets.json")


def main(release: Path, config_path: Path) -> int:
    """Run every step, naming the one that fails in the last line."""
    config = json.loads(config_path.read_text(encoding="utf-8"))
    environment = HOME / "venvs" / release.name
    steps = (
        ("packages", install_packages),
        ("user", make_user),
        ("virtual environment", lambda: install_release(release, environment)),
        ("settings", lambda: write_settings(config)),
        ("link", lambda: point_current_at(environment)),
    )
    for name, step in steps:
        print(f"== {name}", flush=True)
        try:
            step()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"bootstrap, {name}: {error}", flush=True)
            return 1
    return 0


def install_packages() -> None:
    """Install what Debian gives; more comes with the units."""
    run("apt-get", "install", "--yes", "--no-install-recommends", "python3-venv", "ca-certificates")


def make_user() -> None:
    """Make the user that owns nothing and runs everything of ours."""
    if subprocess.run(["id", USER], capture_output=True, check=False).returncode == 0:
        return
    run("useradd", "--system", "--home-dir", str(HOME), "--shell", "/usr/sbin/nologin", USER)


def install_release(release: Path, environment: Path) -> None:
    """Build the release's virtual environment: the locked closure with hashes, then the wheel alone."""
    done = environment / ".installed"
    if done.exists():
        return
    run("python3", "-m", "venv", "--clear", str(environment))
    pip = (str(environment / "bin" / "pip"), "install", "--no-cache-dir", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "--only-binary=:all:", "-r", str(release / "requirements.lock"))
    (wheel,) = release.glob("*.whl")
    run(*pip, "--no-deps", "--no-index", str(wheel))
    run(str(environment / "bin" / "community-metrics"), "--help")
    done.touch()


def write_settings(config: dict[str, Any]) -> None:
    """Write the settings that are no secret, and the names of the entries that are."""
    settings = sorted(config["environment"].items())
    write(ENVIRONMENT_FILE, "".join(f"{name}={value}\n" for name, value in settings))
    write(SECRETS_FILE, json.dumps(config["secrets"], indent=2, sort_keys=True) + "\n")


def point_current_at(environment: Path) -> None:
    """Move `current` in one step, so that nobody ever finds it missing."""
    link = HOME / "current.new"
    link.unlink(missing_ok=True)
    link.symlink_to(environment)
    link.rename(HOME / "current")


def write(path: Path, text: str) -> None:
    """Replace a file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(path.name + ".new")
    scratch.write_text(text, encoding="utf-8")
    scratch.rename(path)


def run(*command: str) -> None:
    """Run a command whose failure ends the bootstrap."""
    subprocess.run(command, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
