"""Try to restore the newest backup: `python -m community_metrics.host.restore_drill`, every month.

A gauge says whether it failed; its alarm stays until a drill succeeds. The exit code is that of the error.
"""

from __future__ import annotations

import asyncio
import sys

from community_metrics import log
from community_metrics.aws.backups import restore_drill
from community_metrics.config import load_settings
from community_metrics.errors import CommunityMetricsError


def main() -> int:
    """Print the backup that was restored, or the error, and return the exit code."""
    try:
        settings = load_settings()
        log.configure(settings, is_terminal=False)
        manifest = asyncio.run(restore_drill(settings))
    except CommunityMetricsError as error:
        print(f"The restore drill failed: {error}")  # noqa: T201  for the journal
        return error.exit_code
    print(f"The backup {manifest.backup_id} can be restored: {manifest.rows:,} rows compared.")  # noqa: T201  as above
    return 0


if __name__ == "__main__":
    sys.exit(main())
