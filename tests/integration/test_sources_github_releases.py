"""Downloads of release assets: every page, once each, no drafts, and assets that are gone."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceDenied, SourceShapeError, TerminalSourceError, UnknownSubject
from community_metrics.model import ValueKind
from community_metrics.sources import available_sources
from community_metrics.sources.base import kind_of, unit_of
from tests.support.fetching import after_reading, fetch, fetch_all, values, wanted
from tests.support.registries.github import asset_downloads
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
REPOSITORY = "lancedb/lancedb"
RELEASES = f"/repos/{REPOSITORY}/releases"
GONE = "deleted or replaced"
TOKENS = [pytest.param(None, id="REST"), pytest.param("ghp_x", id="GraphQL")]


def release(*assets: tuple[int, int], draft: bool = False) -> dict[str, Any]:
    return {"draft": draft, "assets": [{"id": key, "download_count": count} for key, count in assets]}


@pytest.mark.parametrize("token", TOKENS)
async def test_a_reading_is_the_sum_over_all_assets_of_all_releases(
    token: str | None, replay: Replay, registry: Registry
) -> None:
    result = await fetch("github-releases", replay, wanted(REPOSITORY), github_token=token)
    assert values(result) == {TODAY: sum(asset_downloads(registry, REPOSITORY).values())}
    assert result.observations[0].subject_id == registry.repository_id(REPOSITORY)
    assert result.notes == ()


def test_the_total_is_a_counter_of_downloads() -> None:
    source = available_sources()["github-releases"]
    assert (kind_of(source), unit_of(source, {})) == (ValueKind.COUNTER, "downloads")


async def test_the_sample_counts_its_asset_and_not_the_source_archives(replay: Replay) -> None:
    replay.always(RELEASES, sample("github_releases_200"))
    assert values(await fetch("github-releases", replay, wanted(REPOSITORY))) == {TODAY: 42}


async def test_every_page_is_read(replay: Replay, registry: Registry) -> None:
    registry.first_day = date(2018, 1, 1)
    result = await fetch("github-releases", replay, wanted(REPOSITORY))
    assert values(result) == {TODAY: sum(asset_downloads(registry, REPOSITORY).values())}
    pages = [request.params for request in replay.requests if request.path == RELEASES]
    assert pages == [{"per_page": "100", "page": "1"}, {"per_page": "100", "page": "2"}]


async def test_a_release_that_moves_to_the_next_page_is_counted_once(replay: Replay) -> None:
    link = {"link": '<https://api.github.com/repositories/1/releases?page=2>; rel="next"'}
    replay.script(f"{RELEASES}*page=1", Scripted(headers=link, body=[release((3, 30)), release((2, 20))]))
    replay.script(f"{RELEASES}*page=2", Scripted(body=[release((2, 20)), release((1, 10))]))
    assert values(await fetch("github-releases", replay, wanted(REPOSITORY))) == {TODAY: 60}


async def test_pages_without_an_end_store_nothing(replay: Replay) -> None:
    link = {"link": '<https://api.github.com/repositories/1/releases?page=2>; rel="next"'}
    replay.always(RELEASES, Scripted(headers=link, body=[release((1, 10))]))
    result = await fetch("github-releases", replay, wanted(REPOSITORY), paced=False)
    assert isinstance(result.error, SourceShapeError)
    assert len(replay.requests) == 101


async def test_a_draft_is_not_counted_since_only_some_tokens_see_it(replay: Replay) -> None:
    replay.always(RELEASES, Scripted(body=[release((2, 20), draft=True), release((1, 10))]))
    assert values(await fetch("github-releases", replay, wanted(REPOSITORY))) == {TODAY: 10}


async def test_a_repository_without_a_release_has_no_downloads_so_far(replay: Replay) -> None:
    replay.always(RELEASES, Scripted(body=[]))
    assert values(await fetch("github-releases", replay, wanted(REPOSITORY))) == {TODAY: 0}


async def then(replay: Replay, before: list[Any], after: list[Any]) -> Any:
    """Return the second of two readings, which knows the parts of the first."""
    replay.script(RELEASES, Scripted(body=before), Scripted(body=after))
    first = await fetch("github-releases", replay, wanted(REPOSITORY))
    return await fetch("github-releases", replay, wanted(REPOSITORY, **after_reading(first)))


@pytest.mark.parametrize(
    ("after", "total", "is_reset"),
    [
        pytest.param([release((1, 15), (2, 25))], 40, False, id="growth"),
        pytest.param([release((1, 10), (2, 20)), release((9, 5))], 35, False, id="a new release"),
        pytest.param([release((1, 10))], 10, True, id="an asset deleted"),
        pytest.param([release((1, 10), (9, 0))], 10, True, id="an asset replaced"),
        pytest.param([release((1, 500), (9, 0))], 500, True, id="a fall hidden by growth elsewhere"),
        pytest.param([release((4, 10), (2, 20))], 30, True, id="replaced, with the same sum"),
        pytest.param([release((1, 10), (2, 20)), release((0, 4))], 34, False, id="an older draft published"),
        pytest.param([release((2, 20)), release((0, 40))], 60, True, id="a draft for a deleted one"),
        pytest.param(
            [release((2, 90)), release((0, 4), (-1, 4))],
            98,
            True,
            id="a deletion among more assets than before",
        ),
    ],
)
async def test_a_reading_is_a_reset_if_an_asset_of_the_last_one_is_gone(
    after: list[Any], total: int, is_reset: bool, replay: Replay
) -> None:
    result = await then(replay, [release((1, 10), (2, 20))], after)
    assert values(result) == {TODAY: total}
    assert [reading.is_reset for reading in result.observations] == [is_reset]
    assert any(GONE in note for note in result.notes) is is_reset


async def test_a_list_that_lost_all_assets_stores_nothing(replay: Replay) -> None:
    result = await then(replay, [release((1, 10))], [release()])
    assert isinstance(result.error, TerminalSourceError)
    assert "the last reading counted some" in str(result.error)
    assert result.observations == ()


@pytest.mark.parametrize("token", TOKENS)
async def test_a_renamed_repository_is_followed_and_reported(
    token: str | None, replay: Replay, registry: Registry
) -> None:
    registry.renamed["lancedb/lance"] = "lance-format/lance"
    result = await fetch("github-releases", replay, wanted("lancedb/lance"), github_token=token)
    assert values(result) == {TODAY: sum(asset_downloads(registry, "lance-format/lance").values())}
    assert result.notes == ("lancedb/lance is now lance-format/lance; write the new name in the catalogue",)


async def test_a_name_registered_anew_by_somebody_else_is_refused(replay: Replay) -> None:
    request = wanted(REPOSITORY, stored_ids=frozenset({1}))
    result = await fetch("github-releases", replay, request)
    assert isinstance(result.error, TerminalSourceError)
    assert "now belongs to another repository" in str(result.error)


async def test_a_missing_repository_and_a_refused_one_fail_alone(replay: Replay) -> None:
    replay.always("/repos/a/b/releases", Scripted(403, body={"message": "Resource not accessible"}))
    requests = [wanted("lancedb/no-such"), wanted("a/b"), wanted(REPOSITORY)]
    missing, refused, known = await fetch_all("github-releases", replay, *requests)
    assert isinstance(missing.error, UnknownSubject)
    assert isinstance(refused.error, SourceDenied)
    assert known.error is None


@pytest.mark.parametrize(
    "asset", [{"id": 1}, {"id": 1, "download_count": -1}, {"id": "1", "download_count": 1}]
)
async def test_another_shape_stores_nothing(asset: dict[str, Any], replay: Replay) -> None:
    replay.always(RELEASES, Scripted(body=[{"draft": False, "assets": [asset]}]))
    result = await fetch("github-releases", replay, wanted(REPOSITORY))
    assert isinstance(result.error, SourceShapeError)
