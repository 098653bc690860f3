"""The rows of a CSV file as people save it: any of three separators, empty rows and columns at the end."""

from __future__ import annotations

import csv
import io
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.errors import SeedFileError
from community_metrics.parquet_files import MAGIC, csv_of_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SEPARATORS = ",;\t"
_DECLARATION = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)  # Excel's own first line


@dataclass(frozen=True, slots=True)
class Table:
    """The header (empty for an empty file) and the rows that have a cell, each with its line."""

    header_line: int
    header: tuple[str, ...]
    rows: tuple[tuple[int, list[str]], ...]

    def named(self, cells: list[str]) -> dict[str, str]:
        """Return the cells of a row by the names of their columns.

        Raises:
            SeedFileError: the row has another number of cells than the header.
        """
        if len(cells) != len(self.header):
            raise SeedFileError("", [f"has {len(cells)} cells, not {len(self.header)}"])
        return dict(zip(self.header, cells, strict=True))


def read_text(file: Path) -> str:
    """Return the text of a file, as `text_of` returns it.

    Raises:
        SeedFileError: the file cannot be read, is a device, or is neither UTF-8 nor Parquet.
    """
    return text_of(read_content(file))


def read_content(file: Path) -> bytes:
    """Return the bytes of a file, which may be a pipe that can be read once.

    Raises:
        SeedFileError: the file cannot be read, or is a device.
    """
    try:
        mode = file.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):  # /dev/zero has no end
            raise SeedFileError("", ["is not a file"])
        return file.read_bytes()
    except OSError as error:
        raise SeedFileError("", [f"cannot be read: {error.strerror}"]) from error


def text_of(content: bytes) -> str:
    """Return a text in UTF-8 without its byte order mark; of a Parquet file its rows as CSV.

    Raises:
        SeedFileError: it is neither UTF-8 nor Parquet.
    """
    try:
        return csv_of_parquet(content) if content.startswith(MAGIC) else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SeedFileError("", ["is not UTF-8 text. Fix: save it as UTF-8"]) from error
    except ValueError as error:
        raise SeedFileError("", [str(error)]) from error


def table_of(text: str) -> Table:
    """Return the rows of a CSV text, without the empty columns that spreadsheets add at the end.

    Raises:
        SeedFileError: the text is not CSV.
    """
    declared = _DECLARATION.match(text)
    separator = declared[1] if declared else _most_frequent(text.partition("\n")[0])
    skipped = declared.end() if declared else 0
    lines = list(_lines(text[skipped:], separator, first=2 if declared else 1))
    if not lines:
        return Table(1, (), ())
    (header_line, header), *rows = lines
    names = tuple(name.strip() for name in _without_empty_end(header, 0))
    return Table(
        header_line,
        names,
        tuple((line, _without_empty_end(cells, len(names))) for line, cells in rows),
    )


def _most_frequent(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def _lines(text: str, separator: str, first: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row, with the number of its first line: a quoted cell may have several."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    line = first
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = first + reader.line_num
    except csv.Error as error:
        raise SeedFileError("", [f"line {line}: is not CSV: {error}"]) from error


def _without_empty_end(cells: list[str], least: int) -> list[str]:
    """Return the cells without the empty ones at the end, but at least `least` of them."""
    end = len(cells)
    while end > least and not cells[end - 1].strip():
        end -= 1
    return cells[:end]
