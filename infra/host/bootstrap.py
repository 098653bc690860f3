#!/usr/bin/python3
"""Install a release on the host; run by first_boot.py as `bootstrap.py RELEASE CONFIG`, and again by hand.

Each release gets a virtual environment of its own, built from `requirements.lock` with hashes; the link
`current` moves to it only when it is whole. `files/` beside this program mirrors the host's file system, and
`files-s3/` is laid over it where the database is a bucket. A second run changes nothing that was done.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = Path("/opt/community-metrics")
ENVIRONMENT_FILE = Path("/etc/community-metrics.env")
SECRETS_FILE = Path("/etc/community-metrics/secrets.json")
API_SOCKET = "/run/community-metrics/api.sock"
HEALTH_PATH = "/api/v1/health"
PACKAGES = ("python3-venv", "python3-boto3", "ca-certificates")
LOCK_WAIT_S = 300  # on its first boot the image may be installing updates of its own
API_START_S = 90

# the files beside this one
edge = import_module("edge")  # nginx, certificates, sshd, updates, logs
steps = import_module("steps")  # how a command is run, a unit started, a file written


class Installation:
    """One release being laid on this box; the methods are its steps, in the order of `main`."""

    def __init__(self, release: Path, config: dict[str, Any]) -> None:
        self._release = release
        self._config = config
        self._venv = HOME / "venvs" / release.name
        self._files = release / "host" / "files"
        self._news = HOME / ".news"  # there while something is laid down that a running service may not know

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """Return every step with the name under which its failure is told."""
        return [
            ("packages", lambda: install_packages((*PACKAGES, *edge.PACKAGES))),
            ("virtual environment", self.install_release),
            ("files", self.lay_files),
            ("users", lambda: steps.run("systemd-sysusers", "community-metrics.conf")),
            ("settings", self.write_settings),
            ("link", self.point_current_at_release),
            *edge.prepare(self._config),
            ("units", self.enable_units),
            ("secrets", lambda: steps.start("community-metrics-secrets.service")),
            ("api", self.start_api),
            *edge.start(self._config),
            ("timers", self.start_timers),
        ]

    def install_release(self) -> None:
        """Build the release's virtual environment: the locked closure with hashes, then the wheel alone."""
        done = self._venv / ".installed"
        if done.exists():
            return
        steps.run("python3", "-m", "venv", "--clear", str(self._venv))
        pip = (str(self._venv / "bin" / "pip"), "install", "--no-cache-dir", "--disable-pip-version-check")
        lock = str(self._release / "requirements.lock")
        steps.run(*pip, "--require-hashes", "--only-binary=:all:", "-r", lock)
        (wheel,) = self._release.glob("*.whl")
        steps.run(*pip, "--no-deps", "--no-index", str(wheel))
        steps.run(str(self._venv / "bin" / "community-metrics"), "--help")
        done.touch()

    def trees(self) -> list[Path]:
        """Return the trees of files that this deployment gets, a later one laid over an earlier one."""
        trees = [self._files]
        if self._config["environment"].get("CM_DB_PATH", "").startswith("s3://"):
            trees.append(self._release / "host" / "files-s3")
        return trees

    def lay_files(self) -> None:
        """Copy the trees of files to their places in the file system."""
        for tree in self.trees():
            self._note(copy_tree(tree, Path("/")))

    def write_settings(self) -> None:
        """Write the settings that are no secret, and the names of the entries that are."""
        settings = {
            **self._config["environment"],
            "AWS_DEFAULT_REGION": self._config["region"],
            "ALARM_TOPIC": self._config["topic"],
        }
        text = "".join(f"{name}={value}\n" for name, value in sorted(settings.items()))
        self._note(steps.write(ENVIRONMENT_FILE, text.encode()))
        names = json.dumps(self._config["secrets"], indent=2, sort_keys=True) + "\n"
        self._note(steps.write(SECRETS_FILE, names.encode()))

    def point_current_at_release(self) -> None:
        """Move `current` in one step, so that nobody ever finds it missing."""
        link = HOME / "current"
        if link.is_symlink() and link.readlink() == self._venv:
            return
        scratch = HOME / "current.new"
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(self._venv)
        scratch.rename(link)
        self._note(True)

    def enable_units(self) -> None:
        """Let every unit of ours that says so start with the box."""
        steps.run("systemctl", "daemon-reload")
        steps.run("systemctl", "enable", "--quiet", *self._installable())

    def start_api(self) -> None:
        """Start the API behind its socket and wait until it answers there."""
        steps.start("community-metrics-api.socket")
        verb = "restart" if self._news.exists() else "start"
        steps.run("systemctl", verb, "--no-block", "community-metrics-api.service")
        deadline = time.monotonic() + API_START_S
        while not api_answers():
            if time.monotonic() > deadline:
                steps.show_journal("community-metrics-api.service")
                raise steps.StepError(f"no answer at {API_SOCKET} in {API_START_S} s; its journal is above")
            time.sleep(0.5)

    def start_timers(self) -> None:
        """Start the timers; one that was changed counts anew."""
        verb = "restart" if self._news.exists() else "start"
        steps.run("systemctl", verb, *(unit for unit in self._installable() if unit.endswith(".timer")))
        self._news.unlink(missing_ok=True)

    def _note(self, is_new: bool) -> None:
        if is_new:
            self._news.touch()  # on disk: a run that fails halfway hands it on to the next one

    def _installable(self) -> list[str]:
        units = sorted((self._files / "etc/systemd/system").glob("community-metrics-*.*"))
        return [unit.name for unit in units if unit.is_file() and "[Install]" in unit.read_text("utf-8")]


def main(release: Path, config_path: Path) -> int:
    """Run every step, naming the one that fails in the last line."""
    name = "configuration"
    try:
        config = json.loads(config_path.read_text(encoding="utf-8"))
        for name, step in Installation(release, config).steps():
            print(f"== {name}", flush=True)
            step()
    except subprocess.CalledProcessError as error:
        return failed(name, f"{Path(error.cmd[0]).name} ended with {error.returncode}; its words are above")
    except (OSError, subprocess.SubprocessError, steps.StepError) as error:
        return failed(name, f"{error}")
    except Exception as error:  # noqa: BLE001  a bug of ours: the boot log gets the traceback, the stack the step
        print(traceback.format_exc(), flush=True)
        return failed(name, f"{type(error).__name__}: {error}")
    return 0


def failed(step: str, reason: str) -> int:
    """Say in one line which step failed, and return the exit code."""
    print(f"bootstrap, {step}: {' '.join(reason.split())}", flush=True)
    return 1


def install_packages(names: tuple[str, ...]) -> None:
    """Install what is missing of these packages."""
    missing = [name for name in names if not is_installed(name)]
    if missing:
        lock = ("-o", f"DPkg::Lock::Timeout={LOCK_WAIT_S}")
        steps.run("apt-get", *lock, "install", "--yes", "--no-install-recommends", *missing)


def is_installed(package: str) -> bool:
    """Say whether Debian's package is there, configured."""
    query = ("dpkg-query", "--show", "--showformat=${db:Status-Status}", package)
    asked = subprocess.run(query, capture_output=True, text=True, check=False, timeout=steps.COMMAND_LIMIT_S)
    return asked.stdout == "installed"


def copy_tree(tree: Path, root: Path) -> bool:
    """Lay the files of a tree under `root`, with their modes; say whether any of them was not so before."""
    changed = False
    for source in sorted(path for path in tree.rglob("*") if path.is_file()):
        mode = source.stat().st_mode & 0o777
        changed |= steps.write(root / source.relative_to(tree), source.read_bytes(), mode)
    return changed


def api_answers() -> bool:
    """Say whether the API answers its health check over the socket."""
    caller = socket.socket(socket.AF_UNIX)
    connection = http.client.HTTPConnection("localhost")
    with caller, suppress(OSError, http.client.HTTPException):
        caller.settimeout(5)
        caller.connect(API_SOCKET)
        connection.sock = caller
        connection.request("GET", HEALTH_PATH)
        return connection.getresponse().status == http.client.OK
    return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
