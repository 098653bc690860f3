"""A stored digest never changes, and the next one says what has changed since."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.catalog.goals import Goal
from community_metrics.digest.formats import Format, written
from community_metrics.errors import PeriodNotOver, RunLocked, StorageSchemaMismatch, UnknownName
from community_metrics.model import RunStatus, SourceWindow, Visibility
from community_metrics.periods import Grain, midnight, period_named
from community_metrics.runs.digests import record_digest
from community_metrics.storage import LanceDBStore
from community_metrics.views.digest import DigestScope
from community_metrics.views.digests import (
    content_of,
    last_complete,
    load_digest,
    load_digests,
    made_digest,
    next_digest,
    stored_digest,
)
from community_metrics.views.public import PublicReader, seen_by
from tests.support.api import (
    FALLBACK,
    LAST_DAY,
    MISSING_DAY,
    PYTHON,
    RUST,
    fill,
    local_place,
    observed,
    write,
)
from tests.support.clock import NOON, FakeClock
from tests.support.digests import a_stored_digest
from tests.support.events import release

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from community_metrics.catalog import Catalog
    from community_metrics.config import Settings
    from community_metrics.model import StoredDigest
    from community_metrics.model.digest_content import Digest
    from community_metrics.storage.reader import LanceDBReader

CATALOG = load_catalog(None)
LANCE = ("lance",)
DAY = timedelta(days=1)


def scope(label: str, **changes: Any) -> DigestScope:
    week = period_named(label, Grain.WEEK)
    assert week is not None
    usual: dict[str, Any] = {"products": LANCE}
    return DigestScope(week, **usual | changes)


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    """A database in which every week but 2026-W45 is complete."""
    place = local_place(tmp_path)
    await fill(place.writing)
    return place.writing


async def store(
    settings: Settings, wanted: DigestScope, now: datetime = NOON, *, catalog: Catalog = CATALOG
) -> tuple[StoredDigest, bool]:
    given = catalog

    async def make(reader: LanceDBReader, at: datetime) -> tuple[StoredDigest, bool]:
        seen, catalog = seen_by(wanted.visibility, reader, given, has_team=False)
        return await next_digest(seen, catalog, at, scope=wanted)

    return await record_digest(settings, make, clock=FakeClock(now))


async def change(settings: Settings, metric_id: str, value: int, day: Any = LAST_DAY) -> None:
    async with LanceDBStore.open(settings) as opened:
        row = observed(metric_id, day, day, value, SourceWindow.DAY, NOON + 9 * DAY)
        await write(opened, [row])


async def told(settings: Settings, wanted: DigestScope) -> Digest:
    async with LanceDBStore.open(settings) as opened:
        found = await stored_digest(opened, wanted)
    assert found is not None
    return found


async def test_a_stored_digest_gives_the_same_bytes_after_its_numbers_changed(settings: Settings) -> None:
    first, is_new = await store(settings, scope("2026-W47"))
    assert is_new
    before = {form: written(content_of(first), form) for form in Format}
    await change(settings, PYTHON, 99_999)
    again, is_new = await store(settings, scope("2026-W47"), NOON + DAY)
    assert (again, is_new) == (first, False)
    digest = await told(settings, scope("2026-W47"))
    assert {form: written(digest, form) for form in Format} == before


async def test_the_next_digest_says_what_the_last_one_said_and_what_is_stored_now(settings: Settings) -> None:
    await store(settings, scope("2026-W46"), NOON)
    before = content_of((await store(settings, scope("2026-W46")))[0])
    [said] = [one.value for one in before.values if one.metric_id == PYTHON]
    await change(settings, PYTHON, 5, day=LAST_DAY - 7 * DAY)
    since = content_of((await store(settings, scope("2026-W47"), NOON + DAY))[0]).since_last
    assert since is not None
    assert (since.digest_id, [one.said for one in since.corrections]) == (before.digest_id, [said])
    assert since.corrections[0].sentence.startswith(f"Last week we said {said:,} downloads")


async def test_a_digest_has_the_versions_of_the_tables_it_was_read_from(settings: Settings) -> None:
    digest = content_of((await store(settings, scope("2026-W47")))[0])
    async with LanceDBStore.open(settings) as opened:
        now = await opened.table_versions()
    assert digest.table_versions["stats"] == now["stats"]
    assert digest.table_versions["digests"] < now["digests"]


async def test_every_write_of_a_digest_is_a_run(settings: Settings) -> None:
    row, _ = await store(settings, scope("2026-W47"))
    async with LanceDBStore.open(settings) as opened:
        [run] = await opened.runs(limit=5, jobs=["digest"])
    assert (run.ingestion_run_id, run.scope) == (row.ingestion_run_id, row.digest_id)
    assert (run.status, run.rows_updated) == (RunStatus.SUCCESS, 1)


async def test_a_digest_waits_for_no_run_that_holds_the_database(settings: Settings) -> None:
    async with LanceDBStore.open(settings) as opened:
        await opened.acquire_lease("run-1", "elsewhere", 1, NOON, timedelta(minutes=5))
        with pytest.raises(RunLocked, match="run-1"):
            await store(settings, scope("2026-W47"))
        assert await opened.digests(limit=9) == []


async def test_a_period_that_is_complete_later_has_another_edition(settings: Settings) -> None:
    first, _ = await store(settings, scope("2026-W45"))
    assert not first.is_complete
    assert await store(settings, scope("2026-W45"), NOON + DAY) == (first, False)
    await change(settings, RUST, 70, day=MISSING_DAY)
    second, is_new = await store(settings, scope("2026-W45"), NOON + 10 * DAY)
    assert (is_new, second.edition, second.is_complete) == (True, 2, True)
    assert second.digest_id == f"{first.digest_id}-e2"
    assert (await told(settings, scope("2026-W45"))).digest_id == second.digest_id


async def test_a_period_that_goes_on_is_not_stored(settings: Settings) -> None:
    with pytest.raises(PeriodNotOver, match="2026-W48 is not over"):
        await store(settings, scope("2026-W48"))


async def test_the_team_and_everybody_have_digests_of_their_own(settings: Settings) -> None:
    public, _ = await store(settings, scope("2026-W47"))
    team, is_new = await store(settings, scope("2026-W47", visibility=Visibility.TEAM))
    assert (is_new, team.digest_id) == (True, f"{public.digest_id}-team")
    async with LanceDBStore.open(settings) as opened:
        everybody, _ = seen_by(Visibility.PUBLIC, opened, CATALOG, has_team=True)
        assert [row.digest_id for row in await everybody.digests(limit=9)] == [public.digest_id]


@pytest.mark.parametrize("named_in", ["values", "goals", "happenings"])
async def test_a_digest_of_a_metric_that_became_the_teams_is_hidden(
    settings: Settings, named_in: str
) -> None:
    metric_id = PYTHON if named_in == "values" else FALLBACK  # no value of a digest counts a window of days
    goal = Goal.model_validate({"metric": FALLBACK, "value": 5_000, "date": LAST_DAY + 60 * DAY})
    of_goals = {"goals": replace(CATALOG, goals=(goal,))}
    async with LanceDBStore.open(settings) as opened:
        if named_in == "happenings":
            await opened.upsert_events([release(at=midnight(LAST_DAY), metric_id=FALLBACK)])
    row, _ = await store(settings, scope("2026-W47"), catalog=of_goals.get(named_in, CATALOG))
    assert any(metric_id in str(one) for one in getattr(content_of(row), named_in))
    async with LanceDBStore.open(settings) as opened:
        stored = {metric.metric_id: metric for metric in await opened.metrics()}
        await opened.upsert_metrics([replace(stored[metric_id], visibility=Visibility.TEAM)])
        everybody, _ = seen_by(Visibility.PUBLIC, opened, CATALOG, has_team=True)
        assert await everybody.digests(limit=9) == []
        assert len(await opened.digests(limit=9)) == 1


@pytest.mark.parametrize(("asked", "found"), [("2026-W47", "2026-W47"), ("2026-W45", "2026-W44")])
async def test_the_last_complete_period_is_the_newest_one_without_a_gap(
    settings: Settings, asked: str, found: str
) -> None:
    async with LanceDBStore.open(settings) as opened:
        wanted = await last_complete(opened, CATALOG, NOON, scope=scope(asked))
    assert wanted == scope(found)


async def test_a_digest_that_was_hidden_is_stored_again_as_another_edition(settings: Settings) -> None:
    hidden, _ = await store(settings, scope("2026-W47"))
    async with LanceDBStore.open(settings) as opened:
        stored = {metric.metric_id: metric for metric in await opened.metrics()}
        await opened.upsert_metrics([replace(stored[RUST], visibility=Visibility.TEAM)])
    again, is_new = await store(settings, scope("2026-W47"), NOON + DAY)
    assert (is_new, again.digest_id) == (True, f"{hidden.digest_id}-e2")
    assert RUST not in again.metric_ids
    async with LanceDBStore.open(settings) as opened:
        kept = {row.digest_id: row.content for row in await opened.digests(limit=9)}
    assert kept == {row.digest_id: row.content for row in (hidden, again)}
    assert await store(settings, scope("2026-W47"), NOON + DAY) == (again, False)


async def test_a_hidden_digest_takes_no_place_of_a_list(settings: Settings) -> None:
    kept = {"metric_ids": ("traffic:it's",)}, {"origins": ("feed:it's",)}
    shown = {"metric_ids": (RUST,), "origins": ("crates:lance",)}
    async with LanceDBStore.open(settings) as opened:
        for week, named in zip(
            ("2026-W47", "2026-W46", "2026-W45", "2026-W44"), (*kept, shown, shown), strict=True
        ):
            start = scope(week).period.start
            await opened.write_digest(a_stored_digest(digest_id=week, period_start=start, **named))
        everybody, _ = seen_by(Visibility.PUBLIC, opened, CATALOG, has_team=True)
        assert isinstance(everybody, PublicReader)
        everybody.kept_for_team, everybody.kept_origins = {"traffic:it's": "x"}, frozenset({"feed:it's"})
        found = await load_digests(everybody, CATALOG, NOON, limit=1)
    assert ([row.digest_id for row in found.digests], found.has_more) == (["2026-W45"], True)


async def test_digests_are_listed_the_newest_period_first(settings: Settings) -> None:
    for label in ("2026-W46", "2026-W47"):
        await store(settings, scope(label))
    async with LanceDBStore.open(settings) as opened:
        found = await load_digests(opened, CATALOG, NOON, limit=1)
        assert ([row.period for row in found.digests], found.has_more) == (["2026-W47"], True)
        with pytest.raises(UnknownName) as caught:
            await load_digest(opened, CATALOG, NOON, digest_id="2026-W46-x")
        assert caught.value.kind == "digest"


async def test_a_digest_of_another_version_is_named(settings: Settings) -> None:
    row, _ = await store(settings, scope("2026-W47"))
    with pytest.raises(StorageSchemaMismatch, match=f"The digest {row.digest_id} was stored by another"):
        content_of(replace(row, content='{"schema_version": 2}'))


async def test_a_digest_that_was_never_stored_changes_nothing(settings: Settings) -> None:
    async with LanceDBStore.open(settings) as opened:
        before = await opened.table_versions()
        assert await stored_digest(opened, scope("2026-W47")) is None
        digest = await made_digest(opened, CATALOG, NOON, scope=scope("2026-W47"))
        assert await opened.table_versions() == before
    assert digest.since_last is None
