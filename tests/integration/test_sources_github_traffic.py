"""Traffic of GitHub repositories: 14 days, never today, zeros that a neighbour confirms, and its right."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import (
    SourceDenied,
    SourceRateLimited,
    SourceShapeError,
    TerminalSourceError,
    UnknownSubject,
)
from community_metrics.model import UNIQUES, ValueMark
from community_metrics.periods import days_between
from community_metrics.sources import available_sources
from community_metrics.sources.base import unit_of
from community_metrics.sources.github_traffic import MOST_AT_ONCE
from tests.support.fetching import SUNDAY, client_of, fetch, fetch_all, values, wanted
from tests.support.registries.github import CLONES, VIEWS, uniques
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from community_metrics.sources import FetchRequest, FetchResult
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
FIRST = TODAY - timedelta(days=14)
TUESDAY = date(2026, 11, 17)
REPOSITORY, SIBLING = "lancedb/lancedb", "lancedb/vectordb-recipes"
RIGHT = (
    f"a fine-grained token with Administration: read on {REPOSITORY}, "
    "or a classic token with `repo` scope and write access"
)


def of(count: str, subject: str = REPOSITORY, *, unique: bool = False, **others: Any) -> FetchRequest:
    product = subject.partition("/")[2]
    options = {"count": count} | ({"unique": True} if unique else {})
    family = f"{count.removesuffix('s')}_uniques" if unique else count
    return wanted(subject, f"{family}:{product}:github", options=options, **others)


async def read(replay: Replay, *requests: FetchRequest) -> list[FetchResult]:
    return await fetch_all("github-traffic", replay, *requests, github_token="ghp_x")


def traffic(**rows: tuple[int, int]) -> Scripted:
    """Return an answer with the counts and uniques of days of November 2026, as `d17=(5, 2)`."""
    days = [
        {"timestamp": f"2026-11-{name[1:]}T00:00:00Z", "count": count, "uniques": unique}
        for name, (count, unique) in rows.items()
    ]
    return Scripted(body={"count": 1, "uniques": 1, "views": days})


@pytest.mark.parametrize("count", [VIEWS, CLONES])
async def test_a_count_comes_back_by_the_day_without_today(
    count: str, replay: Replay, registry: Registry
) -> None:
    (result,) = await read(replay, of(count))
    assert values(result) == {
        day: registry.value(count, REPOSITORY, day) for day in days_between(FIRST, SUNDAY)
    }
    assert result.observations[0].source_ref == (f"https://api.github.com/repos/{REPOSITORY}/traffic/{count}")
    assert {read.subject_id for read in result.observations} == {registry.repository_id(REPOSITORY)}


@pytest.mark.parametrize("count", [VIEWS, CLONES])
async def test_uniques_are_a_series_of_their_own(count: str, replay: Replay, registry: Registry) -> None:
    (result,) = await read(replay, of(count, unique=True))
    assert values(result) == {
        day: uniques(registry, count, REPOSITORY, day) for day in days_between(FIRST, SUNDAY)
    }


async def test_a_count_and_its_uniques_share_one_request(replay: Replay) -> None:
    requests = [of(count, unique=unique) for count in (VIEWS, CLONES) for unique in (False, True)]
    assert len(await read(replay, *requests)) == 4
    assert [request.path for request in replay.requests] == [
        "/graphql",
        f"/repos/{REPOSITORY}/traffic/views",
        f"/repos/{REPOSITORY}/traffic/clones",
    ]


@pytest.mark.parametrize(
    ("options", "unit"),
    [
        ({"count": "views"}, "views"),
        ({"count": "clones"}, "clones"),
        ({"count": "clones", "unique": False}, "clones"),
        ({"count": "views", "unique": True}, UNIQUES),
    ],
)
def test_uniques_have_a_unit_that_no_sum_accepts(options: dict[str, Any], unit: str) -> None:
    source = available_sources()["github-traffic"]
    assert source.validate(REPOSITORY, options) == []
    assert unit_of(source, options) == unit


@pytest.mark.parametrize(
    "options", [{}, {"count": "visits"}, {"count": "views", "unique": 1}, {"unique": True}, {"count": []}]
)
def test_options_must_name_a_series(options: dict[str, Any]) -> None:
    source = available_sources()["github-traffic"]
    assert 'write options = { count = "views" } or' in " ".join(source.validate(REPOSITORY, options))
    assert unit_of(source, options) in {None, "views", UNIQUES}


async def test_without_a_token_nothing_is_requested_and_the_right_is_named(replay: Replay) -> None:
    result = await fetch("github-traffic", replay, of(VIEWS))
    assert isinstance(result.error, SourceDenied)
    assert f"set CM_GITHUB_TOKEN to {RIGHT}" in str(result.error)
    assert replay.requests == []


async def test_a_token_without_the_right_is_told_which(replay: Replay, registry: Registry) -> None:
    registry.hidden_traffic.add(REPOSITORY)
    refused, known = await read(replay, of(VIEWS), of(VIEWS, SIBLING))
    assert isinstance(refused.error, SourceDenied)
    assert refused.error.http_status == 403
    assert f"set CM_GITHUB_TOKEN to {RIGHT}" in str(refused.error)
    assert known.observations


async def test_an_invalid_token_is_not_a_missing_right(replay: Replay) -> None:
    replay.always("*/traffic/*", sample("github_bad_token_401"))
    (result,) = await read(replay, of(VIEWS))
    assert isinstance(result.error, SourceDenied)
    assert "Administration" not in str(result.error)


async def test_a_403_that_is_a_limit_is_not_a_missing_right(replay: Replay) -> None:
    replay.always("*/traffic/*", sample("github_primary_limit_403"))
    (result,) = await read(replay, of(VIEWS))
    assert isinstance(result.error, SourceRateLimited)


async def test_a_missing_repository_fails_alone(replay: Replay) -> None:
    missing, known = await read(replay, of(VIEWS, "lancedb/no-such"), of(VIEWS))
    assert isinstance(missing.error, UnknownSubject)
    assert known.observations


async def test_an_owner_of_many_repositories_gets_results_while_others_are_still_read(replay: Replay) -> None:
    """A run that is stopped keeps what was handed on, and one that waits for a result is not kept waiting."""
    requests = [of(VIEWS, f"lancedb/r{number}") for number in range(2 * MOST_AT_ONCE + 5)]
    waiting: list[int] = []
    async with client_of(replay, github_token="ghp_x") as client:
        async for _ in available_sources()["github-traffic"].fetch(requests, client):
            waiting.append(sum("/traffic/" in path for path in replay.paths) - len(waiting))
    assert len(waiting) == len(requests)
    assert max(waiting) == MOST_AT_ONCE


@pytest.fixture
def quiet(registry: Registry) -> None:
    """Let the repository have about five views a day."""
    registry.usual[VIEWS, REPOSITORY] = 8


@pytest.mark.usefixtures("quiet")
async def test_a_day_that_a_repository_of_the_same_owner_has_is_a_zero(
    replay: Replay, registry: Registry
) -> None:
    registry.overrides[VIEWS, REPOSITORY, TUESDAY] = 0
    result, uniques, _ = await read(replay, of(VIEWS), of(VIEWS, unique=True), of(VIEWS, SIBLING))
    assert (values(result)[TUESDAY], values(uniques)[TUESDAY]) == (0, 0)
    (zero,) = (found for found in result.observations if found.value == 0)
    assert zero.mark is ValueMark.IMPLIED_ZERO


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("sibling", [None, "another/owner", "LanceDB/lancedb"])
async def test_a_day_that_nobody_confirms_stays_missing(
    sibling: str | None, replay: Replay, registry: Registry
) -> None:
    registry.overrides[VIEWS, REPOSITORY, TUESDAY] = 0
    if sibling == "LanceDB/lancedb":  # the same repository under another spelling confirms nothing
        registry.numbers[sibling] = registry.repository_id(REPOSITORY)
    result, *_ = await read(replay, of(VIEWS), *([of(VIEWS, sibling)] if sibling else []))
    assert TUESDAY not in values(result)
    assert "2026-11-17 left open: no other repository of this owner" in result.notes[0]


@pytest.mark.usefixtures("quiet")
async def test_a_repository_that_was_read_long_before_still_confirms_a_day(
    replay: Replay, registry: Registry
) -> None:
    registry.overrides[VIEWS, REPOSITORY, TUESDAY] = 0
    others = [of(VIEWS, f"lancedb/r{number}") for number in range(MOST_AT_ONCE)]
    result = (await read(replay, *others, of(VIEWS)))[-1]
    assert values(result)[TUESDAY] == 0


@pytest.mark.usefixtures("quiet")
async def test_a_day_that_the_neighbour_lacks_too_stays_missing(replay: Replay, registry: Registry) -> None:
    for subject in (REPOSITORY, SIBLING):
        registry.overrides[VIEWS, subject, TUESDAY] = None
    result, _ = await read(replay, of(VIEWS), of(VIEWS, SIBLING))
    assert TUESDAY not in values(result)


async def test_a_zero_amid_many_views_is_not_believed(replay: Replay, registry: Registry) -> None:
    registry.usual[VIEWS, REPOSITORY] = 4000
    registry.overrides[VIEWS, REPOSITORY, TUESDAY] = 0
    result, uniques, _ = await read(replay, of(VIEWS), of(VIEWS, unique=True), of(VIEWS, SIBLING))
    assert TUESDAY not in values(result)
    assert TUESDAY not in values(uniques)
    assert "2026-11-17 left open: 0 is not plausible" in result.notes[0]


@pytest.mark.usefixtures("quiet")
async def test_a_day_that_may_only_be_late_is_no_zero(replay: Replay, registry: Registry) -> None:
    registry.overrides[VIEWS, REPOSITORY, SUNDAY] = None
    result, _ = await read(replay, of(VIEWS), of(VIEWS, SIBLING))
    assert SUNDAY not in values(result)
    assert result.notes == ()


@pytest.mark.usefixtures("quiet")
async def test_days_before_the_first_view_are_unknown(replay: Replay, registry: Registry) -> None:
    for day in days_between(FIRST, TUESDAY):
        registry.overrides[VIEWS, REPOSITORY, day] = None
    result, _ = await read(replay, of(VIEWS), of(VIEWS, SIBLING))
    assert min(values(result)) == TUESDAY + timedelta(days=1)


async def test_an_empty_answer_is_neither_an_error_nor_a_zero(replay: Replay) -> None:
    replay.always("*/traffic/views", traffic())
    result, _ = await read(replay, of(VIEWS, first_stored_day=FIRST), of(VIEWS, SIBLING))
    assert values(result) == {}


async def test_a_stated_zero_needs_the_same_proof(replay: Replay) -> None:
    answer = traffic(d15=(4, 2), d16=(5, 2), d17=(0, 0), d18=(6, 3), d19=(7, 3))
    replay.always(f"/repos/{REPOSITORY}/traffic/views", answer)
    (alone,) = await read(replay, of(VIEWS))
    confirmed, _ = await read(replay, of(VIEWS), of(VIEWS, SIBLING))
    assert TUESDAY not in values(alone)
    assert values(confirmed)[TUESDAY] == 0


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"timestamp": "2026-11-17T07:00:00Z", "count": 2, "uniques": 1}, "not the start of a UTC day"),
        ({"timestamp": "2026-11-17T00:00:00", "count": 2, "uniques": 1}, "not the start of a UTC day"),
        ({"timestamp": 1_795_000_000, "count": 2, "uniques": 1}, "not the start of a UTC day"),
        ({"timestamp": "2026-11-17T00:00:00Z", "count": 1, "uniques": 2}, "has 2 uniques among 1"),
        ({"timestamp": "2026-11-17T00:00:00Z", "count": -1, "uniques": 0}, "views.0.count"),
        ({"timestamp": "2026-11-17T00:00:00Z", "count": 2}, "views.0.uniques"),
    ],
)
async def test_another_shape_stores_nothing(row: dict[str, Any], fault: str, replay: Replay) -> None:
    replay.always("*/traffic/views", Scripted(body={"count": 1, "uniques": 1, "views": [row]}))
    (result,) = await read(replay, of(VIEWS))
    assert isinstance(result.error, SourceShapeError)
    assert fault in str(result.error)


async def test_a_day_twice_and_an_answer_without_the_list_store_nothing(replay: Replay) -> None:
    row = {"timestamp": "2026-11-17T00:00:00Z", "count": 2, "uniques": 1}
    replay.script("*/traffic/views", Scripted(body={"views": [row, row]}), Scripted(body={"clones": [row]}))
    (twice,), (absent,) = await read(replay, of(VIEWS)), await read(replay, of(VIEWS))
    assert "more than once: 2026-11-17" in str(twice.error)
    assert "views is missing" in str(absent.error)


async def test_a_renamed_repository_is_followed_and_reported(replay: Replay, registry: Registry) -> None:
    registry.renamed["lancedb/lance"] = "lance-format/lance"
    (result,) = await read(replay, of(VIEWS, "lancedb/lance"))
    assert values(result)[TUESDAY] == registry.value(VIEWS, "lance-format/lance", TUESDAY)
    assert result.notes == ("lancedb/lance is now lance-format/lance; write the new name in the catalogue",)


async def test_a_name_registered_anew_by_somebody_else_is_refused(replay: Replay) -> None:
    (result,) = await read(replay, of(VIEWS, stored_ids=frozenset({1})))
    assert isinstance(result.error, TerminalSourceError)
    assert "now belongs to another repository" in str(result.error)
