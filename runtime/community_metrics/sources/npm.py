"""Downloads from npm: by UTC day, 18 months back.

A 0 has three meanings here: the package had no downloads, the day is not published yet, or the day was lost,
for everybody or for this package. It is stored only where the registry's own total shows that the day was
counted and the package's own days make it plausible, and never before its first known download. That total
is stored as the registry's own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from pydantic import model_validator

from community_metrics.model import SourceWindow
from community_metrics.periods import ONE_DAY
from community_metrics.sources.base import EVERYTHING, FetchRequest, FetchResult, RegistrySeries, each
from community_metrics.sources.client.hosts import NPM
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.days import DailyCounts, checked_days, observations, registry_result
from community_metrics.sources.schemas import Count, Day, ResponseModel, require_distinct
from community_metrics.sources.sentinel import ReadOnce, Sentinel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.client.client import RegistryClient

_NAME_PART = r"[a-z0-9~-][a-z0-9._~-]*"
_PACKAGE_NAME = re.compile(rf"(@{_NAME_PART}/)?{_NAME_PART}", re.IGNORECASE | re.ASCII)
_LONGEST_NAME = 214
_RETENTION = timedelta(days=548)  # 18 months; a range that reaches further back is cut silently
LONGEST_RANGE = timedelta(days=364)  # from the first to the last of 365 days
_SENTINEL_LEAD = timedelta(weeks=4)  # neighbours of the first requested days


class _DayCount(ResponseModel):
    day: Day
    downloads: Count


class _Range(ResponseModel):
    start: Day
    end: Day
    package: str | None = None
    downloads: tuple[_DayCount, ...]

    @model_validator(mode="after")
    def _one_value_a_day_in_range(self) -> Self:
        require_distinct(row.day.isoformat() for row in self.downloads)
        outside = [row.day for row in self.downloads if not self.start <= row.day <= self.end]
        if outside:
            raise ValueError(f"{outside[0]} lies outside of {self.start} to {self.end}")
        return self


class Npm:
    """Downloads of a package by the day. No options."""

    name = "npm"
    host = NPM.key
    window = SourceWindow.DAY
    family = "downloads"
    sdk: str | None = "nodejs"
    retention_days: int | None = _RETENTION.days
    returns_full_history = False

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: a package's name; options: none."""
        faults = [f"option {name!r} is unknown; npm has none" for name in options]
        if not _PACKAGE_NAME.fullmatch(subject) or len(subject) > _LONGEST_NAME:
            faults.append(f"{subject!r} is not an npm package name such as vectordb or @lancedb/lancedb")
        return faults

    def registry(self, _options: Mapping[str, Any]) -> RegistrySeries:
        """Return the total of npm."""
        return RegistrySeries("registry:npm:all", self.name, "npm, all packages")

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one result for each request."""

        async def registry_total() -> list[DailyCounts]:
            first = min(_first_day(request) for request in requests) - _SENTINEL_LEAD
            last = max(request.until for request in requests)
            return await _read(client, None, max(first, last - _RETENTION), last)

        total = ReadOnce(registry_total)

        async def sentinel_days() -> Mapping[date, int]:
            return _merged(await total.value())

        sentinel = Sentinel("registry total", sentinel_days)

        async def fetch_one(request: FetchRequest) -> FetchResult:
            if request.subject == EVERYTHING:
                return registry_result(request, await total.value())
            parts = await _read(client, request.subject, _first_day(request), request.until)
            if not parts:
                return FetchResult(request.metric_id)
            whole = replace(parts[-1], by_day=_merged(parts))
            checked = await checked_days(request, whole, sentinel, omits_empty_days=False)
            rows = tuple(
                chain.from_iterable(
                    observations(request, part, checked.stated_by(part.by_day)) for part in parts
                )
            )
            return FetchResult(request.metric_id, rows, checked.error, checked.notes)

        own_first = sorted(requests, key=lambda request: request.subject == EVERYTHING)
        async for result in each(own_first, fetch_one):
            yield result


def _first_day(request: FetchRequest) -> date:
    oldest = request.until - _RETENTION
    return max(request.since or oldest, oldest)


def _merged(parts: Sequence[DailyCounts]) -> dict[date, int]:
    return {day: value for part in parts for day, value in part.by_day.items()}


async def _read(client: RegistryClient, package: str | None, first: date, last: date) -> list[DailyCounts]:
    """Return the counts from `first` to `last`, by request; `package` None is the registry's total."""
    parts = []
    while first <= last:
        end = min(first + LONGEST_RANGE, last)
        parts.append(await read_chunk(client, package, first, end))
        first = end + ONE_DAY
    return parts


async def read_chunk(client: RegistryClient, package: str | None, start: date, end: date) -> DailyCounts:
    """Return the counts of at most 365 days; `package` None is the registry's total.

    Raises:
        SourceError: as `RegistryClient.get_json`.
    """
    name = f"/{quote(package, safe='')}" if package else ""
    path = f"/downloads/range/{start}:{end}{name}"
    parsed = await client.get_json(NPM, path, _Range, source=Npm.name, subject=package or "registry total")
    body, reply = parsed.body, parsed.reply
    if body.package != package:
        raise shape_error(reply, f"package is {body.package!r}")
    if not start <= body.start <= body.end <= end:
        raise shape_error(reply, f"the range is {body.start} to {body.end}")
    return DailyCounts({row.day: row.downloads for row in body.downloads}, reply.public_url, reply.at)
