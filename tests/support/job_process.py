"""A job in a process of its own, with a stopped clock and, if wanted, a SIGKILL at a given step.

Steps are the store's methods: `before:record_run:1`, `after:upsert_observations:1`, and so on, or
`during:merge:<milliseconds>`, which kills from another thread so long after the merge of `stats` began.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import threading
from collections import Counter
from datetime import date, datetime
from typing import Any

from community_metrics.config import Settings
from community_metrics.errors import CommunityMetricsError
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import JOBS
from community_metrics.storage import LanceDBStore
from tests.support.clock import FakeClock
from tests.support.replay import HOSTS

STEPS = (
    "acquire_lease",
    "record_run",
    "upsert_metrics",
    "upsert_observations",
    "record_outcomes",
    "record_witnessed",
    "record_delivery",
    "release_lease",
)


def killing_store(kill_at: str) -> type[LanceDBStore]:
    """Return a store that works as ours does, and whose process dies at the step."""
    seen: Counter[str] = Counter()

    def step(moment: str, name: str) -> None:
        if f"{moment}:{name}:{seen[name]}" == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    class KillingStore(LanceDBStore):
        async def _merge(self, spec: Any, rows: Any, **options: Any) -> None:
            if spec.name == "stats" and kill_at.startswith("during:merge:"):
                delay_s = int(kill_at.rsplit(":", 1)[1]) / 1000
                threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGKILL)).start()
            await super()._merge(spec, rows, **options)

    def watched(name: str) -> Any:
        original = getattr(LanceDBStore, name)

        async def method(self: Any, *args: Any, **options: Any) -> Any:
            seen[name] += 1
            step("before", name)
            result = await original(self, *args, **options)
            step("after", name)
            return result

        return method

    for name in STEPS:
        setattr(KillingStore, name, watched(name))
    return KillingStore


def _option(name: str, value: Any) -> Any:
    if name == "since" and value is not None:
        return date.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value


def main() -> int:
    plan = json.loads(sys.argv[1])
    origins = {f"source_url_{host}": plan["origin"] for host in HOSTS}
    settings = Settings(_env_file=None, db_path=plan["db_path"], **origins, **plan["settings"])
    options = {name: _option(name, value) for name, value in plan["options"].items()}
    try:
        report = asyncio.run(
            execute(
                JOBS[plan["job_name"]](**options),
                settings,
                clock=FakeClock(datetime.fromisoformat(plan["now"])),
                rng=random.Random(),  # noqa: S311  run ids and jitter
                store_type=killing_store(plan["kill_at"]),
            )
        )
    except CommunityMetricsError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(report.run.status.value)
    return 0


if __name__ == "__main__":
    sys.exit(main())
