"""What a second write does: the rules of revision, provenance and status, pure.

Rows in, rows out; no storage, no clock. The store reads what `plan` needs and writes what it returns.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import StorageConflict
from community_metrics.model import IMPLIED_ZERO, Provenance, StatRow, Status, UpsertCounts, ValueKind
from community_metrics.periods import ONE_DAY, today

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from community_metrics.model import Observation

SETTLING_TIME: Final = timedelta(hours=24)
"""Two equal readings this far apart make a value final, …"""
SETTLING_AGE: Final = 3 * ONE_DAY
"""… once its last day is this old."""
_KEYS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What an upsert writes (`inserted`, `updated`: the new rows) and what it leaves as it is."""

    inserted: tuple[StatRow, ...] = ()
    updated: tuple[StatRow, ...] = ()
    unchanged: tuple[StatRow, ...] = ()

    @property
    def written(self) -> tuple[StatRow, ...]:
        """The rows to merge, by metric and then by day: reads of one metric then touch few fragments."""
        return tuple(sorted((*self.inserted, *self.updated), key=lambda row: (row.metric_id, row.period_end)))

    @property
    def counts(self) -> UpsertCounts:
        """The plan in numbers."""
        return UpsertCounts(len(self.inserted), len(self.updated), len(self.unchanged))


def plan(
    existing: Mapping[str, StatRow],
    incoming: Sequence[Observation],
    *,
    provenance: Provenance,
    run_id: str,
    now: datetime,
) -> MergePlan:
    """Decide for each observation whether it is new, changes its row (by `stat_key`), or changes nothing.

    Raises:
        StorageConflict: two observations share a key; the message names the keys.
    """
    require_distinct_keys(incoming)
    inserted: list[StatRow] = []
    updated: list[StatRow] = []
    unchanged: list[StatRow] = []
    for observation in incoming:
        stored = existing.get(observation.stat_key)
        if stored is None:
            inserted.append(_born(observation, provenance, run_id))
            continue
        row = _merged(stored, observation, provenance, run_id, now)
        (unchanged if row is stored else updated).append(row)
    return MergePlan(tuple(inserted), tuple(updated), tuple(unchanged))


def require_distinct_keys(incoming: Iterable[Observation]) -> None:
    """Raise StorageConflict naming every key that occurs twice: LanceDB would insert both rows (measured)."""
    repeated = [key for key, count in Counter(one.stat_key for one in incoming).items() if count > 1]
    if repeated:
        rest = len(repeated) - _KEYS_SHOWN
        raise StorageConflict(
            f"Nothing was written, because the batch has two rows for {', '.join(repeated[:_KEYS_SHOWN])}"
            f"{f' and {rest} more keys' if rest > 0 else ''}. Fix: correct the source or the seed file."
        )


def _born(observation: Observation, provenance: Provenance, run_id: str) -> StatRow:
    return StatRow(
        metric_id=observation.metric_id,
        period_start=observation.period_start,
        period_end=observation.period_end,
        value=observation.value,
        status=_status_at_birth(observation, provenance),
        provenance=provenance,
        source_window=observation.source_window,
        observed_at=observation.observed_at,
        first_value=observation.value,
        revision=0,
        revised_at=None,
        ingestion_run_id=run_id,
        source_ref=observation.source_ref,
    )


def _merged(
    stored: StatRow, observation: Observation, provenance: Provenance, run_id: str, now: datetime
) -> StatRow:
    """Return the row as it should be; the very object `stored` when nothing is to be written."""
    if observation.observed_at < stored.observed_at or _is_outranked(stored, provenance):
        return stored
    if _only_omits(stored, observation):
        return stored
    read_again = _born(observation, provenance, run_id)
    if _says_the_same(stored, observation):
        return _confirmed(stored, read_again, now)
    if _is_level(observation):
        return read_again
    was_restated = stored.value != observation.value
    return replace(
        read_again,
        first_value=stored.first_value,
        revision=stored.revision + was_restated,
        revised_at=now if was_restated else stored.revised_at,
    )


def _confirmed(stored: StatRow, read_again: StatRow, now: datetime) -> StatRow:
    """Return the row after an equal reading: only its status or its provenance may have risen."""
    provenance = max(stored.provenance, read_again.provenance, key=lambda one: one.rank)
    status = _status_when_confirmed(stored, read_again, now)
    if (status, provenance) == (stored.status, stored.provenance):
        return stored
    return replace(
        read_again,
        status=status,
        provenance=provenance,
        first_value=stored.first_value,
        revision=stored.revision,
        revised_at=stored.revised_at,
    )


def _status_when_confirmed(stored: StatRow, read_again: StatRow, now: datetime) -> Status:
    if read_again.status is Status.FINAL or _has_settled(stored, read_again, now):
        return Status.FINAL
    if stored.provenance is Provenance.CSV_SEED:
        return Status.PROVISIONAL  # the registry itself has now been read once
    return stored.status


def _has_settled(stored: StatRow, read_again: StatRow, now: datetime) -> bool:
    return (
        read_again.observed_at - stored.observed_at >= SETTLING_TIME
        and stored.period_end <= today(now) - SETTLING_AGE
    )


def _status_at_birth(observation: Observation, provenance: Provenance) -> Status:
    # nobody re-reads a transcription, and an instant does not come again
    is_final = provenance is Provenance.CSV_SEED or _is_level(observation)
    return Status.FINAL if is_final else Status.PROVISIONAL


def _is_outranked(stored: StatRow, provenance: Provenance) -> bool:
    return provenance is Provenance.CSV_SEED and stored.provenance is not Provenance.CSV_SEED


def _only_omits(stored: StatRow, observation: Observation) -> bool:
    # the registry once stated a count; an answer that leaves the day out has not stated another
    return stored.value > 0 and observation.source_ref.endswith(IMPLIED_ZERO)


def _says_the_same(stored: StatRow, observation: Observation) -> bool:
    return (stored.value, stored.period_start, stored.source_window) == (
        observation.value,
        observation.period_start,
        observation.source_window,
    )


def _is_level(observation: Observation) -> bool:
    return observation.source_window.value_kind is ValueKind.LEVEL
