"""Load published history: `python -m community_metrics.jobs.seed_from_csv [--path FILE]`.

The shipped figures belong to the shipped catalogue; with another one there is nothing to seed, which is a
success. Values are stored as `csv_seed` and never replace what came from a registry.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from community_metrics.model import Provenance
from community_metrics.runs.execute import Gathered, MetricOutcome
from community_metrics.seed.files import read_seed, seed_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import Observation
    from community_metrics.runs.execute import JobRequest, RunContext, Work


_NOTHING = (
    "There is nothing to seed: the shipped figures belong to the shipped catalogue. "
    "Figures of your own are loaded with `community-metrics seed --path FILE`."
)

_LEFT_OUT = (
    "{} rows that the files themselves doubt were left out; their column `suspect` says why, and "
    "--include-suspect loads them."
)

_INACTIVE = (
    "{} rows of metrics that are not active were left out: {}. `active = true` in the catalogue lets them in."
)


def prepare(request: JobRequest, catalog: Catalog, now: datetime) -> Work:
    """Read the seed files whole, and return the work of handing them over.

    Raises:
        SeedFileError: a file has faults; nothing of it is loaded.
    """
    gathered = _read(request, catalog, now)

    async def work(_context: RunContext) -> Gathered:
        return gathered

    return work


def _read(request: JobRequest, catalog: Catalog, now: datetime) -> Gathered:
    chosen = {metric.metric_id for metric in catalog.select(request.only)}
    files = seed_files(request.seed_path, catalog)
    if not files:
        return Gathered(provenance=Provenance.CSV_SEED, notes=(_NOTHING,))
    reading = read_seed(files, catalog, include_suspect=request.include_suspect, now=now)
    observations = tuple(row for row in reading.observations if row.metric_id in chosen)
    doubted = sum(row.metric_id in chosen for row in reading.left_out)
    notes = [_LEFT_OUT.format(doubted)] if doubted else []
    if not request.only:
        notes += _inactive(reading.observations, catalog)
    loaded = Counter(row.metric_id for row in observations)
    return Gathered(
        observations=observations,
        provenance=Provenance.CSV_SEED,
        outcomes=tuple(MetricOutcome(metric_id, count) for metric_id, count in sorted(loaded.items())),
        window_start=min((row.period_start for row in observations), default=None),
        window_end=max((row.period_end for row in observations), default=None),
        notes=tuple(notes),
    )


def _inactive(rows: Sequence[Observation], catalog: Catalog) -> Iterator[str]:
    """Yield one note that counts the rows of metrics that are switched off, and names them."""
    active = {metric.metric_id for metric in catalog.active}
    idle = [row.metric_id for row in rows if row.metric_id not in active]
    if idle:
        yield _INACTIVE.format(len(idle), ", ".join(sorted(set(idle))))


if __name__ == "__main__":
    from community_metrics.cli.jobs import main_of

    main_of("seed_from_csv")
