"""Downloads from crates.io before the 90 days of its API: the daily archive, one file for all crates.

A file has the downloads of every version by its number, so the numbers of a crate's versions are read first.
The sum of a file is the total of crates.io on that day, which is stored as well, and by which days that were
counted in part are held back. A crate without a row in a complete file had no download.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from community_metrics.errors import SourceError, SourceRateLimited, SourceUnreachable
from community_metrics.model import SourceWindow, ValueMark
from community_metrics.sources.archive_file import Owners
from community_metrics.sources.backfill.base import left_open, only
from community_metrics.sources.base import EVERYTHING, FetchResult
from community_metrics.sources.client.hosts import CRATES, CRATES_STATIC
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.crates_archive import archived_days, read_day
from community_metrics.sources.crates_counting import CARGO_ONLY
from community_metrics.sources.days import DailyCounts, checked_days, observations
from community_metrics.sources.found import instant_of
from community_metrics.sources.schemas import ResponseModel
from community_metrics.sources.sentinel import Sentinel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from community_metrics.sources.backfill.base import BackfillRequest
    from community_metrics.sources.client.client import RegistryClient

BLOCK_DAYS: Final = 56
"""How many files are read before the days of the block before them are judged and handed on."""
_NEIGHBOURS: Final = timedelta(weeks=4)
_MOST_PAGES: Final = 100
_OPEN: Final = (
    "the archive has no complete file of them, no week beside them is known, or a day without downloads is "
    "not plausible there"
)


class _Version(ResponseModel):
    id: int
    created_at: str


class _Meta(ResponseModel):
    next_page: str | None = None


class _Versions(ResponseModel):
    versions: tuple[_Version, ...]
    meta: _Meta = _Meta()


@dataclass(frozen=True, slots=True)
class _Crate:
    """The numbers of a crate's versions, and the day of the first one."""

    ids: frozenset[int]
    since: date


class CratesHistory:
    """Fills the metrics of crates, and the total of crates.io."""

    name = "crates.io archive"
    host = CRATES_STATIC
    window = SourceWindow.DAY
    first_day = date(2014, 11, 1)
    newest_days_left = 90

    def serves(self, _subject: str) -> bool:
        """Return True: the archive has every crate, and their total."""
        return True

    def steps(self, requests: Sequence[BackfillRequest]) -> int:
        """Return the number of days that any of them lacks: each has a file."""
        return len({day for request in requests for day in request.missing})

    async def fill(
        self, requests: Sequence[BackfillRequest], client: RegistryClient, on_step: Callable[[str], None]
    ) -> AsyncIterator[FetchResult]:
        """Yield the days of all crates together, block by block, the newest first."""
        crates: dict[str, _Crate] = {}
        kept: list[BackfillRequest] = []
        for request in requests:
            try:
                if request.subject != EVERYTHING and request.subject not in crates:
                    crates[request.subject] = await _crate(client, request.subject)
                kept.append(request)
            except SourceError as error:
                yield FetchResult(request.metric_id, error=error)
        try:
            archived = await archived_days(client) if kept else []
        except SourceError as error:
            for request in kept:
                yield FetchResult(request.metric_id, error=error)
            return
        filling = _Filling(kept, crates, client, on_step)
        async for result in filling.results(archived):
            yield result


async def _crate(client: RegistryClient, name: str) -> _Crate:
    """Return the versions of a crate, yanked ones too."""
    path, params = f"/api/v1/crates/{quote(name, safe='')}/versions", "?per_page=100"
    versions: list[_Version] = []
    for _ in range(_MOST_PAGES):
        parsed = await client.get_json(
            CRATES, f"{path}{params}", _Versions, source=CratesHistory.name, subject=name
        )
        versions += parsed.body.versions
        following = parsed.body.meta.next_page
        if following is None:
            break
        if not following.startswith("?"):
            raise shape_error(parsed.reply, f"meta.next_page is {following[:40]!r}")
        params = following
    else:
        raise shape_error(parsed.reply, f"it has more than {_MOST_PAGES} pages of versions")
    published = [at.date() for version in versions if (at := instant_of(version.created_at))]
    if not published:
        raise shape_error(parsed.reply, "no version has a day of publication")
    return _Crate(frozenset(version.id for version in versions), min(published))


@dataclass(slots=True)
class _Known:
    """What is known of one metric: its values by day, and where and when those of a file were read."""

    by_day: dict[date, int]
    files: dict[date, DailyCounts] = field(default_factory=dict)
    left: set[date] = field(default_factory=set)


class _Filling:
    """The files of one run: each is read once, for all metrics that lack its day."""

    def __init__(
        self,
        requests: Sequence[BackfillRequest],
        crates: Mapping[str, _Crate],
        client: RegistryClient,
        on_step: Callable[[str], None],
    ) -> None:
        self._requests = requests
        self._crates = crates
        self._client = client
        self._on_step = on_step
        self._owners = Owners({name: crate.ids for name, crate in crates.items()})
        self._known = {one.metric_id: _Known(dict(one.stored)) for one in requests}
        self._missing = {one.metric_id: self._days_of(one) for one in requests}
        self._totals: dict[date, int] = {}
        for request in requests:
            if request.subject == EVERYTHING:
                self._totals.update(request.stored)
        self._error: SourceError | None = None

    def _days_of(self, request: BackfillRequest) -> frozenset[date]:
        """Return the missing days on which the crate existed."""
        crate = self._crates.get(request.subject)
        return frozenset(day for day in request.missing if crate is None or day >= crate.since)

    async def results(self, archived: Sequence[date]) -> AsyncIterator[FetchResult]:
        """Yield the days of each block once the next one, which has their neighbours, is read."""
        wanted = frozenset[date]().union(*self._missing.values())
        days = [day for day in archived if day in wanted]
        blocks = [days[start : start + BLOCK_DAYS] for start in range(0, len(days), BLOCK_DAYS)]
        waiting: list[date] = []
        for block in blocks:
            goes_on = await self._read(block)
            async for result in self._judged(waiting):
                yield result
            waiting = block
            if not goes_on:
                break
        async for result in self._judged(waiting):
            yield result
        for request in self._requests:
            last = left_open(request.metric_id, self._known[request.metric_id].left, _OPEN)
            yield replace(last, error=self._error if request.missing else None)

    async def _read(self, block: Sequence[date]) -> bool:
        """Read the files of a block; return whether the registry answers further requests."""
        for day in block:
            try:
                parsed = await read_day(self._client, day, self._owners)
            except SourceError as error:
                self._error = self._error or error
                if isinstance(error, SourceRateLimited | SourceUnreachable):
                    return False
                continue
            self._on_step(day.isoformat())
            if not parsed.body.total:  # every day has downloads: a file without any was not counted
                continue
            self._totals[day] = parsed.body.total
            for request in self._requests:
                is_total = request.subject == EVERYTHING
                value = parsed.body.total if is_total else parsed.body.by_crate.get(request.subject, 0)
                known = self._known[request.metric_id]
                known.by_day.setdefault(day, value)
                known.files[day] = DailyCounts({day: value}, parsed.reply.public_url, parsed.at)
        return True

    async def _judged(self, block: Sequence[date]) -> AsyncIterator[FetchResult]:
        sentinel = Sentinel("total of crates.io", self._all_totals, (CARGO_ONLY,), is_archive=True)
        for request in self._requests:
            known = self._known[request.metric_id]
            days = [day for day in block if day in self._missing[request.metric_id]]
            files = [known.files.pop(day) for day in block if day in known.files]
            if not files:
                known.left.update(days)
                continue
            result = only(await self._result(request, sentinel, files), days)
            known.left.update(set(days) - {row.period_end for row in result.observations})
            yield result

    async def _result(
        self, request: BackfillRequest, sentinel: Sentinel, files: Sequence[DailyCounts]
    ) -> FetchResult:
        """Return the days of a block by the rules of daily series."""
        known = self._known[request.metric_id]
        crate = self._crates.get(request.subject)
        block = [day for part in files for day in part.by_day]
        over = request.over(
            min(block) - _NEIGHBOURS, max(block) + _NEIGHBOURS, None if crate is None else crate.since
        )
        if crate is None:
            rows = [row for part in files for row in observations(over, part)]
            return FetchResult(request.metric_id, tuple(rows))
        whole = replace(files[0], by_day=known.by_day)
        checked = await checked_days(over, whole, sentinel, omits_empty_days=False)
        found = (row for part in files for row in observations(over, part, checked.stated_by(part.by_day)))
        marked = (row if row.value else replace(row, mark=ValueMark.IMPLIED_ZERO) for row in found)
        return FetchResult(request.metric_id, tuple(marked))

    async def _all_totals(self) -> Mapping[date, int]:
        return self._totals
