"""A delivery run in a process of its own, with a stopped clock and, if wanted, a SIGKILL at a step."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from datetime import datetime
from pathlib import Path

from community_metrics.config import Settings
from community_metrics.delivery.job import deliver
from community_metrics.errors import CommunityMetricsError
from tests.support.clock import FakeClock
from tests.support.job_process import killing_store


def main() -> int:
    """Deliver once, as the JSON in the first argument says."""
    plan = json.loads(sys.argv[1])
    settings = Settings(
        _env_file=None, db_path=plan["db_path"], catalog=Path(plan["catalog"]), delivery=plan["delivery"]
    )
    clock = FakeClock(datetime.fromisoformat(plan["now"]))
    rng = random.Random()  # noqa: S311  jitter
    try:
        report = asyncio.run(
            deliver(settings, clock=clock, rng=rng, store_type=killing_store(plan["kill_at"]))
        )
    except CommunityMetricsError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(str(report.sent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
