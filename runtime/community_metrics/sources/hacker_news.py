"""Stories of Hacker News that name something, with at least so many points.

Its search is fuzzy: it also finds words that are spelt alike. So each story is checked for the text itself,
as a whole word of its title, its text or its address. Points grow for weeks, so stories of the last 30 days
are read again. One query returns at most 1,000 stories: a window with more is split.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.model import EventKind
from community_metrics.periods import ONE_DAY
from community_metrics.sources.base import FetchRequest, FetchResult, OneByOne
from community_metrics.sources.client.hosts import HACKER_NEWS
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.found import found_event
from community_metrics.sources.schemas import ResponseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.model import FoundEvent
    from community_metrics.sources.client.client import ParsedReply, RegistryClient

_FIRST_DAY: Final = date(2006, 10, 1)
"""Before the first story."""
_PER_PAGE: Final = 100
_MOST_HITS: Final = 1_000
_PATH: Final = "/api/v1/search_by_date"
_DISCUSSION: Final = "https://news.ycombinator.com/item?id="


class _Story(ResponseModel):
    objectID: str  # noqa: N815  its own name
    created_at_i: int
    title: str | None = None
    url: str | None = None
    story_text: str | None = None
    points: int | None = None


class _Found(ResponseModel):
    hits: tuple[_Story, ...]
    nbHits: int  # noqa: N815  its own name
    nbPages: int  # noqa: N815  its own name


class HackerNews(OneByOne):
    """The stories that name a text; the option `least_points` says how many points they have."""

    name = "hacker-news"
    host = HACKER_NEWS.key

    async def read(self, request: FetchRequest, client: RegistryClient) -> FetchResult:
        """Return the stories since the requested day, each once."""
        last = request.until + 2 * ONE_DAY  # the first day that has not begun yet
        stories = await _stories(request, client, request.since or _FIRST_DAY, last)
        found = {story.objectID: story for story in stories if _counts(story, request)}
        events = (_event(request, story) for story in found.values())
        return FetchResult(request.metric_id, events=tuple(event for event in events if event))


async def _stories(request: FetchRequest, client: RegistryClient, first: date, last: date) -> list[_Story]:
    """Return the hits from `first` until before `last`; more than one query has are read in two halves."""
    page = await _page(request, client, first, last, 0)
    if page.body.nbHits > _MOST_HITS:
        days = (last - first).days
        if days <= 1:
            raise shape_error(page.reply, f"nbHits: {first} has more than {_MOST_HITS:,} stories")
        middle = first + timedelta(days=days // 2)
        older = await _stories(request, client, first, middle)
        return [*older, *await _stories(request, client, middle, last)]
    found = list(page.body.hits)
    for number in range(1, page.body.nbPages):
        found += (await _page(request, client, first, last, number)).body.hits
    return found


async def _page(
    request: FetchRequest, client: RegistryClient, first: date, last: date, number: int
) -> ParsedReply[_Found]:
    return await client.get_json(
        HACKER_NEWS,
        _PATH,
        _Found,
        source=HackerNews.name,
        subject=request.subject,
        params={
            "query": request.subject,
            "tags": "story",
            "hitsPerPage": _PER_PAGE,
            "page": number,
            "numericFilters": f"created_at_i>={_seconds(first)},created_at_i<{_seconds(last)}",
        },
    )


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def names_text(story_texts: Sequence[str | None], text: str) -> bool:
    """Return whether one of the texts has `text` as a whole word, in any capitals."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(text)}(?![\w-])", re.IGNORECASE)
    return any(pattern.search(one) for one in story_texts if one)


def _counts(story: _Story, request: FetchRequest) -> bool:
    least = int(request.options["least_points"])
    return (story.points or 0) >= least and names_text(
        (story.title, story.url, story.story_text), request.subject
    )


def _event(request: FetchRequest, story: _Story) -> FoundEvent | None:
    at = datetime.fromtimestamp(story.created_at_i, UTC)
    key = f"{request.metric_id}:{story.objectID}"
    return found_event(key, EventKind.MENTION, at, story.title or "", f"{_DISCUSSION}{story.objectID}")
