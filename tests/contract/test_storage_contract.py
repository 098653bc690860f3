"""The contract of a store, in every mode. `test_mutations.py` proves that these tests can fail."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from lancedb.index import BTree

from community_metrics.errors import (
    LeaseLost,
    RunLocked,
    StorageConflict,
    StorageError,
    StorageSchemaMismatch,
    UnknownStoredValue,
)
from community_metrics.model import (
    Lease,
    MetricDefinition,
    Provenance,
    Run,
    RunStatus,
    SourceWindow,
    Status,
    UpsertCounts,
    ValueKind,
)
from community_metrics.periods import ONE_DAY
from community_metrics.storage.schemas import LEASES, METRICS, STATS
from tests.support.readings import readings_of
from tests.support.rows import failed, fetched
from tests.support.worlds import (
    DAY_ONE,
    METRIC,
    NOW,
    OTHER,
    observed,
    observed_days,
    only_writer,
    raw_table,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from community_metrics.model import Observation, StatRow
    from community_metrics.storage import LanceDBStore
    from tests.support.worlds import World

TTL = timedelta(minutes=5)
LATER = NOW + timedelta(hours=25)
STARS = "stars:lance:github"


NEEDS_A_COUNT = {
    "test_copies_of_a_key_are_found_and_all_but_the_newest_are_deleted",
    "test_copies_of_definitions_are_repaired_too",
}
"""The promises that need the number of deleted rows, which Lance's own server does not return."""


@pytest.fixture(params=["local", "s3", "enterprise", "lance_server"])
def world(request: pytest.FixtureRequest) -> World:
    """Every kind of storage, Lance's own server among them, which nobody here wrote."""
    if request.param == "lance_server" and request.node.originalname in NEEDS_A_COUNT:
        pytest.skip("this server does not return how many rows a delete deleted")
    found: World = request.getfixturevalue(f"{request.param}_world")
    return found


async def upsert(
    store: LanceDBStore,
    observations: Sequence[Observation],
    *,
    provenance: Provenance = Provenance.API,
    run_id: str = "run-1",
    now: datetime = NOW,
) -> UpsertCounts:
    return await store.upsert_observations(observations, provenance=provenance, run_id=run_id, now=now)


def only(rows: Sequence[StatRow]) -> StatRow:
    assert len(rows) == 1
    return rows[0]


def a_metric(metric_id: str = METRIC, **changes: Any) -> MetricDefinition:
    fields: dict[str, Any] = {
        "metric_family": "downloads",
        "product": "lance",
        "subject": "pylance",
        "sdk": "python",
        "source": "pypistats",
        "value_kind": ValueKind.FLOW,
        "unit": "downloads",
        "source_window": SourceWindow.DAY,
        "fallbacks": ("downloads_30d:lance:python", "downloads_month:lance:python"),
        "display_name": "Lance (PyPI)",
        "is_active": True,
        "created_at": NOW,
    }
    return MetricDefinition(metric_id=metric_id, **(fields | changes))


def a_run(run_id: str = "run-1", **changes: Any) -> Run:
    fields: dict[str, Any] = {
        "job_name": "weekly_refresh",
        "started_at": NOW,
        "finished_at": None,
        "status": RunStatus.RUNNING,
        "rows_inserted": 0,
        "rows_updated": 0,
        "rows_unchanged": 0,
        "window_start": None,
        "window_end": None,
        "error_summary": None,
    }
    return Run(ingestion_run_id=run_id, **(fields | changes))


# tables


async def test_creating_tables_twice_changes_nothing(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        before = await store.table_versions()
        await store.create_tables()
        assert await store.table_versions() == before


async def test_the_error_of_a_missing_table_names_the_command_that_creates_it(world: World) -> None:
    async with world.open() as store:
        with pytest.raises(StorageSchemaMismatch, match="community-metrics bootstrap"):
            await store.metrics()


async def test_more_than_one_page_of_other_tables_neither_hides_ours_nor_is_dropped(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        connection = await store._database.connection()
        others = {f"another_{number:02}" for number in range(11)}
        for name in others:
            await connection.create_table(name, schema=pa.schema([pa.field("x", pa.int64())]))
        await store.drop_tables(renew=only_writer)
        assert await store._table_names() == others | {"leases"}


# observations


async def test_a_row_is_read_as_it_was_written(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        plan = await store.plan_observations(
            observed_days(3), provenance=Provenance.API, run_id="run-1", now=NOW
        )
        await upsert(store, observed_days(3))
        assert tuple(await store.stats([METRIC])) == plan.inserted


async def test_planning_writes_nothing(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        before = await store.table_versions()
        plan = await store.plan_observations(
            observed_days(3), provenance=Provenance.API, run_id="run-1", now=NOW
        )
        assert plan.counts == UpsertCounts(inserted=3)
        assert await store.table_versions() == before


async def test_a_rerun_changes_nothing_and_makes_no_version(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(12))
        before = await store.table_versions()
        assert await upsert(store, observed_days(12), run_id="run-2") == UpsertCounts(unchanged=12)
        assert await store.table_versions() == before


async def test_a_write_is_one_version_however_much_it_holds(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(4))
        before = (await store.table_versions())["stats"]
        mixed = [
            *observed_days(6, first_value=500),
            *observed_days(6, metric_id=OTHER),
        ]
        assert await upsert(store, mixed, run_id="run-2") == UpsertCounts(inserted=8, updated=4)
        assert (await store.table_versions())["stats"] == before + 1


async def test_metrics_that_share_their_days_keep_their_own_values(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(
            store, observed_days(3, first_value=10) + observed_days(3, metric_id=OTHER, first_value=20)
        )
        await upsert(store, observed_days(3, first_value=30), run_id="run-2")
        assert values(await store.stats([METRIC, OTHER])) == [30, 31, 32, 20, 21, 22]


async def test_a_restated_day_keeps_its_first_value_and_counts_revisions(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, [observed(100)])
        await upsert(store, [observed(110, at=LATER)], run_id="run-2", now=LATER)
        row = only(await store.stats([METRIC]))
        assert (row.value, row.first_value, row.revision, row.revised_at) == (110, 100, 1, LATER)
        assert (row.status, row.ingestion_run_id) == (Status.PROVISIONAL, "run-2")


async def test_an_equal_reading_a_day_later_makes_a_value_final(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, [observed(100)])
        assert await upsert(store, [observed(100, at=LATER)], now=LATER) == UpsertCounts(updated=1)
        row = only(await store.stats([METRIC]))
        assert (row.status, row.revision, row.observed_at) == (Status.FINAL, 0, LATER)


async def test_a_second_reading_of_a_level_replaces_the_first_of_that_day(world: World) -> None:
    evening = NOW + timedelta(hours=6)
    async with world.open() as store:
        await store.create_tables()
        for value, at in ((70, NOW), (68, evening)):
            await upsert(
                store, [observed(value, metric_id=STARS, at=at, window=SourceWindow.INSTANT)], now=at
            )
        row = only(await store.stats([STARS]))
        assert (row.value, row.first_value, row.revision, row.observed_at) == (68, 68, 0, evening)


async def test_an_afternoon_reading_never_replaces_the_one_that_ended_the_day_before(world: World) -> None:
    morning = NOW.replace(hour=3)
    kinds = {"pulls:lance:docker": ValueKind.COUNTER, STARS: ValueKind.LEVEL}
    async with world.open() as store:
        await store.create_tables()
        await store.upsert_metrics(
            [
                a_metric(name, value_kind=kind, source_window=SourceWindow.INSTANT)
                for name, kind in kinds.items()
            ]
        )
        for value, at in ((70, morning), (75, morning + timedelta(hours=12))):
            read = [
                observed(value, metric_id=name, day=at.date(), at=at, window=SourceWindow.INSTANT)
                for name in kinds
            ]
            await upsert(store, read, now=at)
        assert [only(await store.stats([name])).value for name in kinds] == [70, 70]


async def test_seed_rows_never_replace_the_value_of_a_registry(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, [observed(100)])
        counts = await upsert(store, [observed(999, at=LATER)], provenance=Provenance.CSV_SEED, now=LATER)
        assert counts == UpsertCounts(unchanged=1)
        assert values(await store.stats([METRIC])) == [100]


async def test_a_batch_with_two_rows_for_a_key_is_refused_whole(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        before = await store.table_versions()
        batch = [*observed_days(3), observed(7)]
        with pytest.raises(StorageConflict, match=r"two rows for downloads:lance:python\|2026-01-01"):
            await upsert(store, batch)
        assert await store.table_versions() == before


async def test_a_store_reads_what_another_one_has_just_written(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        assert await second.stats([METRIC]) == []
        await upsert(first, observed_days(3))
        assert await upsert(second, observed_days(3), run_id="run-2") == UpsertCounts(unchanged=3)
        await upsert(first, observed_days(3, first_value=500), run_id="run-3")
        await upsert(second, observed_days(3, first_value=600), run_id="run-4")
        assert [row.revision for row in await first.stats([METRIC])] == [2, 2, 2]


async def test_two_writers_of_the_same_new_rows_store_them_once(world: World) -> None:
    batch = observed_days(20)
    async with world.open() as first, world.open_out_of_date() as second:
        await first.create_tables()
        await upsert(first, observed_days(50, metric_id=OTHER))
        # somebody indexed the key: without use_index(False) both writers would insert
        await (await raw_table(first, STATS)).create_index("stat_key", config=BTree())
        await second.stats([METRIC])
        await upsert(first, batch)
        await upsert(second, batch, run_id="run-2")
        assert await first.find_duplicate_keys() == {}


async def test_concurrent_writers_neither_lose_nor_duplicate_a_row(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        for number in range(2):
            ours, theirs = (observed_days(20, metric_id=f"downloads:lance:{name}{number}") for name in "ab")
            await asyncio.gather(upsert(first, ours + theirs), upsert(second, theirs))
        assert await first.find_duplicate_keys() == {}
        assert sum([batch.num_rows async for batch in first.scan("stats", columns=["value"])]) == 80


# reads


async def test_a_read_longer_than_a_page_is_complete_and_in_order(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(13) + observed_days(10, metric_id=OTHER))
        rows = await store.stats([OTHER, METRIC])
        assert [row.stat_key for row in rows] == sorted(row.stat_key for row in rows)
        assert len(rows) == 23


async def test_days_that_were_read_only_once_are_left_out_on_request(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        once, twice, restated, fresh = (DAY_ONE + timedelta(days=n) for n in range(4))
        days, later = observed_days(4), NOW + timedelta(hours=25)
        await upsert(store, days[:3])
        second = [replace(day, observed_at=later) for day in (days[1], replace(days[2], value=999), days[3])]
        await upsert(store, second, now=later)
        found = await store.stored_days(METRIC, once, fresh, read_twice_or_after=NOW)
        assert found == [twice, restated, fresh]
        assert await store.stored_days(METRIC, once, fresh) == [once, twice, restated, fresh]


async def test_a_read_returns_only_the_days_in_its_range(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(10))
        since, until = DAY_ONE + timedelta(days=2), DAY_ONE + timedelta(days=4)
        assert values(await store.stats([METRIC], since=since, until=until)) == [102, 103, 104]
        assert await store.stored_days(METRIC, since, until) == [since + timedelta(days=n) for n in range(3)]
        assert await store.stats([]) == []


async def test_the_first_day_and_the_newest_row_of_a_metric_are_known(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(9))
        ends = await store.ends([METRIC, OTHER])
        assert await store.first_day(METRIC) == await store.first_fetched_day(METRIC) == DAY_ONE
        assert (ends[METRIC].first_fetched_day, ends[METRIC].newest.value) == (DAY_ONE, 108)
        assert (await store.first_day(OTHER), list(ends)) == (None, [METRIC])
        assert await store.ends([]) == {}


async def test_the_ends_of_metrics_whose_days_differ_are_those_of_each(world: World) -> None:
    later = [replace(row, metric_id=OTHER) for row in observed_days(9)[3:6]]
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(9)[:2], provenance=Provenance.CSV_SEED)
        await upsert(store, [*observed_days(9)[2:], *later])
        ends = await store.ends([METRIC, OTHER])
        rows = await store.stats([METRIC, OTHER])
    for metric_id, first in ((METRIC, observed_days(9)[2]), (OTHER, later[0])):
        newest = [row for row in rows if row.metric_id == metric_id][-1]
        assert (ends[metric_id].first_fetched_day, ends[metric_id].newest) == (first.period_end, newest)


@pytest.mark.parametrize("most_of_table", [False, True])
async def test_columns_hold_what_the_rows_hold(world: World, *, most_of_table: bool) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, [*observed_days(12), *observed_days(3, metric_id=OTHER)])
        since, until = DAY_ONE + timedelta(days=1), DAY_ONE + timedelta(days=10)
        for ids in ([METRIC], [OTHER, METRIC], ["downloads:no:such"], []):
            found = await store.readings(ids, since=since, until=until, most_of_table=most_of_table)
            rows = await store.stats(ids, since=since, until=until)
            by_hand = readings_of(rows, ids)
            assert (found.metric_ids, found.rows.tolist()) == (by_hand.metric_ids, by_hand.rows.tolist())


@pytest.mark.parametrize("most_of_table", [False, True])
async def test_the_newest_reading_of_each_metric_is_found_in_one_read(
    world: World, *, most_of_table: bool
) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(12), provenance=Provenance.CSV_SEED)
        await upsert(store, observed_days(3, metric_id=OTHER))
        ids = [OTHER, METRIC, "downloads:no:such"]
        newest = await store.newest_readings(ids, most_of_table=most_of_table)
        fetched = await store.newest_readings(ids, fetched_only=True, most_of_table=most_of_table)
        last = DAY_ONE + timedelta(days=11)
        before = await store.newest_readings([METRIC], until=last - ONE_DAY)
        assert (newest.found(), fetched.found()) == ([OTHER, METRIC], [OTHER])
        assert (newest.days(METRIC), before.days(METRIC)) == ([last], [last - ONE_DAY])
        assert newest.days(OTHER) == [DAY_ONE + timedelta(days=2)]


async def test_copies_of_a_key_are_one_reading_and_marked(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(3))
        last = (await store.stats([METRIC]))[-1]
        newer = STATS.row_type(**(_fields(last) | {"value": 7, "observed_at": LATER}))
        await (await raw_table(store, STATS)).add(STATS.to_arrow([newer, newer]))
        found = await store.readings([METRIC])
        assert found.rows[["value", "duplicated"]].tolist() == [(100, False), (101, False), (7, True)]


@pytest.mark.parametrize("column", ["status", "provenance", "source_window"])
async def test_an_unknown_word_in_a_column_is_named(world: World, column: str) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(3))
        row = STATS.to_arrow(await store.stats([METRIC], until=DAY_ONE))
        strange = row.set_column(row.schema.get_field_index(column), row.schema.field(column), [["strange"]])
        await (await raw_table(store, STATS)).add(strange)
        with pytest.raises(UnknownStoredValue, match=f"(?s)stats.*{column}.*strange"):
            await store.readings([METRIC])


async def test_an_id_with_a_quote_finds_nothing(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, [observed(1)])
        assert await store.stats(["x' OR '1'='1"]) == []


async def test_the_last_restatement_comes_first(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(3))
        for hours, day in ((1, 0), (2, 1)):
            at = NOW + timedelta(hours=hours)
            await upsert(store, [observed(900, day=DAY_ONE + timedelta(days=day), at=at)], now=at)
        found = await store.restatements(limit=10)
        assert [row.period_end.day for row in found] == [2, 1]
        assert await store.restatements(since=NOW + timedelta(hours=2), limit=10) == found[:1]
        assert await store.restatements(metric_ids=[OTHER], limit=10) == []
        assert await store.restatements(limit=1) == found[:1]


async def test_whether_a_table_has_rows_is_known(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        assert not await store.has_rows("stats")
        await upsert(store, observed_days(2))
        assert (await store.has_rows("stats"), await store.has_rows("metrics")) == (True, False)


async def test_a_scan_streams_every_row_in_small_batches(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(17))
        batches = [batch async for batch in store.scan("stats", columns=["value"], where="value > 103")]
        assert sorted(value for batch in batches for value in batch.column("value").to_pylist()) == [
            *range(104, 117)
        ]
        assert max(batch.num_rows for batch in batches) <= store.page_rows
        assert all(batch.schema.names == ["value"] for batch in batches)


async def test_a_scan_is_of_one_version_whatever_is_written_meanwhile(world: World) -> None:
    async with world.open() as reader, world.open() as writer:
        await writer.create_tables()
        await upsert(writer, observed_days(17))
        scan = reader.scan("stats", columns=["value"])
        found = (await anext(scan)).column("value").to_pylist()
        await upsert(writer, observed_days(20, first_value=500), run_id="run-2")
        found += [value async for batch in scan for value in batch.column("value").to_pylist()]
        assert sorted(found) == [*range(100, 117)]
        assert sorted(values(await reader.stats([METRIC]))) == [*range(500, 520)]


# metrics and runs


async def test_a_definition_is_written_when_it_changes_and_keeps_created_at(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        stars = a_metric(STARS, sdk=None, fallbacks=(), is_active=False)
        assert await store.upsert_metrics([a_metric(), stars]) == UpsertCounts(inserted=2)
        before = await store.table_versions()
        assert await store.upsert_metrics([a_metric(created_at=LATER), stars]) == UpsertCounts(unchanged=2)
        assert await store.table_versions() == before
        renamed = a_metric(display_name="Lance for Python", created_at=LATER)
        assert await store.upsert_metrics([renamed]) == UpsertCounts(updated=1)
        assert await store.metrics() == [a_metric(display_name="Lance for Python"), stars]


async def test_a_run_is_one_row_from_start_to_end(world: World) -> None:
    ended = a_run(
        status=RunStatus.PARTIAL, finished_at=LATER, window_start=DAY_ONE, error_summary="one failed"
    )
    async with world.open() as store:
        await store.create_tables()
        await store.record_run(a_run())
        await store.record_run(ended)
        assert await store.runs(limit=10) == [ended]
        assert await store.run("run-1") == ended


async def test_outcomes_are_one_row_for_each_metric_of_a_run(world: World) -> None:
    good, bad = fetched("run-1", METRIC), failed("run-1", OTHER, "crates.io returned 503")
    async with world.open() as store:
        await store.create_tables()
        await store.record_outcomes([failed("run-1", METRIC, "x"), bad, fetched("run-2", METRIC)])
        await store.record_outcomes([good])
        assert await store.outcomes(["run-1"]) == [good, bad]
        assert await store.outcomes(["run-1", "run-2"], failed_only=True) == [bad]
        assert await store.outcomes([]) == []


async def test_runs_are_filtered_and_come_newest_first(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        for hour in range(4):
            job = "update_all" if hour % 2 else "weekly_refresh"
            status = RunStatus.FAILED if hour == 3 else RunStatus.SUCCESS
            started = NOW + timedelta(hours=hour)
            await store.record_run(a_run(f"run-{hour}", job_name=job, status=status, started_at=started))
        assert [run.ingestion_run_id for run in await store.runs(limit=2)] == ["run-3", "run-2"]
        earlier = await store.runs(limit=9, before=NOW + timedelta(hours=2))
        assert [run.ingestion_run_id for run in earlier] == ["run-1", "run-0"]
        assert len(await store.runs(limit=9, jobs=["update_all"])) == 2
        assert len(await store.runs(limit=9, statuses=[RunStatus.FAILED])) == 1


# the lease


async def test_one_run_at_a_time_holds_the_database(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        await first.record_run(a_run("run-1"))
        held = await first.acquire_lease("run-1", "host-a", 11, NOW, TTL)
        with pytest.raises(
            RunLocked, match=r"run-1 .*since 2026-11-23 12:00:00 UTC.*process 11 on host-a.*12:05:00"
        ):
            await second.acquire_lease("run-2", "host-b", 22, NOW, TTL)
        assert await second.lease() == held


async def test_two_concurrent_runs_never_both_get_the_database(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        asked = await asyncio.gather(
            first.acquire_lease("run-1", "host-a", 11, NOW, TTL),
            second.acquire_lease("run-2", "host-b", 22, NOW, TTL),
            return_exceptions=True,
        )
        assert sum(isinstance(answer, RunLocked) for answer in asked) == 1
        assert await first.find_duplicate_keys() == {}


async def test_a_lease_is_renewed_until_it_is_taken_over(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        held = await first.acquire_lease("run-1", "host-a", 11, NOW, TTL)
        renewed = await first.renew_lease(held, NOW + timedelta(minutes=2), TTL)
        assert renewed.expires_at == NOW + timedelta(minutes=7)
        await second.acquire_lease("run-2", "host-b", 22, renewed.expires_at, TTL)
        with pytest.raises(LeaseLost, match="run-2 on host-b holds it now"):
            await first.renew_lease(renewed, renewed.expires_at, TTL)


async def test_a_released_lease_is_free_at_once(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        held = await first.acquire_lease("run-1", "host-a", 11, NOW, TTL)
        await first.release_lease(held, NOW)
        taken = await second.acquire_lease("run-2", "host-b", 22, NOW, TTL)
        await first.release_lease(held, NOW)
        assert await second.lease() == taken


async def test_the_lease_of_a_run_known_dead_is_taken_before_it_expires(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await store.acquire_lease("run-1", "host-a", 11, NOW, TTL)
        taken = await store.acquire_lease("run-2", "host-a", 12, NOW, TTL, known_dead_run_id="run-1")
        assert await store.lease() == taken


@pytest.mark.parametrize("after_s", [0, 0.002, 0.01, 0.05])
async def test_a_run_that_is_stopped_while_it_takes_the_lease_leaves_it_free(
    world: World, after_s: float
) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        taking = asyncio.create_task(first.acquire_lease("run-1", "host-a", 11, NOW, TTL))
        await asyncio.sleep(after_s)

        was_stopped = taking.cancel()
        (ended,) = await asyncio.gather(taking, return_exceptions=True)

        assert was_stopped or after_s > 0
        assert isinstance(ended, asyncio.CancelledError if was_stopped else Lease)
        if isinstance(ended, Lease):  # it was faster than the stop
            await first.release_lease(ended, NOW)
        assert (await second.acquire_lease("run-2", "host-b", 22, NOW, TTL)).run_id == "run-2"


async def test_a_lease_with_two_rows_blocks_both_runs(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        held = await store.acquire_lease("run-1", "host-a", 11, NOW, TTL)
        rival = LEASES.row_type("database", "run-2", "host-b", 22, NOW, NOW + TTL)
        await (await raw_table(store, LEASES)).add(LEASES.to_arrow([rival]))
        with pytest.raises(RunLocked, match="Run run-2 holds the database"):
            await store.acquire_lease(held.run_id, held.host, held.pid, NOW, TTL)


# care


async def test_copies_of_a_key_are_found_and_all_but_the_newest_are_deleted(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(12))
        rows = await store.stats([METRIC])
        newest = STATS.row_type(**(_fields(rows[3]) | {"value": 7, "observed_at": LATER}))
        table = await raw_table(store, STATS)
        for copies in (rows[:8], [newest], rows[:1]):
            await table.add(STATS.to_arrow(copies))
        assert await store.find_duplicate_keys() == {"stats": [row.stat_key for row in rows[:8]]}
        report = await store.repair_duplicates(renew=only_writer)
        assert sorted(copy.key for copy in report) == sorted(
            row.stat_key for row in [*rows[:8], rows[3], rows[0]]
        )
        assert await store.find_duplicate_keys() == {}
        assert await store.stats([METRIC]) == [*rows[:3], newest, *rows[4:]]


async def test_the_newest_row_is_the_newest_copy_of_its_day(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(3))
        last = (await store.stats([METRIC]))[-1]
        newest = STATS.row_type(**(_fields(last) | {"value": 7, "observed_at": LATER}))
        older = STATS.row_type(**(_fields(last) | {"value": 8, "observed_at": last.observed_at - TTL}))
        await (await raw_table(store, STATS)).add(STATS.to_arrow([older, newest, older]))
        assert (await store.ends([METRIC]))[METRIC].newest == newest


async def test_a_repair_without_copies_writes_nothing(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, observed_days(7))
        before = await store.table_versions()
        assert await store.repair_duplicates(renew=only_writer) == []
        assert await store.table_versions() == before


async def test_copies_of_definitions_are_repaired_too(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await store.upsert_metrics([a_metric()])
        await (await raw_table(store, METRICS)).add(METRICS.to_arrow([a_metric(created_at=LATER)]))
        [gone] = await store.repair_duplicates(renew=only_writer)
        assert (gone.table, gone.key, gone.values["created_at"]) == ("metrics", METRIC, NOW)


async def test_optimizing_leaves_every_row_and_an_index_on_the_metric_alone(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        for number in range(3):
            await upsert(store, observed_days(6, metric_id=f"downloads:lance:m{number}"))
        ids = [f"downloads:lance:m{number}" for number in range(3)]
        before = await store.stats(ids)
        await store.optimize()
        assert await store.stats(ids) == before
        indexes = await (await raw_table(store, STATS)).list_indices()
        assert [list(index.columns) for index in indexes] == [["metric_id"]]


async def test_a_store_recovers_after_another_recreated_the_tables(world: World) -> None:
    async with world.open() as first, world.open() as second:
        await first.create_tables()
        await upsert(first, observed_days(3))
        await second.stats([METRIC])
        await first.drop_tables(renew=only_writer)
        await first.create_tables()
        await upsert(first, observed_days(2))
        with suppress(StorageError):  # the handle of the dropped table may fail once
            await second.stats([METRIC])
        assert len(await second.stats([METRIC])) == 2


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in STATS.columns}
