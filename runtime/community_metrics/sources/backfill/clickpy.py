"""Downloads from PyPI before the 180 days of pypistats: ClickPy, which counts the same log by installer.

Without the installers that pypistats leaves out, its counts are pypistats' counts. That is not assumed: the
days that both have are compared first, and where they differ nothing is stored. ClickPy cuts a large result
without an error unless a setting makes it fail, and at times has no new days for weeks.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import BeforeValidator, model_validator

from community_metrics.errors import SourceError, TerminalSourceError
from community_metrics.model import SourceWindow
from community_metrics.sources.backfill.base import left_open, only
from community_metrics.sources.base import EVERYTHING, FetchResult
from community_metrics.sources.client.hosts import CLICKPY
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.days import DailyCounts, checked_days, observations
from community_metrics.sources.pypistats import normalized
from community_metrics.sources.schemas import Count, Day, ResponseModel, require_distinct
from community_metrics.sources.sentinel import Intake, Sentinel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from community_metrics.sources.backfill.base import BackfillRequest
    from community_metrics.sources.client.client import ParsedReply, RegistryClient
    from community_metrics.sources.client.replies import Reply

OVERLAP: Final = timedelta(days=180)
"""How far back from the newest day of the source the two are compared."""
FEWEST_DAYS: Final = 28
"""With fewer days that both have, nothing is proved."""
MOST_DIFFERENCE: Final = 0.01
"""The largest median difference with which they are the same series."""
PACKAGES_OF_A_QUERY: Final = 45
"""One row each, 11 years in it: some 50 rows and 2 MB, below ClickPy's 1,000 rows and 10 MB."""
SENTINELS: Final = ("pip", "requests", "setuptools", "six", "urllib3")
"""Packages that are installed every day since 2016: their sum shows which days ClickPy has."""
NOT_COUNTED: Final = ("", "bandersnatch", "z3c.pypimirror", "Artifactory", "devpi")
"""The installers that pypistats leaves out; a download without a named one is left out as well."""
_TABLE: Final = "pypi.pypi_downloads_per_day_by_version_by_installer_by_type"
_PARAMS: Final[Mapping[str, str | int]] = {
    "user": "demo",
    "result_overflow_mode": "throw",
    "read_overflow_mode": "throw",
    "wait_end_of_query": 1,
}
_DIGITS: Final = re.compile(r"[0-9]{1,14}")
_OPEN: Final = "ClickPy has no complete day of them, or the package did not exist yet"


def _unquoted(value: object) -> object:
    """Return the number in a text of digits: ClickHouse writes a 64-bit integer either way."""
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


class _Project(ResponseModel):
    project: str
    days: tuple[Day, ...]
    counts: tuple[Annotated[Count, BeforeValidator(_unquoted)], ...]

    @model_validator(mode="after")
    def _one_value_a_day(self) -> Self:
        if len(self.days) != len(self.counts):
            raise ValueError(f"{len(self.days)} days, but {len(self.counts)} counts")
        require_distinct(day.isoformat() for day in self.days)
        return self


class _Answer(ResponseModel):
    data: tuple[_Project, ...]
    rows: Annotated[Count, BeforeValidator(_unquoted)]
    exception: str | None = None

    @model_validator(mode="after")
    def _each_project_once(self) -> Self:
        require_distinct(one.project for one in self.data)
        return self


@dataclass(frozen=True, slots=True)
class WitnessedDays:
    """What ClickPy has of some packages, by name, and of the sentinel."""

    by_package: Mapping[str, DailyCounts]
    sentinel: Mapping[date, int]

    @property
    def newest(self) -> date:
        """The last day that it has; later ones are not known."""
        return max(self.sentinel, default=date.min)


class ClickPy:
    """Fills the metrics of PyPI packages, with or without mirrors as pypistats counts them."""

    name = "ClickPy"
    host = CLICKPY
    window = SourceWindow.DAY
    first_day = date(2016, 1, 1)
    newest_days_left = 0

    def serves(self, subject: str) -> bool:
        """Return whether it is a package: the total of PyPI is too large a query."""
        return subject != EVERYTHING

    def steps(self, requests: Sequence[BackfillRequest]) -> int:
        """Return the number of queries."""
        return sum(1 for _ in _groups(requests))

    async def fill(
        self, requests: Sequence[BackfillRequest], client: RegistryClient, on_step: Callable[[str], None]
    ) -> AsyncIterator[FetchResult]:
        """Yield the days of each package that its overlap proves."""
        for with_mirrors, group in _groups(requests):
            names = sorted({normalized(request.subject) for request in group})
            since = min(request.since for request in group)
            try:
                found = await read_days(client, names, since, with_mirrors=with_mirrors)
            except SourceError as error:
                for request in group:
                    yield FetchResult(request.metric_id, error=error)
                continue
            on_step(f"{len(names)} packages")
            for request in group:
                async for result in _results(request, found):
                    yield result


async def read_days(
    client: RegistryClient, packages: Sequence[str], since: date, *, with_mirrors: bool
) -> WitnessedDays:
    """Return the days of at most `PACKAGES_OF_A_QUERY` packages from `since` on, by one query.

    Raises:
        SourceError: ClickPy failed, or its answer is incomplete.
    """
    names = sorted({*packages, *SENTINELS})
    parsed = await client.post_json(
        CLICKPY,
        "/",
        _Answer,
        source=ClickPy.name,
        subject=f"{len(packages)} packages",
        params=_PARAMS,
        body=_query(names, since, with_mirrors=with_mirrors),
        refuse=_incomplete,
    )
    by_name = {one.project: dict(zip(one.days, one.counts, strict=True)) for one in parsed.body.data}
    _require_asked(parsed, names, since)
    sentinel: Counter[date] = Counter()
    for name in SENTINELS:
        sentinel.update(by_name[name])
    reply = parsed.reply
    counts = {name: DailyCounts(by_name.get(name, {}), reply.public_url, parsed.at) for name in packages}
    return WitnessedDays(counts, sentinel)


def _query(names: Sequence[str], since: date, *, with_mirrors: bool) -> str:
    """Return the query: names of packages have no character that SQL would read as another."""
    without = "" if with_mirrors else f" AND installer NOT IN ({_listed(NOT_COUNTED)})"
    days = (
        f"SELECT project, date, sum(count) AS downloads FROM {_TABLE} "  # noqa: S608  names as above
        f"WHERE project IN ({_listed(names)}) AND date >= '{since}'{without} GROUP BY project, date"
    )
    return (
        "SELECT project, groupArray(date) AS days, groupArray(downloads) AS counts "  # noqa: S608  as above
        f"FROM ({days}) GROUP BY project ORDER BY project FORMAT JSON"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _incomplete(answer: _Answer, reply: Reply) -> SourceError | None:
    """Return the error of an answer that ended early, although its status is 200."""
    if answer.exception is not None:
        return reply.error(TerminalSourceError, f"the answer ends with an error: {answer.exception[:200]}")
    if answer.rows != len(answer.data):
        return shape_error(reply, f"it has {len(answer.data)} of {answer.rows} rows")
    return None


def _require_asked(parsed: ParsedReply[_Answer], names: Sequence[str], since: date) -> None:
    """Raise SourceShapeError for an answer that lacks a sentinel, or has what was not asked for."""
    found = {one.project for one in parsed.body.data}
    if missing := set(SENTINELS) - found:
        raise shape_error(parsed.reply, f"it lacks {', '.join(sorted(missing))}, which always have downloads")
    if others := found - set(names):
        raise shape_error(parsed.reply, f"it has {min(others)!r}, which was not requested")
    if early := [one.project for one in parsed.body.data if min(one.days, default=since) < since]:
        raise shape_error(parsed.reply, f"{early[0]} has days before {since}")


async def _results(request: BackfillRequest, found: WitnessedDays) -> AsyncIterator[FetchResult]:
    """Yield the missing days of one package, or why none may be stored."""
    counts = found.by_package[normalized(request.subject)]
    if fault := unproved(request, counts.by_day, found):
        yield FetchResult(request.metric_id, error=fault)
        return

    async def sentinel_days() -> Mapping[date, int]:
        return found.sentinel

    over = request.over(request.since, request.until)
    sentinel = Sentinel(", ".join(SENTINELS), sentinel_days, is_archive=True)
    checked = await checked_days(over, counts, sentinel, omits_empty_days=True)
    result = FetchResult(request.metric_id, observations(over, counts, checked), checked.error)
    result = only(result, request.missing)
    yield result
    stored = {row.period_end for row in result.observations}
    yield left_open(request.metric_id, set(request.missing) - stored, _OPEN)


def unproved(
    request: BackfillRequest, counts: Mapping[date, int], found: WitnessedDays
) -> TerminalSourceError | None:
    """Return why ClickPy's counts are not shown to be those of the source; None where they are."""
    shares = differences(request.scheduled, counts, found)
    if len(shares) < FEWEST_DAYS:
        return TerminalSourceError(
            f"ClickPy and {request.source} have {len(shares)} complete days in common; nothing was stored, "
            f"since at least {FEWEST_DAYS} must show that both count alike",
            source=request.source,
            subject=request.subject,
            fix="run `community-metrics refresh`, then the backfill; if ClickPy has stalled, wait",
        )
    middle = median(shares.values())
    if middle <= MOST_DIFFERENCE:
        return None
    return TerminalSourceError(
        f"ClickPy and {request.source} differ by {middle:.1%} (median of {len(shares)} days), more than "
        f"{MOST_DIFFERENCE:.0%}; nothing was stored",
        source=request.source,
        subject=request.subject,
        fix="nothing to do: the days before the first run stay missing",
    )


def differences(
    scheduled: Mapping[date, int], counts: Mapping[date, int], found: WitnessedDays
) -> dict[date, float]:
    """Return by how much the two differ, as a share of the source's value, on the days that both have.

    Days that ClickPy has only in part, as far as its sentinel shows, are left out, and so are those on which
    neither counted anything.
    """
    newest = max(scheduled, default=date.min)
    near = {day: value for day, value in scheduled.items() if newest - day < OVERLAP and day <= found.newest}
    complete = Intake(found.sentinel).counted(near)
    both = {day: (near[day], counts.get(day, 0)) for day in complete}
    return {day: abs(other - own) / max(own, 1) for day, (own, other) in sorted(both.items()) if own or other}


def _groups(requests: Sequence[BackfillRequest]) -> Iterator[tuple[bool, list[BackfillRequest]]]:
    """Yield the requests of one query each: of few packages, counted in one way."""

    def counts_mirrors(request: BackfillRequest) -> bool:
        return bool(request.options.get("mirrors", False))

    for with_mirrors, alike in groupby(sorted(requests, key=counts_mirrors), counts_mirrors):
        own = list(alike)
        for start in range(0, len(own), PACKAGES_OF_A_QUERY):
            yield with_mirrors, own[start : start + PACKAGES_OF_A_QUERY]
