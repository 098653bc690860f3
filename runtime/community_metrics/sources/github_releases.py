"""Downloads of all assets of all releases of a repository: a counter, read at the instant of the response.

The same answer says when each release was published, which is an event.

GitHub keeps one total for each asset, and forgets it when the asset is deleted or replaced by one with the
same name: the sum falls, and the counter is reset. Where other assets grew by more at the same time, the sum
does not fall. Each reading is therefore stored with what identifies its assets, and the next reading is a
reset if one of them is gone. The archives of the source code that GitHub makes are not assets.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, RootModel

from community_metrics.errors import TerminalSourceError
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.found import found_event, instant_of, release_kind
from community_metrics.sources.github_identity import Identities
from community_metrics.sources.github_repository import REST_HEADERS, RepositorySource, reading, with_notes
from community_metrics.sources.parts import CountedParts, Part
from community_metrics.sources.schemas import Count, ResponseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from datetime import date

    from community_metrics.model import FoundEvent
    from community_metrics.sources.client.client import ParsedReply, RegistryClient
    from community_metrics.sources.client.replies import Reply

_PER_PAGE = 100
_LAST_PAGE = 100  # GitHub lists at most 10,000 releases
_NEXT_PAGE = re.compile(r'<[^>]*[?&]page=\d+[^>]*>\s*;\s*rel="next"', re.ASCII)
_RESET = "release assets were deleted or replaced since the last reading, so the total was reset"


class _Asset(ResponseModel):
    id: int
    download_count: Count


class _Release(ResponseModel):
    """A release. What only its event needs may be absent: answers that were kept before lack it."""

    draft: bool
    assets: tuple[_Asset, ...]
    id: int | None = None
    tag_name: str | None = None
    name: str | None = None
    prerelease: bool | None = None
    published_at: str | None = None
    html_url: str | None = None


class ReleasePage(RootModel[tuple[_Release, ...]]):
    """One page of the releases of a repository, the newest first."""

    model_config = ConfigDict(strict=True, frozen=True)


class GitHubReleases(RepositorySource):
    """Downloads of release assets so far. No options."""

    name = "github-releases"
    window = SourceWindow.INSTANT
    kind = ValueKind.COUNTER
    family = "release_downloads"
    retention_days: int | None = 0
    returns_full_history = True

    def unit(self, _options: Mapping[str, Any]) -> str:
        """Return `downloads`."""
        return "downloads"

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request."""
        identities = Identities(requests, self.name, client)

        async def fetch_one(request: FetchRequest) -> FetchResult:
            repository = await identities.of(request.subject)
            # by its name of today, so that a moved repository costs no redirect for each page
            pages = await release_pages(request.subject, repository.full_name, client, source=self.name)
            counts, reply = _counts(pages), pages[-1].reply
            _require_assets(request, counts, reply)
            result = reading(
                request,
                sum(counts.values()),
                full_name=repository.full_name,
                repository_id=repository.id,
                url=f"{GITHUB.public_origin}/repos/{request.subject}/releases",
                reply=reply,
            )
            is_reset = _is_reset(request, pages)
            read = CountedParts.of(counts.keys()).noted_in(result, is_reset=is_reset)
            read = with_notes(read, (_RESET,)) if is_reset else read
            return replace(read, events=release_events(request, pages))

        async for result in each(requests, fetch_one):
            yield result


async def release_pages(
    subject: str, full_name: str, client: RegistryClient, *, source: str, since: date | None = None
) -> list[ParsedReply[ReleasePage]]:
    """Return the pages of the releases of a repository, up to the one that reaches back to `since`."""
    pages: list[ParsedReply[ReleasePage]] = []
    while not pages or (_has_more(pages[-1]) and not _reaches(pages[-1], since)):
        if len(pages) == _LAST_PAGE:
            raise shape_error(pages[-1].reply, f"there are more than {_LAST_PAGE * _PER_PAGE:,} releases")
        page = await client.get_json(
            GITHUB,
            f"/repos/{full_name}/releases",
            ReleasePage,
            source=source,
            subject=subject,
            params={"per_page": _PER_PAGE, "page": len(pages) + 1},
            headers=REST_HEADERS,
        )
        pages.append(page)
    return pages


def _has_more(page: ParsedReply[ReleasePage]) -> bool:
    return _NEXT_PAGE.search(page.reply.headers.get("link", "")) is not None


def _reaches(page: ParsedReply[ReleasePage], since: date | None) -> bool:
    instants = [at for release in page.body.root if (at := instant_of(release.published_at))]
    return since is not None and bool(instants) and min(instants).date() < since


def release_events(
    request: FetchRequest, pages: Sequence[ParsedReply[ReleasePage]]
) -> tuple[FoundEvent, ...]:
    """Return the published releases of a repository; its drafts are nobody's business yet."""
    repository = request.subject.partition("/")[2]
    found: dict[str, FoundEvent] = {}
    for release in _releases(pages):
        at, named = instant_of(release.published_at), release.name or release.tag_name
        if release.id is None or at is None or not named:
            continue
        kind = release_kind(release.tag_name or named, is_preview=bool(release.prerelease))
        # by its number: a repository that moves keeps it, and so does a release that is renamed
        event = found_event(
            f"github:{release.id}", kind, at, f"{repository} {named} (GitHub)", release.html_url
        )
        if event is not None:
            found[event.key] = event
    return tuple(found.values())


def _counts(pages: Sequence[ParsedReply[ReleasePage]]) -> dict[Part, int]:
    """Return the downloads by asset: once where a new release moved one to the next page in between."""
    releases = _releases(pages)
    return {_part(asset): asset.download_count for release in releases for asset in release.assets}


def _releases(pages: Sequence[ParsedReply[ReleasePage]]) -> Iterator[_Release]:
    """Return the releases that are no drafts: only a token that may write sees those."""
    return (release for page in pages for release in page.body.root if not release.draft)


def _part(asset: _Asset) -> Part:
    return Part(asset.id, str(asset.id))  # ids only grow


def _require_assets(request: FetchRequest, counts: Mapping[Part, int], reply: Reply) -> None:
    """Raise for an empty list where assets were counted before: it may have lost its rows."""
    counted = CountedParts.of_last_reading(request)
    if counted and counted.newest and not counts:
        raise reply.error(
            TerminalSourceError,
            "the releases have no asset, but the last reading counted some, so nothing was stored",
            fix="run the job again later; if all assets were deleted, set active = false for "
            f"{request.metric_id} in the catalogue",
        )


def _is_reset(request: FetchRequest, pages: Sequence[ParsedReply[ReleasePage]]) -> bool:
    """Return whether an asset of the last reading is gone.

    Assets that are older than the newest of then, and new all the same, may be those of one release that was
    a draft.
    """
    counted, present = CountedParts.of_last_reading(request), set(_counts(pages))
    if counted is None or counted.are_among(present):
        return False
    releases = ({_part(asset) for asset in release.assets} for release in _releases(pages))
    return not any(counted.are_among(present - assets) for assets in releases)
