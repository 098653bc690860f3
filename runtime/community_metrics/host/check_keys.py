"""Check LanceDB's keys at boot: `python -m community_metrics.host.check_keys FOLDER`.

FOLDER holds the secrets of each reader, as `community_metrics.host.secrets` writes them. The check is that of
`community-metrics secrets put`, which a laptop outside a private network cannot make.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from community_metrics.aws.key_check import check_keys
from community_metrics.config import load_settings
from community_metrics.errors import ConfigurationError, StorageError, StorageUnavailable
from community_metrics.host.secrets import stored_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.config import Settings

WAITS_S: Final = (10.0, 30.0)
"""Between two tries of a cluster that is unreachable: it may be restarting, or its endpoint may be new."""


def main(folder: Path, waits_s: Sequence[float] = WAITS_S) -> int:
    """Use the API's key and the jobs' key once each, print the result, and return the exit code."""
    try:
        api, jobs = (load_settings(stored_values(folder / reader)) for reader in ("api", "jobs"))
        notes = asyncio.run(_check(api, jobs, waits_s))
    except (ConfigurationError, StorageError) as error:
        _print(f"The keys of LanceDB cannot be used: {error}")
        return 1
    _print("\n".join(("LanceDB accepts the keys.", *notes)))
    return 0


async def _check(api: Settings, jobs: Settings, waits_s: Sequence[float]) -> tuple[str, ...]:
    for wait_s in waits_s:
        try:
            return await check_keys(api, jobs)
        except StorageUnavailable as error:
            _print(f"LanceDB is unavailable, next try in {wait_s:g} s: {error}")
            await asyncio.sleep(wait_s)
    return await check_keys(api, jobs)


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201  the boot log


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
