"""Downloads from crates.io: by UTC day, 90 days back, all versions together.

A day's total is the sum over the five highest versions, listed one by one, and `extra_downloads` for all
others; a release moves a version from one to the other, and only the total is stable. A day without downloads
has no row: the crate `serde` shows whether such a day was counted. Since October 2025 only downloads by
cargo count. The registry's own total comes from another place: `crates_archive`. The same answer says when
each of the five versions was published, which is an event.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from pydantic import model_validator

from community_metrics.model import SourceWindow
from community_metrics.periods import ONE_DAY, today
from community_metrics.sources.base import FetchRequest, FetchResult, RegistrySeries, each
from community_metrics.sources.client.hosts import CRATES
from community_metrics.sources.crates_counting import CARGO_ONLY, CRATES_TOTAL
from community_metrics.sources.days import DailyCounts, daily_result
from community_metrics.sources.found import found_event, instant_of, release_kind
from community_metrics.sources.schemas import Count, Day, ResponseModel, require_distinct
from community_metrics.sources.sentinel import Sentinel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from datetime import date

    from community_metrics.model import FoundEvent
    from community_metrics.sources.client.client import ParsedReply, RegistryClient

_CRATE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.IGNORECASE | re.ASCII)
_SENTINEL = "serde"
_RETENTION_DAYS = 89


class _DayCount(ResponseModel):
    date: Day
    downloads: Count


class _VersionDay(_DayCount):
    version: int


class _Meta(ResponseModel):
    extra_downloads: tuple[_DayCount, ...]


class _Version(ResponseModel):
    num: str
    created_at: str


class _Downloads(ResponseModel):
    version_downloads: tuple[_VersionDay, ...]
    meta: _Meta
    versions: tuple[_Version, ...] = ()

    @model_validator(mode="after")
    def _one_value_a_day(self) -> Self:
        require_distinct((row.version, row.date.isoformat()) for row in self.version_downloads)
        require_distinct(row.date.isoformat() for row in self.meta.extra_downloads)
        return self

    def by_day(self) -> Counter[date]:
        rows: tuple[_DayCount, ...] = (*self.version_downloads, *self.meta.extra_downloads)
        totals: Counter[date] = Counter()
        for row in rows:
            totals[row.date] += row.downloads
        return totals


class Crates:
    """Downloads of a crate by the day. No options."""

    name = "crates"
    host = CRATES.key
    window = SourceWindow.DAY
    family = "downloads"
    sdk: str | None = "rust"
    retention_days: int | None = _RETENTION_DAYS
    returns_full_history = True
    level_breaks = (CARGO_ONLY,)

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: a crate's name; options: none."""
        faults = [f"option {name!r} is unknown; crates has none" for name in options]
        if not _CRATE_NAME.fullmatch(subject):
            faults.append(f"{subject!r} is not a crate name")
        return faults

    def registry(self, _options: Mapping[str, Any]) -> RegistrySeries:
        """Return the total of crates.io, which its archive has."""
        return CRATES_TOTAL

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one result for each request."""

        async def sentinel_days() -> Mapping[date, int]:
            return _counts(await _downloads(client, _SENTINEL)).by_day

        sentinel = Sentinel(_SENTINEL, sentinel_days)

        async def fetch_one(request: FetchRequest) -> FetchResult:
            parsed = await _downloads(client, request.subject, include="versions")
            result = await daily_result(request, _counts(parsed), sentinel, parsed.reply)
            return replace(result, events=tuple(_releases(request.subject, parsed.body.versions)))

        async for result in each(requests, fetch_one):
            yield result


async def _downloads(client: RegistryClient, crate: str, **params: str) -> ParsedReply[_Downloads]:
    path = f"/api/v1/crates/{quote(crate, safe='')}/downloads"
    return await client.get_json(CRATES, path, _Downloads, source=Crates.name, subject=crate, params=params)


def _counts(parsed: ParsedReply[_Downloads]) -> DailyCounts:
    # a response made at midnight may have only one of the two lists for the day that leaves the window
    oldest = today(parsed.at) - _RETENTION_DAYS * ONE_DAY
    totals = {day: value for day, value in parsed.body.by_day().items() if day >= oldest}
    return DailyCounts(totals, parsed.reply.public_url, parsed.at)


def _releases(crate: str, versions: Sequence[_Version]) -> Iterator[FoundEvent]:
    """Yield when versions were published; one that was yanked since was published all the same."""
    for version in versions:
        at = instant_of(version.created_at)
        if at is not None:
            event = found_event(
                f"crates:{crate}@{version.num}",
                release_kind(version.num),
                at,
                f"{crate} {version.num} (crates.io)",
                f"{CRATES.public_origin}/crates/{crate}/{version.num}",
            )
            if event is not None:
                yield event
