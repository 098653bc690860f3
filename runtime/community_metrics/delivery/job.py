"""One delivery run: what is due, the digests that it needs, and each target with its row before and after.

First it only reads: an hour in which nothing is due takes no lease and leaves no row. Then it stores the
digests, so that what is sent is frozen. Then it holds the database, decides once more, and sends.
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from community_metrics.catalog import load_catalog
from community_metrics.clock import SystemClock
from community_metrics.delivery.choice import Candidate, Choice, choose
from community_metrics.delivery.courier import Courier
from community_metrics.delivery.target import target_of
from community_metrics.errors import ConfigurationError, PeriodNotOver
from community_metrics.model import DeliveryState
from community_metrics.periods import Grain, last_completed, period_named
from community_metrics.runs.deliveries import delivery_run
from community_metrics.suggestions import suggestion
from community_metrics.views.deliveries import delivery_sentence, not_arrived
from community_metrics.views.rows import read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.model import Run, StoredDelivery, StoredDigest
    from community_metrics.storage import LanceDBStore
    from community_metrics.storage.reader import LanceDBReader

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a delivery run did: the rows that it wrote last, and what it has to say.

    `due` names what a dry run would send. `run` is the row in `history`; None where nothing was changed.
    """

    rows: tuple[StoredDelivery, ...] = ()
    notes: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    run: Run | None = None

    @property
    def sent(self) -> int:
        """The number of digests that were sent."""
        return sum(row.state is DeliveryState.SENT for row in self.rows)

    @property
    def sentences(self) -> list[str]:
        """What became of each delivery, then the notes."""
        return [*map(delivery_sentence, self.rows), *self.notes]


async def deliver(
    settings: Settings,
    *,
    dry_run: bool = False,
    again: tuple[str, str] | None = None,
    clock: Clock | None = None,
    rng: random.Random | None = None,
    store_type: type[LanceDBStore] | None = None,
) -> DeliveryReport:
    """Send each digest that is due to its targets.

    `again` names a target and a period that are sent alone, whatever became of them before. What a target
    does not take is in the report: it is no error of the run.

    Raises:
        ConfigurationError: the catalogue is invalid or has no such target, there is no such period, or a
            setting of the target that `again` names is not set.
        PeriodNotOver: the period is not over.
        RunLocked: a run holds the database; the next run sends what is due.
        LeaseLost: another run took the database over; what was not sent yet was not sent.
        StorageError: a LanceDB operation failed.
    """
    catalog = load_catalog(settings.catalog)
    courier = Courier(settings, catalog, clock or SystemClock(), rng or random.Random(), store_type)  # noqa: S311  jitter
    now = courier.clock.now()
    if again is not None:
        named = candidate_named(catalog, *again, now)
        target_of(named.delivery, settings, courier.clock)  # a missing setting must not replace a row
        choice = Choice([named])
    else:

        async def load(reader: LanceDBReader) -> Choice:
            return await choose(reader, settings, catalog, now)

        choice, _ = await read(settings, load)
    if dry_run or not choice.candidates:
        return DeliveryReport(notes=tuple(choice.notes), due=tuple(one.name for one in choice.candidates))
    report = await _sent(courier, choice)
    for row in report.rows:
        level = logging.WARNING if not_arrived(row) else logging.INFO
        log.log(level, "delivery", outcome=delivery_sentence(row))
    for note in report.notes:
        log.info("delivery", outcome=note)
    return report


def candidate_named(catalog: Catalog, delivery_id: str, label: str, now: datetime) -> Candidate:
    """Return the digest that a person names by its target and its period.

    Raises:
        ConfigurationError: the catalogue has no such target, or the text is no period that is over.
    """
    known = {one.id: one for one in catalog.deliveries}
    if delivery_id not in known:
        raise ConfigurationError(
            f"{catalog.path} has no [[delivery]] {delivery_id!r}; {suggestion(delivery_id, known)}"
        )
    grains = (Grain.WEEK, Grain.MONTH, Grain.QUARTER)
    period = next((found for grain in grains if (found := period_named(label, grain))), None)
    if period is None:
        raise ConfigurationError(
            f"{label!r} is not a period. Fix: write a week such as 2026-W47, a month such as 2026-11, or a "
            "quarter such as 2026-Q4."
        )
    if not period.is_over(now):
        last = last_completed(now, period.grain).label
        raise PeriodNotOver(period.grain.value, period.label, last)
    return Candidate(known[delivery_id], period, is_final=True, is_again=True)


async def _sent(courier: Courier, choice: Choice) -> DeliveryReport:
    """Store the digests of the candidates, then send them side by side: one dead target delays no other."""
    frozen: dict[str, StoredDigest | None] = {}
    for candidate in choice.candidates:
        frozen[candidate.key] = await courier.frozen(candidate) if candidate.needs_digest else None
    async with delivery_run(
        courier.settings, clock=courier.clock, store_type=courier.store_type
    ) as delivery_log:
        known = await delivery_log.known()
        ended = await asyncio.gather(
            *(
                courier.deliver(delivery_log, one, frozen[one.key], known.get(one.key))
                for one in choice.candidates
            ),
            return_exceptions=True,  # each target gets its row, whatever becomes of another
        )
        rows = _rows(ended)
    return DeliveryReport(tuple(rows), tuple(choice.notes), run=delivery_log.run)


def _rows(ended: Sequence[StoredDelivery | BaseException | None]) -> list[StoredDelivery]:
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return [one for one in ended if one is not None and not isinstance(one, BaseException)]
