"""What one version reads and writes in a database of another one, after an upgrade and after a rollback."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from community_metrics.catalog import load_catalog
from community_metrics.errors import StorageError, StorageSchemaMismatch, UnknownStoredValue
from community_metrics.model import (
    LastRead,
    OutcomeStatus,
    Provenance,
    RawAnswers,
    RunOutcome,
    RunStatus,
    ValueMark,
    Witness,
    WitnessedDay,
)
from community_metrics.runs.execute import execute
from community_metrics.runs.notes import Note, record_note
from community_metrics.runs.repair import repair
from community_metrics.runs.undo import undo
from community_metrics.storage import merge
from community_metrics.storage.schemas import HISTORY, METRICS, STATS, TABLES
from tests.contract.test_runs import OneRow
from tests.contract.test_storage_contract import a_metric, a_run, upsert
from tests.support.clock import NOON, FakeClock
from tests.support.deliveries import a_delivery
from tests.support.digests import a_stored_digest
from tests.support.enterprise import READ_KEY, Fault
from tests.support.events import release
from tests.support.worlds import METRIC, NOW, World, observed, observed_days, only_writer, raw_table, values

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from community_metrics.runs.job import RunReport
    from community_metrics.storage import LanceDBStore
    from community_metrics.storage.schemas import AnyTable
    from tests.support.enterprise import Enterprise

RNG = random.Random(0)  # noqa: S311  run ids
LATER = NOW + timedelta(hours=1)
(A_STAT,) = merge.plan({}, [observed(7)], provenance=Provenance.API, run_id="run-1", now=NOW).inserted
A_ROW: dict[str, Any] = {
    "metrics": a_metric(),
    "stats": replace(
        A_STAT,
        revision=1,
        revised_at=NOW,
        mark=ValueMark.LOW_FOR_EVERYBODY,
        subject_id=7,
        newest_part=9,
        parts_digest="0f",
    ),
    "history": a_run(scope="stars:*", metrics_left=1, lookback_weeks=5, is_aborted=True),
    "run_outcomes": RunOutcome(
        run_id="run-1",
        metric_id=METRIC,
        status=OutcomeStatus.FAILED,
        error_class="SourceUnreachable",
        message="x",
        url="https://x",
        observations=0,
        last_day=NOW.date(),
    ),
    "last_reads": LastRead(METRIC, NOW, NOW, "run-1"),
    "events": release(url="https://x", metric_id=METRIC, removed_at=NOW, removed_by="Ada"),
    "digests": a_stored_digest(),
    "deliveries": a_delivery(next_attempt_at=NOW, error_class="DeliveryUnknown", message="x"),
    "witness": WitnessedDay(METRIC, NOW.date(), Witness.CLICKPY, 5, NOW, "https://x", "run-1"),
    "raw_answers": RawAnswers("run-1", "github", 0, 0, Provenance.API, NOW, b"\x00\xff"),
}
LACKING = [
    pytest.param(spec, columns, id=spec.name)
    for spec in TABLES
    if (columns := [column.name for column in spec.schema if column.nullable])
]
WORDS = [pytest.param(spec, column, id=f"{spec.name}.{column}") for spec in TABLES for column in spec.words]


async def create(store: LanceDBStore, spec: AnyTable, schema: pa.Schema, row: pa.Table) -> None:
    """Create the database as another version does, with a row of its own in one table."""
    connection = await store._database.connection(may_create=True)
    await (await connection.create_table(spec.name, schema=schema)).add(row)
    await store.create_tables()


async def create_without(store: LanceDBStore, spec: AnyTable, *columns: str, row: Any = None) -> None:
    schema = pa.schema([field for field in spec.schema if field.name not in columns])
    await create(store, spec, schema, spec.to_arrow([row or A_ROW[spec.name]]).select(schema.names))


async def add_with_word(store: LanceDBStore, spec: AnyTable, column: str, word: str) -> None:
    row = spec.to_arrow([A_ROW[spec.name]])
    position = row.schema.get_field_index(column)
    changed = row.set_column(position, row.schema.field(position), pa.array([word]))
    await (await raw_table(store, spec)).add(changed)


async def everything(store: LanceDBStore) -> list[Any]:
    """Return the rows of every table, by every way to read them."""
    await store.table_versions()
    assert await store.find_duplicate_keys() == {}
    ends = await store.ends([METRIC])
    return [
        *await store.metrics(),
        *await store.stats([METRIC]),
        *(found.newest for found in ends.values()),
        *await store.restatements(limit=9),
        *await store.restatements(since=NOW, limit=9),
        *await store.runs(limit=9),
        *await store.runs(limit=9, whole_only=True),
        *await store.outcomes(["run-1"]),
        *await store.last_reads(),
        *await store.events(with_removed=True),
        *await store.digests(limit=9),
        *await store.deliveries(since=NOW),
        *await store.answers(NOW, LATER),
        *await store.witnessed([METRIC], since=NOW.date()),
    ]


async def run_a_job(world: World) -> RunReport:
    return await execute(OneRow(), world.settings, clock=FakeClock(NOON), rng=RNG)


# words


@pytest.mark.parametrize(("spec", "column"), WORDS)
async def test_a_word_of_a_newer_version_is_named_with_its_table_and_column(
    world: World, spec: AnyTable, column: str
) -> None:
    async with world.open() as store:
        await store.create_tables()
        await add_with_word(store, spec, column, "paused")
        with pytest.raises(UnknownStoredValue) as caught:
            await everything(store)
    error = caught.value
    assert (error.table, error.column, error.value) == (spec.name, column, "paused")
    assert isinstance(error, StorageSchemaMismatch)
    assert f"{spec.name} has a row with {column} 'paused'" in str(error)
    assert "upgrade" in str(error)


async def test_a_job_that_cannot_read_a_word_writes_no_row(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await add_with_word(store, STATS, "provenance", "guessed")
        before = (await store.table_versions())["stats"]
    with pytest.raises(UnknownStoredValue, match="guessed"):
        await run_a_job(world)
    async with world.open() as store:
        assert (await store.table_versions())["stats"] == before
        (run,) = await store.runs(limit=5)
    assert run.status is RunStatus.FAILED
    assert "'guessed'" in str(run.error_summary)


# columns


@pytest.mark.parametrize(("spec", "columns"), LACKING)
async def test_a_reader_reads_nulls_or_the_old_meaning_where_a_table_lacks_columns(
    world: World, spec: AnyTable, columns: list[str]
) -> None:
    async with world.open() as store:
        await create_without(store, spec, *columns)
    async with world.with_key(READ_KEY).open() as reader:
        expected = replace(A_ROW[spec.name], **{column: spec.added.get(column) for column in columns})
        rows = await everything(reader)
        assert expected in rows
        assert (await reader.run("run-1") == expected) is (spec is HISTORY)
        batches = [batch async for batch in reader.scan(spec.name, columns=[*columns, spec.key])]
    [row] = pa.Table.from_batches(batches).to_pylist()
    assert [row[column] for column in columns] == [None] * len(columns)
    assert batches[0].schema.names == [*columns, spec.key]


async def test_a_view_reads_a_counter_of_an_earlier_version_as_never_reset(world: World) -> None:
    async with world.open() as store:
        await create_without(store, STATS, "is_reset", row=replace(A_STAT, is_reset=True))
        assert (await store.readings([METRIC])).rows["is_reset"].tolist() == [False]


async def test_a_reset_is_stored_and_read_by_every_way(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await upsert(store, [replace(observed(7), is_reset=True)])
        assert (await store.readings([METRIC])).rows["is_reset"].tolist() == [True]
        assert [row.is_reset for row in await store.stats([METRIC])] == [True]


async def test_a_repair_works_on_a_table_that_lacks_a_column(world: World) -> None:
    async with world.open() as store:
        await create_without(store, STATS, "revised_at")
        table = await raw_table(store, STATS)
        await table.add(await table.query().to_arrow())
        (dropped,) = await store.repair_duplicates(renew=only_writer)
        assert (dropped.key, dropped.values["revised_at"]) == (A_STAT.stat_key, None)
        assert values(await store.stats([METRIC])) == [A_STAT.value]


@pytest.mark.parametrize("column", ["scope", "metrics_left"])
async def test_a_run_without_a_stored_scope_or_rest_counts_as_a_whole_run(world: World, column: str) -> None:
    row = replace(a_run(), scope=None, metrics_left=0)
    async with world.open() as store:
        await create_without(store, HISTORY, column, row=row)
        assert len(await store.runs(limit=9, whole_only=True)) == 1


async def test_a_run_that_left_metrics_is_no_whole_run(world: World) -> None:
    async with world.open() as store:
        await store.create_tables()
        await store.record_run(a_run(metrics_left=1))
        assert await store.runs(limit=9, whole_only=True) == []


@pytest.mark.parametrize(("spec", "columns"), LACKING)
async def test_a_job_adds_the_nullable_columns_that_a_table_lacks(
    world: World, spec: AnyTable, columns: list[str]
) -> None:
    async with world.open() as store, world.open() as reader:
        await create_without(store, spec, *columns)
        before = await everything(reader)
        assert (await run_a_job(world)).run.status is RunStatus.SUCCESS
        stored = await (await raw_table(store, spec)).schema()
        assert [stored.field(name).type for name in columns] == [
            spec.schema.field(name).type for name in columns
        ]
        after = await everything(reader)
        assert [row for row in before if row not in after] == ([] if spec is not METRICS else before[:1])
        await store.record_run(a_run("run-9", scope="stars:*"))
        assert (await reader.run("run-9")) == a_run("run-9", scope="stars:*")


async def test_adding_columns_twice_changes_nothing(world: World) -> None:
    async with world.open() as store:
        await create_without(store, HISTORY, "scope")
        await store.extend_tables()
        before = await store.table_versions()
        await store.extend_tables()
        assert await store.table_versions() == before


async def note_something(world: World) -> None:
    await record_note(
        world.settings, load_catalog(None), Note(NOON.date(), "Moved", "Ada"), clock=FakeClock()
    )


async def repair_it(world: World) -> None:
    await repair(world.settings, clock=FakeClock())


async def undo_a_run(world: World) -> None:
    await undo(world.settings, "run-1", clock=FakeClock())


@pytest.mark.parametrize("write", [note_something, repair_it, undo_a_run])
async def test_what_is_no_job_adds_the_columns_that_it_writes(
    local_world: World, write: Callable[[World], Awaitable[None]]
) -> None:
    """After an upgrade a person may come before the first job."""
    async with local_world.open() as store:
        await create_without(store, HISTORY, "loaded_by")
        await upsert(store, observed_days(2))
        await write(local_world)
        newest, before = await store.runs(limit=9)
    assert (newest.status, before) == (RunStatus.SUCCESS, A_ROW["history"])


async def test_an_error_while_columns_are_added_names_them(
    enterprise_world: World, enterprise: Enterprise
) -> None:
    async with enterprise_world.open() as store:
        await create_without(store, HISTORY, "scope")
        enterprise.faults.append(Fault("*/add_columns/", status=400, body="not supported", times=9))
        with pytest.raises(StorageError, match=r"while adding scope to the table history: .*not supported"):
            await run_a_job(enterprise_world)
        assert (await store.run("run-1")) is not None


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (STATS.schema.remove(STATS.schema.get_field_index("revision")), "revision is missing"),
        (STATS.schema.set(4, pa.field("value", pa.int32(), nullable=False)), "value is int32, not int64"),
    ],
)
async def test_a_table_with_other_required_columns_is_refused_by_name(
    world: World, schema: pa.Schema, problem: str
) -> None:
    async with world.open() as store:
        connection = await store._database.connection(may_create=True)
        await connection.create_table("stats", schema=schema)
        for use in (store.stats([METRIC]), store.create_tables()):
            with pytest.raises(StorageSchemaMismatch, match=problem):
                await use


# tables


async def test_a_table_that_an_earlier_version_did_not_have_reads_as_empty(world: World) -> None:
    letters = replace(HISTORY, name="letters", optional=True)
    async with world.open() as store:
        await store.create_tables()
        assert await store._rows(letters) == []
        assert await store._version(letters) == 0
        connection = await store._database.connection()
        await (await connection.create_table("letters", schema=letters.schema)).add(
            letters.to_arrow([a_run()])
        )
        assert await store._rows(letters) == [a_run()]
        assert await store._version(letters) > 0


# rollback


async def test_a_database_that_a_newer_version_extended_is_used_and_keeps_its_columns_and_tables(
    world: World,
) -> None:
    tomorrow = pa.field("of_tomorrow", pa.string())
    async with world.open() as store:
        await store.create_tables()
        connection = await store._database.connection()
        await connection.create_table("of_tomorrow", schema=pa.schema([tomorrow]))
        for spec in TABLES:
            await (await raw_table(store, spec)).add_columns(tomorrow)
        rows = STATS.to_arrow([A_STAT]).append_column(tomorrow, pa.array(["kept"]))
        await (await raw_table(store, STATS)).add(rows)
    assert (await run_a_job(world)).run.status is RunStatus.SUCCESS
    async with world.open() as store:
        await upsert(store, [observed(8, at=LATER), *observed_days(3)[1:]], now=LATER)
        await store.upsert_metrics([a_metric()])
        assert values(await store.stats([METRIC])) == [8, 101, 102]
        assert [run.status for run in await store.runs(limit=9)] == [RunStatus.SUCCESS]
        assert "of_tomorrow" in await store._table_names()
        found = await (await raw_table(store, STATS)).query().select(["value", "of_tomorrow"]).to_list()
    assert {row["value"]: row["of_tomorrow"] for row in found} == {8: "kept", 101: None, 102: None}
