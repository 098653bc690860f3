"""What a run has read, stored in batches: a run that is stopped or killed keeps what it has stored.

A batch is a few idempotent merges under the run's lease: rows, outcomes, turns, and the counts of the run so
far. A kill between two of them loses nothing: the next run reads these metrics again and writes what is new.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import structlog

from community_metrics.errors import ClockWrong
from community_metrics.model import OutcomeStatus, RunOutcome, UpsertCounts
from community_metrics.runs.definitions import to_write
from community_metrics.runs.events import events_of
from community_metrics.runs.signals import run_to_completion, settle_cancellation
from community_metrics.text import one_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import date, datetime

    from community_metrics.model import (
        LastRead,
        Observation,
        RawAnswers,
        Run,
        StoredTrafficSet,
        TrafficSet,
    )
    from community_metrics.runs.job import RunContext
    from community_metrics.sources.base import FetchResult
    from community_metrics.storage import MergePlan

MOST_METRICS: Final = 50
"""How many metrics a batch waits for."""
LONGEST_WAIT_S: Final = 30.0
"""How long a metric waits for its batch, in real seconds: as much as a kill may cost."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Batch:
    """What was read since the last batch; whatever belongs to a metric is stored together with it.

    `answers` are those that came since then, and `at` is the instant of its merge, which they have too.
    """

    results: tuple[FetchResult, ...] = ()
    reads: tuple[LastRead, ...] = ()
    answers: tuple[RawAnswers, ...] = ()
    at: datetime | None = None

    @property
    def observations(self) -> tuple[Observation, ...]:
        """The values of all its metrics."""
        return tuple(row for result in self.results for row in result.observations)

    @property
    def items(self) -> tuple[TrafficSet, ...]:
        """The lists of places that the values count."""
        return tuple(listed for result in self.results for listed in result.items)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Rows that are complete as they are, with the ids of the runs that read them."""

    values: MergePlan
    lists: tuple[StoredTrafficSet, ...]


@dataclass(slots=True)
class Batches:
    """What a run has read: the results that are not stored yet, and what is known of all of them.

    `run` is the open run, `counts` how many rows it has stored, `outcomes` how each metric ended, `notes`
    what was noted of a metric. `redefined` are the metrics whose stored definition is another one; a value of
    theirs proves that they continue under a new name. `wanted` are the metrics that the run should read, None
    for a job that reads no registry, and `turns` the stored turns by metric. When the clock's `monotonic` is
    at `deadline_s`, the time of the run is used up. `check` raises ClockWrong while nothing may be stored.
    """

    run: Run
    most_metrics: int = MOST_METRICS
    longest_wait_s: float = LONGEST_WAIT_S
    outcomes: dict[str, RunOutcome] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    counts: UpsertCounts = field(default_factory=UpsertCounts)
    first_day: date | None = None
    last_day: date | None = None
    wanted: frozenset[str] | None = None
    turns: Mapping[str, LastRead] = field(default_factory=dict)
    deadline_s: float | None = None
    redefined: frozenset[str] = frozenset()
    renamed: frozenset[str] = frozenset()
    defined: frozenset[str] | None = None
    """The renamed metrics with which the definitions were written; None before that."""
    check: Callable[[], None] = lambda: None
    rebuilt: Rebuilt | None = None
    """What is written in the place of the recorded values and lists; only `replay` sets it."""
    stored: set[str] = field(default_factory=set)
    """The metrics whose results and outcomes are stored."""
    unwritten: Batch | None = None
    """The batch whose values are not written yet; it is written again as it was, if that failed."""
    _results: list[FetchResult] = field(default_factory=list)
    _reads: list[LastRead] = field(default_factory=list)
    _is_waiting: asyncio.Event = field(default_factory=asyncio.Event)
    _is_full: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pending(self) -> Batch:
        """What is not stored yet."""
        begun = self.unwritten or Batch()
        return Batch((*begun.results, *self._results), (*begun.reads, *self._reads))

    @property
    def run_so_far(self) -> Run:
        """The run with the numbers of rows that it has stored so far."""
        counts = self.counts
        return replace(
            self.run,
            rows_inserted=counts.inserted,
            rows_updated=counts.updated,
            rows_unchanged=counts.unchanged,
        )

    @property
    def metrics_left(self) -> int | None:
        """How many of the wanted metrics were not read; None for a job that reads no registry."""
        return None if self.wanted is None else len(self.wanted - self.outcomes.keys())

    def add(self, result: FetchResult, read: LastRead | None = None) -> None:
        """Keep the result of one metric, or a further part of it, until its batch is stored."""
        before = self.outcomes.get(result.metric_id)
        self.outcomes[result.metric_id] = _outcome(self.run.ingestion_run_id, result, before)
        self.notes += [(result.metric_id, one_line(note)) for note in result.notes]
        self._results.append(result)
        self._reads += [] if read is None else [read]
        if result.observations:
            self.renamed |= self.redefined & {result.metric_id}
        for row in result.observations:
            self.first_day = min(self.first_day or row.period_start, row.period_start)
            self.last_day = max(self.last_day or row.period_end, row.period_end)
        self._is_waiting.set()
        if len(self._results) >= self.most_metrics:
            self._is_full.set()

    def take(self) -> Batch:
        """Return what was added since the last call, and begin the next batch."""
        batch = Batch(tuple(self._results), tuple(self._reads))
        self._results.clear()
        self._reads.clear()
        self._is_waiting.clear()
        self._is_full.clear()
        return batch

    async def due(self) -> None:
        """Wait until a batch has all its metrics, or its first one has waited long enough."""
        await self._is_waiting.wait()
        with suppress(TimeoutError):  # not `wait_for`: before Python 3.12 it may swallow a cancellation
            async with asyncio.timeout(self.longest_wait_s):
                await self._is_full.wait()


@asynccontextmanager
async def storing(context: RunContext) -> AsyncIterator[None]:
    """Store a batch as soon as it is due, while the body reads; a dry run stores nothing.

    Raises:
        CommunityMetricsError: a batch could not be stored; the body was cancelled.
    """
    if context.holder is None:
        yield
        return
    reader = asyncio.current_task()
    failures: list[Exception] = []

    async def store() -> None:
        try:
            await _store_when_due(context)
        except Exception as error:  # noqa: BLE001  whatever it is, it is raised below, where the run ends
            failures.append(error)
            if reader is not None:
                reader.cancel()

    task = asyncio.create_task(store())
    try:
        try:
            yield
        finally:
            task.cancel()
            _, cancelled = await run_to_completion(asyncio.wait({task}))  # a batch under way is stored
    except asyncio.CancelledError:
        if not failures:
            raise
        settle_cancellation()
    if failures:
        raise failures[0]
    if cancelled:
        raise asyncio.CancelledError


async def _store_when_due(context: RunContext) -> None:
    while True:
        await context.batches.due()
        try:
            context.batches.check()
        except ClockWrong as error:  # one slow host may not have answered yet; the last batch decides
            log.warning("nothing is stored yet", reason=str(error))
            await asyncio.sleep(context.batches.longest_wait_s)
            continue
        _, cancelled = await run_to_completion(store_batch(context))
        if cancelled:
            raise asyncio.CancelledError


async def store_batch(context: RunContext) -> None:
    """Store what is not stored yet; the last batch of a run may be empty.

    Raises:
        ClockWrong: the machine's clock is wrong; nothing was stored.
        LeaseLost: another run has taken the database over; nothing was stored.
        StorageError: a LanceDB operation failed.
    """
    batches, store = context.batches, context.store
    batches.check()
    if context.holder is not None:
        await context.holder.renew()  # a run that was suspended for longer than its lease must not write
    now = context.clock.now()
    batch = batches.unwritten = batches.unwritten or _with_answers(context, batches.take(), now)
    await _define(context)
    await store.record_answers(batch.answers)  # no value is without the answer that it came from
    batches.counts += await _merged(context, batch, batch.at or now)
    batches.unwritten = None
    named = dict.fromkeys(result.metric_id for result in batch.results)  # a metric may have several results
    await store.record_outcomes([batches.outcomes[name] for name in named])
    await store.record_reads(batch.reads)
    batches.stored |= {result.metric_id for result in batch.results}
    if batch.results:
        await store.record_run(batches.run_so_far)


def _with_answers(context: RunContext, batch: Batch, now: datetime) -> Batch:
    """Return a batch with the answers that came since the last one; a replay repeats the merge at `now`."""
    if context.answers is None:
        return replace(batch, at=now)
    settled = {result.metric_id for result in batch.results}
    taken = context.answers.take(context.run_id, settled, provenance=context.job.provenance, now=now)
    return replace(batch, answers=tuple(taken), at=now)


async def _merged(context: RunContext, batch: Batch, now: datetime) -> UpsertCounts:
    """Write lists, events and values, the values last: a reading then has its list."""
    store, rebuilt = context.store, context.batches.rebuilt
    if rebuilt is not None:
        await store.write_traffic(rebuilt.lists)
        return await store.write_plan(rebuilt.values)
    run_id, provenance = context.run_id, context.job.provenance
    await store.upsert_traffic(batch.items, run_id=run_id)
    await store.upsert_events(events_of(context, batch, now))
    return await store.upsert_observations(batch.observations, provenance=provenance, run_id=run_id, now=now)


async def _define(context: RunContext) -> None:
    """Write the definitions of the catalogue before the first values, and those that a value proved."""
    store, renamed = context.store, context.batches.renamed
    if context.batches.defined != renamed:
        whole, now = not context.job.only, context.clock.now()
        await store.upsert_metrics(await to_write(store, context.catalog, now, renamed=renamed, whole=whole))
        context.batches.defined = renamed


def _outcome(run_id: str, result: FetchResult, before: RunOutcome | None) -> RunOutcome:
    """Return how a metric ended, so far, which had the outcome `before` its last result."""
    whole = _outcome_alone(run_id, result)
    if before is None:
        return whole
    first = before if before.message else whole  # the error that came first
    days = [one.last_day for one in (before, whole) if one.last_day]
    count = before.observations + whole.observations
    failed = OutcomeStatus.PARTIAL if count else OutcomeStatus.FAILED
    return replace(
        first,
        status=failed if first.message else OutcomeStatus.SUCCESS,
        observations=count,
        last_day=max(days, default=None),
    )


def _outcome_alone(run_id: str, result: FetchResult) -> RunOutcome:
    error = result.error
    failed = OutcomeStatus.PARTIAL if result.observations else OutcomeStatus.FAILED
    return RunOutcome(
        run_id=run_id,
        metric_id=result.metric_id,
        status=OutcomeStatus.SUCCESS if error is None else failed,
        error_class=type(error).__name__ if error else None,
        message=error.message if error else None,
        url=error.url if error else None,
        observations=len(result.observations),
        last_day=max((row.period_end for row in result.observations), default=None),
    )
