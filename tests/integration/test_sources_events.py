"""Places that state events, asked by the real client over loopback."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceShapeError, TerminalSourceError, TransientSourceError
from community_metrics.sources.readers import EVENT_READERS
from tests.support.fetching import client_of, wanted
from tests.support.registries.happenings import story
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from community_metrics.sources import FetchResult
    from tests.support.registry import Registry
    from tests.support.replay import Replay

FEED = "https://blog.example/feed.atom"


async def read(reader: str, replay: Replay, subject: str, **fields: Any) -> FetchResult:
    settings: dict[str, Any] = dict.fromkeys(("source_url_pypi", "source_url_npm_registry"), replay.origin)
    async with client_of(replay, paced=False, **settings) as client:
        requests = [wanted(subject, f"{reader}/x", **fields)]
        (result,) = [one async for one in EVENT_READERS[reader].fetch(requests, client)]
    return result


async def test_more_stories_than_one_query_returns_are_read_in_parts(
    replay: Replay, registry: Registry
) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    registry.stories = [
        story(number, f"LanceDB {number}", first + timedelta(hours=number), 9) for number in range(1_500)
    ]
    result = await read("mention", replay, "LanceDB", options={"least_points": 5})
    assert result.error is None
    assert len(result.events) == 1_501
    assert len({event.key for event in result.events}) == 1_501


async def test_later_readings_ask_only_for_the_days_since(replay: Replay) -> None:
    await read("mention", replay, "LanceDB", options={"least_points": 5}, since=date(2026, 11, 1))
    assert f"created_at_i%3E%3D{int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())}" in replay.paths[0]


async def test_one_day_with_too_many_stories_is_an_error_and_no_part_of_them(
    replay: Replay, registry: Registry
) -> None:
    registry.stories = [
        story(number, "LanceDB", datetime(2026, 1, 1, tzinfo=UTC), 9) for number in range(1_001)
    ]
    result = await read("mention", replay, "LanceDB", options={"least_points": 5}, since=date(2026, 1, 1))
    assert isinstance(result.error, SourceShapeError)
    assert "2026-01-01 has more than 1,000 stories" in str(result.error)
    assert result.events == ()


async def test_an_entry_without_a_date_is_left_out_with_a_note(replay: Replay) -> None:
    text = "<rss><channel><item><title>a</title></item><item><title>b</title></item></channel></rss>"
    replay.always("*/feed.atom", Scripted(headers={"content-type": "text/xml"}, body_text=text))
    result = await read("feed", replay, FEED)
    assert (result.error, result.events) == (None, ())
    assert result.notes == ("2 entries without a date left out",)


async def test_an_entry_that_is_announced_for_later_is_not_there_yet(
    replay: Replay, registry: Registry
) -> None:
    registry.posts = [("Tomorrow", datetime(2026, 11, 24, 12, tzinfo=UTC))]
    titles = [event.title for event in (await read("feed", replay, FEED)).events]
    assert titles
    assert "Tomorrow" not in titles


@pytest.mark.parametrize(
    ("reply", "kind", "part"),
    [
        (Scripted(body_text="<html/>"), TransientSourceError, "instead of a file"),
        (
            Scripted(headers={"content-type": "text/xml"}, body_text="<svg/>"),
            SourceShapeError,
            "its root is <svg>",
        ),
        (
            Scripted(301, headers={"location": "https://elsewhere.example/feed"}),
            TerminalSourceError,
            "it redirects to another host (elsewhere.example), which was not followed",
        ),
    ],
)
async def test_what_is_no_feed_is_named_with_its_fix(
    replay: Replay, reply: Scripted, kind: type[Exception], part: str
) -> None:
    replay.always("*/feed.atom", reply)
    result = await read("feed", replay, FEED)
    assert isinstance(result.error, kind)
    assert part in str(result.error)
    if kind is not TransientSourceError:
        assert "Fix: c" in str(result.error)


async def test_later_readings_of_releases_ask_for_the_newest_page_only(
    replay: Replay, registry: Registry
) -> None:
    registry.first_day = date(2018, 1, 1)
    for since, pages in ((None, 2), (date(2026, 10, 1), 1)):
        replay.requests.clear()
        await read("releases/github", replay, "encode/httpx", since=since)
        assert len(replay.requests) == pages


async def test_a_package_on_npm_is_asked_for_by_its_scoped_name(replay: Replay) -> None:
    result = await read("releases/npm-registry", replay, "@lancedb/lancedb")
    assert replay.paths == ["/@lancedb%2Flancedb"]
    assert [event.key for event in result.events][:1] == ["npm:@lancedb/lancedb@0.0.0"]
