"""A virtual machine with a box's disk, its own kernel and clock, without KVM; commands run by ssh."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from tests.host.addresses import BRIDGE, MAIN, METADATA

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.host.world import World

ADDRESS = "10.77.0.60"
MEMORY_MIB = 2048  # a t4g.small
BOOT_LIMIT_S = 600
_NETWORK = f"""\
[Match]
Name=eth0
[Network]
Address={ADDRESS}/24
Gateway={MAIN}
[Route]
Destination={METADATA}/32
Scope=link
"""
# in the emulator, imports that take a second take a minute
_LONGER_TIMEOUTS = "[Service]\nTimeoutStartSec=15min\nWatchdogSec=5min\n"
# as EC2's image and cloud-init do: fstab, the network, a user with the key of the key pair; without Debian's
# updates and the certificate, which would cost time
_PREPARE = """\
set -e
echo '/dev/vda / ext4 defaults 0 1' > /etc/fstab
systemctl enable --quiet systemd-networkd.service systemd-networkd-wait-online.service
systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer fstrim.timer dpkg-db-backup.timer
systemctl disable --quiet community-metrics-certificate.timer
useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/90-cloud-init-users
install -d -m 700 -o admin -g admin /home/admin/.ssh
cat > /home/admin/.ssh/authorized_keys
chown admin: /home/admin/.ssh/authorized_keys
"""


def make_image(disk: Path, folder: Path) -> Path:
    """Write a disk as an image, and a key pair to the same folder."""
    image, key = folder / "vm.img", folder / "vm-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=60)
    (disk / "etc/systemd/network/10-eth0.network").write_text(_NETWORK, encoding="utf-8")
    timeouts = disk / "etc/systemd/system/community-metrics-api.service.d/99-emulated.conf"
    timeouts.write_text(_LONGER_TIMEOUTS, encoding="utf-8")
    public = key.with_suffix(".pub").read_text(encoding="utf-8")
    subprocess.run(
        ["chroot", str(disk), "sh", "-c", _PREPARE],
        input=public, text=True, check=True, timeout=120, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )  # fmt: skip
    subprocess.run(
        ["mkfs.ext4", "-q", "-d", str(disk), str(image), "4G"], check=True, timeout=300, capture_output=True
    )
    return image


class Machine:
    """A virtual machine in the world."""

    def __init__(self, world: World, image: Path, kernel: Path) -> None:
        self._world, self._image = world, image
        (self._vmlinuz,), (self._initrd,) = kernel.glob("vmlinuz-*"), kernel.glob("initrd.img-*")
        self._process: subprocess.Popen[bytes] | None = None
        world.net.ip("tuntap", "add", "vm0", "mode", "tap")
        world.net.ip("link", "set", "vm0", "master", BRIDGE, "up")

    def boot(self, at: datetime) -> None:
        """Boot with its clock at this time, and wait until systemd has started everything."""
        command = [
            "ip", "netns", "exec", self._world.net.name, "qemu-system-x86_64", "-accel", "tcg,thread=multi",
            "-cpu", "max", "-smp", "2", "-m", str(MEMORY_MIB), "-nodefaults", "-display", "none",
            "-serial", f"file:{self._image.with_suffix('.console')}",
            "-kernel", str(self._vmlinuz), "-initrd", str(self._initrd),
            "-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0",
            "-drive", f"file={self._image},if=virtio,format=raw",
            "-netdev", "tap,id=n,ifname=vm0,script=no,downscript=no", "-device", "virtio-net-pci,netdev=n",
            "-rtc", f"base={at:%Y-%m-%dT%H:%M:%S},clock=vm", "-no-reboot",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.wait_until("systemctl is-system-running | grep -qE 'running|degraded'", limit_s=BOOT_LIMIT_S)

    def run(self, command: str, limit_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a shell script as root, by ssh and sudo."""
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=20")
        ssh = [
            "ssh",
            "-q",
            "-i",
            str(self._image.with_name("vm-key")),
            *(f"-o{option}" for option in options),
        ]
        return subprocess.run(
            ["ip", "netns", "exec", self._world.clients.name, *ssh, f"admin@{ADDRESS}", "sudo sh -s"],
            input=command, capture_output=True, text=True, timeout=limit_s, check=False,
        )  # fmt: skip

    def succeeds(self, command: str, limit_s: float = 120) -> str:
        """Run a script that must exit with 0, and return its output."""
        done = self.run(command, limit_s)
        assert done.returncode == 0, f"`{command}` exited with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def wait_until(self, command: str, limit_s: float = 120) -> str:
        """Run a script repeatedly until it exits with 0, and return its output."""
        ends_at = time.monotonic() + limit_s
        while True:
            try:
                return self.succeeds(command)
            except (AssertionError, subprocess.TimeoutExpired):
                if time.monotonic() > ends_at:
                    raise
            time.sleep(1)

    def cut_power(self) -> None:
        """Kill the machine, as a power loss does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=30)
            self._process = None

    def unplug(self) -> None:
        """Remove its network port."""
        self._world.net.ip("link", "delete", "vm0")
