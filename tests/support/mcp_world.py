"""A database for the tools of MCP: the known numbers, a week with 5 of 7 days, and a metric of the team."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from community_metrics.catalog import load_catalog
from community_metrics.model import SourceWindow, Visibility
from community_metrics.periods import days_between
from community_metrics.storage import LanceDBStore
from tests.support import api as support
from tests.support.api import LAST_DAY, observed
from tests.support.clock import NOON

if TYPE_CHECKING:
    from community_metrics.config import Settings
    from community_metrics.model import Observation

LANCEDB = "downloads:lancedb:python"
FIVE_DAYS = date(2026, 11, 16), date(2026, 11, 20)
"""Monday to Friday of 2026-W47."""
OF_TEAM = "downloads:lancedb:rust"
REGISTRY = "registry:pypi:all"
PARTIAL_DAY = date(2026, 10, 28)


async def fill(settings: Settings) -> None:
    """Store it."""
    await support.fill(settings)
    (registry,) = [one for one in load_catalog(None).registries if one.metric_id == REGISTRY]
    async with LanceDBStore.open(settings) as store:
        stored = {metric.metric_id: metric for metric in await store.metrics()}
        of_team = replace(stored[OF_TEAM], visibility=Visibility.TEAM)
        await store.upsert_metrics([of_team, registry.definition(NOON)])
        await support.write(store, support.days_of(LANCEDB, *FIVE_DAYS))
        await support.write(store, support.days_of(OF_TEAM, date(2026, 11, 9), plus=7_770_000))
        await support.write(store, _registry_days())


def _registry_days() -> list[Observation]:
    """Return the downloads of all packages of PyPI, of which one day was counted in part."""
    return [
        observed(REGISTRY, day, day, 300_000 if day == PARTIAL_DAY else 1_500_000, SourceWindow.DAY, NOON)
        for day in days_between(date(2026, 7, 1), LAST_DAY)
    ]
