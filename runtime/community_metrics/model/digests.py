"""The rows of `digests`: digests as they were stored, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from community_metrics.model.kinds import Visibility
from community_metrics.periods import Grain


@dataclass(frozen=True, slots=True)
class StoredDigest:
    """One row of `digests`. It is written once and never changed.

    `period` is the label of the period, `products` are those that it is about (empty for all), `title` is its
    first line. `metric_ids` and `origins` are the metrics and the places of events that it names: who may not
    see one of them may not see the digest. `content` is the whole digest as JSON, which
    `model.digest_content.Digest` reads.
    """

    digest_id: str
    grain: Grain
    period: str
    period_start: date
    period_end: date
    products: tuple[str, ...]
    visibility: Visibility
    edition: int
    is_complete: bool
    title: str
    made_at: datetime
    metric_ids: tuple[str, ...]
    origins: tuple[str, ...]
    content: str
    ingestion_run_id: str
