"""Report gauges of the host, the runs and the data: `python -m community_metrics.host.monitor`, every hour.

The gauges go to the journal and to CloudWatch, where the alarms of `infra/monitoring_stack.py` watch them. A
gauge that cannot be measured is left out and logged as an error. The host's gauges are sent first, because
the database may be slow or unreachable.
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
from community_metrics.aws.backups import backup_gauges
from community_metrics.aws.telemetry import data_gauges, publish
from community_metrics.clock import SystemClock
from community_metrics.config import given_settings, given_stage, load_settings
from community_metrics.errors import CommunityMetricsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Measure = Callable[[], float | None]

CERTIFICATE_LIFETIME_LEFT: Final = "CertificateLifetimeLeftPercent"
DISK_USED: Final = "DiskUsedPercent"
MEMORY_USED: Final = "MemoryUsedPercent"
CERTIFICATE: Final = Path("/run/community-metrics/certificate.json")
_MEMORY: Final = Path("/proc/meminfo")
_UPTIME: Final = Path("/proc/uptime")
_BOOT_S: Final = 120
_journal = structlog.get_logger("community_metrics.host")


def certificate_lifetime_left(status: Path, now: datetime, up_s: float) -> float | None:
    """Return the remaining lifetime of the certificate in percent; 0 if the host has none.

    `status` is the JSON file of `cm-certificate`, with `not_before` and `not_after`. In the first two minutes
    after boot (`up_s`), before that program has run, the result is None.
    """
    if not status.exists():
        return 0.0 if up_s >= _BOOT_S else None
    content = json.loads(status.read_text(encoding="utf-8"))
    begin, end = (datetime.fromisoformat(content[name]) for name in ("not_before", "not_after"))
    return max(0.0, 100 * (end - now) / (end - begin))


def memory_used(meminfo: str) -> float:
    """Return how much memory is not available, in percent, from the text of /proc/meminfo."""
    lines = (line.partition(":") for line in meminfo.splitlines())
    kib = {name: int(value.split()[0]) for name, _, value in lines}
    return 100 * (1 - kib["MemAvailable"] / kib["MemTotal"])


def disk_used(folder: str = "/") -> float:
    """Return how full the disk is, in percent of the space that unprivileged users can use."""
    usage = shutil.disk_usage(folder)
    return 100 * usage.used / (usage.used + usage.free)


def uptime_s(uptime: str) -> float:
    """Return the seconds since boot, from the text of /proc/uptime."""
    return float(uptime.split(maxsplit=1)[0])


def host_measures(now: datetime, certificate: Path = CERTIFICATE) -> dict[str, Measure]:
    """Return the function that measures each gauge of this host."""
    return {
        CERTIFICATE_LIFETIME_LEFT: lambda: certificate_lifetime_left(
            certificate, now, uptime_s(_UPTIME.read_text(encoding="utf-8"))
        ),
        DISK_USED: disk_used,
        MEMORY_USED: lambda: memory_used(_MEMORY.read_text(encoding="utf-8")),
    }


def measured(measures: Mapping[str, Measure]) -> tuple[dict[str, float], list[str]]:
    """Return the gauges that could be measured, and the errors of the others."""
    gauges: dict[str, float] = {}
    errors = []
    for name, measure in measures.items():
        try:
            value = measure()
        except (OSError, ValueError, KeyError, TypeError, ArithmeticError) as error:
            errors.append(f"{name}: {type(error).__name__}: {error}")
        else:
            gauges |= {} if value is None else {name: value}
    return gauges, errors


def main() -> int:
    """Measure and report all gauges, and return the exit code."""
    log.configure(given_settings({"log_format": "json"}), is_terminal=False)
    clock = SystemClock()
    is_complete = report_gauges(*measured(host_measures(clock.now())))
    try:
        settings = load_settings()
        log.configure(settings, is_terminal=False)
    except CommunityMetricsError as error:
        report_gauges({}, [f"{error}"])
        return 1
    # the bucket first, because the database may be slow or unreachable
    is_complete &= _reported(lambda: backup_gauges(settings, clock.now()))
    is_complete &= _reported(lambda: asyncio.run(data_gauges(settings, clock)))
    return 0 if is_complete else 1


def _reported(measure: Callable[[], dict[str, float]]) -> bool:
    """Report gauges, or the error that they cannot be measured, and return whether there is none."""
    try:
        gauges = measure()
    except CommunityMetricsError as error:
        return report_gauges({}, [f"{error}"])
    return report_gauges(gauges, [])


def report_gauges(gauges: Mapping[str, float], errors: Sequence[str]) -> bool:
    """Send the gauges to CloudWatch and the journal, log the errors, and return whether there is none."""
    found = list(errors)
    if gauges:
        try:
            publish(gauges, given_stage())
        except CommunityMetricsError as error:
            found.append(f"{error}")
        _journal.info("gauges", **{name: round(value, 1) for name, value in sorted(gauges.items())})
    for reason in found:
        _journal.error("gauge not reported", reason=reason)
    return not found


if __name__ == "__main__":
    sys.exit(main())
