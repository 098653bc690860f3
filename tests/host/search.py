"""Search for secrets where every user of the box, or a reader of its journal, could see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.host.world import SECRETS, WEBHOOK_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.host.box import Box

VALUES = (
    *(SECRETS[key] for key in ("lancedb-read-key", "lancedb-write-key", "github-token")),
    WEBHOOK_KEY,
    "secret-of-the-instance-role",
    "session-token-of-the-instance-role",
)
_USER_DATA_START = "/var/lib/community-metrics/deployment.json"  # written when the user data starts
PLACES = {
    "environment blocks": "cat /proc/[0-9]*/environ",
    "process list": "cat /proc/[0-9]*/cmdline",
    "units": "systemctl show-environment; systemctl show '*'",
    "journal": "journalctl --all --output=export --boot=all",
    # pip has checked these files by their hashes
    "world-readable files": f"find / /run /tmp /dev/shm -xdev -type f -perm -o=r -cnewer {_USER_DATA_START} "
    "! -path '*/venvs/*/lib/*' -exec cat {} +",
}


def found(box: Box, command: str, secrets: Sequence[str]) -> list[str]:
    """Return the secrets in the output of a command; they are passed by a pipe, not by a command line."""
    script = (
        f"exec 3<&0; ({command}) </dev/null 2>/dev/null | LC_ALL=C grep --text -oF --file=/dev/fd/3 | sort -u"
    )
    return box.run(script, text="\n".join(secrets)).stdout.splitlines()
