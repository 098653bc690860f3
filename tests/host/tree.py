"""The disk of a fresh EC2 instance: a Debian 13 tree with what the cloud image has, and nothing of ours."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.host import cache, mirror

RELEASE = "trixie"
# What Debian's image for EC2 has and our files could lean on. Less than the image is right, more would hide a
# package that the bootstrap forgets: no nginx, no certbot, no boto3, no venv.
PACKAGES = (
    "apt-utils", "bash-completion", "ca-certificates", "cron", "curl", "dbus", "iproute2", "less",
    "libnss-myhostname", "libnss-systemd", "locales", "netbase", "openssh-server", "openssl", "polkitd",
    "procps", "python3", "sudo", "systemd", "systemd-sysv", "systemd-timesyncd", "udev",
    "unattended-upgrades", "util-linux", "vim-tiny",
)  # fmt: skip


def base_tree() -> Path:
    """Return the cached tree; made in about half a minute where it is new."""
    recipe = Path(__file__).read_text(encoding="utf-8")
    return cache.cached("tree", [recipe, mirror.ARCHITECTURE], _make)


def _make(path: Path) -> None:
    sources = [f"deb {uri} {suite} main" for suite, uri in mirror.upstream().items()]
    command = [
        "mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", "--quiet",
        # the machine's mirror is nobody else's business, and a cached one would go stale
        "--customize-hook=rm -f $1/etc/apt/sources.list $1/etc/apt/sources.list.d/*",
        # an image has no identity before its first boot
        "--customize-hook=: > $1/etc/machine-id; rm -f $1/var/lib/dbus/machine-id $1/etc/ssh/ssh_host_*",
        RELEASE, str(path), *sources,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=420, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"mmdebstrap could not make the tree:\n{done.stderr[-3000:]}")
