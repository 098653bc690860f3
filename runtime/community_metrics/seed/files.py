"""Seed files: published or hand-kept figures from before the first run, read whole or refused whole.

A seed file is CSV in UTF-8 with the columns of `COLUMNS`, one reading in a row; `seed_data/README.md`
explains them. Nothing here writes: the readings leave as observations, and `jobs/` stores them as `csv_seed`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from community_metrics.errors import InvalidObservation, SeedFileError
from community_metrics.model import Observation, SourceWindow
from community_metrics.periods import ONE_DAY, midnight
from community_metrics.seed import cells
from community_metrics.suggestions import near

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date, datetime
    from typing import TextIO

    from community_metrics.catalog import Catalog, Metric

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
SUSPECT = "#suspect"
"""Ends the stored `source_ref` of a reading that the file doubts and a person loaded nevertheless."""
MOST_FAULTS_TOLD = 50

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A suspect reading that was not loaded: where it stands, and the file's reason to doubt it."""

    place: str
    metric_id: str
    period_end: date
    reason: str


@dataclass(frozen=True, slots=True)
class SeedReading:
    """What seed files gave: observations in the order of the files, and the suspect rows left out."""

    observations: tuple[Observation, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def packaged_seed_dir() -> Path:
    """Return the folder of the shipped seed files, in a wheel and in a checkout alike.

    Raises:
        SeedFileError: the installation lacks it.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "seed_data", package.parents[1] / "seed_data"):
        if folder.is_dir():
            return folder
    raise SeedFileError(
        f"{package} was installed without its seed_data folder. Install the package again, or name a "
        "file of your own with `community-metrics seed --path FILE`."
    )


def seed_files(path: Path | None, catalog: Catalog) -> tuple[Path, ...]:
    """Return the files to seed from: `path`, the CSV files in it if it is a folder, or the shipped ones.

    Empty for another catalogue than the shipped one when no path is given: the shipped figures are of the
    shipped metrics.

    Raises:
        SeedFileError: there is nothing at `path`, or no CSV file in it.
    """
    if path is None and not catalog.is_packaged:
        return ()
    chosen = packaged_seed_dir() if path is None else path
    if not chosen.exists():
        raise SeedFileError(f"There is no seed file {chosen}. Check --path.")
    if not chosen.is_dir():
        return (chosen,)
    files = tuple(sorted(chosen.glob("*.csv")))
    if not files:
        raise SeedFileError(f"The folder {chosen} holds no .csv file. Check --path.")
    return files


def read_seed(
    files: Sequence[Path], catalog: Catalog, *, include_suspect: bool, now: datetime
) -> SeedReading:
    """Read seed files into observations; suspect rows are left out unless `include_suspect`.

    A row without `observed_at` counts as observed at the first instant after its period, the earliest at
    which the whole of it can have been read.

    Raises:
        SeedFileError: a file cannot be read or has faults; the message lists them with their lines, and
            nothing of any file is to be loaded.
    """
    rows: list[_Row] = []
    faults: list[str] = []
    for file in files:
        try:
            rows.extend(_rows(file))
        except SeedFileError as error:
            faults.extend(error.faults)
    readings = [_reading(row, catalog, now) for row in rows]
    faults.extend(fault for row in rows for fault in row.faults)
    faults.extend(_duplicates(readings))
    if faults:
        raise SeedFileError("The seed was refused and nothing of it loaded:", _shortened(faults))
    read = [reading for reading in readings if reading is not None]
    doubted = [] if include_suspect else [reading for reading in read if reading.suspect]
    return SeedReading(
        observations=tuple(r.observation for r in read if include_suspect or not r.suspect),
        left_out=tuple(reading.left_out() for reading in doubted),
    )


@dataclass(slots=True)
class _Row:
    """One line of a file; `take` turns a cell into a value or notes why it cannot."""

    file: Path
    label: str
    line: int
    cells: dict[str, str]
    faults: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.label}:{self.line}"

    def fault(self, column: str, message: str) -> None:
        self.faults.append(f"{self.file} line {self.line}, {column}: {message}")

    def take(self, column: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(self.cells[column].strip())
        except ValueError as error:
            self.fault(column, str(error))
            return None


@dataclass(frozen=True, slots=True)
class _Reading:
    observation: Observation
    row: _Row
    suspect: str

    def left_out(self) -> LeftOut:
        seen = self.observation
        return LeftOut(self.row.place, seen.metric_id, seen.period_end, self.suspect)


def _rows(file: Path) -> list[_Row]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            return list(_parsed(file, text))
    except OSError as error:
        raise SeedFileError("", [f"{file} cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise SeedFileError("", [f"{file} is not UTF-8 text; save it as UTF-8"]) from error


def _parsed(file: Path, text: TextIO) -> Iterator[_Row]:
    reader = csv.reader(text, strict=True)
    label = _label(file)
    line = 1
    try:
        header = next(reader, [])
        _require_columns(file, header)
        line = reader.line_num + 1
        for cells in reader:
            if cells:  # the reader gives an empty list for an empty line
                row = _Row(file, label, line, dict(zip(header, cells, strict=False)))
                if len(cells) != len(header):
                    row.faults.append(f"{file} line {line}: has {len(cells)} cells, not {len(header)}")
                yield row
            line = reader.line_num + 1
    except csv.Error as error:
        raise SeedFileError("", [f"{file} line {line}: is not CSV: {error}"]) from error


def _label(file: Path) -> str:
    """Return the file's name with its folder's: what is stored must not depend on the machine."""
    resolved = file.resolve()
    return "/".join(part for part in (resolved.parent.name, resolved.name) if part)


def _require_columns(file: Path, header: Sequence[str]) -> None:
    if not header:
        raise SeedFileError("", [f"{file} is empty; its first line must be {','.join(COLUMNS)}"])
    faults = [f"{file} line 1: column {name} is missing" for name in COLUMNS if name not in header]
    faults += [
        f"{file} line 1: {name!r} is not a column of a seed file; {near(name, COLUMNS)}"
        for name in header
        if name not in COLUMNS
    ]
    faults += [f"{file} line 1: column {name} stands twice" for name in COLUMNS if header.count(name) > 1]
    if faults:
        raise SeedFileError("", faults)


def _reading(row: _Row, catalog: Catalog, now: datetime) -> _Reading | None:
    if row.faults:
        return None
    metric = row.take("metric_id", lambda cell: cells.metric(cell, catalog))
    start = row.take("period_start", lambda cell: cells.day(cell, now))
    end = row.take("period_end", lambda cell: cells.day(cell, now))
    value = row.take("value", cells.value)
    observed_at = row.take("observed_at", cells.instant)
    published = row.take("source_ref", cells.published)
    assumed = row.take("assumed", cells.assumptions)
    if metric is None or start is None or end is None or value is None or row.faults:
        return None
    seen_at = observed_at or midnight(end + ONE_DAY)
    unfinished = None if observed_at else cells.unfinished_fault(metric.window, end, now)
    for column, message in (
        ("period_end", unfinished or cells.period_fault(metric.window, start, end)),
        ("observed_at", None if unfinished else cells.instant_fault(metric.window, end, seen_at, now)),
        ("assumed", _misplaced_assumption(metric, assumed or ())),
    ):
        if message:
            row.fault(column, message)
    suspect = row.cells["suspect"].strip()
    tags = "".join(f"#assumed-{what}" for what in assumed or ()) + (SUSPECT if suspect else "")
    ref = f"{row.place} {published}{tags}"
    if row.faults:
        return None
    try:
        seen = Observation(metric.metric_id, start, end, value, metric.window, seen_at, ref)
    except InvalidObservation as error:
        row.fault(error.field, str(error))
        return None
    return _Reading(seen, row, suspect)


def _misplaced_assumption(metric: Metric, assumed: Sequence[str]) -> str | None:
    if "window" in assumed and metric.window is SourceWindow.DAY:
        return f"{metric.metric_id} holds known days only; give such readings a fallback metric of their own"
    return None


def _duplicates(readings: Sequence[_Reading | None]) -> Iterator[str]:
    first: dict[str, _Row] = {}
    for reading in readings:
        if reading is None:
            continue
        row, key = reading.row, reading.observation.stat_key
        if key in first:
            there = first[key]
            yield f"{row.file} line {row.line}: {key} stands already in {there.file} line {there.line}"
        first.setdefault(key, row)


def _shortened(faults: Sequence[str]) -> list[str]:
    rest = len(faults) - MOST_FAULTS_TOLD
    return [*faults[:MOST_FAULTS_TOLD], *([f"and {rest} more"] if rest > 0 else [])]
