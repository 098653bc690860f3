"""The disk of a new EC2 instance: Debian 13 with packages of the cloud image."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.host import cache, mirror

RELEASE = "trixie"
# Packages of Debian's EC2 image that our files may use. A package that the image does not have would hide
# that the bootstrap does not install it: no nginx, no certbot, no boto3, no venv.
PACKAGES = (
    "apt-utils", "bash-completion", "ca-certificates", "cron", "curl", "dbus", "iproute2", "less",
    "libnss-myhostname", "libnss-systemd", "locales", "netbase", "openssh-server", "openssl", "polkitd",
    "procps", "python3", "sudo", "systemd", "systemd-sysv", "systemd-timesyncd", "udev",
    "unattended-upgrades", "util-linux", "vim-tiny",
)  # fmt: skip


# more packages for a virtual machine; the initramfs has only the drivers of qemu's disk and network
KERNEL = ("initramfs-tools", "linux-image-cloud-amd64", "zstd")
_SLIM_INITRAMFS = """
printf 'MODULES=list\\n' > $1/etc/initramfs-tools/conf.d/slim
printf '%s\\n' virtio_pci virtio_blk virtio_net ext4 > $1/etc/initramfs-tools/modules
chroot $1 update-initramfs -u
"""


def base_tree() -> Path:
    """Return the cached tree; a new one takes about half a minute."""
    return cache.cached("tree", [_recipe(), mirror.ARCHITECTURE], lambda path: _make(path, PACKAGES))


def kernel_tree() -> Path:
    """Return the cached tree with a kernel, for a virtual machine."""
    return cache.cached(
        "kernel-tree", [_recipe()], lambda path: _make(path, PACKAGES + KERNEL, _SLIM_INITRAMFS)
    )


def _recipe() -> str:
    return Path(__file__).read_text(encoding="utf-8")


def _make(path: Path, packages: tuple[str, ...], hook: str = "true") -> None:
    sources = [f"deb {uri} {suite} main" for suite, uri in mirror.upstream().items()]
    command = [
        "mmdebstrap", "--variant=minbase", f"--include={','.join(packages)}", "--quiet",
        f"--customize-hook={hook}",
        # the machine's mirror must not stay in the cached tree
        "--customize-hook=rm -f $1/etc/apt/sources.list $1/etc/apt/sources.list.d/*",
        # an image has no machine id and host keys before its first boot
        "--customize-hook=: > $1/etc/machine-id; rm -f $1/var/lib/dbus/machine-id $1/etc/ssh/ssh_host_*",
        RELEASE, str(path), *sources,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=420, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"mmdebstrap could not make the tree:\n{done.stderr[-3000:]}")
