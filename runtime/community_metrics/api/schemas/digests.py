"""The digests that are stored."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from community_metrics.api.schemas.base import Body, Freshness


class DigestRecord(Body):
    """One stored digest."""

    digest_id: str
    """Its id: `/digests/{digest_id}.json` has all of it."""
    grain: Literal["week", "month", "quarter"]
    """Length of its period."""
    period: str
    """The period: `2026-W47`, `2026-11` or `2026-Q4`."""
    period_start: date
    """First UTC day of the period."""
    period_end: date
    """Last UTC day of the period, inclusive."""
    products: list[str]
    """The products that it is about; empty for all."""
    edition: int
    """Counts the digests of the same period, products and viewers from 1."""
    is_complete: bool
    """Whether every series of the period was complete."""
    title: str
    """Its first line."""
    made_at: datetime
    """When its numbers were read."""


class DigestList(Body):
    """The stored digests."""

    digests: list[DigestRecord]
    """The newest period first; of one period the last edition first."""
    has_more: bool
    """Whether there are older ones."""
    freshness: Freshness
    """How fresh the data are by now; each digest has the versions that it was read from."""
