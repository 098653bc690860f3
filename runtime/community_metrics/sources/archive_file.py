"""A file of the archive of crates.io: the downloads of every version of every crate on one day.

It has some megabytes and is read while it arrives: only its sum and those of the wanted crates are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_HEADER: Final = b"version_id,downloads"
_COMMA, _LINE, _ZERO, _NINE = b",\n09"
_BLOCK: Final = 256 * 1024
"""Bytes that are parsed at once: fewer cost more calls, more leave the processor's cache."""
_LARGEST: Final = 10**18
_NOT_A_ROW: Final = "a line is not version_id,downloads"


class Owners:
    """Which crate each wanted version id belongs to."""

    def __init__(self, crates: Mapping[str, frozenset[int]]) -> None:
        self.names = tuple(crates)
        self._none = len(self.names)
        top = max((number for ids in crates.values() for number in ids), default=0)
        self._table: NDArray[np.int32] = np.full(top + 2, self._none, np.int32)
        for position, ids in enumerate(crates.values()):
            self._table[list(ids)] = position

    def find(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return the positions in `ids` that belong to a wanted crate, and the crate's position of each."""
        owners = self._table[np.minimum(ids, len(self._table) - 1)]
        found = np.flatnonzero(owners != self._none)
        return found, owners[found]


NOBODY: Final = Owners({})


@dataclass(frozen=True, slots=True)
class DayTotals:
    """The downloads of one day: of all crates together, and of each wanted crate with a row."""

    total: int
    by_crate: Mapping[str, int] = field(default_factory=dict)


class DayFile:
    """Sums a file piece by piece; a `BodyReader`."""

    def __init__(self, owners: Owners = NOBODY) -> None:
        self._owners = owners
        self._total = 0
        self._sums: NDArray[np.int64] = np.zeros(len(owners.names), np.int64)
        self._seen: list[NDArray[np.int64]] = []
        self._rows: NDArray[np.int64] = np.zeros(len(owners.names), np.int64)
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._has_header = False
        self._fault: str | None = None

    def feed(self, piece: bytes) -> None:
        """Add the next piece of the file."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= _BLOCK:
            self._parse()

    def result(self) -> DayTotals:
        """Return the sums.

        Raises:
            ValueError: the file is not one of the archive, has a wanted version twice, or breaks off.
        """
        self._parse()
        if self._fault is None and (self._waiting or not self._has_header):
            self._fault = "the last line is cut short"
        seen = np.concatenate(self._seen) if self._seen else np.empty(0, np.int64)
        if self._fault is None and (twice := len(seen) - len(np.unique(seen))):
            self._fault = f"{counted(twice, 'version')} occurs twice"
        if self._fault is not None:
            raise ValueError(self._fault)
        named = zip(self._owners.names, self._sums.tolist(), self._rows.tolist(), strict=True)
        return DayTotals(self._total, {name: value for name, value, rows in named if rows})

    def _parse(self) -> None:
        """Take the complete lines that wait."""
        block, newline, rest = b"".join(self._pieces).rpartition(b"\n")
        self._pieces, self._waiting = [rest], len(rest)
        if self._fault is not None or not newline:
            return
        if not self._has_header:
            header, _, block = block.partition(b"\n")
            self._has_header = True
            if header.rstrip(b"\r") != _HEADER:
                self._fault = f"the first line is {header[:40]!r}"
                return
        if block:
            rows = block + b"\n"
            self._add(rows.replace(b"\r\n", b"\n") if b"\r" in rows else rows)

    def _add(self, rows: bytes) -> None:
        if not _are_rows(rows):
            self._fault = _NOT_A_ROW
            return
        # a fifth of the time of a regular expression; only digits and separators are left by now
        numbers = np.fromstring(rows.replace(b"\n", b","), np.int64, sep=",")
        if numbers.max() >= _LARGEST:
            self._fault = _NOT_A_ROW
            return
        ids, downloads = numbers[0::2], numbers[1::2]
        self._total += int(downloads.sum())
        found, owners = self._owners.find(ids)
        if len(found):
            self._seen.append(ids[found])
            np.add.at(self._sums, owners, downloads[found])
            np.add.at(self._rows, owners, 1)


def _are_rows(rows: bytes) -> bool:
    """Return whether each line is two runs of digits with a comma between them."""
    characters = np.frombuffer(rows, np.uint8)
    at = np.flatnonzero(characters < _ZERO)
    separators = characters[at]
    has_empty = at[0] == 0 or bool((np.diff(at) == 1).any())
    alternate = len(at) % 2 == 0 and bool(
        (separators[0::2] == _COMMA).all() and (separators[1::2] == _LINE).all()
    )
    return alternate and not has_empty and int(characters.max()) <= _NINE
