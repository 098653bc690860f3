#!/usr/bin/python3
"""Install a release on the host: `bootstrap.py RELEASE CONFIG`, run by first_boot.py, and again by hand.

Each release gets its own virtual environment, built from `requirements.lock` with hashes; the link `current`
moves to it once it is complete. `files/` in this folder mirrors the host's file system. Over it are copied
`files-s3/` if the database is a bucket, `files-backup/` if backups are made, `files-delivery/` if digests are
sent, `files-ses/` if that is by Amazon SES. Running the program again changes nothing.
"""

from __future__ import annotations

import http.client
import json
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
PACKAGES = ("python3-venv", "python3-boto3", "ca-certificates")
API_START_S = 90
READY_S = 60
POLL_INTERVAL_S = 0.5

# modules in this folder
edge = import_module("edge")  # nginx, certificate, sshd, updates, journal
keys = import_module("keys")  # of a LanceDB cluster
readiness = import_module("readiness")  # ask the API and nginx
session_manager = import_module("session_manager")  # logins without SSH
steps = import_module("steps")  # run a command, call systemctl, write a file


class Installation:
    """One release being installed on this host; each method is one step."""

    def __init__(self, release: Path, config: dict[str, Any]) -> None:
        self._release = release
        self._config = config
        self._venv = HOME / "venvs" / release.name
        self._changed = HOME / ".changed"  # exists while running services may use files that have changed

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """Return every step, with the name to report if it fails."""
        return [
            ("packages", lambda: install_packages((*PACKAGES, *edge.PACKAGES, *session_manager.PACKAGES))),
            ("session manager", self.install_session_manager),
            ("virtual environment", self.install_release),
            ("files", self.copy_files),
            ("users", lambda: steps.run("systemd-sysusers", "community-metrics.conf")),
            ("settings", self.write_settings),
            ("link", self.point_current_at_release),
            *edge.prepare(self._config),
            ("units", self.enable_units),
            ("secrets", lambda: steps.systemctl("start", "community-metrics-secrets.service")),
            ("keys", lambda: keys.check(self._config)),
            ("api", self.start_api),
            *edge.start(self._config),
            ("tables", self.create_tables),
            ("ready", self.wait_until_ready),
            ("timers", self.start_timers),
        ]

    def install_session_manager(self) -> None:
        """Install the agent of Session Manager; without it the host serves, and nobody can log in."""
        if not self._config["session_manager"] or is_installed(session_manager.PACKAGE):
            return
        try:
            session_manager.install(self._config["region"])
        except session_manager.NotInstalledError as error:
            steps.warn(f"{session_manager.PACKAGE} is not installed: {error}")

    def install_release(self) -> None:
        """Build the virtual environment: the locked dependencies with hashes, then the wheel alone."""
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
        """Return the folders to copy to `/`, in order; later ones overwrite earlier ones."""
        delivery, environment = self._config.get("delivery"), self._config["environment"]
        wanted = {
            "files": True,
            "files-s3": environment.get("CM_DB_PATH", "").startswith("s3://"),
            "files-backup": "CM_BACKUP_TARGET" in environment,
            "files-delivery": delivery is not None,
            "files-ses": delivery is not None and delivery["ses"],
        }
        return [self._release / "host" / name for name, is_wanted in wanted.items() if is_wanted]

    def copy_files(self) -> None:
        """Copy the static files to the file system."""
        for tree in self.trees():
            self._mark(changed=copy_tree(tree, Path("/")))

    def write_settings(self) -> None:
        """Write the non-secret settings, and the names of the secrets of each reader."""
        settings = {
            **self._config["environment"],
            "AWS_DEFAULT_REGION": self._config["region"],
            "ALARM_TOPIC": self._config["topic"],
        }
        text = "".join(f"{name}={value}\n" for name, value in sorted(settings.items()))
        self._mark(changed=steps.write(ENVIRONMENT_FILE, text.encode()))
        names = json.dumps(self._config["secrets"], indent=2, sort_keys=True) + "\n"
        self._mark(changed=steps.write(SECRETS_FILE, names.encode()))

    def point_current_at_release(self) -> None:
        """Move `current` atomically, so that it always exists."""
        link = HOME / "current"
        if link.is_symlink() and link.readlink() == self._venv:
            return
        scratch = HOME / "current.new"
        scratch.unlink(missing_ok=True)
        scratch.symlink_to(self._venv)
        scratch.rename(link)
        self._mark(changed=True)

    def enable_units(self) -> None:
        """Enable our units that have an [Install] section."""
        steps.run("systemctl", "daemon-reload")
        steps.run("systemctl", "enable", "--quiet", *self._installable())

    def start_api(self) -> None:
        """Start the API and its socket, and wait until it answers."""
        steps.systemctl("start", "community-metrics-api.socket")
        verb = "restart" if self._changed.exists() else "start"
        steps.run("systemctl", verb, "--no-block", "community-metrics-api.service")
        deadline = time.monotonic() + API_START_S
        while not is_api_healthy():
            if time.monotonic() > deadline:
                steps.show_journal("community-metrics-api.service")
                raise steps.StepError(
                    f"{readiness.API_SOCKET} did not answer within {API_START_S} s; the journal is above"
                )
            time.sleep(POLL_INTERVAL_S)

    def create_tables(self) -> None:
        """Create the tables if there are none: storage of a new deployment is not ready without them."""
        if readiness.has_no_tables():
            steps.run("/usr/local/sbin/cm-job", "bootstrap_tables")

    def wait_until_ready(self) -> None:
        """Wait until storage, the API, nginx and TLS answer: after the signal, this host gets the address."""
        deadline = time.monotonic() + READY_S
        while problems := readiness.problems(self._config["api_host"]):
            if time.monotonic() > deadline:
                for unit in ("community-metrics-api.service", "nginx.service"):
                    steps.show_journal(unit)
                raise steps.StepError(f"not ready within {READY_S} s: {'; '.join(problems)}")
            time.sleep(POLL_INTERVAL_S)

    def start_timers(self) -> None:
        """Start the timers; restart them if a file has changed."""
        verb = "restart" if self._changed.exists() else "start"
        steps.run("systemctl", verb, *(unit for unit in self._installable() if unit.endswith(".timer")))
        self._changed.unlink(missing_ok=True)

    def _mark(self, *, changed: bool) -> None:
        if changed:
            self._changed.touch()  # on disk, so that a run after a failed one also restarts the services

    def _installable(self) -> list[str]:
        folders = [tree / "etc/systemd/system" for tree in self.trees()]
        units = sorted(unit for folder in folders for unit in folder.glob("community-metrics-*.*"))
        return [unit.name for unit in units if unit.is_file() and "[Install]" in unit.read_text("utf-8")]


def main(release: Path, config_path: Path) -> int:
    """Run every step; if one fails, name it in the last line. Return the exit code."""
    name = "configuration"
    try:
        config = json.loads(config_path.read_text(encoding="utf-8"))
        for name, step in Installation(release, config).steps():
            print(f"== {name}", flush=True)
            step()
    except subprocess.CalledProcessError as error:
        program = Path(error.cmd[0]).name
        return failed(name, f"{program} exited with {error.returncode}; its output is above")
    except (OSError, subprocess.SubprocessError, steps.StepError) as error:
        return failed(name, f"{error}")
    except Exception as error:  # noqa: BLE001  a bug: the traceback goes to the boot log, the step to the last line
        print(traceback.format_exc(), flush=True)
        return failed(name, f"{type(error).__name__}: {error}")
    return 0


def failed(step: str, reason: str) -> int:
    """Print which step failed in one line, and return the exit code."""
    print(f"bootstrap, {step}: {' '.join(reason.split())}", flush=True)
    return 1


def install_packages(names: tuple[str, ...]) -> None:
    """Install the packages that are missing."""
    missing = [name for name in names if not is_installed(name)]
    if missing:
        steps.run("apt-get", *steps.APT_LOCK, "install", "--yes", "--no-install-recommends", *missing)


def is_installed(package: str) -> bool:
    """Return whether a Debian package is installed and configured."""
    query = ("dpkg-query", "--show", "--showformat=${db:Status-Status}", package)
    done = subprocess.run(query, capture_output=True, text=True, check=False, timeout=steps.COMMAND_LIMIT_S)
    return done.stdout == "installed"


def copy_tree(tree: Path, root: Path) -> bool:
    """Copy a folder's files and their modes under `root`; return whether any of them differed."""
    changed = False
    for source in sorted(path for path in tree.rglob("*") if path.is_file()):
        mode = source.stat().st_mode & 0o777
        changed |= steps.write(root / source.relative_to(tree), source.read_bytes(), mode)
    return changed


def is_api_healthy() -> bool:
    """Return whether the API answers its health check on the socket."""
    with suppress(OSError, http.client.HTTPException):
        status, _ = readiness.ask_api(readiness.HEALTH_PATH)
        return bool(status == http.client.OK)
    return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
