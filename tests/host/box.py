"""A box: a systemd-nspawn container with its own disk, over a cached image, and its own network."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.host import cgroups
from tests.host.addresses import API_ADDRESS
from tests.host.namespace import PREFIX
from tests.host.rig_files import RigFile, rig_files
from tests.host.world import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.host.world import World

BOOT_LIMIT_S = 60
USER_DATA_LIMIT_S = 420
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
}
_USER_DATA = "/var/lib/cloud/instance/scripts/part-001"  # the path that cloud-init uses
_TRUSTED = "etc/ssl/certs/ca-certificates.crt"


class BoxError(AssertionError):
    """A command on the box failed; the message has its output and the end of the journal."""


class Box:
    """One container. `layers` are the images of its disk, the top one first."""

    def __init__(self, world: World, name: str, layers: Sequence[Path]) -> None:
        self.world = world
        self.name = name
        self.folder = world.folder / name
        self._layers = tuple(layers)
        self._net, self.address = world.plug_in(name)
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._make_disk()

    @property
    def disk(self) -> Path:
        """The box's root directory, from outside."""
        return self.folder / "disk"

    @property
    def changes(self) -> Path:
        """The changes to the box's images: the upper directory of the overlay."""
        return self.folder / "upper"

    @property
    def is_on(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def file(self, path: str) -> Path:
        """Return a path on the box's disk, which does not have /run and /tmp."""
        return self.disk / path.lstrip("/")

    def boot(self) -> None:
        """Boot the box, and wait until systemd has started everything."""
        command = [
            "systemd-nspawn", "--quiet", "--directory", str(self.disk), "--boot", "--register=no",
            "--keep-unit", "--machine", self.name, "--console=read-only",
            f"--network-namespace-path={self._net.path}",
            "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--hostname", self.hostname,
        ]  # fmt: skip
        with (self.folder / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                ["sh", "-c", f'{cgroups.join_command(self._mark)}exec "$@"', "sh", *command],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, env=_ENVIRONMENT,
            )  # fmt: skip
        self._leader = self._find_leader()
        self.wait_until("systemctl is-system-running | grep -qE 'running|degraded'", limit_s=BOOT_LIMIT_S)
        # cloud-init creates the host keys at first boot; sshd fails without them, and has a start limit
        self.succeeds(
            "ls /etc/ssh/ssh_host_*_key >/dev/null 2>&1 || "
            "{ systemctl stop ssh; ssh-keygen -A && systemctl reset-failed ssh; systemctl start ssh; }"
        )

    def run(
        self, command: str, *, limit_s: float = 60, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root; the caller checks its exit code."""
        inside = f"nsenter --target {self._leader} --mount --uts --ipc --net --pid --cgroup --".split()
        environment = [f"{name}={value}" for name, value in _ENVIRONMENT.items()]
        return subprocess.run(
            [*inside, "env", "-i", *environment, "sh", "-c", command],
            input=text, stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True, encoding="utf-8", errors="replace", timeout=limit_s, check=False,
        )  # fmt: skip

    def succeeds(self, command: str, *, limit_s: float = 60) -> str:
        """Run a command that must exit with 0, and return its output."""
        done = self.run(command, limit_s=limit_s)
        if done.returncode != 0:
            raise BoxError(
                f"`{command}` on {self.name} exited with {done.returncode}:\n{done.stdout}{done.stderr}\n"
                f"--- end of the journal:\n{self.journal(lines=40)}"
            )
        return done.stdout

    def wait_until(self, command: str, *, limit_s: float = 30) -> str:
        """Run a command repeatedly until it exits with 0, and return its output."""
        ends_at = time.monotonic() + limit_s
        while True:
            done = self.run(command)
            if done.returncode == 0:
                return done.stdout
            if time.monotonic() > ends_at:
                return self.succeeds(command)
            time.sleep(0.2)

    def journal(self, unit: str | None = None, *, lines: int = 1000) -> str:
        """Return the end of the journal, of one unit or of all units."""
        chosen = [] if unit is None else ["--unit", unit]
        return self.run(" ".join(["journalctl --no-pager --boot=all", f"--lines={lines}", *chosen])).stdout

    def bootstrap(self) -> None:
        """Run the user data as cloud-init does: once, as root, with output to the journal."""
        script = self.file(_USER_DATA)
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(self.world.deployment.user_data, encoding="utf-8")
        script.chmod(0o700)
        done = self.run(
            "systemd-run --quiet --wait --collect --unit=cloud-final --property=Type=oneshot "
            f"--property=TimeoutStartSec={USER_DATA_LIMIT_S} {_USER_DATA}",
            limit_s=USER_DATA_LIMIT_S + 10,
        )
        if done.returncode != 0:
            raise BoxError(f"the user data exited with {done.returncode}:\n{self.journal('cloud-final')}")

    def stop_collecting(self) -> None:
        """Stop the timers of runs: a run that ends with the box would hold the database for minutes."""
        timers = (
            f"community-metrics-{name}.timer"
            for name in ("catch-up", "daily-refresh", "deliver", "weekly-refresh")
        )
        self.succeeds(f"systemctl stop {' '.join(timers)}")

    def take_address(self) -> None:
        """Get the Elastic IP, as when CloudFormation moves it after the new box has signalled."""
        self._net.ip("address", "add", f"{API_ADDRESS}/24", "dev", "eth0")
        self.world.imds.public_address[self.address] = API_ADDRESS
        self.world.flush_neighbours()

    def give_up_address(self) -> None:
        """Lose the Elastic IP."""
        self._net.ip("address", "del", f"{API_ADDRESS}/24", "dev", "eth0")
        del self.world.imds.public_address[self.address]
        self.world.flush_neighbours()

    def power_off(self) -> None:
        """Shut the box down."""
        self.run("systemctl --no-block poweroff")
        assert self._process is not None
        try:
            self._process.wait(timeout=BOOT_LIMIT_S)
        finally:
            self.cut_power()

    def cut_power(self) -> None:
        """Kill the box, as a power loss does."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.kill(self._leader, signal.SIGKILL)
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None
            cgroups.remove(self._mark)

    def reboot(self) -> None:
        """Shut the box down and boot it again from the same disk."""
        self.power_off()
        self.boot()

    def remove(self) -> None:
        """Remove the box and its disk."""
        self.cut_power()
        subprocess.run(["umount", str(self.disk)], check=True, timeout=30)
        self.world.imds.public_address.pop(self.address, None)
        self._net.delete()
        shutil.rmtree(self.folder)

    @property
    def hostname(self) -> str:
        """The host name, in the form of EC2."""
        return "ip-" + self.address.replace(".", "-")

    @property
    def rig_files(self) -> dict[str, RigFile]:
        """The files that the rehearsal writes to the disk before the first boot."""
        trusted = next(layer / _TRUSTED for layer in reversed(self._layers))
        bundle = trusted.read_text(encoding="utf-8")
        return rig_files(self.hostname, VARIABLES, self.world.acme.test_ca, bundle)

    @property
    def _mark(self) -> str:
        # `sweep` finds the mounts and networks of a killed rehearsal by this name
        return f"{PREFIX}{os.getpid()}-{self.name}"

    def _make_disk(self) -> None:
        for folder in (self.disk, self.changes, self.folder / "work"):
            folder.mkdir(parents=True)
        lower = ":".join(str(layer) for layer in self._layers)
        options = f"lowerdir={lower},upperdir={self.changes},workdir={self.folder / 'work'}"
        subprocess.run(
            ["mount", "-t", "overlay", self._mark, "-o", options, str(self.disk)], check=True, timeout=30
        )
        for path, file in self.rig_files.items():
            target = self.file(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # it may be a link to a file of this machine
            target.write_text(file.content, encoding="utf-8")

    def _find_leader(self) -> int:
        """Return the process that is PID 1 on the box."""
        assert self._process is not None
        for _ in range(200):
            if self._process.poll() is not None:
                break
            for pid in _descendants(self._process.pid):
                if _is_first(pid):
                    return pid
            time.sleep(0.05)
        console = (self.folder / "console.log").read_text(encoding="utf-8", errors="replace")
        raise BoxError(f"{self.name} did not boot:\n{console[-3000:]}")


def _descendants(pid: int) -> list[int]:
    with suppress(FileNotFoundError):
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return children + [below for child in children for below in _descendants(child)]
    return []


def _is_first(pid: int) -> bool:
    with suppress(FileNotFoundError):
        status = Path(f"/proc/{pid}/status").read_text()
        command = Path(f"/proc/{pid}/comm").read_text()
        (numbers,) = (line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:"))
        return numbers[-1] == "1" and command.strip() in {"systemd", "init"}
    return False
