"""Seed files: numbers that were published or recorded before the first run, loaded completely or not at all.

A seed file is CSV in UTF-8 with the columns of `COLUMNS`, one reading in a row; `seed_data/README.md`
describes them. This module only reads: a job stores the observations with the provenance `csv_seed`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from community_metrics.errors import SeedFileError
from community_metrics.seed.rows import SeedRow, parse_row
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from typing import TextIO

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
    files = tuple(sorted(chosen.glob("*.csv")))
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
        rest = len(faults) - MAX_FAULTS_SHOWN
        shown = [*faults[:MAX_FAULTS_SHOWN], *([f"and {rest} more"] if rest > 0 else [])]
        raise SeedFileError("The seed files cannot be used, and nothing was loaded:", shown)
    return Seed(
        observations=tuple(row.observation for row in rows if include_suspect or not row.suspect),
        left_out=() if include_suspect else tuple(row for row in rows if row.suspect),
    )


def _parsed(file: Path, catalog: Catalog, now: datetime) -> Iterator[SeedRow | str]:
    """Yield each row of a file, or its faults."""
    try:
        (_, header), *records = _records(file)
    except SeedFileError as error:
        yield from (f"{file} {fault}" for fault in error.faults)
        return
    resolved = file.resolve()  # only two names: what is stored must not depend on the machine
    label = "/".join(part for part in (resolved.parent.name, resolved.name) if part)
    for line, cells in records:
        place = f"{file} line {line}"
        if len(cells) != len(header):
            yield f"{place}: has {len(cells)} cells, not {len(header)}"
            continue
        named = dict(zip(header, cells, strict=True))
        try:
            yield parse_row(named, catalog, now, place=place, label=f"{label}:{line}")
        except SeedFileError as error:
            yield from (f"{place}, {fault}" for fault in error.faults)


def _records(file: Path) -> list[tuple[int, list[str]]]:
    """Return the header and the rows of a file, each with its line; empty lines are left out."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            records = list(_lines(text))
    except OSError as error:
        raise SeedFileError("", [f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise SeedFileError("", ["is not UTF-8 text. Fix: save it as UTF-8"]) from error
    except csv.Error as error:
        raise SeedFileError("", [str(error)]) from error
    if faults := list(_header_faults(records[0][1] if records else [])):
        raise SeedFileError("", faults)
    return [(line, cells) for line, cells in records if cells]


def _lines(text: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row, with the number of its first line: a quoted cell may have several."""
    reader = csv.reader(text, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"line {line}: is not CSV: {error}") from error


def _header_faults(header: Sequence[str]) -> Iterator[str]:
    if not header:
        yield f"is empty. Fix: write {','.join(COLUMNS)} in its first line"
        return
    yield from (f"line 1: column {name} is missing" for name in COLUMNS if name not in header)
    yield from (
        f"line 1: {name!r} is not a column of a seed file; {suggestion(name, COLUMNS)}"
        for name in header
        if name not in COLUMNS
    )
    yield from (f"line 1: column {name} is repeated" for name in COLUMNS if header.count(name) > 1)


def _duplicates(rows: Sequence[SeedRow]) -> Iterator[str]:
    places: dict[str, str] = {}
    for row in rows:
        key = row.observation.stat_key
        if key in places:
            yield f"{row.place}: {key} is already in {places[key]}"
        places.setdefault(key, row.place)
