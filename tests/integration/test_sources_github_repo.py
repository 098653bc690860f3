"""Levels of GitHub repositories: one query with a token, REST without one, and names that mislead."""

from __future__ import annotations

from datetime import date
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
from community_metrics.sources import available_sources
from tests.support.fetching import fetch, fetch_all, values, wanted
from tests.support.registries.github import FORKS, ISSUES, PULLS, WATCHERS, level
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from community_metrics.errors import SourceError
    from tests.support.clock import FakeClock
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
REPOSITORY = "lancedb/lancedb"
COUNTS = [FORKS, WATCHERS, ISSUES, PULLS]
TOKENS = [pytest.param(None, id="REST"), pytest.param("ghp_x", id="GraphQL")]


def of(count: str, subject: str = REPOSITORY, **values: Any) -> Any:
    product = subject.partition("/")[2]
    return wanted(subject, f"{count}:{product}:github", options={"count": count}, **values)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("count", COUNTS)
async def test_each_count_is_read_with_and_without_a_token(
    count: str, token: str | None, replay: Replay, registry: Registry
) -> None:
    result = await fetch("github-repo", replay, of(count), github_token=token)
    assert values(result) == {TODAY: level(registry, count, REPOSITORY)}
    assert result.observations[0].subject_id == registry.repository_id(REPOSITORY)


@pytest.mark.parametrize(("count", "expected"), [(FORKS, 900), (WATCHERS, 60), (PULLS, 37), (ISSUES, 383)])
async def test_rest_counts_neither_stars_as_watchers_nor_pull_requests_as_issues(
    count: str, expected: int, replay: Replay
) -> None:
    link = (
        "<https://api.github.com/repositories/619600000/pulls?page=37&per_page=1&state=open>; "
        'rel="last", <https://api.github.com/repositories/619600000/pulls?page=2>; rel="next"'
    )
    replay.always("/repos/*", sample("github_repo_200"))
    replay.always("/repos/*/pulls", Scripted(headers={"link": link}, body=[{"number": 1}]))
    assert values(await fetch("github-repo", replay, of(count))) == {TODAY: expected}


@pytest.mark.parametrize(("open_pulls", "expected"), [([], 420), ([{"number": 1}], 419)])
async def test_a_short_list_of_pull_requests_has_no_pages(
    open_pulls: list[dict[str, int]], expected: int, replay: Replay
) -> None:
    replay.always("/repos/*", sample("github_repo_200"))
    replay.always("/repos/*/pulls", Scripted(body=open_pulls))
    assert values(await fetch("github-repo", replay, of(ISSUES))) == {TODAY: expected}


async def test_more_pull_requests_than_issues_and_pulls_together_store_nothing(replay: Replay) -> None:
    link = '<https://api.github.com/repositories/1/pulls?page=421>; rel="last"'
    replay.always("/repos/*", sample("github_repo_200"))
    replay.always("/repos/*/pulls", Scripted(headers={"link": link}, body=[{"number": 1}]))
    result = await fetch("github-repo", replay, of(ISSUES))
    assert isinstance(result.error, TransientSourceError)
    assert result.observations == ()


async def test_a_list_of_pull_requests_without_its_last_page_stores_nothing(replay: Replay) -> None:
    link = '<https://api.github.com/repositories/1/pulls?page=2>; rel="next"'
    replay.always("/repos/*", sample("github_repo_200"))
    replay.always("/repos/*/pulls", Scripted(headers={"link": link}, body=[{"number": 1}]))
    result = await fetch("github-repo", replay, of(PULLS))
    assert isinstance(result.error, SourceShapeError)
    assert "does not state its last page" in str(result.error)


async def test_a_failed_list_of_pull_requests_leaves_forks_and_watchers_alone(replay: Replay) -> None:
    replay.always("/repos/*/pulls", Scripted(404, body={"message": "Not Found"}))
    results = await fetch_all("github-repo", replay, *map(of, COUNTS))
    assert [result.error is None for result in results] == [True, True, False, False]
    assert [request.path for request in replay.requests] == [
        f"/repos/{REPOSITORY}",
        f"/repos/{REPOSITORY}/pulls",
    ]


async def test_with_a_token_all_counts_of_all_repositories_are_one_request(
    replay: Replay, registry: Registry
) -> None:
    requests = [of(count, f"lancedb/r{number}") for number in range(100) for count in COUNTS]
    results = await fetch_all("github-repo", replay, *requests, github_token="ghp_x")
    assert [request.path for request in replay.requests] == ["/graphql"]
    assert [next(iter(values(result).values())) for result in results] == [
        level(registry, request.options["count"], request.subject) for request in requests
    ]


async def test_a_query_asks_only_for_counts_that_are_wanted(replay: Replay) -> None:
    await fetch("github-repo", replay, of(FORKS), github_token="ghp_x")
    assert b"forkCount" in replay.requests[0].body
    assert b"issues" not in replay.requests[0].body


@pytest.mark.parametrize("kind", ["RATE_LIMITED", "RATE_LIMIT"])
async def test_a_limit_with_status_200_is_waited_out(kind: str, replay: Replay, clock: FakeClock) -> None:
    replay.script("/graphql", Scripted(body={"errors": [{"type": kind, "message": "limit"}]}))
    result = await fetch("github-repo", replay, of(FORKS), clock=clock, github_token="ghp_x")
    assert result.error is None
    assert clock.sleeps[0] >= 60


@pytest.mark.parametrize("token", TOKENS)
async def test_a_missing_repository_fails_alone(token: str | None, replay: Replay) -> None:
    missing, known = await fetch_all(
        "github-repo", replay, of(FORKS, "lancedb/no-such"), of(FORKS), github_token=token
    )
    assert isinstance(missing.error, UnknownSubject)
    assert known.observations


@pytest.mark.parametrize("token", TOKENS)
async def test_a_renamed_repository_is_followed_and_reported(
    token: str | None, replay: Replay, registry: Registry
) -> None:
    registry.renamed["lancedb/lance"] = "lance-format/lance"
    results = await fetch_all(
        "github-repo", replay, *(of(count, "lancedb/lance") for count in COUNTS), github_token=token
    )
    assert [values(result)[TODAY] for result in results] == [
        level(registry, count, "lance-format/lance") for count in COUNTS
    ]
    assert {note for result in results for note in result.notes} == {
        "lancedb/lance is now lance-format/lance; write the new name in the catalogue"
    }


@pytest.mark.parametrize("token", TOKENS)
async def test_a_name_registered_anew_by_somebody_else_is_refused(token: str | None, replay: Replay) -> None:
    request = of(FORKS, stored_ids=frozenset({1}))
    result = await fetch("github-repo", replay, request, github_token=token)
    assert isinstance(result.error, TerminalSourceError)
    assert "now belongs to another repository" in str(result.error)


@pytest.mark.parametrize(
    ("node", "error"),
    [
        ({"forkCount": -1}, SourceShapeError),
        ({"forkCount": "900"}, SourceShapeError),
        ({}, SourceShapeError),
        (None, SourceDenied),
    ],
)
async def test_each_error_of_a_query_has_its_class(
    node: dict[str, Any] | None, error: type[SourceError], replay: Replay
) -> None:
    named = None if node is None else {"databaseId": 7, "nameWithOwner": REPOSITORY, **node}
    errors = [{"type": "FORBIDDEN", "path": ["r0", "issues"]}] if node is None else []
    replay.always("/graphql", Scripted(body={"data": {"r0": named}, "errors": errors}))
    result = await fetch("github-repo", replay, of(FORKS), github_token="ghp_x")
    assert type(result.error) is error


async def test_a_limited_repository_is_requested_once_for_all_its_counts(replay: Replay) -> None:
    replay.always("/repos/*", sample("github_primary_limit_403"))
    results = await fetch_all("github-repo", replay, *map(of, COUNTS))
    assert {type(result.error) for result in results} == {SourceRateLimited}
    assert len(replay.requests) == 1


async def test_a_query_without_the_id_of_a_repository_is_asked_again_by_rest(replay: Replay) -> None:
    replay.always("/graphql", sample("github_graphql_stargazercount_200"))
    result = await fetch("github-repo", replay, of(FORKS), github_token="ghp_x")
    assert result.observations[0].source_ref == f"https://api.github.com/repos/{REPOSITORY}"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"count": FORKS}, None),
        ({}, 'write options = { count = "forks" } or'),
        ({"count": "stars"}, 'write options = { count = "forks" } or'),
        ({"count": ["forks"]}, 'write options = { count = "forks" } or'),
        ({"counts": FORKS}, "option 'counts' is unknown; github-repo has count"),
    ],
)
def test_options_name_one_count(options: dict[str, Any], fault: str | None) -> None:
    source = available_sources()["github-repo"]
    faults = source.validate(REPOSITORY, options)
    assert bool(faults) is (fault is not None)
    assert (fault or "") in " ".join(faults)
