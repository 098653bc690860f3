"""What a delivery run may have to do, read without holding the database: mostly nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from community_metrics.delivery.due import Step, next_step
from community_metrics.delivery.target import is_idempotent, needed_variables, stray_variables
from community_metrics.errors import StorageSchemaMismatch, UnknownName
from community_metrics.model import delivery_key
from community_metrics.periods import period_named
from community_metrics.runs.deliveries import KNOWN
from community_metrics.views.digest import DigestScope
from community_metrics.views.digests import made_digest, stored_digest
from community_metrics.views.due import due_periods
from community_metrics.views.public import seen_by

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.catalog.deliveries import Delivery
    from community_metrics.config import Settings
    from community_metrics.model import StoredDelivery
    from community_metrics.model.digest_content import Digest
    from community_metrics.periods import Period
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.due import Due


@dataclass(frozen=True, slots=True)
class Candidate:
    """A digest that may have to be sent to a target; `is_final` says that it is sent even if not complete.

    `is_again` says that a person sends it whatever became of it before. `row` is what was stored of it.
    """

    delivery: Delivery
    period: Period
    is_final: bool
    is_again: bool = False
    row: StoredDelivery | None = None

    @property
    def key(self) -> str:
        """The key of its row."""
        return delivery_key(self.delivery.id, self.period.grain, self.period.label)

    @property
    def needs_digest(self) -> bool:
        """Whether its digest is chosen now; a later attempt sends the one that it began with."""
        return self.is_again or self.row is None

    @property
    def name(self) -> str:
        """What is sent where, for a person."""
        return f"{self.delivery.id}: {self.period.grain} {self.period.label} to {self.delivery.to}"

    def scope(self, settings: Settings) -> DigestScope:
        """Return what its digest is about, and for whom."""
        return DigestScope(
            period=self.period,
            products=tuple(sorted(self.delivery.products or ())),
            visibility=self.delivery.visibility,
            page_url=settings.page_url,
            api_url=settings.api_url,
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates, and what there is to say about the others."""

    candidates: list[Candidate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


async def choose(reader: LanceDBReader, settings: Settings, catalog: Catalog, now: datetime) -> Choice:
    """Return the deliveries that are due, or that another run left unfinished."""
    material = _Material(reader, settings, catalog, now)
    choice = Choice(notes=stray_variables(catalog.deliveries, settings))
    rows = await reader.deliveries(since=now - KNOWN)
    for delivery in catalog.deliveries:
        found = _candidates(delivery, [row for row in rows if row.delivery_id == delivery.id], now)
        if found and (missing := _missing(delivery, settings)):
            choice.notes.append(missing)
            continue
        for candidate, due in found:
            reason = await material.why_not_yet(candidate, due)
            if reason is None:
                choice.candidates.append(candidate)
            else:
                choice.notes.append(reason)
    return choice


@dataclass(frozen=True, slots=True)
class _Material:
    """What the choice rests on."""

    reader: LanceDBReader
    settings: Settings
    catalog: Catalog
    now: datetime

    async def why_not_yet(self, candidate: Candidate, due: Due | None) -> str | None:
        """Return why a digest is not sent now; None if it is."""
        if not candidate.needs_digest or due is None:
            return None
        name = candidate.delivery.id
        try:
            digest = await self._digest(candidate)
        except UnknownName as error:
            return f"{name} receives nothing yet: {error} Fix: run `community-metrics refresh`."
        except StorageSchemaMismatch as error:  # of this digest alone: the others are sent
            return f"{name} receives nothing yet: {error}"
        if digest.series == 0:  # a row would keep the digest of a new installation from being sent later
            return f"{name} receives nothing yet: no series is known. Fix: run `community-metrics refresh`."
        if digest.is_complete or candidate.is_final:
            return None
        lacking = digest.series - digest.complete
        return (
            f"{candidate.name} waits for {lacking:,} of {digest.series:,} series, "
            f"until {due.final_at:%Y-%m-%d %H:%M} UTC at the latest."
        )

    async def _digest(self, candidate: Candidate) -> Digest:
        """Return the digest as it would be sent now: the stored one if that is complete."""
        has_team = bool(self.settings.api_token_hashes)
        seen, narrowed = seen_by(candidate.delivery.visibility, self.reader, self.catalog, has_team=has_team)
        scope = candidate.scope(self.settings)
        stored = await stored_digest(seen, scope)
        if stored is not None and stored.is_complete:
            return stored
        return await made_digest(seen, narrowed, self.now, scope=scope)


def _candidates(
    delivery: Delivery, rows: list[StoredDelivery], now: datetime
) -> list[tuple[Candidate, Due | None]]:
    """Return what the calendar says, and what stored rows say about periods that it no longer names."""
    stored = {row.delivery_key: row for row in rows}
    found: dict[str, tuple[Candidate, Due | None]] = {}
    for due in due_periods(delivery.grains, now):
        key = delivery_key(delivery.id, due.period.grain, due.period.label)
        found[key] = Candidate(delivery, due.period, due.is_final(now), row=stored.get(key)), due
    for key, row in stored.items():
        period = period_named(row.period, row.grain)
        if key not in found and period is not None:
            found[key] = Candidate(delivery, period, is_final=True, row=row), None
    idempotent = is_idempotent(delivery)
    return [
        one
        for one in found.values()
        if next_step(one[0].row, now, is_idempotent=idempotent) is not Step.NOTHING
    ]


def _missing(delivery: Delivery, settings: Settings) -> str | None:
    names = [name for name in needed_variables(delivery) if name not in settings.delivery_secrets]
    if not names:
        return None
    return (
        f"{delivery.id} receives nothing, because this is not set: {', '.join(names)}. "
        "Fix: set it as a variable or in CM_DELIVERY, as docs/digest.md says."
    )
