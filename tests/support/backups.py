"""Databases with a row in every table, and places of backups that fail on purpose."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from community_metrics.backup.writing import back_up
from community_metrics.config import StorageMode
from community_metrics.model import Provenance, TrafficSet, Witness, WitnessedDay
from community_metrics.storage.schemas import WITNESS
from community_metrics.storage.whole import DATA_TABLES
from tests.contract.test_versions import A_ROW
from tests.support.clock import FakeClock
from tests.support.worlds import METRIC, NOW, OTHER, SmallPagesStore, observed, observed_days

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from community_metrics.backup.manifest import Manifest, StoredFile
    from community_metrics.backup.place import Place
    from tests.support.worlds import World

A_SET = TrafficSet(
    "referrers:lance:github", NOW.date(), ("Google", "t.co"), (), (2, 1), (1, 1), NOW, "https://x.example"
)
A_WITNESSED_DAY = WitnessedDay(METRIC, NOW.date(), Witness.CLICKPY, 7, NOW, "https://x.example", "run-1")
DAYS = 12
"""Values of a metric that fill several pages and merges of the tests."""


async def fill(world: World) -> None:
    """Create the database, with rows in every table."""
    async with world.open() as store:
        await store.create_tables()
        for spec in DATA_TABLES:
            if spec.name in A_ROW:
                await store._merge(spec, [A_ROW[spec.name]])
        await store.upsert_observations(
            observed_days(DAYS), provenance=Provenance.API, run_id="run-1", now=NOW
        )
        await store._merge(WITNESS, [A_WITNESSED_DAY])
        await store.upsert_traffic([A_SET], run_id="run-1")


class WithEachPart(SmallPagesStore):
    """A store with which something happens before or after each part of a table that a restore writes."""

    async def before(self, table: str) -> None:
        """Do something before a part is written."""

    async def after(self, table: str) -> None:
        """Do something after a part was written."""

    async def insert_rows(self, table: str, rows: pa.Table) -> None:
        """Write a part by a merge."""
        await self.before(table)
        await super().insert_rows(table, rows)
        await self.after(table)

    async def append_rows(self, table: str, rows: pa.Table) -> None:
        """Write a part at the end."""
        await self.before(table)
        await super().append_rows(table, rows)
        await self.after(table)


async def rows_of(world: World) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table with all its columns, by key."""
    found = {}
    async with world.open() as store:
        for spec in DATA_TABLES:
            batches = [batch async for batch in store.scan(spec.name)]
            rows = pa.Table.from_batches(batches, spec.schema).to_pylist()
            found[spec.name] = sorted(rows, key=lambda row: str(row[spec.key]))
    return found


def elsewhere(world: World) -> World:
    """Return a place for another database in the same kind of storage."""
    name = uuid.uuid4().hex
    if world.settings.storage_mode is StorageMode.ENTERPRISE:
        changed = {"lancedb_uri": f"db://{name}"}
    else:
        changed = {"db_path": f"{world.settings.db_path.rpartition('/')[0]}/{name}.lancedb"}
    return replace(world, settings=world.settings.model_copy(update=changed))


@dataclass
class ScriptedPlace:
    """A place that works as another one does, and fails at what a test names.

    `may` are the methods that may be called. `dies_at` is the end of the key whose `put` raises instead.
    """

    place: Place
    may: frozenset[str] = frozenset({"put", "fetch", "holds", "keys", "remove"})
    dies_at: str | None = None
    puts: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return str(self.place)

    def put(self, key: str, file: Path) -> None:
        self._check("put")
        if self.dies_at is not None and key.endswith(self.dies_at):
            raise KilledError(key)
        self.place.put(key, file)
        self.puts.append(key)

    def fetch(self, key: str, file: Path) -> None:
        self._check("fetch")
        self.place.fetch(key, file)

    def holds(self, file: StoredFile) -> bool:
        self._check("holds")
        return self.place.holds(file)

    def keys(self) -> list[str]:
        self._check("keys")
        return self.place.keys()

    def unfinished(self) -> list[str]:
        self._check("keys")
        return self.place.unfinished()

    def remove(self, keys: Sequence[str]) -> None:
        self._check("remove")
        self.place.remove(keys)

    def _check(self, method: str) -> None:
        assert method in self.may, f"{method} is not allowed"


class KilledError(Exception):
    """The process ends here, as far as the test can tell."""


def stored_keys(place: Place) -> list[str]:
    """Return what a place has."""
    return place.keys()


async def add_a_day(world: World, value: int = 7) -> None:
    """Store one more value."""
    async with world.open() as store:
        await store.upsert_observations(
            [observed(value, metric_id=OTHER)], provenance=Provenance.API, run_id="run-2", now=NOW
        )


async def backed_up(world: World, place: Place, **options: Any) -> Manifest:
    """Make a backup at noon, or when the clock of the options says, and return its manifest."""
    clock = options.pop("clock", FakeClock())
    return (await back_up(world.settings, place, clock=clock, **options)).manifest
