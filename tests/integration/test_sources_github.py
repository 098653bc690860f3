"""GitHub's count of stars: REST without a token, one query with one, renames, and its four kinds of 403."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import (
    SourceDenied,
    SourceRateLimited,
    SourceShapeError,
    TerminalSourceError,
    TransientSourceError,
    UnknownSubject,
)
from community_metrics.model import SourceWindow
from community_metrics.sources import available_sources
from tests.support.clock import FakeClock
from tests.support.fetching import client_of, fetch, fetch_all, values, wanted
from tests.support.registry import Registry
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from community_metrics.errors import SourceError
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
REPOSITORY = "lancedb/lancedb"
NUMBER = Registry(TODAY).repository_id(REPOSITORY)
TOKENS = [pytest.param(None, id="REST"), pytest.param("ghp_x", id="GraphQL")]
ONE_RESULT = {"r0": {"databaseId": 7, "nameWithOwner": REPOSITORY, "stargazerCount": 10_123}}


@pytest.mark.parametrize("token", TOKENS)
async def test_a_reading_belongs_to_the_instant_of_its_answer(
    token: str | None, replay: Replay, registry: Registry
) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC))
    result = await fetch("github", replay, wanted(REPOSITORY), clock=clock, github_token=token)
    (reading,) = result.observations
    assert (reading.period_start, reading.period_end, reading.observed_at) == (TODAY, TODAY, clock.now())
    assert (reading.value, reading.source_window) == (registry.stars(REPOSITORY), SourceWindow.INSTANT)
    assert reading.subject_id == registry.repository_id(REPOSITORY)


async def test_with_a_token_all_repositories_are_one_request(replay: Replay) -> None:
    requests = [wanted(f"lancedb/r{n}", f"stars:r{n}:github") for n in range(101)]
    results = await fetch_all("github", replay, *requests, github_token="ghp_x")
    assert [result.metric_id for result in results] == [request.metric_id for request in requests]
    assert [request.path for request in replay.requests] == ["/graphql", "/graphql"]
    assert b"totalCount" not in replay.requests[0].body


@pytest.mark.parametrize(("source", "options"), [("github", {}), ("github-repo", {"count": "forks"})])
async def test_the_first_query_gives_its_results_before_the_second_is_sent(
    source: str, options: dict[str, str], replay: Replay
) -> None:
    requests = [wanted(f"lancedb/r{n}", f"stars:r{n}:github", options=options) for n in range(150)]
    async with client_of(replay, github_token="ghp_x") as client:
        sent = [len(replay.requests) async for _ in available_sources()[source].fetch(requests, client)]
    assert sent == [1] * 100 + [2] * 50


async def test_a_query_names_repositories_as_data_not_as_code(replay: Replay) -> None:
    await fetch("github", replay, wanted(REPOSITORY), github_token="ghp_x")
    query = json.loads(replay.requests[0].body)["query"]
    assert 'r0: repository(owner:"lancedb",name:"lancedb")' in query


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
async def test_a_limit_that_graphql_reports_with_status_200_is_waited_out(
    kind: str, replay: Replay, clock: FakeClock
) -> None:
    error = {"type": kind, "code": "graphql_rate_limit", "message": "API rate limit already exceeded"}
    limit = Scripted(200, {"x-ratelimit-remaining": "12"}, body={"errors": [error]})
    replay.script("/graphql", limit)
    result = await fetch("github", replay, wanted(REPOSITORY), clock=clock, github_token="ghp_x")
    assert result.error is None
    assert clock.sleeps[0] >= 60


@pytest.mark.parametrize("token", TOKENS)
async def test_a_missing_repository_fails_alone(token: str | None, replay: Replay) -> None:
    missing, known = await fetch_all(
        "github", replay, wanted("lancedb/no-such"), wanted(REPOSITORY), github_token=token
    )
    assert isinstance(missing.error, UnknownSubject)
    assert "gone, private, or not shown to this token" in str(missing.error)
    assert known.observations


@pytest.mark.parametrize("token", TOKENS)
async def test_a_renamed_repository_is_followed_and_reported(
    token: str | None, replay: Replay, registry: Registry
) -> None:
    registry.renamed["lancedb/lance"] = "lance-format/lance"
    result = await fetch("github", replay, wanted("lancedb/lance"), github_token=token)
    assert values(result) == {TODAY: registry.stars("lance-format/lance")}
    assert result.notes == ("lancedb/lance is now lance-format/lance; write the new name in the catalogue",)


@pytest.mark.parametrize("token", TOKENS)
async def test_a_name_registered_anew_by_somebody_else_is_refused(token: str | None, replay: Replay) -> None:
    request = wanted(REPOSITORY, stored_ids=frozenset({1}))
    result = await fetch("github", replay, request, github_token=token)
    assert isinstance(result.error, TerminalSourceError)
    assert "now belongs to another repository" in str(result.error)
    assert str(result.error.url).startswith(replay.origin)


@pytest.mark.parametrize("source", ["github", "github-history"])
@pytest.mark.parametrize(
    ("stored", "siblings", "fault"),
    [
        ({1, None}, set(), "it was 1"),
        ({NUMBER, 1}, set(), "it was 1"),
        ({NUMBER, None}, {1}, None),
        ({None}, set(), "stored without the repository's number"),
        ({None}, {None}, "stored without the repository's number"),
        ({None}, {1}, "it was 1"),
        ({None}, {NUMBER}, None),
        (set(), {1}, None),
    ],
)
async def test_stored_rows_must_be_known_to_be_of_the_same_repository(
    source: str, stored: set[int | None], siblings: set[int | None], fault: str | None, replay: Replay
) -> None:
    request = wanted(REPOSITORY, stored_ids=frozenset(stored), sibling_ids=frozenset(siblings))
    result = await fetch(source, replay, request)
    assert (result.error is None) is (fault is None)
    assert (fault or "") in str(result.error)
    assert bool(result.observations) is (fault is None)


async def test_the_count_may_fall(replay: Replay) -> None:
    whole = sample("github_repo_200")
    replay.script("/repos/*", whole, replace(whole, body=whole.body | {"stargazers_count": 10_000}))
    first, second = [values(await fetch("github", replay, wanted(REPOSITORY))) for _ in range(2)]
    assert (first[TODAY], second[TODAY]) == (10_123, 10_000)


@pytest.mark.parametrize(
    ("name", "error", "attempts"),
    [
        ("github_bad_token_401", SourceDenied, 1),
        ("github_primary_limit_403", SourceRateLimited, 1),
        ("github_secondary_limit_403", SourceRateLimited, 3),
        ("github_repo_404", UnknownSubject, 1),
    ],
)
async def test_each_refusal_is_told_apart(
    name: str, error: type[SourceError], attempts: int, replay: Replay
) -> None:
    replay.always("/repos/*", sample(name))
    result = await fetch("github", replay, wanted(REPOSITORY))
    assert type(result.error) is error
    assert len(replay.requests) == attempts


async def test_a_primary_limit_that_ends_soon_is_waited_for(replay: Replay, clock: FakeClock) -> None:
    limit = sample("github_primary_limit_403")
    reset = str(int(clock.now().timestamp()) + 100)
    replay.script("/repos/*", replace(limit, headers={**limit.headers, "x-ratelimit-reset": reset}))
    result = await fetch("github", replay, wanted(REPOSITORY), clock=clock, paced=False)
    assert result.error is None
    assert 100 <= clock.sleeps[0] <= 101


async def test_a_limited_query_comes_with_status_200(replay: Replay) -> None:
    replay.always("/graphql", sample("github_graphql_rate_limited_200"))
    result = await fetch("github", replay, wanted(REPOSITORY), github_token="ghp_x")
    assert isinstance(result.error, SourceRateLimited)
    assert "no request before" in str(result.error)


async def test_the_last_query_before_the_limit_still_counts(replay: Replay) -> None:
    errors = [{"type": "NOT_FOUND", "path": ["r1"], "message": "no"}]
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795453200"}
    replay.always(
        "/graphql", Scripted(headers=headers, body={"data": ONE_RESULT | {"r1": None}, "errors": errors})
    )
    known, missing = await fetch_all(
        "github", replay, wanted(REPOSITORY), wanted("a/b"), github_token="ghp_x"
    )
    assert values(known) == {TODAY: 10_123}
    assert isinstance(missing.error, UnknownSubject)


async def test_a_query_that_leaves_out_the_number_of_a_repository_is_asked_again_by_rest(
    replay: Replay, registry: Registry
) -> None:
    replay.always("/graphql", sample("github_graphql_stargazercount_200"))
    result = await fetch("github", replay, wanted(REPOSITORY), github_token="ghp_x")
    number = registry.repository_id(REPOSITORY)
    assert result.observations[0].source_ref == f"https://api.github.com/repos/{REPOSITORY}"
    assert result.observations[0].subject_id == number
    request = wanted(REPOSITORY, stored_ids=frozenset({1}))
    newcomer = await fetch("github", replay, request, github_token="ghp_x")
    assert "now belongs to another repository" in str(newcomer.error)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"errors": [{"message": "Something went wrong"}]}, TransientSourceError),
        ({"data": {"r0": None}, "errors": [{"type": "FORBIDDEN", "path": ["r0"]}]}, SourceDenied),
        ({"data": {"r0": None}, "errors": [{"type": "INTERNAL", "path": ["r0"]}]}, TransientSourceError),
        ({"data": {"r0": None}}, SourceShapeError),
        ({"data": {"r0": {"nameWithOwner": "a/b", "stargazerCount": -1}}}, SourceShapeError),
    ],
)
async def test_each_error_of_a_query_has_its_class(
    body: dict[str, Any], error: type[SourceError], replay: Replay
) -> None:
    replay.always("/graphql", Scripted(body=body))
    result = await fetch("github", replay, wanted(REPOSITORY), github_token="ghp_x")
    assert type(result.error) is error


async def test_a_limit_on_queries_does_not_stop_the_history(replay: Replay) -> None:
    replay.always("/graphql", sample("github_graphql_rate_limited_200"))
    async with client_of(replay, github_token="ghp_x") as client:
        sources = available_sources()
        counts = [r async for r in sources["github"].fetch([wanted(REPOSITORY)], client)]
        history = [r async for r in sources["github-history"].fetch([wanted(REPOSITORY)], client)]
    assert isinstance(counts[0].error, SourceRateLimited)
    assert history[0].observations
