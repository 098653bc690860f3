"""Where the days come from that a metric's own source no longer returns: one file for each place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.sources.backfill.base import Backfill, BackfillRequest, window_to_fill
from community_metrics.sources.backfill.clickpy import ClickPy
from community_metrics.sources.backfill.crates import CratesHistory
from community_metrics.sources.backfill.npm import NpmHistory
from community_metrics.sources.crates import Crates
from community_metrics.sources.crates_archive import CratesArchive
from community_metrics.sources.npm import Npm
from community_metrics.sources.pypistats import PypiStats

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BACKFILLS", "Backfill", "BackfillRequest", "backfill_of", "window_to_fill"]

_CRATES: Final = CratesHistory()
BACKFILLS: Final[Mapping[str, Backfill]] = {
    PypiStats.name: ClickPy(),
    Npm.name: NpmHistory(),
    Crates.name: _CRATES,
    CratesArchive.name: _CRATES,
}
"""What fills in the metrics of a source, by the source's name."""


def backfill_of(source: str, subject: str) -> Backfill | None:
    """Return what fills in a metric of this source and subject; None if nothing does."""
    backfill = BACKFILLS.get(source)
    return backfill if backfill is not None and backfill.serves(subject) else None
