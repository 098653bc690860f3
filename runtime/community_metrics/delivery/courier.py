"""The delivery of one digest to one target, with its row before and after."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from community_metrics.delivery.due import Step, failed, given_up, next_step, not_sent
from community_metrics.delivery.retries import retrying
from community_metrics.delivery.target import is_idempotent, target_of
from community_metrics.errors import (
    ConfigurationError,
    DeliveryError,
    DeliveryUnknown,
    LeaseLost,
    StorageSchemaMismatch,
    TerminalDeliveryError,
    UnknownName,
)
from community_metrics.log import REDACTED
from community_metrics.model import DeliveryState, StoredDelivery
from community_metrics.runs.digests import record_digest
from community_metrics.views.deliveries import not_arrived
from community_metrics.views.digests import load_digest, next_digest
from community_metrics.views.public import seen_by

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.delivery.choice import Candidate
    from community_metrics.delivery.target import Outgoing, Target
    from community_metrics.model import StoredDigest
    from community_metrics.model.digest_content import Digest
    from community_metrics.runs.deliveries import DeliveryLog
    from community_metrics.storage import LanceDBStore
    from community_metrics.storage.reader import LanceDBReader

_KILLED: Final = "the run that sent it was killed before it recorded the outcome"


@dataclass(frozen=True, slots=True)
class Courier:
    """What a delivery run works with."""

    settings: Settings
    catalog: Catalog
    clock: Clock
    rng: random.Random
    store_type: type[LanceDBStore] | None = None

    async def frozen(self, candidate: Candidate) -> StoredDigest | None:
        """Store the digest of a candidate, and return it; None if it must wait for a complete period."""

        async def make(reader: LanceDBReader, now: datetime) -> tuple[StoredDigest, bool]:
            seen, catalog = self._seen(reader, candidate)
            row, is_new = await next_digest(seen, catalog, now, scope=candidate.scope(self.settings))
            return row, is_new and (row.is_complete or candidate.is_final)

        row, _ = await record_digest(self.settings, make, clock=self.clock)
        return row if row.is_complete or candidate.is_final else None

    async def deliver(
        self, log: DeliveryLog, candidate: Candidate, stored: StoredDigest | None, row: StoredDelivery | None
    ) -> StoredDelivery | None:
        """Do what is next for one delivery, and return its row; None where there is nothing to do.

        `row` is what is stored of it now: another run may have sent it since the candidate was chosen.
        """
        if candidate.is_again:
            return await self._sent_again(log, candidate, stored, row)
        step = next_step(row, self.clock.now(), is_idempotent=is_idempotent(candidate.delivery))
        match step:
            case Step.NOTHING:
                return None
            case Step.CALL_UNKNOWN if row is not None:
                kind = DeliveryUnknown.__name__
                return await log.write(
                    replace(row, state=DeliveryState.UNKNOWN, error_class=kind, message=_KILLED)
                )
            case Step.GIVE_UP if row is not None:
                return await log.write(given_up(row))
        digest_id = row.digest_id if row is not None else stored.digest_id if stored is not None else None
        return None if digest_id is None else await self._attempted(log, candidate, row, digest_id)

    async def _sent_again(
        self,
        log: DeliveryLog,
        candidate: Candidate,
        stored: StoredDigest | None,
        before: StoredDelivery | None,
    ) -> StoredDelivery | None:
        """Send what a person names, and return how that ended; what was sent before keeps its row."""
        if stored is None:
            return None
        row = await self._attempted(log, candidate, None, stored.digest_id)
        if before is not None and before.state is DeliveryState.SENT and not_arrived(row):
            await log.restore(before)
        return row

    async def _attempted(
        self, log: DeliveryLog, candidate: Candidate, row: StoredDelivery | None, digest_id: str
    ) -> StoredDelivery:
        """Send a digest if it can be read and its target is set; return the row of how that ended."""
        begun = _begun(candidate, row, digest_id, self.clock.now())
        try:  # before the row says that it is being sent
            target = target_of(candidate.delivery, self.settings, self.clock)
            digest = await self._digest(log.reader, candidate, digest_id)
        except (ConfigurationError, StorageSchemaMismatch, TerminalDeliveryError) as error:
            if candidate.is_again:
                raise
            return await log.write(self._without_secrets(not_sent(begun, error)))
        outgoing = target.rendered(digest, begun)
        return await self._sent(
            log, target, outgoing, await log.write(begun), idempotent=is_idempotent(candidate.delivery)
        )

    async def _sent(
        self, log: DeliveryLog, target: Target, outgoing: Outgoing, begun: StoredDelivery, *, idempotent: bool
    ) -> StoredDelivery:
        """Send what was rendered, and return the row of how that ended.

        Raises:
            LeaseLost: another run took the database over while this one waited.
            Exception: one that no target should raise; its row says that the digest may have arrived.
        """

        async def wait(seconds: float) -> None:
            await self.clock.sleep(seconds)
            await log.renew()

        async def attempt() -> str | None:
            nonlocal begun
            try:
                return await target.send(outgoing)
            except DeliveryUnknown:
                begun = replace(begun, error_class=DeliveryUnknown.__name__)
                raise

        try:
            note: str | None = await retrying(wait, self.rng, is_idempotent=idempotent)(attempt)
        except DeliveryError as error:
            return await log.write(self._failed(begun, error, idempotent=idempotent))
        except LeaseLost:  # the run that has the database writes the row
            raise
        except Exception as error:
            unknown = DeliveryUnknown(f"an error of this program while it was sent: {type(error).__name__}")
            await log.write(self._failed(begun, unknown, idempotent=idempotent))
            raise
        sent = replace(begun, state=DeliveryState.SENT, error_class=None, message=note)
        return await log.write(self._without_secrets(replace(sent, last_attempt_at=self.clock.now())))

    def _failed(self, begun: StoredDelivery, error: DeliveryError, *, idempotent: bool) -> StoredDelivery:
        return self._without_secrets(failed(begun, error, self.clock.now(), is_idempotent=idempotent))

    def _without_secrets(self, row: StoredDelivery) -> StoredDelivery:
        message = row.message
        if message is None:
            return row
        for secret in sorted(self.settings.secret_texts, key=len, reverse=True):  # a target may repeat one
            message = message.replace(secret, REDACTED)
        return replace(row, message=message)

    async def _digest(self, reader: LanceDBReader, candidate: Candidate, digest_id: str) -> Digest:
        """Return a stored digest as its readers may see it by now."""
        seen, catalog = self._seen(reader, candidate)
        try:
            return await load_digest(seen, catalog, self.clock.now(), digest_id=digest_id)
        except UnknownName:
            raise TerminalDeliveryError(
                f"the digest {digest_id} names what only the team may see by now. "
                'Fix: write visibility = "team" in the catalogue'
            ) from None

    def _seen(self, reader: LanceDBReader, candidate: Candidate) -> tuple[LanceDBReader, Catalog]:
        has_team = bool(self.settings.api_token_hashes)
        return seen_by(candidate.delivery.visibility, reader, self.catalog, has_team=has_team)


def _begun(candidate: Candidate, row: StoredDelivery | None, digest_id: str, now: datetime) -> StoredDelivery:
    """Return the row of a delivery whose request is about to be sent."""
    return StoredDelivery(
        delivery_id=candidate.delivery.id,
        grain=candidate.period.grain,
        period=candidate.period.label,
        digest_id=digest_id,
        state=DeliveryState.SENDING,
        attempts=1 if row is None else row.attempts + 1,
        first_attempt_at=now if row is None else row.first_attempt_at,
        last_attempt_at=now,
        next_attempt_at=None,
        error_class=DeliveryUnknown.__name__ if row is not None and row.may_have_arrived else None,
        message=None,
        ingestion_run_id="",
    )
