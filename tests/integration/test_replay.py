"""`replay`: the rows of a day from kept answers, bit for bit, with every registry switched off."""

from __future__ import annotations

import sys
import zlib
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import lancedb
import pytest
import typer

from community_metrics.cli import options
from community_metrics.errors import ConfigurationError
from community_metrics.model import OutcomeStatus, RunStatus
from community_metrics.periods import ONE_DAY
from community_metrics.runs.batches import Batches
from community_metrics.runs.registry import Replay as ReplayJob
from community_metrics.runs.registry import WeeklyRefresh
from community_metrics.runs.undo import undo
from community_metrics.storage import LanceDBReader, LanceDBStore
from tests.integration.test_sources_plugins import MODULE, install
from tests.support.clock import NOON, FakeClock
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime
    from pathlib import Path

    from community_metrics.model import RawAnswers, Run, StatRow
    from tests.support.jobs import Rig
    from tests.support.replay import Replay

TODAY = NOON.date()
TOKEN = "ghp_a_token_that_must_not_be_stored"
STARS = WeeklyRefresh(only=("stars:*",))
LANCE = "stars:lance:github"
RELEASES = "release_downloads:p:github"


async def kept(rig: Rig) -> list[RawAnswers]:
    async with LanceDBReader.open(rig.settings) as reader:
        return await reader.answers(NOON - timedelta(days=1000), NOON + timedelta(days=1000))


def content(rows: list[RawAnswers]) -> str:
    return "\n".join(zlib.decompress(row.content).decode() for row in rows)


async def table_of(rig: Rig, name: str) -> Any:
    connection = await lancedb.connect_async(rig.folder)
    return await connection.open_table(name)


async def delete_day(rig: Rig, day: date) -> None:
    table = await table_of(rig, "stats")
    await table.delete(f"period_end = date '{day}'")


async def set_value(rig: Rig, day: date, value: int) -> None:
    """Leave the rows of a day as a parser with a mistake would have."""
    table = await table_of(rig, "stats")
    where = f"period_end = date '{day}'"
    await table.update({"value": value, "first_value": value}, where=where)


async def of_day(rig: Rig, day: date) -> list[StatRow]:
    return [row for row in await rig.stats() if row.period_end == day]


# what it rebuilds


@pytest.mark.parametrize("token", [None, TOKEN])
async def test_deleted_rows_come_back_bit_for_bit_with_every_registry_switched_off(
    rig: Rig, token: str | None
) -> None:
    rig.settings_overrides["github_token"] = token
    await rig.run(STARS)
    before = await rig.stats()
    rig.replay.stop()
    await delete_day(rig, TODAY)
    assert await rig.stats() == []

    rig.now += timedelta(days=3)
    rig.settings_overrides["github_token"] = None
    report = await rig.run(ReplayJob(TODAY))

    assert await rig.stats() == before
    assert (report.run.rows_inserted, report.run.status) == (len(before), RunStatus.SUCCESS)


async def test_a_reset_that_growth_hides_is_rebuilt(rig: Rig, tmp_path: Path) -> None:
    rig.settings_overrides["catalog"] = tmp_path / "catalog.toml"
    (tmp_path / "catalog.toml").write_text(
        CATALOG.replace("views:p:web", RELEASES)
        .replace('"traffic"', '"github-releases"')
        .replace('subject = "p"', 'subject = "lancedb/lancedb"')
        .replace('"1d"', '"instant"')
    )
    for assets in ([(1, 10), (2, 20)], [(1, 500), (3, 0)]):
        listed = [{"id": number, "download_count": count} for number, count in assets]
        rig.replay.script(
            "/repos/lancedb/lancedb/releases", Scripted(body=[{"draft": False, "assets": listed}])
        )
        await rig.run(WeeklyRefresh())
        rig.now += ONE_DAY
    before = await rig.stats()
    assert [(row.value, row.is_reset) for row in before] == [(30, False), (500, True)]
    rig.replay.stop()
    for row in before:
        await delete_day(rig, row.period_end)
        await rig.run(ReplayJob(row.period_end))
    assert await rig.stats() == before


async def test_a_replay_of_rows_that_are_right_writes_none(rig: Rig) -> None:
    await rig.run(STARS)
    versions = await rig.versions()
    report = await rig.run(ReplayJob(TODAY))
    assert (report.run.rows_inserted, report.run.rows_updated) == (0, 0)
    assert report.run.rows_unchanged == len(await rig.stats())
    assert await rig.versions() == versions


async def test_a_value_that_was_read_wrongly_is_replaced_by_what_the_answer_says(rig: Rig) -> None:
    await rig.run(STARS)
    right = await rig.stats()
    await set_value(rig, TODAY, 1)
    report = await rig.run(ReplayJob(TODAY))
    assert report.run.rows_updated == len(right)
    assert await rig.stats() == right


async def test_a_value_of_a_run_without_kept_answers_is_left_alone_and_named(rig: Rig) -> None:
    await rig.run(STARS)
    stats = await table_of(rig, "stats")
    await stats.update({"ingestion_run_id": "another", "value": 1})
    report = await rig.run(ReplayJob(TODAY))
    assert {row.value for row in await rig.stats()} == {1}
    assert all("the run another, of which no answers are kept" in note for _, note in report.metric_notes)
    assert report.metric_notes


async def test_values_of_a_run_that_was_undone_stay_away(rig: Rig) -> None:
    run_id = (await rig.run(STARS)).run.ingestion_run_id
    await undo(rig.settings, run_id, clock=FakeClock(rig.now))
    report = await rig.run(ReplayJob(TODAY))
    assert report.notes == (f"Answers of runs that were undone were left out: {run_id}.",)
    assert await rig.stats() == []


async def test_only_the_chosen_metrics_are_rebuilt(rig: Rig) -> None:
    await rig.run(STARS)
    await delete_day(rig, TODAY)
    await rig.run(ReplayJob(TODAY, only=(LANCE,)))
    assert {row.metric_id for row in await rig.stats()} == {LANCE}


async def test_only_the_chosen_day_is_rebuilt(rig: Rig) -> None:
    await rig.run(STARS)
    rig.now += ONE_DAY
    await rig.run(STARS)
    tomorrow = await of_day(rig, TODAY + ONE_DAY)
    for day in (TODAY, TODAY + ONE_DAY):
        await delete_day(rig, day)
    await rig.run(ReplayJob(TODAY + ONE_DAY))
    assert await rig.stats() == tomorrow


async def test_a_dry_run_shows_the_rows_and_writes_none(rig: Rig) -> None:
    await rig.run(STARS)
    count = len(await rig.stats())
    await delete_day(rig, TODAY)
    report = await rig.run(ReplayJob(TODAY), dry_run=True)
    assert report.plan is not None
    assert len(report.plan.inserted) == count
    assert await rig.stats() == []


# a flow that its source forgets: several runs read one day

TRAFFIC = """
from community_metrics.model import Observation, SourceWindow
from community_metrics.sources import (
    Count, Day, FetchResult, RegistryHost, ResponseModel, each
)

HOST = RegistryHost("traffic", "ORIGIN", pace_s=0, limit_wait_s=1, unknown_hint="none")


class _Day(ResponseModel):
    day: Day
    count: Count


class _Views(ResponseModel):
    views: tuple[_Day, ...]


class Traffic:
    name, host, window, family, sdk = "traffic", "traffic", SourceWindow.DAY, "views", None
    retention_days, returns_full_history = 14, True

    def validate(self, subject, options):
        return []

    async def fetch(self, requests, client):
        async def fetch_one(request):
            path = f"/traffic/{request.subject}"
            parsed = await client.get_json(
                HOST, path, _Views, source="traffic", subject=request.subject
            )
            return FetchResult(request.metric_id, tuple(
                Observation(
                    request.metric_id, row.day, row.day, row.count, SourceWindow.DAY, parsed.at,
                    parsed.reply.public_url,
                )
                for row in parsed.body.views
                if (request.since is None or row.day >= request.since) and row.day <= request.until
            ))

        async for result in each(requests, fetch_one):
            yield result


SOURCE = Traffic()
"""
CATALOG = """
[[product]]
id = "p"
name = "P"
[[metric]]
id = "views:p:web"
source = "traffic"
subject = "p"
window = "1d"
display_name = "views"
"""


@pytest.fixture
def traffic(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """A rig whose only metric is a flow that is returned for 14 days."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    install(site, TRAFFIC.replace("ORIGIN", rig.replay.origin), f"traffic = {MODULE}:SOURCE")
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(CATALOG)
    rig.settings_overrides["catalog"] = catalog
    yield rig
    sys.modules.pop(MODULE, None)


async def read_views(rig: Rig, at: datetime, values: dict[date, int]) -> None:
    rows = [{"day": str(day), "count": value, "author": "Ada Lovelace"} for day, value in values.items()]
    rig.replay.script("/traffic/p", Scripted(body={"views": rows, "viewer": {"login": "ada"}}))
    rig.now = at
    await rig.run(WeeklyRefresh())


@pytest.mark.parametrize(
    "values",
    [(5, 5, 5), (5, 9, 9), (5, 5, 9), (9, 5, 5), (9, 5, 7)],
    ids=lambda each: "-".join(map(str, each)),
)
async def test_a_day_that_was_read_three_times_has_the_same_history_again(
    traffic: Rig, values: tuple[int, int, int]
) -> None:
    day = TODAY - ONE_DAY
    for after, value in zip((0, 4, 9), values, strict=True):
        await read_views(traffic, NOON + timedelta(days=after), {day: value, day - ONE_DAY: 3})
    before = await traffic.stats()
    await delete_day(traffic, day)

    traffic.now += timedelta(days=20)
    report = await traffic.run(ReplayJob(day))

    assert report.run.rows_inserted == 1
    assert await traffic.stats() == before


class Signalling(LanceDBStore):
    """Lets the plug-in go on once a batch is stored."""

    async def record_run(self, run: Run) -> None:
        await super().record_run(run)
        if run.rows_inserted:
            sys.modules[MODULE].STORED.set()


async def test_what_a_run_stored_in_several_batches_comes_back_bit_for_bit(
    traffic: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("community_metrics.runs.execute.Batches", partial(Batches, most_metrics=1))
    waiting = TRAFFIC.replace("yield result", "yield result\n            await STORED.wait()")
    plugin = f"import asyncio\n\nSTORED = asyncio.Event()\n{waiting.replace('ORIGIN', traffic.replay.origin)}"
    (tmp_path / "site" / f"{MODULE}.py").write_text(plugin)
    second = CATALOG[CATALOG.index("[[metric]]") :].replace("views:p:web", "views:p:docs")
    (tmp_path / "catalog.toml").write_text(CATALOG + second.replace('subject = "p"', 'subject = "q"'))
    day = TODAY - ONE_DAY
    for name, value in (("p", 5), ("q", 6)):
        row = {"day": str(day), "count": value}
        traffic.replay.script(f"/traffic/{name}", Scripted(body={"views": [row]}))
    await traffic.run(WeeklyRefresh(), store_type=Signalling)
    before = await traffic.stats()
    assert [row.value for row in before] == [6, 5]
    assert [row.part for row in await kept(traffic)] == [0, 1]

    await delete_day(traffic, day)
    await traffic.run(ReplayJob(day))
    assert await traffic.stats() == before


# what is kept


async def test_no_token_and_no_name_of_a_person_is_kept(traffic: Rig) -> None:
    traffic.settings_overrides["github_token"] = TOKEN
    await read_views(traffic, NOON, {TODAY - ONE_DAY: 5})
    text = content(await kept(traffic))
    assert str(TODAY - ONE_DAY) in text
    assert not [word for word in ("Ada", "ada", "viewer", "login", TOKEN) if word in text]


async def test_the_token_of_github_is_in_no_column_of_any_table(rig: Rig) -> None:
    rig.settings_overrides["github_token"] = TOKEN
    await rig.run(STARS)
    assert any(TOKEN in request.headers.get("authorization", "") for request in rig.replay.requests)
    rows = await kept(rig)
    assert rows
    assert TOKEN not in content(rows)
    assert TOKEN.encode() not in b"".join(
        path.read_bytes() for path in rig.folder.rglob("*") if path.is_file()
    )


async def test_sources_that_can_be_asked_again_keep_no_answer(rig: Rig) -> None:
    report = await rig.run(WeeklyRefresh())
    asked = {outcome.metric_id.split(":")[0] for outcome in report.outcomes}
    assert "downloads" in asked
    assert {row.source for row in await kept(rig)} == {"github", "github-repo", "huggingface", "conda"}


async def test_a_dry_run_keeps_no_answer(rig: Rig) -> None:
    await rig.run(STARS)
    count = len(await kept(rig))
    await rig.run(STARS, dry_run=True)
    assert len(await kept(rig)) == count


async def test_answers_are_deleted_after_400_days(rig: Rig) -> None:
    await rig.run(STARS)
    rig.replay.date = None
    rig.now = NOON + timedelta(days=400)
    await rig.run(STARS)
    assert [row.stored_at.date() for row in await kept(rig)] == [TODAY, rig.now.date()]
    rig.now += ONE_DAY
    await rig.run(STARS)
    assert TODAY not in [row.stored_at.date() for row in await kept(rig)]


async def test_an_answer_that_was_rejected_by_mistake_is_kept_too(rig: Rig, replay: Replay) -> None:
    replay.always(
        "/repos/*", Scripted(body={"id": 1, "full_name": "a/b", "stargazers_count": "12", "owner": {"x": 1}})
    )
    report = await rig.run(STARS)
    assert report.run.status is RunStatus.FAILED
    text = content(await kept(rig))
    assert '\\"stargazers_count\\":\\"12\\"' in text
    assert "owner" not in text
    again = await rig.run(ReplayJob(TODAY))
    assert again.run.status is RunStatus.FAILED
    assert "a kept answer cannot be read" in str(again.run.error_summary)


# what it cannot rebuild


async def test_an_unknown_subject_has_no_answer_and_disturbs_no_other(rig: Rig, replay: Replay) -> None:
    replay.always("/repos/lancedb/lance", Scripted(404, body={"message": "Not Found"}))
    replay.always("/repos/lance-format/lance", Scripted(404, body={"message": "Not Found"}))
    await rig.run(STARS)
    before = await rig.stats()
    await delete_day(rig, TODAY)
    report = await rig.run(ReplayJob(TODAY))
    assert await rig.stats() == before
    failed = [outcome for outcome in report.outcomes if outcome.status is OutcomeStatus.FAILED]
    assert [outcome.metric_id for outcome in failed] == [LANCE]
    assert "no answer to this request was kept" in str(failed[0].message)


async def test_a_metric_without_kept_answers_fails_where_it_was_named(rig: Rig) -> None:
    await rig.run(WeeklyRefresh())
    report = await rig.run(ReplayJob(TODAY, only=(LANCE, "downloads:lance:python")))
    assert {outcome.metric_id: outcome.status for outcome in report.outcomes} == {
        LANCE: OutcomeStatus.SUCCESS,
        "downloads:lance:python": OutcomeStatus.FAILED,
    }


async def test_a_database_of_an_earlier_version_has_no_answers(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=("downloads:lance:rust",)))
    connection = await lancedb.connect_async(rig.folder)
    await connection.drop_table("raw_answers")
    assert await kept(rig) == []
    with pytest.raises(ConfigurationError, match="No answers are kept in this database"):
        await rig.run(ReplayJob(TODAY))


@pytest.mark.parametrize("day", [TODAY + ONE_DAY, TODAY - timedelta(days=401)])
async def test_a_day_that_no_answer_can_be_of_is_refused(rig: Rig, day: date) -> None:
    with pytest.raises(ConfigurationError, match="Fix: choose a day from 2025-10-19 to 2026-11-23"):
        await rig.run(ReplayJob(day))


async def test_a_day_of_the_default_catalogue_takes_less_than_a_kilobyte(rig: Rig) -> None:
    rig.settings_overrides["github_token"] = TOKEN
    await rig.run(STARS)
    assert 0 < sum(len(row.content) for row in await kept(rig)) < 1000


@pytest.mark.parametrize("day", ["20261123", "2026-02-30", "today"])
def test_a_day_that_is_none_is_refused_before_anything_is_opened(day: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"{day} is not a day written YYYY-MM-DD"):
        options.day(day)
