"""Import of another tool's file: its values for a metric, and what is left out.

Nothing is guessed: a file that counts something else than the metric is refused, and a value is left out if
its day was not over when it was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from community_metrics.errors import InvalidObservation, SeedFileError
from community_metrics.model import Observation, SourceWindow
from community_metrics.periods import ONE_DAY, midnight
from community_metrics.seed.files import label_of, shortened
from community_metrics.seed.formats import FORMATS, Format, Row, recognized, table_exported
from community_metrics.seed.selection import selected
from community_metrics.seed.table import read_content, text_of
from community_metrics.suggestions import suggestion
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from community_metrics.catalog import Catalog

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Import:
    """The observations of a file, and for a person what it is and what was left out."""

    observations: tuple[Observation, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """The export of a table without values: its name, the file's name, its bytes and, of CSV, its text."""

    table: str
    file: Path
    content: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What to import: a format or `auto`, the metric, and its subject's name in the file if it differs."""

    format: str = AUTO
    metric_id: str | None = None
    subject: str | None = None


def read_import(file: Path, choice: Choice, catalog: Catalog, now: datetime) -> Import | ExportedTable:
    """Return what a file holds for the chosen metric; an export may be imported for all its metrics.

    The export of a table without values is returned as it is: its rows are not of one metric.

    Raises:
        SeedFileError: the file cannot be read, has faults, or counts something else; nothing is imported.
        CatalogError: the metric is unknown.
    """
    metric = catalog.metric(choice.metric_id) if choice.metric_id else None
    try:
        content = read_content(file)
        text = text_of(content)
        chosen = _format(text, choice.format)
        if (table := table_exported(text)) is not None:
            _require_whole(table, choice)
            return ExportedTable(table, file, content, text)
        rows, notes = selected(chosen, text, catalog, metric, choice.subject)
        windows = {each.metric_id: each.window for each in catalog.metrics}
        whole, unfinished = _finished(rows, windows, min(now, _written_at(file, now)))
        observations = _observations(chosen, whole, windows, label_of(file), unfinished)
    except SeedFileError as error:
        raise SeedFileError(refused(file), shortened(error.faults)) from error
    count = counted(len(observations), "value")
    return Import(observations, (f"{file.name} is {chosen.title}: {count}.", *notes, *unfinished))


def refused(file: Path) -> str:
    """Return the headline of the faults of a file."""
    return f"{file} cannot be imported, and nothing was stored:"


def _require_whole(table: str, choice: Choice) -> None:
    if choice.metric_id is not None or choice.subject is not None:
        raise SeedFileError("", [f"it is an export of {table}, loaded whole. Fix: leave out --metric"])


def _format(text: str, name: str) -> Format:
    """Return the format of a text; `name` is what the caller takes it for, or `auto`."""
    if name != AUTO and name not in FORMATS:
        raise SeedFileError("", [f"the format {name!r} is unknown; {suggestion(name, [AUTO, *FORMATS])}"])
    found = recognized(text)
    if found is None:
        known = ", ".join(each.title for each in FORMATS.values())
        first = text.lstrip().partition("\n")[0][:80].rstrip()
        fix = "Fix: for a seed file, run `community-metrics seed --path FILE`"
        raise SeedFileError("", [f"it is none of: {known}. Its first line is {first!r}. {fix}"])
    if name not in {AUTO, found.name}:
        fix = f"Fix: use --format {found.name}"
        raise SeedFileError("", [f"it is {found.title}, not {FORMATS[name].title}. {fix}"])
    return found


def _written_at(file: Path, now: datetime) -> datetime:
    """Return when the file was last written; what it holds was read before."""
    return datetime.fromtimestamp(file.stat().st_mtime, UTC) if file.is_file() else now


def _read_at(row: Row) -> datetime:
    """Return when a row was read; without a time, the first instant after its period."""
    return row.seen_at or midnight(row.end + ONE_DAY)


def _finished(
    rows: Sequence[Row], windows: Mapping[str, SourceWindow], written_at: datetime
) -> tuple[list[Row], list[str]]:
    """Return the rows whose period was over when they were read, and a note on the others."""
    whole = [row for row in rows if _is_whole(row, windows[row.subject], written_at)]
    note = (
        f"{counted(len(rows) - len(whole), 'value')} left out: the day was not over when it was read, "
        f"or when the file was written ({written_at:%Y-%m-%d %H:%M} UTC)."
    )
    return whole, [note] if len(whole) < len(rows) else []


def _is_whole(row: Row, window: SourceWindow, written_at: datetime) -> bool:
    over_at, read_at = midnight(row.end + ONE_DAY), _read_at(row)
    if window is SourceWindow.INSTANT:
        return midnight(row.end) <= read_at <= min(over_at, written_at)
    return over_at <= read_at <= written_at


def _observations(
    chosen: Format,
    rows: Sequence[Row],
    windows: Mapping[str, SourceWindow],
    label: str,
    unfinished: Sequence[str],
) -> tuple[Observation, ...]:
    found: dict[str, tuple[Observation, str]] = {}
    faults: list[str] = []
    for row in rows:
        metric_id, place = row.subject, row.place.lstrip(":#")
        ref, window = f"{label}{row.place} {row.source_ref or chosen.name}", windows[row.subject]
        try:
            made = Observation(
                metric_id, row.start, row.end, row.value, window, _read_at(row), ref, row.is_reset, row.mark
            )
        except InvalidObservation as error:
            faults.append(f"line {place}: {error.field}: {error}")
            continue
        if made.stat_key in found:
            faults.append(f"line {place}: {made.stat_key} is already in line {found[made.stat_key][1]}")
        found.setdefault(made.stat_key, (made, place))
    if faults:
        raise SeedFileError("", faults)
    if not found:
        raise SeedFileError("", ["it has no value that can be stored", *unfinished])
    return tuple(observation for observation, _ in found.values())
