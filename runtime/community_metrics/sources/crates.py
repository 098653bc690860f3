"""Downloads from crates.io: by UTC day, 90 days back, all versions together.

A day's total is the sum over the five highest versions, listed one by one, and `extra_downloads` for all
others; a release moves a version from one to the other, and only the total is stable. A day without downloads
has no row: the crate `serde` shows whether such a day was counted. Since October 2025 only downloads by
cargo count.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from pydantic import model_validator

from community_metrics.model import SourceWindow
from community_metrics.periods import ONE_DAY, today
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import CRATES
from community_metrics.sources.days import DailyCounts, daily_result
from community_metrics.sources.schemas import Count, Day, ResponseModel, require_distinct
from community_metrics.sources.sentinel import Sentinel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import date

    from community_metrics.sources.client.client import RegistryClient
    from community_metrics.sources.client.replies import Reply

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


class _Downloads(ResponseModel):
    version_downloads: tuple[_VersionDay, ...]
    meta: _Meta

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

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: a crate's name; options: none."""
        faults = [f"option {name!r} is unknown; crates has none" for name in options]
        if not _CRATE_NAME.fullmatch(subject):
            faults.append(f"{subject!r} is not a crate name")
        return faults

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one result for each request."""

        async def sentinel_days() -> Mapping[date, int]:
            counts, _ = await _counts(client, _SENTINEL)
            return counts.by_day

        sentinel = Sentinel(_SENTINEL, sentinel_days)

        async def fetch_one(request: FetchRequest) -> FetchResult:
            counts, reply = await _counts(client, request.subject)
            return await daily_result(request, counts, sentinel, reply)

        async for result in each(requests, fetch_one):
            yield result


async def _counts(client: RegistryClient, crate: str) -> tuple[DailyCounts, Reply]:
    path = f"/api/v1/crates/{quote(crate, safe='')}/downloads"
    parsed = await client.get_json(CRATES, path, _Downloads, source=Crates.name, subject=crate)
    # a response made at midnight may have only one of the two lists for the day that leaves the window
    oldest = today(parsed.at) - _RETENTION_DAYS * ONE_DAY
    totals = {day: value for day, value in parsed.body.by_day().items() if day >= oldest}
    return DailyCounts(totals, parsed.reply.public_url, parsed.at), parsed.reply
