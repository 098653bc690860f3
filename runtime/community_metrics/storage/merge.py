"""What a second write changes: the rules of revision, provenance and status.

Pure: rows in, rows out. The store reads what `plan` needs and writes what it returns.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from community_metrics.errors import StorageConflict
from community_metrics.model import (
    EDGE_REACH,
    SETTLING_DAYS,
    Provenance,
    StatRow,
    Status,
    UpsertCounts,
    ValueKind,
    ValueMark,
)
from community_metrics.periods import ONE_DAY, midnight, today

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.model import Observation, StoredTrafficSet

SETTLING_TIME: Final = timedelta(hours=24)
"""How far apart two equal readings must be to make a value final."""
SETTLING_AGE: Final = SETTLING_DAYS * ONE_DAY
"""How old the last day of a value must be before it can become final, and before growth is a restatement."""
_READ_ONCE: Final = frozenset({Provenance.CSV_SEED, Provenance.BACKFILL})
"""A value that nothing reads again: the rows of a seed file, and the days from before the first run."""
_KEYS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """How many rows of a metric an upsert writes; `restated` ones no longer have their first value."""

    metric_id: str
    first_day: date
    last_day: date
    new: int
    changed: int
    restated: int


@dataclass(frozen=True, slots=True)
class MergePlan:
    """The rows that an upsert inserts and updates, as they will be, and those it leaves unchanged."""

    now: datetime
    """The instant that a row restated by this plan has as `revised_at`."""
    inserted: tuple[StatRow, ...] = ()
    updated: tuple[StatRow, ...] = ()
    unchanged: tuple[StatRow, ...] = ()

    @property
    def written(self) -> tuple[StatRow, ...]:
        """The rows to merge, by metric and then by day, so that reads of one metric need few fragments."""
        return tuple(sorted((*self.inserted, *self.updated), key=lambda row: (row.metric_id, row.period_end)))

    @property
    def counts(self) -> UpsertCounts:
        """The number of rows of each kind."""
        return UpsertCounts(len(self.inserted), len(self.updated), len(self.unchanged))

    @property
    def metrics(self) -> tuple[MetricPlan, ...]:
        """What is written of each metric, by id."""
        new = Counter(row.metric_id for row in self.inserted)
        changed = Counter(row.metric_id for row in self.updated)
        restated = Counter(row.metric_id for row in self.updated if row.revised_at == self.now)
        grouped = groupby(self.written, attrgetter("metric_id"))
        days = [(name, [row.period_end for row in rows]) for name, rows in grouped]
        return tuple(MetricPlan(m, ends[0], ends[-1], new[m], changed[m], restated[m]) for m, ends in days)


def plan(
    existing: Mapping[str, StatRow],
    incoming: Sequence[Observation],
    *,
    provenance: Provenance,
    run_id: str,
    now: datetime,
    kinds: Mapping[str, ValueKind] | None = None,
) -> MergePlan:
    """Return which observations are new, which change their stored row (by `stat_key`), and which do neither.

    `kinds` has the kind of a metric where it may not be the usual one of its window.

    Raises:
        StorageConflict: two observations share a key; the message names the keys.
    """
    require_distinct_keys(incoming)
    inserted: list[StatRow] = []
    updated: list[StatRow] = []
    unchanged: list[StatRow] = []
    for observation in incoming:
        stored = existing.get(observation.stat_key)
        kind = (kinds or {}).get(observation.metric_id, observation.source_window.usual_kind)
        read = _new_row(observation, kind, provenance, run_id)
        if stored is None:
            inserted.append(read)
            continue
        row = _merged(stored, read, kind, now)
        (unchanged if row is stored else updated).append(row)
    return MergePlan(now, tuple(inserted), tuple(updated), tuple(unchanged))


def require_distinct_keys(incoming: Iterable[Observation]) -> None:
    """Raise StorageConflict for keys that occur twice: LanceDB would insert both rows (measured)."""
    repeated = [key for key, count in Counter(one.stat_key for one in incoming).items() if count > 1]
    if repeated:
        rest = len(repeated) - _KEYS_SHOWN
        raise StorageConflict(
            f"Nothing was written, because the batch has two rows for {', '.join(repeated[:_KEYS_SHOWN])}"
            f"{f' and {rest} more keys' if rest > 0 else ''}. Fix: correct the source or the seed file."
        )


def _new_row(observation: Observation, kind: ValueKind, provenance: Provenance, run_id: str) -> StatRow:
    is_read_once = provenance in _READ_ONCE
    return StatRow(
        metric_id=observation.metric_id,
        period_start=observation.period_start,
        period_end=observation.period_end,
        value=observation.value,
        # nothing reads a seed file, a backfilled day or a past instant again
        status=Status.FINAL if is_read_once or kind is not ValueKind.FLOW else Status.PROVISIONAL,
        provenance=provenance,
        source_window=observation.source_window,
        observed_at=observation.observed_at,
        first_value=observation.value,
        revision=0,
        revised_at=None,
        ingestion_run_id=run_id,
        source_ref=observation.source_ref,
        is_reset=observation.is_reset,
        mark=observation.mark,
        subject_id=observation.subject_id,
        newest_part=observation.newest_part,
        parts_digest=observation.parts_digest,
    )


def _merged(stored: StatRow, read_again: StatRow, kind: ValueKind, now: datetime) -> StatRow:
    """Return the row to store; the object `stored` itself when there is nothing to write."""
    if _is_ignored(stored, read_again, kind):
        return stored
    if _is_given_by_the_source(stored, read_again):
        return read_again
    was_reset = stored.is_reset or read_again.is_reset or _has_fallen(stored, read_again, kind)
    read_again = replace(read_again, is_reset=was_reset)
    if is_equal(stored, read_again):
        return _confirmed(stored, read_again, now)
    if kind is not ValueKind.FLOW:
        return read_again
    if _has_only_grown(stored, read_again):
        first_value = stored.first_value if stored.revision else read_again.value
        return replace(
            read_again, first_value=first_value, revision=stored.revision, revised_at=stored.revised_at
        )
    was_restated = stored.value != read_again.value
    return replace(
        read_again,
        first_value=stored.first_value,
        revision=stored.revision + was_restated,
        revised_at=now if was_restated else stored.revised_at,
    )


def _is_given_by_the_source(stored: StatRow, read_again: StatRow) -> bool:
    """Return whether the scheduled source gives a day that was backfilled.

    Its value takes the place of the other witness's as if that had never been stored: nothing was restated.
    """
    return stored.provenance is Provenance.BACKFILL and read_again.provenance.is_scheduled


def _has_only_grown(stored: StatRow, read_again: StatRow) -> bool:
    """Return whether the stored value was read while its day was settling, and is larger now."""
    settled_from = stored.period_end + SETTLING_AGE
    was_settling = stored.status is Status.PROVISIONAL and today(stored.observed_at) < settled_from
    return was_settling and read_again.value > stored.value


def _confirmed(stored: StatRow, read_again: StatRow, now: datetime) -> StatRow:
    """Return the row after an equal reading, which can only raise its status or its provenance."""
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
    is_old = stored.period_end <= today(now) - SETTLING_AGE
    has_settled = is_old and read_again.observed_at - stored.observed_at >= SETTLING_TIME
    if read_again.status is Status.FINAL or has_settled:
        return Status.FINAL
    if stored.provenance is Provenance.CSV_SEED:
        return Status.PROVISIONAL  # so far the registry itself was read only once
    return stored.status


def _is_ignored(stored: StatRow, read_again: StatRow, kind: ValueKind) -> bool:
    is_seeded = stored.provenance is Provenance.CSV_SEED
    is_older = read_again.observed_at < stored.observed_at and not _is_given_by_the_source(stored, read_again)
    is_outranked = (read_again.provenance is Provenance.CSV_SEED and not is_seeded) or (
        read_again.provenance is Provenance.BACKFILL and stored.provenance.is_scheduled
    )
    # a response that omits the day does not restate the count that the registry once returned
    only_omits = stored.value > 0 and read_again.mark is ValueMark.IMPLIED_ZERO
    is_kept = not is_seeded and _ends_the_day_before(stored, read_again, kind)
    return is_older or is_outranked or only_omits or is_kept


def _ends_the_day_before(stored: StatRow, read_again: StatRow, kind: ValueKind) -> bool:
    """Return whether the stored reading of a morning ends the day before, and the later one would not.

    A counter is read at an edge as near to it as possible, a level as late as possible. A counter that fell
    is stored all the same: the next reading could make up for the fall, and nothing would show it any more.
    """
    noon = midnight(stored.period_end) + EDGE_REACH
    if stored.observed_at > noon:
        return False
    if kind is ValueKind.COUNTER:
        return not _has_fallen(stored, read_again, kind)
    return kind is ValueKind.LEVEL and read_again.observed_at > noon


def _has_fallen(stored: StatRow, read_again: StatRow, kind: ValueKind) -> bool:
    return kind is ValueKind.COUNTER and read_again.value < stored.value


def replaces_set(read_again: StoredTrafficSet, stored: StoredTrafficSet) -> bool:
    """Return whether a set read again replaces the stored one of its day: it is not older, and another."""
    return read_again.observed_at >= stored.observed_at and not is_same_set(read_again, stored)


def is_same_set(first: StoredTrafficSet, second: StoredTrafficSet) -> bool:
    """Return whether two sets say the same, whenever and by whichever run they were read."""
    same = replace(first, observed_at=second.observed_at, ingestion_run_id=second.ingestion_run_id)
    return same == second


def is_equal(stored: StatRow, read_again: StatRow) -> bool:
    """Return whether two rows of one key have the same value over the same days, and reset alike."""
    return (stored.value, stored.period_start, stored.source_window, stored.is_reset) == (
        read_again.value,
        read_again.period_start,
        read_again.source_window,
        read_again.is_reset,
    )
