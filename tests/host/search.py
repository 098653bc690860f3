"""Looking for secrets where anybody on the box, or whoever reads its journal, could see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.host.world import SECRETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.host.box import Box

KEPT_SECRET = (
    *(SECRETS[key] for key in ("lancedb-read-key", "lancedb-write-key", "github-token")),
    "secret-of-the-instance-role",
    "session-token-of-the-instance-role",
)
_BEGAN = "/var/lib/community-metrics/deployment.json"  # written when the user data began
OPEN_PLACES = {
    "environment blocks": "cat /proc/[0-9]*/environ",
    "process list": "cat /proc/[0-9]*/cmdline",
    "units": "systemctl show-environment; systemctl show '*'",
    "journal": "journalctl --all --output=export --boot=all",
    # pip's files were compared by their hashes
    "world-readable files": f"find / /run /tmp /dev/shm -xdev -type f -perm -o=r -cnewer {_BEGAN} "
    "! -path '*/venvs/*/lib/*' -exec cat {} +",
}


def found(box: Box, look: str, secrets: Sequence[str]) -> list[str]:
    """Return which secrets what `look` prints holds; they come by a pipe, so that no command line has one."""
    command = (
        f"exec 3<&0; ({look}) </dev/null 2>/dev/null | LC_ALL=C grep --text -oF --file=/dev/fd/3 | sort -u"
    )
    return box.run(command, text="\n".join(secrets)).stdout.splitlines()
