"""Downloads from PyPI, as pypistats.org counts them: by UTC day, 180 days back, mirrors in or out.

One request for each package returns both series, with and without known mirrors; the option `mirrors` selects
one, and they are never added. A day without downloads has no row, nor has a day that was not ingested:
`__all__` shows which of the two it is.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote

from pydantic import model_validator

from community_metrics.errors import SourceError
from community_metrics.model import SourceWindow
from community_metrics.sources.base import FetchRequest, FetchResult
from community_metrics.sources.client.hosts import PYPISTATS
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.days import DailyCounts, daily_result
from community_metrics.sources.schemas import Count, Day, ResponseModel, require_distinct
from community_metrics.sources.sentinel import Sentinel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import date

    from community_metrics.sources.client.client import ParsedReply, RegistryClient

_PROJECT_NAME = re.compile(r"[a-z0-9]|[a-z0-9][a-z0-9._-]*[a-z0-9]", re.IGNORECASE | re.ASCII)
_EVERYTHING = "__all__"

Category = Literal["with_mirrors", "without_mirrors"]


class _DayCount(ResponseModel):
    category: Category
    date: Day
    downloads: Count


class _Overall(ResponseModel):
    package: str
    type: Literal["overall_downloads"]
    data: tuple[_DayCount, ...]

    @model_validator(mode="after")
    def _one_value_a_day(self) -> Self:
        require_distinct((row.category, row.date.isoformat()) for row in self.data)
        return self

    def by_day(self, category: Category) -> dict[date, int]:
        return {row.date: row.downloads for row in self.data if row.category == category}


class PypiStats:
    """`overall` downloads by the day. Option `mirrors` (default false): count known mirrors too."""

    name = "pypistats"
    host = PYPISTATS.key
    window = SourceWindow.DAY
    family = "downloads"
    sdk: str | None = "python"
    retention_days: int | None = 181
    returns_full_history = True

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: a PyPI project; option: `mirrors`."""
        faults = [
            f"option {name!r} is unknown; pypistats has mirrors" for name in options if name != "mirrors"
        ]
        if not isinstance(options.get("mirrors", False), bool):
            faults.append("option mirrors is true or false")
        if not _PROJECT_NAME.fullmatch(subject):
            faults.append(f"{subject!r} is not a PyPI project name")
        return faults

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one result for each request; metrics of one package share its response."""

        async def everything() -> Mapping[date, int]:
            return (await _overall(client, _EVERYTHING)).body.by_day("without_mirrors")

        sentinel = Sentinel(_EVERYTHING, everything)
        for package, group in groupby(sorted(requests, key=_package), key=_package):
            try:
                parsed = await _overall(client, package)
            except SourceError as error:
                for request in group:
                    yield FetchResult(request.metric_id, error=error)
                continue
            for request in group:
                yield await _result(request, parsed, sentinel)


async def _overall(client: RegistryClient, package: str) -> ParsedReply[_Overall]:
    path = f"/api/packages/{quote(package, safe='')}/overall"
    parsed = await client.get_json(PYPISTATS, path, _Overall, source=PypiStats.name, subject=package)
    if parsed.body.package != package:
        raise shape_error(parsed.reply, f"package is {parsed.body.package!r}")
    return parsed


async def _result(request: FetchRequest, parsed: ParsedReply[_Overall], sentinel: Sentinel) -> FetchResult:
    category: Category = "with_mirrors" if request.options.get("mirrors", False) else "without_mirrors"
    counts = DailyCounts(parsed.body.by_day(category), parsed.reply.public_url, parsed.at)
    return await daily_result(request, counts, sentinel, parsed.reply)


def _package(request: FetchRequest) -> str:
    """Return the name normalised by PEP 503; the server replaces dots but does not lower the case."""
    return re.sub(r"[-_.]+", "-", request.subject).lower()
