"""How the host and its collecting go: `python -m community_metrics.host.monitor`, every hour.

The gauges go to CloudWatch, where the alarms of `infra/monitoring_stack.py` watch them, and to the journal.
What cannot be measured is left out, and the reason told; what can be measured is told all the same: the
machine's gauges go out before the database is asked, which may be slow or silent.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from community_metrics import log
from community_metrics.aws.telemetry import publish, run_gauges
from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.config import given_settings, load_settings
from community_metrics.errors import CommunityMetricsError
from community_metrics.periods import today
from community_metrics.views.rows import read
from community_metrics.views.status import load_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from community_metrics.clock import Clock
    from community_metrics.config import Settings

    Measure = Callable[[], float | None]

SETTLED_THROUGH_AGE_DAYS: Final = "SettledThroughAgeDays"
CERTIFICATE_LIFE_LEFT: Final = "CertificateLifeLeftPercent"
DISK_USED: Final = "DiskUsedPercent"
MEMORY_USED: Final = "MemoryUsedPercent"
CERTIFICATE: Final = Path("/run/community-metrics/certificate.json")
_MEMORY: Final = Path("/proc/meminfo")
_UPTIME: Final = Path("/proc/uptime")
_BOOT_S: Final = 120
_journal = structlog.get_logger("community_metrics.host")


def certificate_life_left(told: Path, now: datetime, up_s: float) -> float | None:
    """Return how much of the certificate's life is left, in percent; 0 where the host has none.

    `told` holds `not_before` and `not_after`, as the program that keeps the certificate writes them. That
    program has not run yet where the host is up for less than two minutes (`up_s`): then None.
    """
    if not told.exists():
        return 0.0 if up_s >= _BOOT_S else None
    facts = json.loads(told.read_text(encoding="utf-8"))
    begin, end = (datetime.fromisoformat(facts[name]) for name in ("not_before", "not_after"))
    return max(0.0, 100 * (end - now) / (end - begin))


def memory_used(told: str) -> float:
    """Return how much of the memory nobody could have, in percent, from the text of /proc/meminfo."""
    kib = {
        name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in told.splitlines())
    }
    return 100 * (1 - kib["MemAvailable"] / kib["MemTotal"])


def disk_used(folder: str = "/") -> float:
    """Return how full the disk is, in percent of what programs without privileges may use."""
    usage = shutil.disk_usage(folder)
    return 100 * usage.used / (usage.used + usage.free)


def uptime_s(told: str) -> float:
    """Return for how many seconds the machine is up, from the text of /proc/uptime."""
    return float(told.split(maxsplit=1)[0])


def host_measures(now: datetime, certificate: Path = CERTIFICATE) -> dict[str, Measure]:
    """Return what measures each gauge of this machine."""
    return {
        CERTIFICATE_LIFE_LEFT: lambda: certificate_life_left(
            certificate, now, uptime_s(_UPTIME.read_text(encoding="utf-8"))
        ),
        DISK_USED: disk_used,
        MEMORY_USED: lambda: memory_used(_MEMORY.read_text(encoding="utf-8")),
    }


def measured(measures: Mapping[str, Measure]) -> tuple[dict[str, float], list[str]]:
    """Return the gauges that could be measured, and for each of the others why not."""
    gauges: dict[str, float] = {}
    faults = []
    for name, measure in measures.items():
        try:
            value = measure()
        except (OSError, ValueError, KeyError, TypeError, ArithmeticError) as error:
            faults.append(f"{name}: {type(error).__name__}: {error}")
        else:
            gauges |= {} if value is None else {name: value}
    return gauges, faults


async def data_gauges(settings: Settings, clock: Clock) -> dict[str, float]:
    """Return the gauges of the data: those of the runs, and how many days the slowest source is behind.

    Raises:
        StorageError: the database cannot be read.
        CatalogError: the catalogue cannot be used.
    """
    catalog, now = load_catalog(settings.catalog), clock.now()
    view, _ = await read(settings, lambda reader: load_status(reader, catalog, now))
    published = view.published_through
    _journal.info("published through", **{source: f"{day}" for source, day in sorted(published.items())})
    gauges = run_gauges(view.health, view.freshness)
    if published:
        gauges[SETTLED_THROUGH_AGE_DAYS] = float((today(now) - min(published.values())).days)
    return gauges


def main() -> int:
    """Measure, publish, and return the exit code."""
    log.configure(given_settings({"log_format": "json"}), is_terminal=False)
    clock = SystemClock()
    is_whole = told(*measured(host_measures(clock.now())))
    try:
        settings = load_settings()
        log.configure(settings, is_terminal=False)
        is_whole &= told(asyncio.run(data_gauges(settings, clock)), [])
    except CommunityMetricsError as error:
        is_whole = told({}, [f"{error}"])
    return 0 if is_whole else 1


def told(gauges: Mapping[str, float], faults: Sequence[str]) -> bool:
    """Tell the gauges to CloudWatch and the journal, the faults to the latter; return whether none was."""
    met = list(faults)
    if gauges:
        try:
            publish(gauges)
        except CommunityMetricsError as error:
            met.append(f"{error}")
        _journal.info("gauges", **{name: round(value, 1) for name, value in sorted(gauges.items())})
    for fault in met:
        _journal.error("not measured or not told", reason=fault)
    return not met


if __name__ == "__main__":
    sys.exit(main())
