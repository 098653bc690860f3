"""Seed files: numbers that were published or recorded before the first run, loaded completely or not at all.

A seed file is CSV in UTF-8 with the columns of `COLUMNS`, one reading in a row; `seed_data/README.md`
describes them. This module only reads: a job stores the observations with the provenance `csv_seed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from community_metrics.errors import SeedFileError
from community_metrics.seed.formats import recognized
from community_metrics.seed.rows import SeedRow, parse_row
from community_metrics.seed.table import Table, read_text, table_of
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import Observation

COLUMNS = (
    "metric_id",
    "period_start",
    "period_end",
    "value",
    "observed_at",
    "source_ref",
    "assumed",
    "suspect",
    "note",
)
MAX_FAULTS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Seed:
    """The content of seed files: observations in the order of the files, and the suspect rows left out."""

    observations: tuple[Observation, ...] = ()
    left_out: tuple[SeedRow, ...] = ()


def packaged_seed_dir() -> Path:
    """Return the folder of the shipped seed files, of a wheel or of a checkout.

    Raises:
        SeedFileError: the installation has no such folder.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "seed_data", package.parents[1] / "seed_data"):
        if folder.is_dir():
            return folder
    raise SeedFileError(
        f"{package} was installed without its seed_data folder. Fix: install the package again, or use a "
        "file of your own with `community-metrics seed --path FILE`."
    )


def seed_files(path: Path | None, catalog: Catalog) -> tuple[Path, ...]:
    """Return the seed files at `path`: a file, the CSV files in a folder, or (None) the shipped ones.

    The shipped files belong to the packaged catalogue: with another one and no path there are none.

    Raises:
        SeedFileError: `path` does not exist, or is a folder without CSV files.
    """
    if path is None and not catalog.is_packaged:
        return ()
    chosen = packaged_seed_dir() if path is None else path
    if not chosen.exists():
        raise SeedFileError(f"The seed file {chosen} does not exist. Fix: check --path.")
    if not chosen.is_dir():
        return (chosen,)
    files = tuple(sorted(file for file in chosen.iterdir() if file.suffix.lower() == ".csv"))
    if not files:
        raise SeedFileError(f"The folder {chosen} has no .csv file. Fix: check --path.")
    return files


def read_seed(files: Sequence[Path], catalog: Catalog, *, include_suspect: bool, now: datetime) -> Seed:
    """Return the content of seed files; suspect rows are left out unless `include_suspect`.

    Raises:
        SeedFileError: a file cannot be read or has faults; the message lists them with their lines.
    """
    parsed = [item for file in files for item in _parsed(file, catalog, now)]
    rows = [item for item in parsed if isinstance(item, SeedRow)]
    faults = [item for item in parsed if isinstance(item, str)] + list(_duplicates(rows))
    if faults:
        raise SeedFileError("The seed files cannot be used, and nothing was loaded:", shortened(faults))
    return Seed(
        observations=tuple(row.observation for row in rows if include_suspect or not row.suspect),
        left_out=() if include_suspect else tuple(row for row in rows if row.suspect),
    )


def shortened(faults: list[str]) -> list[str]:
    """Return the first faults, and how many more there are."""
    rest = len(faults) - MAX_FAULTS_SHOWN
    return [*faults[:MAX_FAULTS_SHOWN], *([f"and {rest} more"] if rest > 0 else [])]


def _parsed(file: Path, catalog: Catalog, now: datetime) -> Iterator[SeedRow | str]:
    """Yield each row of a file, or its faults."""
    try:
        table = _seed_table(file)
    except SeedFileError as error:
        yield from (f"{file} {fault}" for fault in error.faults)
        return
    label = label_of(file)
    for line, cells in table.rows:
        place = f"{file} line {line}"
        try:
            named = table.named(cells)
        except SeedFileError as error:
            yield from (f"{place}: {fault}" for fault in error.faults)
            continue
        try:
            yield parse_row(named, catalog, now, place=place, label=f"{label}:{line}")
        except SeedFileError as error:
            yield from (f"{place}, {fault}" for fault in error.faults)


def label_of(file: Path) -> str:
    """Return the last two names of a file's path: what is stored must not depend on the machine."""
    resolved = file.resolve()
    return "/".join(part for part in (resolved.parent.name, resolved.name) if part)


def _seed_table(file: Path) -> Table:
    """Return the rows of a seed file.

    Raises:
        SeedFileError: the file is not CSV, or has other columns.
    """
    text = read_text(file)
    looks_like = recognized(text)
    if looks_like is not None:
        raise SeedFileError("", [f"is {looks_like.title}, not a seed file. Fix: {looks_like.command(file)}"])
    table = table_of(text)
    if faults := list(_header_faults(table)):
        raise SeedFileError("", faults)
    return table


def _header_faults(table: Table) -> Iterator[str]:
    header, place = table.header, f"line {table.header_line}"
    if not header:
        yield f"is empty. Fix: write {','.join(COLUMNS)} in its first line"
        return
    yield from (f"{place}: column {name} is missing" for name in COLUMNS if name not in header)
    yield from (
        f"{place}: {name!r} is not a column of a seed file; {suggestion(name, COLUMNS)}"
        for name in header
        if name not in COLUMNS
    )
    yield from (f"{place}: column {name} is repeated" for name in COLUMNS if header.count(name) > 1)


def _duplicates(rows: Sequence[SeedRow]) -> Iterator[str]:
    places: dict[str, str] = {}
    for row in rows:
        key = row.observation.stat_key
        if key in places:
            yield f"{row.place}: {key} is already in {places[key]}"
        places.setdefault(key, row.place)
