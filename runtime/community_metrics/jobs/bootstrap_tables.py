"""Create the tables: `python -m community_metrics.jobs.bootstrap_tables [--reset --yes]`.

Every job makes what is missing; this one does it alone, so that a new cluster can be tried out before it is
filled. With `--reset` it first drops what is there, history included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.jobs.run import Gathered

if TYPE_CHECKING:
    from community_metrics.jobs.run import RunContext


async def gather(context: RunContext) -> Gathered:
    """Drop the tables where that was asked for; the run itself creates them and writes the definitions."""
    if context.request.reset and not context.request.dry_run:
        await context.store.drop_tables()
        await context.store.create_tables()
    return Gathered()


if __name__ == "__main__":
    from community_metrics.cli_jobs import main_of

    main_of("bootstrap_tables")
