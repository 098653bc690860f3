"""The demo's database: filled by runs like real ones, in a folder of its own."""

from __future__ import annotations

import random
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from community_metrics.catalog import load_catalog
from community_metrics.config import given_settings
from community_metrics.demo.events import notes
from community_metrics.demo.goals import catalog_text
from community_metrics.demo.job import SampleDaily, SampleUpdate, SampleWeekly
from community_metrics.demo.readings import Registries
from community_metrics.demo.world import DAYS
from community_metrics.periods import ONE_DAY, midnight, today
from community_metrics.runs.execute import execute
from community_metrics.runs.notes import record_note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from community_metrics.config import Settings
    from community_metrics.demo.job import SampleRun

CATALOG: Final = Path(__file__).with_name("catalog.toml")
_WHOLE_READS: Final = (52, 48)
"""How many days ago everything was read: twice, since a value is final when two readings agree."""
_WEEKS: Final = 6
_DAILY: Final = 5
_WEEKS_OF_EVERYTHING: Final = DAYS // 7 + 5
_MONDAY: Final = 1
_OFFLINE_WEEK: Final = 5
"""The Monday, counted back, on which the machine had no network."""
_FAILED_DAY: Final = 3
"""How many days ago crates.io answered with errors."""


@dataclass
class _StoppedClock:
    """Stands at the instant of a run."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@contextmanager
def temporary_settings(day: date, **values: str) -> Iterator[Settings]:
    """Yield the settings of a demo of a day, whose database is in a new folder and removed at the end.

    They are made of `values` and the defaults: no setting of the environment leads to a real database.
    """
    with tempfile.TemporaryDirectory(prefix="community-metrics-demo-") as folder:
        catalog = Path(folder, "catalog.toml")
        catalog.write_text(catalog_text(CATALOG.read_text(encoding="utf-8"), day), encoding="utf-8")
        places = {"db_path": str(Path(folder, "sample.lancedb")), "catalog": str(catalog)}
        yield given_settings({**places, **values})


async def fill(settings: Settings, seed: int, now: datetime) -> None:
    """Store two years of sample data, up to yesterday: the same rows for one seed and one UTC day.

    Raises:
        ConfigurationError: the database holds real data; nothing was changed.
    """
    registries, rng = Registries(seed, today(now)), random.Random(seed)  # noqa: S311  run ids, not secrets
    for day, run in _runs(registries, today(now)):
        await execute(run, settings, clock=_StoppedClock(midnight(day)), rng=rng)
    catalog = load_catalog(settings.catalog)
    for note in notes(today(now)):
        await record_note(settings, catalog, note, clock=_StoppedClock(midnight(today(now))))


def _runs(registries: Registries, end: date) -> Iterator[tuple[date, SampleRun]]:
    """Yield each run and its day, oldest first; it starts at the first instant of the day."""
    for ago in _WHOLE_READS:
        yield end - ago * ONE_DAY, SampleUpdate(registries, _WEEKS_OF_EVERYTHING)
    for ago in range(7 * _WEEKS - 1, -1, -1):
        day = end - ago * ONE_DAY
        if day.isoweekday() == _MONDAY:
            yield day, SampleWeekly(registries, is_offline=ago // 7 == _OFFLINE_WEEK)
        elif ago < _DAILY:
            failing = frozenset({"crates"} if ago == _FAILED_DAY else ())
            yield day, SampleDaily(registries, failing=failing)
