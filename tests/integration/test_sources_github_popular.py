"""Referrers and paths of a repository: lists of the day of reading, whole, in order, and for teams only."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceDenied, SourceShapeError, TerminalSourceError, UnknownSubject
from community_metrics.sources import available_sources
from tests.support.fetching import fetch, fetch_all, values, wanted
from tests.support.registries.github import paths, referrers
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
REPOSITORY = "lancedb/lancedb"
SOURCES = ["github-referrers", "github-paths"]
ROW = {"referrer": "Google", "path": "/a", "title": "A", "count": 4, "uniques": 3}


async def test_the_referrers_of_today_are_kept_in_order(replay: Replay, registry: Registry) -> None:
    result = await fetch("github-referrers", replay, wanted(REPOSITORY), github_token="ghp_x")
    (listed,), expected = result.items, referrers(registry, REPOSITORY)
    assert (listed.day, listed.titles) == (TODAY, ())
    assert listed.names == tuple(row["referrer"] for row in expected)
    assert listed.counts == tuple(row["count"] for row in expected)
    assert listed.uniques == tuple(row["uniques"] for row in expected)
    assert values(result) == {TODAY: len(expected)}


async def test_the_paths_of_today_come_without_titles_which_may_name_people(
    replay: Replay, registry: Registry
) -> None:
    result = await fetch("github-paths", replay, wanted(REPOSITORY), github_token="ghp_x")
    (listed,), expected = result.items, paths(registry, REPOSITORY)
    assert listed.names == tuple(row["path"] for row in expected)
    assert listed.titles == ()
    assert values(result) == {TODAY: 10}
    assert listed.source_ref == result.observations[0].source_ref


@pytest.mark.parametrize("source", SOURCES)
async def test_an_empty_list_is_a_reading_of_no_places(source: str, replay: Replay) -> None:
    replay.always("*/traffic/popular/*", Scripted(body=[]))
    result = await fetch(source, replay, wanted(REPOSITORY), github_token="ghp_x")
    assert values(result) == {TODAY: 0}
    assert result.items[0].names == ()


@pytest.mark.parametrize("source", SOURCES)
async def test_without_a_token_nothing_is_requested_and_the_right_is_named(
    source: str, replay: Replay
) -> None:
    result = await fetch(source, replay, wanted(REPOSITORY))
    assert isinstance(result.error, SourceDenied)
    assert f"Administration: read on {REPOSITORY}" in str(result.error)
    assert (replay.requests, result.items) == ([], ())


@pytest.mark.parametrize("source", SOURCES)
async def test_each_repository_fails_alone(source: str, replay: Replay, registry: Registry) -> None:
    registry.hidden_traffic.add("a/b")
    requests = [wanted("a/b"), wanted("a/no-such"), wanted(REPOSITORY)]
    refused, missing, known = await fetch_all(source, replay, *requests, github_token="ghp_x")
    assert isinstance(refused.error, SourceDenied)
    assert "Administration: read on a/b" in str(refused.error)
    assert isinstance(missing.error, UnknownSubject)
    assert known.items


@pytest.mark.parametrize("source", SOURCES)
async def test_another_repository_under_the_name_is_refused_and_a_renamed_one_is_followed(
    source: str, replay: Replay, registry: Registry
) -> None:
    registry.renamed["lancedb/lance"] = "lance-format/lance"
    other = wanted(REPOSITORY, stored_ids=frozenset({1}))
    taken, renamed = await fetch_all(source, replay, other, wanted("lancedb/lance"), github_token="ghp_x")
    assert isinstance(taken.error, TerminalSourceError)
    assert taken.items == ()
    assert "is now lance-format/lance" in renamed.notes[0]
    assert renamed.items


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("change", [{"count": -1}, {"uniques": "3"}, {"referrer": None, "path": None}])
async def test_another_shape_stores_nothing(source: str, change: dict[str, Any], replay: Replay) -> None:
    replay.always("*/traffic/popular/*", Scripted(body=[ROW | change]))
    result = await fetch(source, replay, wanted(REPOSITORY), github_token="ghp_x")
    assert isinstance(result.error, SourceShapeError)
    assert (result.observations, result.items) == ((), ())


@pytest.mark.parametrize("source", SOURCES)
def test_the_lists_are_for_teams_only(source: str) -> None:
    assert getattr(available_sources()[source], "visibility", None) == "team"
