"""Downloads of DuckDB extensions: weeks from Sunday to Sunday, of which only the last writing counts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from community_metrics.errors import (
    SourceDenied,
    SourceShapeError,
    SourceUnreachable,
    TransientSourceError,
    UnknownSubject,
)
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.periods import days_between
from community_metrics.runs.registry import WeeklyRefresh
from community_metrics.sources import available_sources
from community_metrics.sources.base import kind_of
from tests.support.clock import FakeClock
from tests.support.fetching import fetch, fetch_all, values, wanted
from tests.support.registries.platforms import DUCKDB, EVERY_EXTENSION, week_total
from tests.support.registry import Registry
from tests.support.replay import Replay
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.jobs import Rig

SOURCE = "duckdb-extensions"
SUNDAY = date(2026, 11, 22)
SATURDAY = SUNDAY - timedelta(days=1)
LAST_WEEK: dict[str, Any] = {"since": SATURDAY, "until": SUNDAY}
FILE = "/download-stats-weekly/2026/47.json"
PAGE = sample("duckdb_weekly_core_200")
MISSING = sample("duckdb_weekly_missing_404")


def week(sunday: date) -> str:
    return f"/download-stats-weekly/{sunday.year}/{sunday.isocalendar().week}.json"


def at(instant: str, **counts: Any) -> Scripted:
    return Scripted(body={"_last_update": instant, "lance": 8123} | counts)


async def test_the_last_file_of_a_week_is_the_seven_days_up_to_its_saturday(replay: Replay) -> None:
    replay.always(FILE, PAGE)
    (found,) = (await fetch(SOURCE, replay, wanted("lance", **LAST_WEEK))).observations
    assert (found.period_start, found.period_end) == (date(2026, 11, 15), SATURDAY)
    assert (found.value, found.source_window) == (8123, SourceWindow.WEEK)
    assert found.source_ref == f"https://extensions.duckdb.org{FILE}"


def test_a_week_of_extensions_is_a_flow() -> None:
    assert kind_of(available_sources()[SOURCE]) is ValueKind.FLOW


async def test_the_repository_decides_the_address(replay: Replay) -> None:
    replay.always(FILE, sample("duckdb_weekly_community_200"))
    request = wanted("lance", options={"repository": "community"}, **LAST_WEEK)
    (found,) = (await fetch(SOURCE, replay, request)).observations
    assert (found.value, found.source_ref) == (2311, f"https://community-extensions.duckdb.org{FILE}")


async def test_weeks_follow_one_another_without_gap_or_overlap(replay: Replay, registry: Registry) -> None:
    found = (await fetch(SOURCE, replay, wanted("lance"))).observations
    assert all(
        later.period_start - earlier.period_end == timedelta(days=1) for earlier, later in pairwise(found)
    )
    assert found[0].period_end == date(2025, 9, 20)
    assert {one.period_end: one.value for one in found} == {
        one.period_end: week_total(registry, "lance", one.period_end + timedelta(days=1)) for one in found
    }


@settings(max_examples=15)  # each one starts a server
@given(st.integers(2026, 2060).map(lambda year: date(year, 1, 1)), st.integers(-40, 60).map(timedelta))
@example(date(2027, 1, 1), timedelta(days=4))  # week 53
@example(date(2028, 1, 1), timedelta(days=1))  # the Sunday itself
def test_around_a_turn_of_the_year_each_of_the_last_weeks_is_the_seven_days_up_to_its_saturday(
    new_year: date, offset: timedelta
) -> None:
    day = new_year + offset
    registry = Registry(day, first_day=day - timedelta(days=60))
    first, last = day - timedelta(days=28), day - timedelta(days=1)
    clock = FakeClock(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    with Replay(registry) as replay:
        found = asyncio.run(
            fetch(SOURCE, replay, wanted("lance", since=first, until=last), clock=clock, paced=False)
        )
    saturdays = [one for one in days_between(first, last) if one.isoweekday() == 6]
    assert values(found) == {
        saturday: week_total(registry, "lance", saturday + timedelta(days=1)) for saturday in saturdays
    }


async def test_a_file_of_the_running_week_is_never_asked(replay: Replay) -> None:
    await fetch(SOURCE, replay, wanted("lance", since=date(2026, 11, 8), until=date(2026, 11, 27)))
    assert replay.paths == [week(SUNDAY - timedelta(days=7)), week(SUNDAY)]


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-22T03:59:59Z",  # the writing of Saturday came late
        "2026-11-21T04:00:20Z",
        "2026-11-23T04:00:20Z",
        "2025-11-23T04:00:20Z",
        "2026-11-22T04:00:20+05:00",  # Saturday in UTC
    ],
)
async def test_a_file_that_was_not_written_on_its_sunday_leaves_the_week_open(
    written: str, replay: Replay
) -> None:
    replay.always(FILE, at(written))
    result = await fetch(SOURCE, replay, wanted("lance", first_stored_day=date(2026, 11, 7), **LAST_WEEK))
    assert values(result) == {}
    assert result.notes == (
        "weeks to 2026-11-22 left open: the files were not written on their Sunday at 04:00 UTC or later",
    )


async def test_a_sunday_before_4_is_late_and_no_note(replay: Replay) -> None:
    replay.always(FILE, at("2026-11-21T04:00:20Z"))
    clock = FakeClock(datetime(2026, 11, 22, 2, 45, tzinfo=UTC))
    result = await fetch(SOURCE, replay, wanted("lance", since=SATURDAY, until=SATURDAY), clock=clock)
    assert (result.observations, result.error, result.notes) == ((), None, ())


async def test_a_file_of_the_week_that_runs_overlaps_the_last_one_and_is_not_stored(replay: Replay) -> None:
    replay.always(FILE, sample("duckdb_weekly_current_200"))
    result = await fetch(SOURCE, replay, wanted("lance", **LAST_WEEK))
    assert values(result) == {}


async def test_a_week_53_is_read_from_the_year_of_its_sunday(replay: Replay, registry: Registry) -> None:
    registry.today = date(2027, 1, 12)
    clock = FakeClock(datetime(2027, 1, 12, 12, tzinfo=UTC))
    request = wanted("lance", since=date(2026, 12, 20), until=date(2027, 1, 11))
    found = values(await fetch(SOURCE, replay, request, clock=clock))
    assert list(found) == [date(2026, 12, 26), date(2027, 1, 2), date(2027, 1, 9)]
    assert replay.paths == [
        "/download-stats-weekly/2026/52.json",
        "/download-stats-weekly/2027/53.json",
        "/download-stats-weekly/2027/1.json",
    ]


async def test_a_file_overwritten_at_the_end_of_the_year_is_not_the_week_of_its_name(replay: Replay) -> None:
    """2028/52.json holds the week to 2 January 2028, until the end of December 2028 overwrites it."""
    sunday = date(2028, 1, 2)
    assert week(sunday) == "/download-stats-weekly/2028/52.json"
    request = wanted("lance", since=sunday - timedelta(days=1), until=sunday)
    replay.script(week(sunday), at("2028-01-02T04:00:20Z"), at("2028-12-31T04:00:20Z"))
    first = await fetch(SOURCE, replay, request, clock=FakeClock(datetime(2028, 1, 3, tzinfo=UTC)))
    later = await fetch(SOURCE, replay, request, clock=FakeClock(datetime(2029, 1, 3, tzinfo=UTC)))
    assert (list(values(first)), list(values(later))) == ([date(2028, 1, 1)], [])


async def test_the_stale_file_of_another_year_is_not_read_as_january(replay: Replay) -> None:
    stale = sample("duckdb_weekly_stale_year_200")
    sunday = date(2026, 1, 4)
    replay.always(week(sunday), stale)
    request = wanted("lance", since=sunday - timedelta(days=1), until=sunday)
    assert values(await fetch(SOURCE, replay, request)) == {}


async def test_an_absent_extension_is_unknown_and_not_zero(replay: Replay, registry: Registry) -> None:
    registry.overrides[DUCKDB, "lance", SUNDAY] = None
    request = wanted("lance", since=date(2026, 11, 14), until=SUNDAY, first_stored_day=date(2026, 1, 3))
    result = await fetch(SOURCE, replay, request)
    assert list(values(result)) == [date(2026, 11, 14)]
    assert result.notes == ("weeks to 2026-11-22 left open: the files do not list it, which is not 0",)


async def test_a_stated_zero_is_left_open_too(replay: Replay) -> None:
    replay.always(FILE, at("2026-11-22T04:00:20Z", lance=0))
    assert values(await fetch(SOURCE, replay, wanted("lance", first_stored_day=SATURDAY, **LAST_WEEK))) == {}


async def test_a_name_that_no_file_lists_is_unknown_and_names_the_other_repository(replay: Replay) -> None:
    replay.always(FILE, PAGE)
    unknown, known = await fetch_all(
        SOURCE, replay, wanted("lanse", **LAST_WEEK), wanted("lance", **LAST_WEEK)
    )
    assert isinstance(unknown.error, UnknownSubject)
    assert 'or write options = { repository = "community" }' in str(unknown.error)
    assert known.observations


async def test_a_wrong_name_shows_even_when_no_week_is_asked(replay: Replay) -> None:
    """`catalog add` asks for yesterday, which ends no week."""
    monday = SUNDAY + timedelta(days=1)
    replay.always(FILE, PAGE)
    unknown, known = await fetch_all(
        SOURCE,
        replay,
        wanted("lanse", since=monday, until=monday),
        wanted("lance", since=monday, until=monday),
    )
    assert isinstance(unknown.error, UnknownSubject)
    assert (known.error, known.observations) == (None, ())


async def test_each_file_is_asked_once_for_all_extensions(replay: Replay) -> None:
    await fetch_all(SOURCE, replay, *(wanted(name, **LAST_WEEK) for name in ("lance", "json", "httpfs")))
    assert replay.paths == [FILE]


async def test_a_file_that_fails_is_asked_once_and_fails_each_extension(replay: Replay) -> None:
    replay.always(FILE, Scripted(body=[]))
    results = await fetch_all(SOURCE, replay, wanted("lance", **LAST_WEEK), wanted("json", **LAST_WEEK))
    assert [str(result.error).split(":")[0] for result in results] == [f"{SOURCE} lance", f"{SOURCE} json"]
    assert replay.paths == [FILE]


@pytest.mark.parametrize("status", [403, 404])
async def test_a_missing_file_leaves_its_week_open_and_no_other(
    status: int, replay: Replay, registry: Registry
) -> None:
    replay.always(week(date(2026, 11, 15)), replace(MISSING, status=status))
    result = await fetch(SOURCE, replay, wanted("lance", since=date(2026, 11, 7), until=SUNDAY))
    assert list(values(result)) == [date(2026, 11, 7), SATURDAY]
    assert result.notes == ("weeks to 2026-11-15 left open: there is no file",)


@pytest.mark.parametrize(("status", "kind"), [(403, SourceDenied), (404, UnknownSubject)])
async def test_without_any_file_the_metric_fails(status: int, kind: type, replay: Replay) -> None:
    replay.always("/download-stats-weekly/*", replace(MISSING, status=status))
    result = await fetch(SOURCE, replay, wanted("lance", since=date(2026, 11, 7), until=SUNDAY))
    assert isinstance(result.error, kind)
    assert str(result.error).startswith(f"{SOURCE} lance: ")


async def test_a_day_without_a_writing_costs_its_week_only(replay: Replay, registry: Registry) -> None:
    registry.overrides[DUCKDB, EVERY_EXTENSION, date(2026, 11, 15)] = None
    result = await fetch(SOURCE, replay, wanted("lance", since=date(2026, 11, 7), until=SUNDAY))
    assert list(values(result)) == [date(2026, 11, 7), SATURDAY]


async def test_a_failing_file_stores_the_others_and_makes_the_run_partial(replay: Replay) -> None:
    replay.always(week(date(2026, 11, 15)), Scripted(503, body_text="down"))
    result = await fetch(SOURCE, replay, wanted("lance", since=date(2026, 11, 7), until=SUNDAY))
    assert isinstance(result.error, TransientSourceError)
    assert [one.period_end for one in result.observations] == [date(2026, 11, 7), SATURDAY]


async def test_a_dead_host_gets_two_requests_and_no_more(replay: Replay, clock: FakeClock) -> None:
    replay.stop()
    result = await fetch(SOURCE, replay, wanted("lance"), clock=clock)
    assert isinstance(result.error, SourceUnreachable)
    assert len(clock.sleeps) < 10


@pytest.mark.parametrize(("first_stored_day", "weeks"), [(None, 104), (date(2028, 1, 1), 112)])
async def test_files_are_read_two_years_back_and_stored_ones_a_little_farther(
    first_stored_day: date | None, weeks: int, replay: Replay, registry: Registry
) -> None:
    registry.today = date(2029, 11, 26)
    clock = FakeClock(datetime(2029, 11, 26, 12, tzinfo=UTC))
    last = date(2029, 11, 25)
    request = wanted("lance", until=last, first_stored_day=first_stored_day)
    await fetch(SOURCE, replay, request, clock=clock)
    assert (replay.paths[0], replay.paths[-1]) == (week(last - timedelta(weeks=weeks)), week(last))
    assert len(replay.requests) == weeks + 1


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"lance": 1}, "_last_update"),
        ({"_last_update": "yesterday", "lance": 1}, "_last_update"),
        ({"_last_update": "1795449622", "lance": 1}, "_last_update"),
        ({"_last_update": "2026-11-22T04:00:20", "lance": 1}, "without a time zone"),
        ({"_last_update": "2026-11-22T04:00:20Z", "lance": "8,123"}, "downloads.lance"),
        ({"_last_update": "2026-11-22T04:00:20Z", "lance": 1, "json": -1}, "downloads.json"),
        ([], "the whole body"),
    ],
)
async def test_another_shape_stores_nothing(body: Any, fault: str, replay: Replay) -> None:
    replay.always(FILE, Scripted(body=body))
    result = await fetch(SOURCE, replay, wanted("lance", **LAST_WEEK))
    assert isinstance(result.error, SourceShapeError)
    assert fault in str(result.error)
    assert result.observations == ()


async def test_further_facts_of_a_file_are_ignored(replay: Replay) -> None:
    replay.always(FILE, at("2026-11-22T04:00:20Z", _comment="x"))
    assert values(await fetch(SOURCE, replay, wanted("lance", **LAST_WEEK))) == {SATURDAY: 8123}


@pytest.mark.parametrize(
    ("subject", "options", "fault"),
    [
        ("Lance", {}, "is not an extension's name such as httpfs"),
        ("lance.duckdb_extension", {}, "is not an extension's name such as httpfs"),
        ("lance", {"repository": "nightly"}, "is 'nightly'; write 'core' or 'community'"),
        ("lance", {"repository": ["core"]}, "is ['core']; write 'core' or 'community'"),
        ("lance", {"platform": "x"}, "option 'platform' is unknown; duckdb-extensions has only 'repository'"),
    ],
)
def test_a_fault_says_what_to_write(subject: str, options: dict[str, Any], fault: str) -> None:
    (found,) = available_sources()[SOURCE].validate(subject, options)
    assert fault in found


def test_an_extension_of_either_repository_is_a_subject() -> None:
    source = available_sources()[SOURCE]
    assert not any(source.validate("sqlite_scanner", {"repository": name}) for name in ("core", "community"))


async def test_a_refresh_asks_again_only_for_the_last_weeks_once_all_were_read_twice(
    rig: Rig, registry: Registry, tmp_path: Path
) -> None:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(
        '[[product]]\nid = "x"\nname = "X"\n[[metric]]\nid = "downloads_week:x:duckdb"\nwindow = "7d"\n'
        f'source = "{SOURCE}"\nsubject = "lance"\nkind = "flow"\ndisplay_name = "X"\n'
    )
    rig.settings_overrides["catalog"] = catalog
    asked = []
    for _ in range(3):
        rig.replay.requests.clear()
        await rig.run(WeeklyRefresh())
        asked.append(len(rig.replay.requests))
        rig.now += timedelta(hours=25)
        registry.today = rig.now.date()
    assert asked == [62, 62, 5]
    assert len(await rig.stats()) == 62
