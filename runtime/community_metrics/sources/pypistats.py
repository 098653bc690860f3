"""Downloads from PyPI, as pypistats.org counts them: by UTC day, 180 days back, mirrors in or out.

One request for each package returns both series, with and without known mirrors; the option `mirrors` selects
one, and they are never added. A day without downloads has no row, nor has a day that was not ingested:
`__all__`, everything that PyPI served, shows which of the two it is, and is stored as the registry's total.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote

from pydantic import model_validator

from community_metrics.errors import SourceError
from community_metrics.model import SourceWindow
from community_metrics.sources.base import EVERYTHING, FetchRequest, FetchResult, RegistrySeries
from community_metrics.sources.client.hosts import PYPISTATS
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.days import DailyCounts, daily_result, registry_result
from community_metrics.sources.schemas import Count, Day, ResponseModel, require_distinct
from community_metrics.sources.sentinel import ReadOnce, Sentinel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import date

    from community_metrics.sources.client.client import ParsedReply, RegistryClient

_PROJECT_NAME = re.compile(r"[a-z0-9]|[a-z0-9][a-z0-9._-]*[a-z0-9]", re.IGNORECASE | re.ASCII)
_SOURCE = "pypistats"
_REGISTRY = {
    False: RegistrySeries("registry:pypi:all", _SOURCE, "PyPI, all packages (without known mirrors)"),
    True: RegistrySeries(
        "registry:pypi:all-with-mirrors", _SOURCE, "PyPI, all packages (with mirrors)", {"mirrors": True}
    ),
}

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

    name = _SOURCE
    host = PYPISTATS.key
    window = SourceWindow.DAY
    family = "downloads"
    sdk: str | None = "python"
    retention_days: int | None = 181
    returns_full_history = True
    once_a_day = True

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

    def registry(self, options: Mapping[str, Any]) -> RegistrySeries:
        """Return the total of PyPI that counts mirrors as the options do."""
        return _REGISTRY[bool(options.get("mirrors", False))]

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one result for each request; metrics of one package share its response."""
        everything = ReadOnce(lambda: _overall(client, EVERYTHING))

        async def sentinel_days() -> Mapping[date, int]:
            return (await everything.value()).body.by_day("without_mirrors")

        sentinel = Sentinel(EVERYTHING, sentinel_days)
        for package, group in _by_package(requests).items():
            try:
                parsed = await (everything.value() if package == EVERYTHING else _overall(client, package))
            except SourceError as error:
                for request in group:
                    yield FetchResult(request.metric_id, error=error)
                continue
            for request in group:
                yield await _result(request, parsed, sentinel)


def _by_package(requests: Sequence[FetchRequest]) -> Mapping[str, list[FetchRequest]]:
    """Return the requests by package, in the order of each package's first one, the registry's total last."""
    grouped: dict[str, list[FetchRequest]] = {}
    for request in sorted(requests, key=lambda one: one.subject == EVERYTHING):
        grouped.setdefault(_package(request), []).append(request)
    return grouped


async def _overall(client: RegistryClient, package: str) -> ParsedReply[_Overall]:
    path = f"/api/packages/{quote(package, safe='')}/overall"
    parsed = await client.get_json(PYPISTATS, path, _Overall, source=PypiStats.name, subject=package)
    if parsed.body.package != package:
        raise shape_error(parsed.reply, f"package is {parsed.body.package!r}")
    return parsed


async def _result(request: FetchRequest, parsed: ParsedReply[_Overall], sentinel: Sentinel) -> FetchResult:
    category: Category = "with_mirrors" if request.options.get("mirrors", False) else "without_mirrors"
    counts = DailyCounts(parsed.body.by_day(category), parsed.reply.public_url, parsed.at)
    if request.subject == EVERYTHING:
        return registry_result(request, [counts])
    return await daily_result(request, counts, sentinel, parsed.reply)


def _package(request: FetchRequest) -> str:
    return EVERYTHING if request.subject == EVERYTHING else normalized(request.subject)


def normalized(project: str) -> str:
    """Return the name normalised by PEP 503; the server replaces dots but does not lower the case."""
    return re.sub(r"[-_.]+", "-", project).lower()
