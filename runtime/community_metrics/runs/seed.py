"""The work of `seed_from_csv` and `import_file`: read the files, return their rows."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from community_metrics.runs.exported import loading
from community_metrics.runs.job import JobResult
from community_metrics.seed.files import read_seed, seed_files
from community_metrics.seed.imports import ExportedTable, read_import
from community_metrics.sources.base import FetchResult
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from community_metrics.catalog import Catalog
    from community_metrics.model import Observation
    from community_metrics.runs.job import RunContext, Work
    from community_metrics.seed.imports import Choice

_NOTHING = (
    "There is nothing to seed: the shipped files belong to the shipped catalogue. "
    "Load your own with `community-metrics seed --path FILE`."
)
_LEFT_OUT = (
    "{} that the files mark as suspect left out; the column `suspect` has the reason, and "
    "--include-suspect loads them."
)
_INACTIVE = (
    "{} of metrics that are not active left out: {}. Set `active = true` in the catalogue to load them."
)


def prepared(
    path: Path | None, only: tuple[str, ...], catalog: Catalog, now: datetime, *, include_suspect: bool
) -> Work:
    """Read the seed files, and return the work of storing their rows.

    Raises:
        SeedFileError: a file has faults; nothing of it is loaded.
    """
    return _storing(*_read(path, only, catalog, now, include_suspect=include_suspect))


def imported(path: Path, choice: Choice, catalog: Catalog, now: datetime) -> Work:
    """Read a file of another tool, and return the work of storing its values.

    Raises:
        ConfigurationError: the file has faults or counts something else; nothing of it is loaded.
    """
    found = read_import(path, choice, catalog, now)
    if isinstance(found, ExportedTable):
        return loading(found, catalog, now)
    return _storing(found.observations, found.notes)


def _storing(observations: tuple[Observation, ...], notes: Sequence[str]) -> Work:
    """Return the work of storing all these values in one batch."""
    result = JobResult(
        window_start=min((row.period_start for row in observations), default=None),
        window_end=max((row.period_end for row in observations), default=None),
        notes=tuple(notes),
    )

    async def work(context: RunContext) -> JobResult:
        rows: dict[str, list[Observation]] = defaultdict(list)
        for row in observations:
            rows[row.metric_id].append(row)
        for metric_id, own in rows.items():
            context.record(FetchResult(metric_id, tuple(own)))
        return result

    return work


def _read(
    path: Path | None, only: tuple[str, ...], catalog: Catalog, now: datetime, *, include_suspect: bool
) -> tuple[tuple[Observation, ...], Sequence[str]]:
    chosen = {metric.metric_id for metric in catalog.select(only)}
    files = seed_files(path, catalog)
    if not files:
        return (), (_NOTHING,)
    reading = read_seed(files, catalog, include_suspect=include_suspect, now=now)
    observations = tuple(row for row in reading.observations if row.metric_id in chosen)
    suspect = sum(row.observation.metric_id in chosen for row in reading.left_out)
    notes = [_LEFT_OUT.format(counted(suspect, "row"))] if suspect else []
    active = {metric.metric_id for metric in catalog.active}
    idle = [row.metric_id for row in reading.observations if row.metric_id not in active]
    if idle and not only:
        notes.append(_INACTIVE.format(counted(len(idle), "row"), ", ".join(sorted(set(idle)))))
    return observations, notes
