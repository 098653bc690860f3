"""The total of crates.io by UTC day: the sum of the file that its archive has for the day.

crates.io moves a day into the archive when its API drops it, after 90 days, so that the total is that late.
A file has the downloads of every version of every crate, some megabytes: it is summed while it arrives, and
nothing else of it is kept. A run reads at most `MOST_DAYS` files, the newest first. The first run begins with
the newest ones; later runs read what is missing since, and a day that is stored is never requested again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from community_metrics.errors import SourceError, TimeBudgetUsed
from community_metrics.model import REGISTRY_FAMILY, Observation, SourceWindow
from community_metrics.sources.archive_file import NOBODY, DayFile
from community_metrics.sources.base import EVERYTHING, FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import CRATES_STATIC
from community_metrics.sources.crates_counting import CARGO_ONLY, CRATES_ARCHIVE
from community_metrics.sources.schemas import ResponseModel
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.archive_file import DayTotals, Owners
    from community_metrics.sources.client.client import ParsedReply, RegistryClient

MOST_DAYS: Final = 10
"""Files that one run reads: the seven days of a week, and three more after a pause."""
LARGEST_FILE: Final = 128 * 1024**2
"""Bytes: more than ten times the largest file of the archive."""
_FOLDER: Final = "/archive/version-downloads"
_FILE_NAME: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\.csv", re.ASCII)


class _File(ResponseModel):
    name: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The days to read now, newest first, and how many older ones are left for later runs."""

    days: Sequence[date]
    left: int


class CratesArchive:
    """Downloads of all crates together. It is read for every catalogue that has a crate."""

    name = CRATES_ARCHIVE
    host = CRATES_STATIC.key
    window = SourceWindow.DAY
    family = REGISTRY_FAMILY
    sdk: str | None = None
    retention_days: int | None = None
    returns_full_history = False
    reads_days_once = True
    level_breaks = (CARGO_ONLY,)

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the fault of any catalogue entry: the total needs none."""
        wanted = f"{subject!r} with {dict(options)}" if options else repr(subject)
        return [f"{wanted} cannot be added: the total of crates.io is stored wherever a crate is tracked"]

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one result for each request."""

        async def fetch_one(request: FetchRequest) -> FetchResult:
            wanted = _wanted(request, await archived_days(client))
            return await _read(client, request, wanted)

        async for result in each(requests, fetch_one):
            yield result


async def archived_days(client: RegistryClient) -> list[date]:
    """Return the days of which the archive has a file, newest first."""
    parsed = await client.get_json(
        CRATES_STATIC, f"{_FOLDER}/index.json", tuple[_File, ...], source=CRATES_ARCHIVE, subject=EVERYTHING
    )
    names = (_FILE_NAME.fullmatch(file.name) for file in parsed.body)
    return sorted({date.fromisoformat(name[1]) for name in names if name}, reverse=True)


def _wanted(request: FetchRequest, archived: Sequence[date]) -> _Wanted:
    completed = [day for day in archived if day <= request.until]
    if request.first_stored_day is None:
        return _Wanted(completed[:MOST_DAYS], 0)
    missing = [day for day in completed if day > request.first_stored_day and day not in request.stored_days]
    return _Wanted(missing[:MOST_DAYS], len(missing[MOST_DAYS:]))


async def _read(client: RegistryClient, request: FetchRequest, wanted: _Wanted) -> FetchResult:
    """Return the totals of the wanted days; those that were read are stored although another one failed."""
    rows: list[Observation] = []
    errors: list[SourceError] = []
    left = wanted.left
    for at, day in enumerate(wanted.days):
        try:
            rows += await _total_of(client, request, day)
        except TimeBudgetUsed:
            if not rows:
                raise
            left += len(wanted.days) - at
            break
        except SourceError as error:
            errors.append(error)
    note = f"{counted(left, 'older day')} of the archive left for later runs"
    return FetchResult(
        metric_id=request.metric_id,
        observations=tuple(reversed(rows)),
        error=errors[0] if errors else None,
        notes=(note,) if left else (),
    )


async def read_day(client: RegistryClient, day: date, owners: Owners = NOBODY) -> ParsedReply[DayTotals]:
    """Return what the archive has of one day: the sum of its file, and those of the wanted crates."""
    return await client.get_rows(
        CRATES_STATIC,
        f"{_FOLDER}/{day}.csv",
        lambda: DayFile(owners),
        source=CRATES_ARCHIVE,
        subject=day.isoformat(),
        max_bytes=LARGEST_FILE,
    )


async def _total_of(client: RegistryClient, request: FetchRequest, day: date) -> list[Observation]:
    parsed = await read_day(client, day)
    if parsed.body.total == 0:  # every day has downloads: a file without any was not counted
        return []
    ref, at = parsed.reply.public_url, parsed.at
    return [Observation(request.metric_id, day, day, parsed.body.total, SourceWindow.DAY, at, ref)]
