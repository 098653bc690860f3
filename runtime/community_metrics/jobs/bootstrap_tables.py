"""Create the tables: `python -m community_metrics.jobs.bootstrap_tables [--reset --yes]`.

Every job makes what is missing; this one does it alone, so that a new cluster can be tried out before it is
filled. With `--reset` it first drops what is there, history included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.runs.execute import Gathered

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.runs.execute import JobRequest, RunContext, Work


def prepare(_request: JobRequest, _catalog: Catalog, _now: datetime) -> Work:
    """Return the work: drop the tables where that was asked for; the run itself writes the definitions."""
    return _work


async def _work(context: RunContext) -> Gathered:
    if not context.request.reset:
        return Gathered()
    place = context.settings.storage_location
    if context.request.dry_run:
        return Gathered(notes=(f"--reset would delete every row of metrics, stats and history in {place}.",))
    await context.store.drop_tables(renew=context.renew)
    await context.store.create_tables()
    return Gathered(notes=(f"Every row of metrics, stats and history in {place} was deleted.",))


if __name__ == "__main__":
    from community_metrics.cli.jobs import main_of

    main_of("bootstrap_tables")
