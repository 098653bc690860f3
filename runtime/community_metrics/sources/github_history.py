"""Stars that still exist, by the day they were given, from GitHub's weekly star history.

The history counts only stars that were not taken back, so past days shrink: it is a daily flow of its own and
never mixed with readings of the count. GitHub's weeks begin on Sunday and become days here; the time zone of
its days is undocumented, so a day may be off by one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import ConfigDict, Field, RootModel, model_validator

from community_metrics.errors import TransientSourceError
from community_metrics.model import SourceWindow
from community_metrics.periods import ONE_DAY, ONE_WEEK
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.days import DailyCounts, observations
from community_metrics.sources.github_repository import (
    RepositorySource,
    read_repository_id,
    require_same_repository,
)
from community_metrics.sources.schemas import Count, ResponseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from community_metrics.sources.client.client import ParsedReply, RegistryClient

_HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2026-03-10"}
_WEEKS_PER_PAGE = 30
_LAST_PAGE = 100
_SUNDAY = 6
_NEXT_PAGE = re.compile(r'<[^>]*[?&]page=\d+[^>]*>\s*;\s*rel="next"', re.ASCII)
_REPOSITORY_ID = re.compile(r"/repositories/(\d+)/", re.ASCII)


class _Week(ResponseModel):
    week: Annotated[int, Field(ge=0, le=2**33)]
    total: Count
    days: Annotated[tuple[Count, ...], Field(min_length=7, max_length=7)]

    @property
    def sunday(self) -> date:
        return datetime.fromtimestamp(self.week, UTC).date()

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.sunday.weekday() != _SUNDAY:
            raise ValueError(f"the week begins on {self.sunday}, which is not a Sunday")
        if sum(self.days) != self.total:
            raise ValueError(f"the days of {self.sunday} add up to {sum(self.days)}, not to {self.total}")
        return self


class _Page(RootModel[tuple[_Week, ...]]):
    model_config = ConfigDict(strict=True, frozen=True)

    @model_validator(mode="after")
    def _newest_first_without_gaps(self) -> Self:
        for newer, older in pairwise(self.root):
            if newer.sunday - older.sunday != ONE_WEEK:
                raise ValueError(
                    f"{older.sunday} follows {newer.sunday}; weeks come newest first, 7 days apart"
                )
        return self


class GitHubStarHistory(RepositorySource):
    """Stars that still exist, by the day they were given. No options."""

    name = "github-history"
    window = SourceWindow.DAY
    family = "stars_retained"
    retention_days: int | None = None
    returns_full_history = False

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one result for each request: all days of as many pages as reach its first day."""
        async for result in each(requests, lambda request: _read(request, client)):
            yield result


async def _read(request: FetchRequest, client: RegistryClient) -> FetchResult:
    path = f"/repos/{request.subject}/stargazers/history"
    pages = await _pages(request, client, path)
    repository_id = _stated_repository_id(pages)
    if repository_id is None:
        repository_id = await read_repository_id(request, client, GitHubStarHistory.name)
    require_same_repository(request, repository_id, pages[-1].reply)
    counts = DailyCounts(
        by_day=_days(pages),
        source_ref=f"{GITHUB.public_origin}{path}",
        observed_at=pages[-1].at,
        subject_id=repository_id,
    )
    # past days shrink: all days of the pages are compared, except zeros from before the repository existed
    read = replace(request, since=counts.first_known_day(request) or date.max)
    found = observations(read, counts)
    moved = pages[0].reply.path != path
    notes = (f"{request.subject} has moved; write its new name in the catalogue",) if moved else ()
    return FetchResult(request.metric_id, found, notes=notes)


async def _pages(request: FetchRequest, client: RegistryClient, path: str) -> list[ParsedReply[_Page]]:
    """Return the pages that reach back to the first requested day, newest first."""
    pages = [await _page(request, client, path, 1)]
    if not pages[0].body.root:  # which means unavailable, not without stars
        raise pages[0].reply.error(TransientSourceError, "the history is not available at present")
    first = request.since or date.min
    while not _ends(pages[-1]) and pages[-1].body.root[-1].sunday > first:
        # the path after a redirect, so that a moved repository costs one redirect and not one for each page
        page = await _page(request, client, pages[0].reply.path, len(pages) + 1)
        _require_progress(pages[-1], page, len(pages) + 1)
        pages.append(page)
    return pages


async def _page(request: FetchRequest, client: RegistryClient, path: str, number: int) -> ParsedReply[_Page]:
    return await client.get_json(
        GITHUB,
        path,
        _Page,
        source=GitHubStarHistory.name,
        subject=request.subject,
        params={"per_page": _WEEKS_PER_PAGE, "page": number},
        headers=_HEADERS,
    )


def _require_progress(before: ParsedReply[_Page], page: ParsedReply[_Page], number: int) -> None:
    """Raise unless a page continues where the last one ended; both may hold the same weeks.

    That happens when a new week begins, or the history grows, between two requests.
    """
    if not page.body.root:
        return
    expected = before.body.root[-1].sunday - ONE_WEEK
    if page.body.root[0].sunday < expected:
        raise shape_error(page.reply, f"the week of {expected} is missing between two pages")
    repeats = page.body.root[-1].sunday > expected
    if not _ends(page) and (repeats or number >= _LAST_PAGE):
        raise shape_error(page.reply, f"page {number} holds no earlier week")


def _ends(page: ParsedReply[_Page]) -> bool:
    return not page.body.root or not _NEXT_PAGE.search(page.reply.headers.get("link", ""))


def _days(pages: Sequence[ParsedReply[_Page]]) -> dict[date, int]:
    """Return the weeks of all pages as days; of a week on two pages the later one."""
    weeks = {week.sunday: week for page in pages for week in page.body.root}
    return {
        sunday + offset * ONE_DAY: value
        for sunday, week in weeks.items()
        for offset, value in enumerate(week.days)
    }


def _stated_repository_id(pages: Sequence[ParsedReply[_Page]]) -> int | None:
    """Return the repository's id from a redirect or a link to a further page; a single page has neither."""
    texts = [text for page in pages for text in (page.reply.path, page.reply.headers.get("link", ""))]
    stated = {int(number) for text in texts for number in _REPOSITORY_ID.findall(text)}
    if len(stated) > 1:
        numbers = ", ".join(map(str, sorted(stated)))
        raise shape_error(pages[-1].reply, f"the pages are of different repositories (ids {numbers})")
    return next(iter(stated), None)
