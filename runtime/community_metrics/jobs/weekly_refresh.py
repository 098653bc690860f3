"""Refresh the recent weeks: `python -m community_metrics.jobs.weekly_refresh [--lookback-weeks N]`.

Covers the last N complete ISO weeks and the days since, since registries publish late and restate, and
reaches further back, per metric, to the first gap that its source can still fill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.model import Provenance
from community_metrics.runs import refresh

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.runs.execute import JobRequest, Work

DEFAULT_LOOKBACK_WEEKS = 5


def prepare(request: JobRequest, catalog: Catalog, now: datetime) -> Work:
    """Return the work: ask the registries; values are stored as `api`."""
    return refresh.prepared(
        request, catalog, now, default_lookback_weeks=DEFAULT_LOOKBACK_WEEKS, provenance=Provenance.API
    )


if __name__ == "__main__":
    from community_metrics.cli.jobs import main_of

    main_of("weekly_refresh")
