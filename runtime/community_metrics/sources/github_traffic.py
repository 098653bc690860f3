"""Views and clones of a repository by UTC day, and how many different people they were. GitHub keeps 14 days.

One response has a count and its uniques. Uniques add up neither over days nor over repositories. A day
without a row is unknown: it is stored as 0 only where another repository of the same owner, read before it or
in one group with it, has that day, and the repository's own days make it plausible. Today is never stored: it
grows by the hour.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self

from pydantic import BeforeValidator, model_validator

from community_metrics.errors import SourceError
from community_metrics.model import UNIQUES, SourceWindow
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.days import DailyCounts, observations, possible_zeros
from community_metrics.sources.github_identity import Identities
from community_metrics.sources.github_repository import (
    RepositorySource,
    rename_notes,
    require_same_repository,
)
from community_metrics.sources.github_rights import read_traffic, require_token
from community_metrics.sources.schemas import Count, Day, ResponseModel, require_distinct
from community_metrics.sources.sentinel import CheckedDays, listed, plausible_zeros

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from community_metrics.sources.client.client import RegistryClient
    from community_metrics.sources.client.replies import Reply
    from community_metrics.sources.github_identity import Identity

MOST_AT_ONCE: Final = 20
"""How many repositories are read before their results are handed on: what a run that is stopped may lose.

At one request a second that six sources share, these are two minutes, and a run waits 15 for a result.
"""
_VIEWS, _CLONES = "views", "clones"
_MIDNIGHT = "T00:00:00Z"


def _day_of(value: object) -> object:
    if not isinstance(value, str) or not value.endswith(_MIDNIGHT):
        raise ValueError("not the start of a UTC day")
    return value.removesuffix(_MIDNIGHT)


class _Day(ResponseModel):
    timestamp: Annotated[Day, BeforeValidator(_day_of)]
    count: Count
    uniques: Count

    @model_validator(mode="after")
    def _uniques_are_part_of_it(self) -> Self:
        if self.uniques > self.count:
            raise ValueError(f"{self.timestamp} has {self.uniques} uniques among {self.count}")
        return self


class _Traffic(ResponseModel):
    views: tuple[_Day, ...] | None = None
    clones: tuple[_Day, ...] | None = None

    @model_validator(mode="after")
    def _one_row_a_day(self) -> Self:
        for rows in (self.views, self.clones):
            require_distinct(row.timestamp.isoformat() for row in rows or ())
        return self


@dataclass(frozen=True, slots=True)
class _Days:
    """The rows of one repository, and which repository it is."""

    rows: tuple[_Day, ...]
    repository: Identity
    reply: Reply

    def counts(self, *, unique: bool, ref: str) -> DailyCounts:
        by_day = {row.timestamp: row.uniques if unique else row.count for row in self.rows}
        return DailyCounts(by_day, ref, self.reply.at, self.repository.id)


class GitHubTraffic(RepositorySource):
    """Views or clones by the day; the options `count` and `unique` choose the series."""

    name = "github-traffic"
    window = SourceWindow.DAY
    family = _VIEWS
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        _VIEWS: {"count": _VIEWS},
        "view_uniques": {"count": _VIEWS, "unique": True},
        _CLONES: {"count": _CLONES},
        "clone_uniques": {"count": _CLONES, "unique": True},
    }
    retention_days: int | None = 14
    returns_full_history = True

    def unit(self, options: Mapping[str, Any]) -> str | None:
        """Return what is counted: `views`, `clones` or `uniques`."""
        if options.get("unique") is True:
            return UNIQUES
        count = options.get("count")
        return count if isinstance(count, str) and count in {_VIEWS, _CLONES} else None

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one result for each request; a count and its uniques share a response.

        Repositories of one owner are read in groups before the first of a group has its result, because each
        shows whether GitHub has published a day for the others.
        """
        identities = Identities(requests, self.name, client)
        for (_, count), of_owner in _by_owner_and_count(requests).items():
            published: defaultdict[date, set[int]] = defaultdict(set)
            for group in _groups(of_owner):
                read = {subject: await _read(subject, count, identities, client) for subject in group}
                _note_published(read.values(), published)

                async def fetch_one(
                    request: FetchRequest,
                    read: Mapping[str, _Days | SourceError] = read,
                    published: Mapping[date, set[int]] = published,
                ) -> FetchResult:
                    days = read[request.subject]
                    if isinstance(days, SourceError):
                        raise days
                    return _result(request, days, published)

                asked = [request for requests_of in group.values() for request in requests_of]
                async for result in each(asked, fetch_one):
                    yield result


def _by_owner_and_count(requests: Iterable[FetchRequest]) -> dict[tuple[str, str], list[FetchRequest]]:
    groups: defaultdict[tuple[str, str], list[FetchRequest]] = defaultdict(list)
    for request in requests:
        owner = request.subject.partition("/")[0].lower()
        groups[owner, request.options["count"]].append(request)
    return groups


def _groups(requests: Iterable[FetchRequest]) -> Iterator[dict[str, list[FetchRequest]]]:
    """Yield up to `MOST_AT_ONCE` repositories at a time, each with its requests."""
    by_subject: defaultdict[str, list[FetchRequest]] = defaultdict(list)
    for request in requests:
        by_subject[request.subject].append(request)
    subjects = iter(by_subject)
    while group := list(islice(subjects, MOST_AT_ONCE)):
        yield {subject: by_subject[subject] for subject in group}


async def _read(
    subject: str, count: str, identities: Identities, client: RegistryClient
) -> _Days | SourceError:
    try:
        require_token(subject, GitHubTraffic.name, client)
        repository = await identities.of(subject)
        parsed = await read_traffic(
            subject, count, _Traffic, GitHubTraffic.name, client, params={"per": "day"}
        )
        rows = parsed.body.views if count == _VIEWS else parsed.body.clones
        if rows is None:
            raise shape_error(parsed.reply, f"{count} is missing")
    except SourceError as error:
        return error
    return _Days(rows, repository, parsed.reply)


def _note_published(read: Iterable[_Days | SourceError], published: defaultdict[date, set[int]]) -> None:
    """Add the repositories, by id, that were counted on each day; two names may be one repository."""
    for days in read:
        if isinstance(days, _Days):
            for row in days.rows:
                if row.count:
                    published[row.timestamp].add(days.repository.id)


def _result(request: FetchRequest, days: _Days, published: Mapping[date, set[int]]) -> FetchResult:
    require_same_repository(request, days.repository.id, days.reply)
    ref = f"{GITHUB.public_origin}/repos/{request.subject}/traffic/{request.options['count']}"
    # zeros by the count in both series: a day without views has no visitors
    checked = _checked(request, days, days.counts(unique=False, ref=ref), published)
    counts = days.counts(unique=request.options.get("unique") is True, ref=ref)
    found = observations(request, counts, checked)
    notes = (*rename_notes(request, days.repository.full_name), *checked.notes)
    return FetchResult(request.metric_id, found, notes=notes)


def _checked(
    request: FetchRequest, days: _Days, counts: DailyCounts, published: Mapping[date, set[int]]
) -> CheckedDays:
    """Return which days without a row, or with 0, are real zeros, and a note about the others."""
    zeros = possible_zeros(request, counts, omits_empty_days=True)
    counted = {day for day in zeros if published.get(day, set()) - {days.repository.id}}
    believed = plausible_zeros(counted, counts.by_day)
    left_open = {day for day in zeros - counted if day <= counts.settled_day}
    notes = (
        (left_open, "left open: no other repository of this owner that was read by then has the day"),
        (counted - believed, "left open: 0 is not plausible beside the days around it"),
    )
    texts = tuple(f"{listed(which)} {text}" for which, text in notes if which)
    return CheckedDays(zeros=believed, notes=texts)
