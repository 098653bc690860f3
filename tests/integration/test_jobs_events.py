"""Events through whole runs: they arrive by themselves, once each, and a failing feed loses nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.cli.doctor import examine
from community_metrics.errors import ConfigurationError, RunLocked, UnknownName
from community_metrics.model import EventKind, RunStatus, Visibility
from community_metrics.runs.lock import database_lease
from community_metrics.runs.notes import Note, record_note, remove_event
from community_metrics.runs.registry import DailyRefresh, WeeklyRefresh
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.views.status import load_status
from tests.support.clock import FakeClock
from tests.support.registries.happenings import story
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.model import Event
    from community_metrics.views.status import Status
    from tests.support.jobs import Rig
    from tests.support.registry import Registry

TODAY = date(2026, 11, 23)
CATALOG = """
[[product]]
id = "httpx"
name = "HTTPX"

[[metric]]
id = "downloads:httpx:python"
source = "pypistats"
subject = "httpx"
window = "1d"
display_name = "HTTPX for Python"

[[metric]]
id = "downloads:httpx:nodejs"
source = "npm"
subject = "@encode/httpx"
window = "1d"
display_name = "HTTPX for Node.js"

[[metric]]
id = "downloads:httpx:rust"
source = "crates"
subject = "httpx"
window = "1d"
display_name = "HTTPX for Rust"

[[metric]]
id = "stars:httpx:github"
source = "github"
subject = "encode/httpx"
window = "instant"
display_name = "HTTPX stars"

[[feed]]
id = "blog"
url = "https://blog.example/feed.atom"
product = "httpx"

[[mention]]
id = "httpx"
text = "HTTPX"
product = "httpx"
least_points = 5
"""
NOTE = Note(date(2026, 11, 20), "A talk at PyCon", "Prashanth", "httpx", "https://talk.example/1")


@pytest.fixture
def world(rig: Rig, tmp_path: Path) -> Rig:
    """Track one product in three registries and on GitHub, with a feed and a mention."""
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG, encoding="utf-8")
    rig.settings_overrides |= {"catalog": file}
    return rig


async def events(rig: Rig, *, with_removed: bool = False) -> list[Event]:
    async with LanceDBReader.open(rig.settings) as reader:
        return await reader.events(with_removed=with_removed)


async def version(rig: Rig) -> int:
    async with LanceDBReader.open(rig.settings) as reader:
        return (await reader.table_versions())["events"]


async def status(rig: Rig) -> Status:
    async with LanceDBReader.open(rig.settings) as reader:
        return await load_status(reader, load_catalog(rig.settings.catalog), rig.now)


def pass_days(rig: Rig, registry: Registry, days: int) -> None:
    rig.now += timedelta(days=days)
    registry.today += timedelta(days=days)


@pytest.mark.parametrize("own", [False, True], ids=["deps.dev", "the registries themselves"])
async def test_events_arrive_by_themselves_from_every_place(world: Rig, own: bool) -> None:
    if own:
        names = ("source_url_pypi", "source_url_npm_registry")
        world.settings_overrides |= dict.fromkeys(names, world.replay.origin)
    report = await world.run(WeeklyRefresh())
    assert report.run.status is RunStatus.SUCCESS
    found = await events(world)
    assert Counter(event.origin for event in found) == {
        "github:encode/httpx": 41,
        "crates:httpx": 5,
        "pypi:httpx": 11,
        "npm-registry:@encode/httpx": 11,
        "feed:blog": 5,
        "mention:httpx": 1,
    }
    assert {event.product for event in found} == {"httpx"}
    assert {event.author for event in found} == {None}
    assert [event.title for event in found if event.day == date(2026, 11, 20)] == [
        "httpx 0.10.0 (crates.io)",
        "@encode/httpx 0.10.0 (npm)",
        "httpx 0.10.0 (PyPI)",
    ]


async def test_previews_are_told_from_releases(world: Rig) -> None:
    await world.run(WeeklyRefresh())
    kinds = {one.title: one.kind for one in await events(world) if one.origin == "crates:httpx"}
    assert kinds["httpx 0.10.0 (crates.io)"] is EventKind.RELEASE
    assert kinds["httpx 0.9.0-beta.1 (crates.io)"] is EventKind.PRE_RELEASE


async def test_what_is_read_again_on_another_day_writes_nothing(world: Rig, registry: Registry) -> None:
    await world.run(WeeklyRefresh())
    before, written = await version(world), await events(world)
    pass_days(world, registry, 1)
    report = await world.run(DailyRefresh())
    assert report.run.status is RunStatus.SUCCESS
    assert (await version(world), await events(world)) == (before, written)


async def test_a_place_that_was_read_today_is_not_asked_again(world: Rig) -> None:
    await world.run(DailyRefresh())
    asked = len(world.replay.requests)
    await world.run(DailyRefresh())
    assert len(world.replay.requests) == asked


async def test_a_run_over_chosen_metrics_reads_no_feed(world: Rig) -> None:
    await world.run(DailyRefresh(only=("stars:*",)))
    assert await events(world) == []


async def test_a_feed_that_fails_makes_the_run_partial_and_loses_nothing(
    world: Rig, registry: Registry
) -> None:
    await world.run(DailyRefresh())
    posts = [one for one in await events(world) if one.origin == "feed:blog"]
    pass_days(world, registry, 1)
    world.replay.always("*/feed.atom", Scripted(404, body={"message": "Not Found"}))
    report = await world.run(DailyRefresh())
    assert report.run.status is RunStatus.PARTIAL
    assert report.run.error_summary is not None
    assert report.run.error_summary.startswith("feed/blog: ")
    assert "no feed at that address" in report.run.error_summary
    assert "correct the url of the [[feed]]" in report.run.error_summary
    assert [one for one in await events(world) if one.origin == "feed:blog"] == posts
    world.replay.recover()
    assert (await world.run(DailyRefresh())).run.status is RunStatus.SUCCESS  # it is read again on that day


async def test_a_story_counts_once_it_has_the_points(world: Rig, registry: Registry) -> None:
    at = datetime(2026, 11, 21, 9, tzinfo=UTC)
    registry.stories = [story(1, "Why HTTPX", at, 2)]
    await world.run(DailyRefresh())
    assert "mention/httpx:1" not in {one.event_id for one in await events(world)}
    registry.stories = [story(1, "Why HTTPX", at, 90)]
    pass_days(world, registry, 3)
    await world.run(DailyRefresh())
    [found] = [one for one in await events(world) if one.event_id == "mention/httpx:1"]
    assert (found.day, found.kind, found.title) == (at.date(), EventKind.MENTION, "Why HTTPX")


async def test_the_releases_of_a_stranger_who_took_the_name_over_are_not_read(
    world: Rig, registry: Registry
) -> None:
    await world.run(DailyRefresh())
    registry.numbers["encode/httpx"] = 7
    pass_days(world, registry, 1)
    world.replay.requests.clear()
    report = await world.run(DailyRefresh())
    assert "now belongs to another repository" in str(report.run.error_summary)
    assert report.run.metrics_left == 0
    assert not [path for path in world.replay.paths if "/releases" in path]


async def test_a_metric_that_fails_for_another_reason_keeps_no_release_away(
    world: Rig, tmp_path: Path
) -> None:
    """Of the same name, on Docker Hub, and on GitHub: traffic, which the token may not read."""
    entries = "".join(
        f'[[metric]]\nid = "{family}:httpx:{source}"\nsource = "{source}"\nsubject = "encode/httpx"\n'
        f'window = "{window}"\n{options}\ndisplay_name = "{source}"\n'
        for family, source, window, options in (
            ("pulls", "docker", "instant", ""),
            ("views", "github-traffic", "1d", 'options = { count = "views" }'),
        )
    )
    (tmp_path / "catalog.toml").write_text(f"{CATALOG}\n{entries}", encoding="utf-8")
    world.replay.always("/v2/*", Scripted(404, body={"message": "object not found"}))
    report = await world.run(DailyRefresh())
    failed = {one.metric_id for one in report.outcomes if one.message is not None}
    assert failed == {"pulls:httpx:docker", "views:httpx:github-traffic"}
    assert "github:encode/httpx" in {one.origin for one in await events(world)}


async def test_a_run_whose_every_metric_failed_has_failed_although_a_feed_was_read(world: Rig) -> None:
    for path in ("/repos/*", "/graphql", "/api/packages/*", "/downloads/*", "/api/v1/crates/*"):
        world.replay.always(path, Scripted(404, body={"message": "Not Found"}))
    report = await world.run(DailyRefresh())
    assert report.run.status is RunStatus.FAILED
    assert "feed:blog" in {one.origin for one in await events(world)}


async def test_a_removed_event_stays_removed_when_its_origin_states_it_again(
    world: Rig, registry: Registry
) -> None:
    await world.run(DailyRefresh())
    gone = next(one for one in await events(world) if one.origin == "mention:httpx")
    clock = FakeClock(world.now)
    await remove_event(world.settings, gone.event_id, "Prashanth", clock=clock)
    pass_days(world, registry, 1)
    await world.run(DailyRefresh())
    assert gone.event_id not in {one.event_id for one in await events(world)}
    stored = {one.event_id: one for one in await events(world, with_removed=True)}
    assert stored[gone.event_id] == replace(gone, removed_at=clock.now(), removed_by="Prashanth")


class TestNotes:
    async def test_a_note_is_stored_once_with_its_author_and_a_run_in_the_history(self, world: Rig) -> None:
        await world.run(DailyRefresh(only=("stars:*",)))
        catalog, clock = load_catalog(world.settings.catalog), FakeClock(world.now)
        note, is_new = await record_note(world.settings, catalog, NOTE, clock=clock)
        again, is_new_again = await record_note(world.settings, catalog, NOTE, clock=clock)
        assert (is_new, is_new_again, again) == (True, False, note)
        assert await events(world) == [note]
        assert (note.kind, note.author, note.product) == (EventKind.NOTE, "Prashanth", "httpx")
        [run] = [run for run in await world.runs() if run.job_name == "event"]
        assert (run.status, run.scope) == (RunStatus.SUCCESS, note.event_id)

    async def test_a_removed_note_can_be_recorded_anew(self, world: Rig) -> None:
        await world.run(DailyRefresh(only=("stars:*",)))
        catalog, clock = load_catalog(world.settings.catalog), FakeClock(world.now)
        first, _ = await record_note(world.settings, catalog, NOTE, clock=clock)
        await remove_event(world.settings, first.event_id, "Ana", clock=clock)
        second, is_new = await record_note(world.settings, catalog, NOTE, clock=clock)
        assert is_new
        assert await events(world) == [second]
        assert len(await events(world, with_removed=True)) == 2
        with pytest.raises(UnknownName, match="No event"):
            await remove_event(world.settings, first.event_id, "Ana", clock=clock)

    @pytest.mark.parametrize(
        ("fields", "fault"),
        [
            ({"day": TODAY + timedelta(days=1)}, "2026-11-24 is not a day from 1971 to today, 2026-11-23"),
            ({"title": " "}, "the text must be one line of printable text"),
            ({"author": ""}, "--by must be the name of a person"),
            ({"url": "talk.example"}, "--url must be an address that begins with https://"),
        ],
    )
    async def test_bad_input_is_named_and_changes_nothing(
        self, world: Rig, fields: dict[str, Any], fault: str
    ) -> None:
        await world.run(DailyRefresh(only=("stars:*",)))
        before = await version(world)
        catalog = load_catalog(world.settings.catalog)
        with pytest.raises(ConfigurationError, match=fault):
            await record_note(world.settings, catalog, replace(NOTE, **fields), clock=FakeClock(world.now))
        assert await version(world) == before

    async def test_an_unknown_product_is_refused_with_those_that_exist(self, world: Rig) -> None:
        await world.run(DailyRefresh(only=("stars:*",)))
        catalog = load_catalog(world.settings.catalog)
        with pytest.raises(UnknownName) as caught:
            await record_note(world.settings, catalog, replace(NOTE, product="htpx"))
        assert (caught.value.kind, caught.value.similar) == ("product", ("httpx",))

    async def test_a_note_waits_for_no_run_but_names_it(self, world: Rig) -> None:
        await world.run(DailyRefresh(only=("stars:*",)))
        catalog, clock = load_catalog(world.settings.catalog), FakeClock(world.now)
        async with (
            LanceDBStore.open(world.settings) as store,
            database_lease(store, world.settings, "run-1", clock),
        ):
            with pytest.raises(RunLocked, match="run-1"):
                await record_note(world.settings, catalog, NOTE, clock=clock)
        assert await events(world) == []

    async def test_a_note_for_the_team_keeps_its_visibility(self, world: Rig) -> None:
        await world.run(DailyRefresh(only=("stars:*",)))
        catalog, clock = load_catalog(world.settings.catalog), FakeClock(world.now)
        kept = replace(NOTE, visibility=Visibility.TEAM)
        note, _ = await record_note(world.settings, catalog, kept, clock=clock)
        assert note.visibility is Visibility.TEAM


async def test_status_shows_a_feed_that_fails_until_it_is_read_again(world: Rig, registry: Registry) -> None:
    world.replay.always("/feed.atom", Scripted(410, body={}))
    await world.run(DailyRefresh())
    (feed, mention) = (await status(world)).places
    assert (feed.place_id, feed.read_at) == ("feed/blog", None)
    assert "returned 410" in str(feed.last_error)
    assert (mention.place_id, mention.last_error) == ("mention/httpx", None)
    assert mention.read_at is not None
    assert (await status(world)).failures == ()
    world.replay.recover()
    pass_days(world, registry, 1)
    await world.run(DailyRefresh())
    assert [place.last_error for place in (await status(world)).places] == [None, None]


async def test_doctor_reads_every_feed_and_mention(world: Rig) -> None:
    checks = [one for one in await examine(world.settings, FakeClock()) if one.area == "events"]
    assert [(one.verdict, one.detail) for one in checks] == [("ok", "feed/blog, mention/httpx can be read")]
    world.replay.always("/feed.atom", Scripted(410, body={}))
    readable, failed = [one for one in await examine(world.settings, FakeClock()) if one.area == "events"]
    assert (readable.verdict, readable.detail) == ("ok", "mention/httpx can be read")
    assert (failed.verdict, failed.detail.partition(": ")[0]) == ("fail", "feed/blog")
    assert failed.fix == "correct the url of the [[feed]], or set active = false for it"
