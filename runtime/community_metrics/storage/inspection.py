"""Reads that check what is stored: keys, rules, indexes, rows from the future."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from community_metrics.errors import StorageError
from community_metrics.model import Provenance
from community_metrics.storage import sql
from community_metrics.storage.integrity import Inspection, RowName, Violation, from_the_future
from community_metrics.storage.queries import Query, TableQueries
from community_metrics.storage.schemas import HISTORY, RUN_OUTCOMES, STATS, TABLES, table_named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from community_metrics.storage.schemas import AnyTable

_METRICS_AT_ONCE: Final = 20
_VALUES_AT_ONCE: Final = 500


class Inspector(TableQueries):
    """Checks the tables of one database and changes none."""

    async def find_duplicate_keys(self) -> dict[str, list[str]]:
        """Return the keys that more than one row has, by table; only tables that have such keys."""
        found = {spec.name: await self._duplicate_keys(spec) for spec in TABLES}
        return {name: keys for name, keys in found.items() if keys}

    async def count(self, table: str) -> int:
        """Return the number of rows of a table."""
        spec = table_named(table)
        async with self._database.using(spec, f"counting the rows of {table}") as opened:
            return int(await opened.handle.count_rows())

    async def is_sample(self) -> bool:
        """Return whether the stored values are invented. One row is enough: no run mixes them with others."""
        found = await self._select(Query(STATS, ["provenance"], 1))
        return bool(found.column("provenance").to_pylist() == [Provenance.SAMPLE])

    async def holds_values(self, *, sample: bool) -> bool:
        """Return whether a value is stored that is invented (`sample`), or one that is not."""
        operator = "=" if sample else "<>"
        where = f"provenance {operator} {sql.literal(Provenance.SAMPLE)}"
        return bool((await self._select(Query(STATS, ["provenance"], 1, where))).num_rows)

    async def violations(self) -> list[Violation]:
        """Return the rules that stored rows break; every table is read once, batch by batch, by no index."""
        found: list[Violation] = []
        for spec in TABLES:
            inspection = Inspection(spec)
            async for batch in self.scan(spec.name):
                inspection.check(batch)
            found += inspection.found.values()
        return found

    async def unusable_indexes(self) -> dict[str, str]:
        """Return the indexed columns that find other rows than a scan does, with what is wrong.

        Raises:
            StorageError: the rows themselves cannot be read.
        """
        if self._database.is_remote:  # the service keeps its own
            return {}
        columns = [(spec, column) for spec in TABLES for column in spec.indexed]
        found = {f"{spec.name}.{column}": await self._index_fault(spec, column) for spec, column in columns}
        return {name: fault for name, fault in found.items() if fault is not None}

    async def _index_fault(self, spec: AnyTable, column: str) -> str | None:
        version = await self._version(spec)
        counts = Counter([value async for value in self._strings(spec, column, None)])
        values = sorted(counts)
        for some in (values[at : at + _VALUES_AT_ONCE] for at in range(0, len(values), _VALUES_AT_ONCE)):
            scanned = sum(counts[value] for value in some)
            try:
                async with self._database.using(spec, f"reading {spec.name} by its index") as table:
                    found = await table.handle.count_rows(sql.one_of(column, some))
            except StorageError as error:
                return str(error)
            if found != scanned and await self._version(spec) == version:
                return f"it finds {found} rows where there are {scanned}"
        return None

    async def future_rows(self, now: datetime) -> list[RowName]:
        """Return the rows and runs that a clock ahead of `now` wrote, by table and key."""
        found: list[RowName] = []
        for spec in TABLES:
            if (where := from_the_future(spec, now)) is not None:
                found += sorted(
                    [RowName(spec.name, key) async for key in self._strings(spec, spec.key, where)],
                    key=lambda row: row.key,
                )
        runs = [row.key for row in found if row.table == HISTORY.name]
        if runs:
            where = sql.one_of("run_id", runs)
            keys = [key async for key in self._strings(RUN_OUTCOMES, RUN_OUTCOMES.key, where)]
            found += [RowName(RUN_OUTCOMES.name, key) for key in sorted(keys)]
        return found

    async def _duplicate_keys(self, spec: AnyTable) -> list[str]:
        """Return keys that occur twice; of `stats` only the keys of a few metrics are in memory at a time."""
        parts: list[str | None] = [None]
        if spec is STATS:
            ids = sorted({metric_id async for metric_id in self._strings(spec, "metric_id", None)})
            starts = range(0, len(ids), _METRICS_AT_ONCE)
            parts = [sql.one_of("metric_id", ids[start : start + _METRICS_AT_ONCE]) for start in starts]
        keys: list[str] = []
        for condition in parts:
            counted = Counter([key async for key in self._strings(spec, spec.key, condition)])
            keys += [key for key, count in counted.items() if count > 1]
        return sorted(keys)

    async def _strings(self, spec: AnyTable, column: str, where: str | None) -> AsyncIterator[str]:
        async for batch in self.scan(spec.name, columns=[column], where=where):
            for value in batch.column(column).to_pylist():
                yield value
