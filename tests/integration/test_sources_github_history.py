"""Star history: Sunday weeks flattened to days, validated, and read only as far back as needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import (
    SourceShapeError,
    TerminalSourceError,
    TransientSourceError,
    UnknownSubject,
)
from community_metrics.periods import days_between
from tests.support.fetching import SUNDAY, fetch, values, wanted
from tests.support.registry import STARS, Registry
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from tests.support.replay import Replay

REPOSITORY = "lancedb/lancedb"
HISTORY = f"/repos/{REPOSITORY}/stargazers/history"
PAGE = sample("github_star_history_page1_200")
NEWEST, SECOND, THIRD = PAGE.body


async def test_the_whole_history_comes_back_by_the_day(replay: Replay, registry: Registry) -> None:
    found = values(await fetch("github-history", replay, wanted(REPOSITORY)))
    assert list(found) == list(days_between(registry.first_day, SUNDAY))
    assert all(value == registry.value(STARS, REPOSITORY, day) for day, value in found.items())


async def test_sunday_weeks_become_days_and_neither_today_nor_the_future_is_one(replay: Replay) -> None:
    replay.script(f"{HISTORY}*page=1", PAGE)
    replay.always(HISTORY, sample("github_star_history_last_empty_200"))
    found = values(await fetch("github-history", replay, wanted(REPOSITORY)))
    assert max(found) == SUNDAY
    assert (found[date(2026, 11, 15)], found[date(2026, 11, 21)], found[SUNDAY]) == (9, 8, 11)
    assert len(found) == 15


async def test_only_the_pages_needed_are_read(replay: Replay) -> None:
    since = SUNDAY - timedelta(weeks=35)
    found = values(await fetch("github-history", replay, wanted(REPOSITORY, since=since)))
    assert min(found) == SUNDAY - timedelta(weeks=59)  # sixty weeks from Sunday to Sunday, all compared
    assert [request.params["page"] for request in replay.requests] == ["1", "2"]
    assert {request.params["per_page"] for request in replay.requests} == {"30"}


async def test_a_zero_inside_is_real_and_one_before_the_first_star_is_nothing(
    replay: Replay, registry: Registry
) -> None:
    first_star = registry.first_day + timedelta(days=3)
    for day in (*days_between(registry.first_day, first_star - timedelta(days=1)), SUNDAY):
        registry.overrides[STARS, REPOSITORY, day] = 0
    found = values(await fetch("github-history", replay, wanted(REPOSITORY)))
    assert (min(found), found[SUNDAY]) == (first_star, 0)


async def test_a_first_star_taken_back_becomes_a_zero(replay: Replay, registry: Registry) -> None:
    registry.overrides[STARS, REPOSITORY, registry.first_day] = 0
    request = wanted(REPOSITORY, first_stored_day=registry.first_day)
    assert values(await fetch("github-history", replay, request))[registry.first_day] == 0


async def test_an_empty_first_page_is_unavailable_not_zero(replay: Replay) -> None:
    replay.always(HISTORY, sample("github_star_history_last_empty_200"))
    result = await fetch("github-history", replay, wanted(REPOSITORY))
    assert isinstance(result.error, TransientSourceError)
    assert "not available" in str(result.error)


async def test_a_week_that_moves_to_the_next_page_is_counted_once(replay: Replay) -> None:
    replay.script(f"{HISTORY}*page=1", replace(PAGE, body=[NEWEST, SECOND]))
    replay.script(f"{HISTORY}*page=2", Scripted(body=[SECOND, THIRD]))
    found = values(await fetch("github-history", replay, wanted(REPOSITORY)))
    assert len(found) == 15
    assert found[date(2026, 11, 15)] == 9


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ([NEWEST, THIRD], "2026-11-08 follows 2026-11-22"),
        ([SECOND, NEWEST], "2026-11-22 follows 2026-11-15"),
        ([NEWEST, NEWEST], "2026-11-22 follows 2026-11-22"),
        ([SECOND | {"total": 96}], "add up to 95, not to 96"),
        ([SECOND | {"days": SECOND["days"][:6]}], "at least 7 items"),
        ([SECOND | {"days": [*SECOND["days"][:6], -1]}], "0.days.6"),
        ([SECOND | {"week": SECOND["week"] + 86_400}], "2026-11-16, which is not a Sunday"),
    ],
)
async def test_weeks_that_do_not_add_up_store_nothing(
    page: list[dict[str, Any]], fault: str, replay: Replay
) -> None:
    replay.always(HISTORY, Scripted(body=page))
    result = await fetch("github-history", replay, wanted(REPOSITORY))
    assert isinstance(result.error, SourceShapeError)
    assert fault in str(result.error)


async def test_a_week_missing_between_two_pages_stores_nothing(replay: Replay) -> None:
    replay.script(f"{HISTORY}*page=1", replace(PAGE, body=[NEWEST]))
    replay.script(f"{HISTORY}*page=2", Scripted(body=[THIRD]))
    result = await fetch("github-history", replay, wanted(REPOSITORY))
    assert "the week of 2026-11-15 is missing" in str(result.error)


async def test_pages_that_repeat_themselves_end(replay: Replay) -> None:
    replay.always(HISTORY, PAGE)
    result = await fetch("github-history", replay, wanted(REPOSITORY))
    assert isinstance(result.error, SourceShapeError)
    assert len(replay.requests) == 2


async def test_a_moved_repository_is_followed_once_and_reported(replay: Replay, registry: Registry) -> None:
    registry.renamed["lancedb/lance"] = "lance-format/lance"
    result = await fetch("github-history", replay, wanted("lancedb/lance"))
    number = registry.repository_id("lance-format/lance")
    assert result.notes == ("lancedb/lance has moved; write its new name in the catalogue",)
    assert [request.path for request in replay.requests].count("/repos/lancedb/lance/stargazers/history") == 1
    assert result.observations[0].source_ref.endswith("/repos/lancedb/lance/stargazers/history")
    assert result.observations[0].subject_id == number


async def test_a_name_registered_anew_by_somebody_else_is_refused(replay: Replay) -> None:
    request = wanted(REPOSITORY, stored_ids=frozenset({1}))
    result = await fetch("github-history", replay, request)
    assert isinstance(result.error, TerminalSourceError)
    assert result.observations == ()


async def test_a_newcomer_whose_history_is_one_page_is_refused_all_the_same(
    replay: Replay, registry: Registry
) -> None:
    registry.first_day = SUNDAY - timedelta(weeks=3)
    request = wanted(REPOSITORY, stored_ids=frozenset({1}))
    result = await fetch("github-history", replay, request)
    assert "now belongs to another repository" in str(result.error)
    assert result.observations == ()


async def test_a_history_of_one_page_is_stored_with_the_number_of_its_repository(
    replay: Replay, registry: Registry
) -> None:
    registry.first_day = SUNDAY - timedelta(weeks=3)
    result = await fetch("github-history", replay, wanted(REPOSITORY))
    number = registry.repository_id(REPOSITORY)
    assert {found.source_ref for found in result.observations} == {f"https://api.github.com{HISTORY}"}
    assert {found.subject_id for found in result.observations} == {number}
    assert [request.path for request in replay.requests] == [HISTORY, f"/repos/{REPOSITORY}"]


async def test_a_history_whose_repository_cannot_be_named_stores_nothing(
    replay: Replay, registry: Registry
) -> None:
    registry.first_day = SUNDAY - timedelta(weeks=3)
    replay.always(f"/repos/{REPOSITORY}", sample("github_repo_404"))
    result = await fetch("github-history", replay, wanted(REPOSITORY))
    assert isinstance(result.error, UnknownSubject)
    assert result.observations == ()


async def test_pages_of_two_repositories_store_nothing(replay: Replay) -> None:
    other = PAGE.headers["link"].replace("619600000", "7")
    replay.script(f"{HISTORY}*page=1", replace(PAGE, body=[NEWEST]))
    replay.script(f"{HISTORY}*page=2", replace(PAGE, body=[SECOND], headers={**PAGE.headers, "link": other}))
    replay.script(f"{HISTORY}*page=3", Scripted(body=[THIRD]))
    result = await fetch("github-history", replay, wanted(REPOSITORY))
    assert "different repositories (ids 7, 619600000)" in str(result.error)
    assert result.observations == ()
