"""The check of `community-metrics doctor` that says how far back metrics could be filled, and were."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from community_metrics.cli.checks import Check, ok
from community_metrics.errors import CommunityMetricsError
from community_metrics.text import counted, named
from community_metrics.views.backfill import load_fill_back
from community_metrics.views.rows import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.storage import LanceDBReader
    from community_metrics.views.backfill import FillBack

_AREA = "backfill"


async def backfill_checks(settings: Settings, catalog: Catalog, clock: Clock) -> list[Check]:
    """Return one check for the metrics that each place could fill back, and one for those that it did."""

    async def load(reader: LanceDBReader) -> list[FillBack]:
        return await load_fill_back(reader, catalog, clock.now())

    try:
        found, _ = await read(settings, load)
    except CommunityMetricsError:
        return []  # the check of the storage reports it
    places: dict[tuple[str, bool], list[FillBack]] = defaultdict(list)
    for one in found:
        places[one.place, one.is_done or not one.days].append(one)
    return [ok(_AREA, _text(place, metrics, is_done=done)) for (place, done), metrics in places.items()]


def _text(place: str, metrics: Sequence[FillBack], *, is_done: bool) -> str:
    names = named([one.metric_id for one in metrics])
    if is_done:
        first = min((one.first_stored for one in metrics if one.first_stored), default=None)
        begin = "no day is stored" if first is None else f"the oldest stored day is {first}"
        return f"{names}: filled back as far as {place} has them; {begin}"
    most = max(one.days for one in metrics)
    return (
        f"{names} could be filled back to {min(one.since for one in metrics)} from {place}, "
        f"up to {counted(most, 'day')} each; `community-metrics backfill --dry-run` shows them"
    )
