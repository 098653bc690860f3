"""Files of other tools: which format a file has, and its rows."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from community_metrics.errors import SeedFileError
from community_metrics.model import MAX_VALUE, Provenance, ValueMark
from community_metrics.seed.table import table_of
from community_metrics.text import without_apostrophes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from community_metrics.seed.table import Table

_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?")
_COUNT = re.compile(r"[0-9]{1,19}|[0-9]{1,3}(?:,[0-9]{3})+")
_JAVASCRIPT = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2} [0-9]{2} [0-9]{4} [0-9:]{8}) GMT([+-][0-9]{4})(?: \(.*\))?"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One value of a file: of a subject, in a period, read at `seen_at` (None: unknown).

    `subject` is what the file names: a package, a repository, a metric, or pypistats' category.
    """

    place: str
    subject: str
    start: date
    end: date
    value: int
    seen_at: datetime | None = None
    source_ref: str = ""
    window: str | None = None
    is_reset: bool = False
    mark: ValueMark | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its name on the command line, what it is called, and how its rows are read."""

    name: str
    title: str
    columns: frozenset[str]
    row: Callable[[str, Mapping[str, str]], Row | None]

    def command(self, file: Path) -> str:
        """Return the command that imports such a file."""
        metric = "" if self.name == "export" else " --metric ID"
        return f"`community-metrics import{metric} {file}`"

    def rows(self, text: str) -> Iterator[Row | str]:
        """Yield each row, or its fault; a row without a value is left out."""
        table = table_of(text)
        for line, cells in table.rows:
            try:
                found = self.row(f":{line}", _lowered(table, cells))
            except (SeedFileError, ValueError) as error:
                yield f"line {line}: {error.faults[0] if isinstance(error, SeedFileError) else error}"
                continue
            if found is not None:
                yield found


class _Npm(Format):
    """npm's JSON, of one package or several, and npm-stat's CSV with one column for each package."""

    def rows(self, text: str) -> Iterator[Row | str]:
        """Yield the value of each package on each day."""
        document = _json(text)
        if document is not None:
            yield from _npm_json(document)
            return
        table = table_of(text)
        for line, cells in table.rows:
            try:
                named = table.named(cells)
                day, *_ = named.values()
                for package, value in list(named.items())[1:]:
                    if value.strip():
                        yield _on_day(f":{line}", package, day, value)
            except (SeedFileError, ValueError) as error:
                yield f"line {line}: {error.faults[0] if isinstance(error, SeedFileError) else error}"


def _pypistats(place: str, cells: Mapping[str, str]) -> Row | None:
    if cells["category"].strip().lower() == "total":
        return None
    return _on_day(place, cells["category"].strip(), cells["date"], cells["downloads"])


def _star_history(place: str, cells: Mapping[str, str]) -> Row:
    at = _instant(cells["date"])
    return Row(place, cells["repository"].strip(), at.date(), at.date(), _count(cells["stars"]), at)


def _export(place: str, cells: Mapping[str, str]) -> Row | None:
    if not cells["value"].strip() or cells.get("estimated") == "true":
        return None
    if cells.get("provenance", "").strip() == Provenance.SAMPLE:
        raise ValueError("is sample data of a demo, which is never stored beside real numbers")
    seen_at = datetime.fromisoformat(cells["observed_at"].strip()).astimezone(UTC)
    start, end = _day(cells["period_start"]), _day(cells["period_end"])
    ref = without_apostrophes(cells.get("source_ref", "series").strip())
    window = cells.get("source_window")
    if "days_present" in cells and cells["days_present"] != cells["days_expected"]:
        return None
    metric_id, value = cells["metric_id"].strip(), _count(cells["value"])
    is_reset, mark = cells.get("is_reset") == "true", cells.get("mark", "").strip()
    return Row(
        place, metric_id, start, end, value, seen_at, ref, window, is_reset, ValueMark(mark) if mark else None
    )


FORMATS: Final = {
    each.name: each
    for each in (
        Format("pypistats", "a pypistats file", frozenset({"category", "date", "downloads"}), _pypistats),
        Format(
            "star-history", "a star-history file", frozenset({"repository", "date", "stars"}), _star_history
        ),
        _Npm("npm", "an npm file", frozenset(), lambda _place, _cells: None),
        Format(
            "export",
            "an export of community-metrics",
            frozenset({"metric_id", "period_start", "period_end", "value", "observed_at", "status"}),
            _export,
        ),
    )
}
"""Every format by its name on the command line."""
TABLES: Final = {
    "metrics": frozenset({"metric_id", "metric_family", "value_kind", "source_window", "created_at"}),
    "history": frozenset({"ingestion_run_id", "job_name", "started_at", "status"}),
}
"""The tables whose export has no values, and columns that no other file has together."""


def table_exported(text: str) -> str | None:
    """Return the table that a text is an export of; None for any other file, also for an export of values."""
    header = {name.lower() for name in _header(text)}
    return next((table for table, columns in TABLES.items() if columns <= header), None)


def recognized(text: str) -> Format | None:
    """Return the format that a text looks like; None for a seed file and for an unknown one."""
    if _json(text) is not None:
        return FORMATS["npm"]
    if table_exported(text) is not None:
        return FORMATS["export"]
    header = [name.lower() for name in _header(text)]
    for each in FORMATS.values():
        if each.columns and each.columns <= set(header):
            return each
    return FORMATS["npm"] if header[1:] and header[0] in {"date", "day", "datetime"} else None


def _header(text: str) -> tuple[str, ...]:
    """Return the names of the columns; the first line may declare the separator only."""
    lines = text.split("\n", 2)
    for head in ("\n".join(lines[:2]), lines[0]):  # the second line may begin a cell of several lines
        with suppress(SeedFileError):
            return table_of(head).header
    return ()


def _json(text: str) -> Any:
    """Return the document of a JSON text; None if the text is something else."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _npm_json(document: Any) -> Iterator[Row | str]:
    """Yield the rows of `{"package", "downloads": […]}`, of a list of such, or of such by package."""
    if isinstance(document, dict) and "downloads" not in document:
        document = list(document.values())
    for part in document if isinstance(document, list) else [document]:
        rows = part.get("downloads") if isinstance(part, dict) else None
        if not isinstance(rows, list) or not isinstance(part.get("package"), str):
            yield "has no list `downloads` beside a `package`, as npm's JSON has"
            continue
        for number, row in enumerate(rows, 1):
            try:
                yield _on_day(f"#{number}", part["package"], str(row["day"]), str(row["downloads"]))
            except (ValueError, KeyError, TypeError) as error:
                yield f"downloads number {number} of {part['package']}: {error}"


def _lowered(table: Table, cells: list[str]) -> dict[str, str]:
    return {name.lower(): cell for name, cell in table.named(cells).items()}


def _on_day(place: str, subject: str, day: str, value: str) -> Row:
    parsed = _day(day)
    return Row(place, subject, parsed, parsed, _count(value))


def _day(cell: str) -> date:
    found = _DAY.fullmatch(cell.strip())
    try:
        if found:
            return date.fromisoformat(found[1])
    except ValueError:  # 2026-02-30
        pass
    raise ValueError(f"{cell!r} is not a day such as 2026-05-31")


def _count(cell: str) -> int:
    if not _COUNT.fullmatch(cell.strip()):
        raise ValueError(f"{cell!r} is not a whole number of 0 or more")
    value = int(cell.strip().replace(",", ""))
    if value > MAX_VALUE:
        raise ValueError(f"{value} is more than the database can hold ({MAX_VALUE})")
    return value


def _instant(cell: str) -> datetime:
    """Return an instant as JavaScript prints it, or in ISO 8601 with its time zone."""
    found = _JAVASCRIPT.fullmatch(cell.strip())
    try:
        if found:
            return datetime.strptime(f"{found[1]} {found[2]}", "%b %d %Y %H:%M:%S %z").astimezone(UTC)
        instant = datetime.fromisoformat(cell.strip())
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{cell!r} is not an instant such as Sat Jul 23 2022 08:15:10 GMT+0800")
