"""Backups of a deployment: the age of the newest one, and the drill that reports if it can be restored."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.aws.telemetry import TelemetryError, publish
from community_metrics.backup.manifest import backup_ids, made_at, made_until
from community_metrics.backup.place import place_of
from community_metrics.runs.restore import drill

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.backup.manifest import Manifest
    from community_metrics.config import Settings

BACKUP_AGE_H: Final = "BackupAgeHours"
RESTORE_FAILED: Final = "RestoreFailed"


def backup_gauges(settings: Settings, now: datetime) -> dict[str, float]:
    """Return the age of the newest whole backup until now; nothing where there is none, or no place is set.

    The alarm treats missing data as a failure, and an age would be a number that was never measured.

    Raises:
        BackupUnavailable: the place cannot be listed.
    """
    if settings.backup_target is None:
        return {}
    stored = made_until(backup_ids(place_of(settings).keys()), now)
    return {BACKUP_AGE_H: (now - made_at(stored[-1])) / timedelta(hours=1)} if stored else {}


async def restore_drill(settings: Settings) -> Manifest:
    """Restore the newest backup into a scratch folder, and publish whether that failed, as a gauge of 1 or 0.

    Raises:
        CommunityMetricsError: the backup cannot be restored; the gauge is published before.
        TelemetryError: the backup can be restored, and CloudWatch rejects the gauge.
    """
    try:
        manifest = await drill(place_of(settings))
    except Exception:
        with suppress(TelemetryError):  # the first error has the reason
            await asyncio.to_thread(publish, {RESTORE_FAILED: 1.0}, settings.deployment_stage)
        raise
    await asyncio.to_thread(publish, {RESTORE_FAILED: 0.0}, settings.deployment_stage)
    return manifest
