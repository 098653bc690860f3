"""Recompute a longer past: `python -m community_metrics.jobs.update_all [--lookback-weeks N]`.

Does what `weekly_refresh` does over more weeks and stores the values as `recomputed`, which replaces seed
rows and earlier refreshes alike: the answer to "is what we have what the registry says?".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.model import Provenance
from community_metrics.runs import refresh

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.runs.execute import JobRequest, Work

DEFAULT_LOOKBACK_WEEKS = 12


def prepare(request: JobRequest, catalog: Catalog, now: datetime) -> Work:
    """Return the work: ask the registries; values are stored as `recomputed`."""
    return refresh.prepared(
        request, catalog, now, default_lookback_weeks=DEFAULT_LOOKBACK_WEEKS, provenance=Provenance.RECOMPUTED
    )


if __name__ == "__main__":
    from community_metrics.cli.jobs import main_of

    main_of("update_all")
