"""What the two sources of crates.io share: its way of counting, and the total of all crates."""

from __future__ import annotations

from datetime import date
from typing import Final

from community_metrics.model import LevelBreak
from community_metrics.sources.base import RegistrySeries

CARGO_ONLY: Final = LevelBreak(date(2025, 10, 27), "since about that day only downloads by cargo count")
CRATES_ARCHIVE: Final = "crates-archive"
CRATES_TOTAL: Final = RegistrySeries(
    "registry:crates:all", CRATES_ARCHIVE, "crates.io, all crates (its archive, 90 days late)"
)
