"""The contract can fail: each store here is broken in one way, and the named assertion of a promise fails.

Another failure, such as a name that no longer exists, is not the one that the promise is for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.storage.schemas import STATS
from tests.contract import test_enterprise as on_the_wire
from tests.contract import test_storage_contract as contract
from tests.support.worlds import SmallPagesStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from community_metrics.config import Settings
    from tests.support.worlds import World

    class Promise(Protocol):
        __name__: str

        async def __call__(self, world: World, /) -> None: ...


class MergesOnTwoColumns(SmallPagesStore):
    """Names both columns of the natural key; a server that keeps the last merges on the day alone."""

    async def _merge(self, spec: Any, rows: Sequence[Any], **options: Any) -> None:
        on_both = replace(spec, key=["metric_id", "period_end"]) if spec.name == STATS.name else spec
        await super()._merge(on_both, rows, **options)


class Adds(SmallPagesStore):
    """Appends instead of merging."""

    async def _merge(self, spec: Any, rows: Sequence[Any], **options: Any) -> None:
        if rows:
            await (await self._database.table(spec)).handle.add(spec.to_arrow(rows))


class WritesEverything(SmallPagesStore):
    """Writes equal rows too."""

    async def upsert_observations(self, observations: Any, **options: Any) -> Any:
        planned = await self.plan_observations(observations, **options)
        await self._merge(STATS, [*planned.written, *planned.unchanged])
        return planned.counts


class WritesInTwoParts(SmallPagesStore):
    """Merges what is new and what changed one after the other."""

    async def upsert_observations(self, observations: Any, **options: Any) -> Any:
        planned = await self.plan_observations(observations, **options)
        await self._merge(STATS, planned.inserted)
        await self._merge(STATS, planned.updated)
        return planned.counts


class ReadsOnePage(SmallPagesStore):
    """Takes the first page for the whole answer."""

    async def _batches(self, spec: Any, columns: Any, where: Any) -> Any:
        async for batch in super()._batches(spec, columns, where):
            yield batch
            return


class ListsOnePage(SmallPagesStore):
    """Takes the first ten tables for all."""

    async def _table_names(self) -> set[str]:
        connection = await self._database.connection()
        return set((await connection.list_tables(limit=10)).tables)


class ReadsWhatItLastSaw(SmallPagesStore):
    """Does not ask for fresh reads."""

    @classmethod
    def open(cls, settings: Settings, *, consistency_s: float | None = None) -> Any:
        return super().open(settings, consistency_s=consistency_s)


class MergesThroughTheIndex(SmallPagesStore):
    """Lets LanceDB use an index on the key."""

    async def _merge(
        self, spec: Any, rows: Sequence[Any], *, only_where: str | None = None, may_insert: bool = True
    ) -> None:
        if not rows:
            return
        table = (await self._database.table(spec)).handle
        builder = table.merge_insert(spec.key).when_matched_update_all(where=only_where)
        await (builder.when_not_matched_insert_all() if may_insert else builder).execute(spec.to_arrow(rows))


EVERYWHERE = ("local", "enterprise")
ONE_ROW = "assert len(rows) == 1"
NO_DUPLICATES = "assert await first.find_duplicate_keys() == {}"
MUTATIONS: list[tuple[type[SmallPagesStore], Promise, str, tuple[str, ...]]] = [
    (Adds, contract.test_a_restated_day_keeps_its_first_value_and_counts_revisions, ONE_ROW, EVERYWHERE),
    (
        Adds,
        contract.test_a_run_is_one_row_from_start_to_end,
        "assert await store.runs(limit=10) == [ended]",
        EVERYWHERE,
    ),
    (
        Adds,
        contract.test_outcomes_are_one_row_for_each_metric_of_a_run,
        'assert await store.outcomes(["run-1"]) == [good, bad]',
        EVERYWHERE,
    ),
    (Adds, contract.test_two_writers_of_the_same_new_rows_store_them_once, NO_DUPLICATES, EVERYWHERE),
    (
        WritesEverything,
        contract.test_a_rerun_changes_nothing_and_makes_no_version,
        "assert await store.table_versions() == before",
        EVERYWHERE,
    ),
    (
        WritesInTwoParts,
        contract.test_a_write_is_one_version_however_much_it_holds,
        'assert (await store.table_versions())["stats"] == before + 1',
        EVERYWHERE,
    ),
    (
        ReadsOnePage,
        contract.test_a_read_longer_than_a_page_is_complete_and_in_order,
        "assert len(rows) == 23",
        EVERYWHERE,
    ),
    (
        ReadsOnePage,
        contract.test_a_rerun_changes_nothing_and_makes_no_version,
        'run_id="run-2") == UpsertCounts(unchanged=12)',
        EVERYWHERE,
    ),
    (
        ListsOnePage,
        contract.test_more_than_one_page_of_other_tables_neither_hides_ours_nor_is_dropped,
        'assert await store._table_names() == others | {"leases"}',
        EVERYWHERE,
    ),
    (
        ReadsWhatItLastSaw,
        contract.test_a_store_reads_what_another_one_has_just_written,
        'run_id="run-2") == UpsertCounts(unchanged=3)',
        EVERYWHERE,
    ),
    # the handles of the stand-in are never out of date, so two writers do not conflict: check the requests
    (
        MergesThroughTheIndex,
        contract.test_two_writers_of_the_same_new_rows_store_them_once,
        NO_DUPLICATES,
        ("local",),
    ),
    (
        MergesThroughTheIndex,
        on_the_wire.test_a_merge_names_the_key_and_forbids_the_index,
        'assert "use_index=false" in merge.query',
        ("enterprise",),
    ),
]


async def require_failure(promise: Promise, world: World, expected: str) -> None:
    """Require that the promise fails in this place, at the assertion that ends with `expected`."""
    with pytest.raises(AssertionError) as caught:
        await promise(world)
    assert str(caught.traceback[-1].statement).strip().endswith(expected)


@pytest.mark.parametrize(
    ("broken", "promise", "expected", "place"),
    [
        pytest.param(broken, promise, expected, place, id=f"{broken.__name__}-{promise.__name__}-{place}")
        for broken, promise, expected, places in MUTATIONS
        for place in places
    ],
)
async def test_a_broken_store_breaks_the_promise(
    broken: type[SmallPagesStore], promise: Promise, expected: str, place: str, request: pytest.FixtureRequest
) -> None:
    world: World = request.getfixturevalue(f"{place}_world")
    await require_failure(promise, world.with_store(broken), expected)


async def test_merging_on_two_columns_breaks_where_a_server_keeps_the_last(enterprise_world: World) -> None:
    assert enterprise_world.enterprise is not None
    enterprise_world.enterprise.keeps_last_on_only = True
    promise = contract.test_metrics_that_share_their_days_keep_their_own_values
    await promise(enterprise_world)
    expected = "assert values(await store.stats([METRIC, OTHER])) == [30, 31, 32, 20, 21, 22]"
    await require_failure(promise, enterprise_world.with_store(MergesOnTwoColumns), expected)
