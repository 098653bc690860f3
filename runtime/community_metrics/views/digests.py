"""The digests that were stored; a stored digest never changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from community_metrics.errors import PeriodNotOver, StorageSchemaMismatch, UnknownName
from community_metrics.model import InsightKind, StoredDigest
from community_metrics.model.digest_content import Digest
from community_metrics.periods import Grain, last_completed
from community_metrics.suggestions import similar_ids
from community_metrics.views.digest import read_digest
from community_metrics.views.public import unnarrowed
from community_metrics.views.runs import load_freshness

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.digest import DigestScope
    from community_metrics.views.runs import Freshness

MOST_DIGESTS: Final = 200
"""Digests in a list: four years of weeks."""
MOST_NEWS: Final = 60
"""Digests whose milestones are in the feed: a year of weeks."""
_MOST_OF_A_PERIOD: Final = 500
"""Digests of one period, of other products and viewers too, among which the newest edition is searched."""
_MOST_BACK: Final = 4
"""Periods among which the newest complete one is searched."""
_NOT_COMPARED: Final = {"digest_id", "made_at", "table_versions", "page_url", "api_url"}
"""What two digests of one period may differ in and still tell the same."""


@dataclass(frozen=True, slots=True)
class Digests:
    """Stored digests, the newest period first; `has_more` where there are older ones."""

    digests: Sequence[StoredDigest]
    has_more: bool
    freshness: Freshness


async def load_digests(
    reader: LanceDBReader, _catalog: Catalog, now: datetime, *, limit: int = MOST_DIGESTS
) -> Digests:
    """Return up to `limit` stored digests."""
    found = await reader.digests(limit=limit + 1)
    return Digests(found[:limit], len(found) > limit, await load_freshness(reader, now))


@dataclass(frozen=True, slots=True)
class NewsEntry:
    """A digest, or a round number that a digest says was passed; `name` identifies it forever."""

    name: str
    title: str
    at: datetime
    digest_id: str


@dataclass(frozen=True, slots=True)
class News:
    """The newest digests and the milestones in them."""

    entries: tuple[NewsEntry, ...]
    freshness: Freshness


async def load_news(reader: LanceDBReader, _catalog: Catalog, now: datetime) -> News:
    """Return the newest digests, and each milestone once: a month has those of its weeks again.

    A milestone that a later digest corrects is left out, unless a digest after that one has it again.
    """
    found: dict[str, NewsEntry] = {}
    for row in sorted(await reader.digests(limit=MOST_NEWS), key=lambda one: one.made_at):
        digest = content_of(row)
        for one in () if digest.since_last is None else digest.since_last.corrections:
            if one.mark is not None:
                found.pop(f"{one.metric_id}/{one.mark}", None)
        found[row.digest_id] = NewsEntry(row.digest_id, row.title, row.made_at, row.digest_id)
        for said in digest.findings:
            if said.kind is InsightKind.MILESTONE:
                name = f"{'/'.join(said.metric_ids)}/{said.numbers['mark']}"
                found.setdefault(name, NewsEntry(name, said.sentence, row.made_at, row.digest_id))
    return News(tuple(found.values()), await load_freshness(reader, now))


async def load_digest(reader: LanceDBReader, _catalog: Catalog, _now: datetime, *, digest_id: str) -> Digest:
    """Return a stored digest.

    Raises:
        UnknownName: there is none with this id.
        StorageSchemaMismatch: another version of this program stored it in another shape.
    """
    if found := await reader.digests(limit=1, digest_id=digest_id):
        return content_of(found[0])
    known = {row.digest_id: (row.title,) for row in await reader.digests(limit=MOST_DIGESTS)}
    raise UnknownName("digest", digest_id, similar_ids(digest_id, known))


def content_of(row: StoredDigest) -> Digest:
    """Return what a stored digest says.

    Raises:
        StorageSchemaMismatch: another version of this program stored it in another shape.
    """
    try:
        return Digest.model_validate_json(row.content)
    except ValidationError as error:
        raise StorageSchemaMismatch(
            f"The digest {row.digest_id} was stored by another version of community-metrics and cannot be "
            "read. Fix: upgrade this program."
        ) from error


async def stored_digest(reader: LanceDBReader, scope: DigestScope) -> Digest | None:
    """Return the newest stored edition of a digest; None if it was never stored."""
    found = await _editions(reader, scope)
    return content_of(found[0]) if found else None


async def made_digest(
    reader: LanceDBReader, catalog: Catalog, now: datetime, *, scope: DigestScope
) -> Digest:
    """Return the digest as it is now, compared with the last stored one of an earlier period.

    Raises:
        UnknownName: a product is not stored.
    """
    previous = await _previous(reader, scope)
    versions = await reader.table_versions()
    rows = await read_digest(reader, catalog, now, scope=scope, previous=previous)
    return rows.build(versions)


async def last_complete(
    reader: LanceDBReader, catalog: Catalog, now: datetime, *, scope: DigestScope
) -> DigestScope:
    """Return the scope with its newest complete period of the last few; without one the scope itself.

    Raises:
        UnknownName: a product is not stored.
    """
    for back in range(_MOST_BACK):
        earlier = replace(scope, period=scope.period.shifted(-back))
        if (await made_digest(reader, catalog, now, scope=earlier)).is_complete:
            return earlier
    return scope


async def next_digest(
    reader: LanceDBReader, catalog: Catalog, now: datetime, *, scope: DigestScope
) -> tuple[StoredDigest, bool]:
    """Return the row to store of a digest, and whether it is new.

    A digest of a complete period is stored once. One that was not complete has another edition where it says
    something else now.

    Raises:
        UnknownName: a product is not stored.
        PeriodNotOver: the period is not over, so nothing of it is final.
    """
    period = scope.period
    if not period.is_over(now):
        raise PeriodNotOver(period.grain.value, period.label, last_completed(now, period.grain).label)
    stored = await _editions(reader, scope)
    if stored and stored[0].is_complete:
        return stored[0], False
    # one that was hidden since, because it names something of the team, keeps its edition
    taken = await _editions(unnarrowed(reader), scope)
    edition = taken[0].edition + 1 if taken else 1
    made = await made_digest(reader, catalog, now, scope=replace(scope, edition=edition))
    if stored and _comparable(made) == _comparable(content_of(stored[0])):
        return stored[0], False
    return _row(made, edition), True


def _comparable(digest: Digest) -> Digest:
    return digest.model_copy(update=dict.fromkeys(_NOT_COMPARED))


async def _editions(reader: LanceDBReader, scope: DigestScope) -> list[StoredDigest]:
    """Return the stored editions of a digest, the last one first."""
    found = await reader.digests(limit=_MOST_OF_A_PERIOD, period=scope.period.label)
    return sorted((row for row in found if _is_of(row, scope)), key=lambda row: row.edition, reverse=True)


async def _previous(reader: LanceDBReader, scope: DigestScope) -> Digest | None:
    """Return the last digest of an earlier period of the same length, products and viewers."""
    found = await reader.digests(limit=_MOST_OF_A_PERIOD, grain=scope.period.grain, before=scope.period.start)
    return next((content_of(row) for row in found if _is_of(row, scope)), None)


def _is_of(row: StoredDigest, scope: DigestScope) -> bool:
    return (row.products, row.visibility) == (tuple(sorted(scope.products)), scope.visibility)


def _named_metrics(digest: Digest) -> set[str]:
    """Return the metrics that a digest says something of, in its values, its sentences or its links."""
    corrections = () if digest.since_last is None else digest.since_last.corrections
    return {
        *(name for one in digest.findings for name in one.metric_ids),
        *(name for one in digest.restated for name in one.metric_ids),
        *(name for one in digest.unknown for name in one.metric_ids),
        *(name for one in digest.goals for name in one.metric_ids),
        *(name for one in digest.happenings for name in one.metric_ids),
        *(one.metric_id for one in digest.values),
        *(one.metric_id for one in corrections),
    }


def _row(digest: Digest, edition: int) -> StoredDigest:
    return StoredDigest(
        digest_id=digest.digest_id,
        grain=Grain(digest.grain),
        period=digest.period,
        period_start=digest.period_start,
        period_end=digest.period_end,
        products=digest.products,
        visibility=digest.visibility,
        edition=edition,
        is_complete=digest.is_complete,
        title=digest.first_line,
        made_at=digest.made_at,
        metric_ids=tuple(sorted(_named_metrics(digest))),
        origins=tuple(sorted({origin for one in digest.happenings for origin in one.origins})),
        content=digest.model_dump_json(),
        ingestion_run_id="",
    )
