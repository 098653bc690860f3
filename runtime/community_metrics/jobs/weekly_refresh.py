"""Refresh the recent weeks: `python -m community_metrics.jobs.weekly_refresh [--lookback-weeks N]`.

Covers the last N complete ISO weeks and the days since, since registries publish late and restate, and
reaches further back, per metric, to the first gap that its source can still fill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.jobs import refresh
from community_metrics.model import Provenance

if TYPE_CHECKING:
    from community_metrics.jobs.run import Gathered, RunContext

DEFAULT_LOOKBACK_WEEKS = 5


async def gather(context: RunContext) -> Gathered:
    """Ask the registries; values are stored as `api`."""
    return await refresh.gather(
        context, default_lookback_weeks=DEFAULT_LOOKBACK_WEEKS, provenance=Provenance.API
    )


if __name__ == "__main__":
    from community_metrics.cli_jobs import main_of

    main_of("weekly_refresh")
