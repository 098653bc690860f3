"""Downloads of DuckDB extensions, by weeks of DuckDB's own: from Sunday 04:00 UTC to the next Sunday 04:00.

DuckDB writes one file a day, always with the seven days before it, under the number of the ISO week, and
overwrites it until the week ends. The file that is written on its Sunday at 04:00 is the last one, and only
it is stored: those files follow one another without a gap or an overlap. Such a week has all but four hours
of the seven days from Sunday to Saturday, and is stored as those days, not as an ISO week.

The counts are estimates from samples of the requests. An extension that a file does not name was not listed,
which is not 0. A file that was not written on its Sunday, or is missing, leaves its week open for ever.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BeforeValidator, Field, model_validator

from community_metrics.errors import SourceDenied, SourceError, UnknownSubject
from community_metrics.model import Observation, SourceWindow, ValueKind
from community_metrics.periods import ONE_DAY, ONE_WEEK
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import DUCKDB, DUCKDB_COMMUNITY
from community_metrics.sources.schemas import Count, ResponseModel
from community_metrics.sources.sentinel import listed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from community_metrics.sources.client.client import ParsedReply, RegistryClient

_EXTENSION = re.compile(r"[a-z0-9][a-z0-9_]*", re.ASCII)
_HOSTS: Final = {"core": DUCKDB, "community": DUCKDB_COMMUNITY}
_OPTION: Final = "repository"
_FIRST_SUNDAY: Final = date(2025, 9, 21)
"""Files of before the move to Cloudflare have other numbers, and nothing says what they cover."""
_REACH: Final = timedelta(weeks=104)
"""How far back files are requested, one request for each week; a week left open is never written later."""
_SECOND_READING: Final = timedelta(weeks=8)
"""How much farther where weeks are stored, so that the oldest of them is read twice and becomes final."""
_SUNDAY: Final = 7
_LAST_WRITE_HOUR: Final = 4


def _instant(value: object) -> datetime:
    # pydantic itself reads a string of digits as seconds since 1970, even in strict mode
    if not isinstance(value, str) or not value[:1].isdigit() or value.isdigit():
        raise ValueError("not an instant written 2026-11-22T04:00:22Z")
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone")
    return instant.astimezone(UTC)


class _File(ResponseModel):
    """A flat object: a count for each extension, and between them the instant at which it was written."""

    written_at: Annotated[datetime, BeforeValidator(_instant), Field(alias="_last_update")]
    downloads: dict[str, Count]

    @model_validator(mode="before")
    @classmethod
    def _counts_apart(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        facts = {name: fact for name, fact in value.items() if name.startswith("_")}
        return {**facts, "downloads": {name: fact for name, fact in value.items() if name not in facts}}

    def is_last_of(self, sunday: date) -> bool:
        """Return whether this is the last file of the week that ends with `sunday`.

        The name of a file does not tell: at the turn of a year two weeks share one, and the later week
        overwrites the file of the earlier.
        """
        return self.written_at.date() == sunday and self.written_at.hour >= _LAST_WRITE_HOUR


@dataclass
class _Files:
    """The files of one run, each requested once for all extensions; what failed is not requested again."""

    client: RegistryClient
    source: str
    known: dict[tuple[str, date], ParsedReply[_File] | SourceError] = field(default_factory=dict)

    async def of_week(self, repository: str, sunday: date) -> ParsedReply[_File] | SourceError:
        """Return the file under the name of the week that ends with `sunday`, or why there is none."""
        key = (repository, sunday)
        if key not in self.known:
            # the calendar year of the Sunday and the number of the ISO week, 53 included
            path = f"/download-stats-weekly/{sunday.year}/{sunday.isocalendar().week}.json"
            week = f"the week to {sunday}"
            try:
                self.known[key] = await self.client.get_json(
                    _HOSTS[repository], path, _File, source=self.source, subject=week
                )
            except SourceError as error:
                self.known[key] = error
        return self.known[key]


@dataclass
class _Weeks:
    """What the files say of one extension: weeks with a value, and weeks without one by the reason."""

    extension: str
    found: dict[date, ParsedReply[_File]] = field(default_factory=dict)
    absent: list[date] = field(default_factory=list)
    not_last: list[date] = field(default_factory=list)
    missing: dict[date, SourceError] = field(default_factory=dict)
    failures: list[SourceError] = field(default_factory=list)

    def add(self, sunday: date, file: ParsedReply[_File] | SourceError) -> None:
        """Take the file of one week."""
        if isinstance(file, SourceError):
            if _is_missing(file):
                self.missing[sunday] = file
            else:
                self.failures.append(file)
        elif not file.body.is_last_of(sunday):
            self.not_last.append(sunday)
        elif not file.body.downloads.get(self.extension):  # no file has a 0: what nobody loaded is not listed
            self.absent.append(sunday)
        else:
            self.found[sunday] = file

    def notes(self, late: date) -> tuple[str, ...]:
        """Return the weeks left open, by the reason; `late` is one whose last file may still come today."""
        reasons = (
            (self.absent, "the files do not list it, which is not 0"),
            (self.not_last, "the files were not written on their Sunday at 04:00 UTC or later"),
            (self.missing, "there is no file"),
        )
        open_weeks = [([sunday for sunday in weeks if sunday != late], reason) for weeks, reason in reasons]
        return tuple(f"weeks to {listed(weeks)} left open: {reason}" for weeks, reason in open_weeks if weeks)


class DuckDbExtensions:
    """Downloads of an extension by DuckDB's week. Option `repository`: `core` (default) or `community`."""

    name = "duckdb-extensions"
    host = DUCKDB.key
    window = SourceWindow.WEEK
    kind = ValueKind.FLOW
    family = "downloads_week"
    sdk: str | None = None
    retention_days: int | None = None
    returns_full_history = False

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: an extension's name; option: `repository`."""
        faults = [
            f"option {name!r} is unknown; {self.name} has only {_OPTION!r}"
            for name in options
            if name != _OPTION
        ]
        repository = options.get(_OPTION, "core")
        if not isinstance(repository, str) or repository not in _HOSTS:
            faults.append(f"option {_OPTION!r} is {repository!r}; write {' or '.join(map(repr, _HOSTS))}")
        if not _EXTENSION.fullmatch(subject):
            faults.append(f"{subject!r} is not an extension's name such as httpfs")
        return faults

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one result for each request: the requested weeks whose last file lists the extension."""
        files = _Files(client, self.name)
        async for result in each(requests, lambda request: _read(request, files)):
            yield result


async def _read(request: FetchRequest, files: _Files) -> FetchResult:
    weeks = _Weeks(request.subject)
    wanted = list(_sundays(request))
    for sunday in wanted or [_last_sunday(request)]:  # at least one file: a wrong name must show
        weeks.add(sunday, await files.of_week(_repository(request), sunday))
    error = _error(request, weeks)
    rows = tuple(
        _observation(request, sunday, weeks.found[sunday]) for sunday in wanted if sunday in weeks.found
    )
    return FetchResult(request.metric_id, rows, error, weeks.notes(late=request.until + ONE_DAY))


def _repository(request: FetchRequest) -> str:
    repository: str = request.options.get(_OPTION, "core")
    return repository


def _last_sunday(request: FetchRequest) -> date:
    """Return the Sunday that ends the last week whose days, Sunday to Saturday, are over."""
    following = request.until + ONE_DAY
    return following - (following.isoweekday() % _SUNDAY) * ONE_DAY


def _sundays(request: FetchRequest) -> Iterator[date]:
    """Yield the Sundays that end the requested weeks, oldest first; a week belongs to its Saturday."""
    last = _last_sunday(request)
    reach = _REACH if request.first_stored_day is None else _REACH + _SECOND_READING
    first = max(last - reach, _FIRST_SUNDAY, request.since + ONE_DAY if request.since else _FIRST_SUNDAY)
    sunday = first + (-first.isoweekday() % _SUNDAY) * ONE_DAY
    while sunday <= last:
        yield sunday
        sunday += ONE_WEEK


def _is_missing(error: SourceError) -> bool:
    """Return whether there is no such file; the storage behind the address says 403 or 404 then."""
    is_forbidden = isinstance(error, SourceDenied) and error.http_status == HTTPStatus.FORBIDDEN
    return is_forbidden or isinstance(error, UnknownSubject)


def _error(request: FetchRequest, weeks: _Weeks) -> SourceError | None:
    """Return why weeks have no value, where that is an error: no answer, no file at all, an unknown name."""
    if weeks.failures:
        return replace(weeks.failures[0], subject=request.subject)
    if weeks.missing and not (weeks.found or weeks.absent or weeks.not_last):
        return replace(weeks.missing[max(weeks.missing)], subject=request.subject)
    if weeks.found or not weeks.absent or request.first_stored_day is not None:
        return None
    repository = _repository(request)
    other = next(name for name in _HOSTS if name != repository)
    return UnknownSubject(
        f"no file of the repository {repository!r} lists it",
        source=DuckDbExtensions.name,
        subject=request.subject,
        fix=f'correct the subject in the catalogue, or write options = {{ {_OPTION} = "{other}" }}',
    )


def _observation(request: FetchRequest, sunday: date, file: ParsedReply[_File]) -> Observation:
    return Observation(
        metric_id=request.metric_id,
        period_start=sunday - ONE_WEEK,
        period_end=sunday - ONE_DAY,
        value=file.body.downloads[request.subject],
        source_window=SourceWindow.WEEK,
        observed_at=file.at,
        source_ref=file.reply.public_url,
    )
