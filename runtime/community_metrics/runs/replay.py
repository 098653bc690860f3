"""The work of `replay`: read kept answers once more, and write the rows of one day that they mean.

Every run that may have stored a value of that day is repeated in its order: the same requests, the same
answers, the same merges, starting without a row. The result is what the runs would have stored with the code
of today. It is compared with what is stored:

| stored row | what is written |
| --- | --- |
| none | the rebuilt row, with the id and the instants of the run that read it |
| the same value over the same days | nothing |
| another value, last written by one of the repeated runs | the rebuilt row replaces it |
| another value, last written by any other run or file | nothing; a note names the row |

A stored row that the answers do not yield is left alone, and named in a note. A run that was undone is not
repeated.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import ConfigurationError, SourceError, TerminalSourceError
from community_metrics.model import Observation, SourceWindow, StoredTrafficSet
from community_metrics.periods import ONE_DAY, midnight, today
from community_metrics.runs.answers import groups_of, without_runs
from community_metrics.runs.batches import Batches, Rebuilt
from community_metrics.runs.gather import Gathering
from community_metrics.runs.job import JobResult, NoProgress
from community_metrics.sources import available_sources
from community_metrics.sources.base import MOST_DAYS_FORGOTTEN, FetchResult
from community_metrics.sources.client.replayed import ReplayedClient
from community_metrics.storage import merge
from community_metrics.storage.maintenance import KEEP_ANSWERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import StatRow, ValueKind
    from community_metrics.runs.answers import Group, Step
    from community_metrics.runs.job import RunContext, Work
    from community_metrics.sources.base import Source

_LONGEST_RUN: Final = ONE_DAY
"""A run that began the day before may have read a value of the day after midnight."""
_LATEST_READING: Final = timedelta(days=MOST_DAYS_FORGOTTEN + 2)
"""How long after a day a source that forgets may still return its value."""


@dataclass(frozen=True, slots=True)
class _StoppedClock:
    """Reads the instant at which the answers were received. Nothing is waited for."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, _seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass
class _Replayed:
    """What the repeated runs yield: the rows of the day by key, and of each metric its runs and errors."""

    day: date
    kinds: Mapping[str, ValueKind]
    rows: dict[str, StatRow] = field(default_factory=dict)
    lists: dict[str, StoredTrafficSet] = field(default_factory=dict)
    runs: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    errors: dict[str, SourceError] = field(default_factory=dict)

    def merge(self, result: FetchResult, step: Step, run_id: str) -> None:
        """Repeat one merge of a run, for the values and lists of the day."""
        own = [row for row in result.observations if row.period_end == self.day]
        plan = merge.plan(
            self.rows, own, provenance=step.provenance, run_id=run_id, now=step.stored_at, kinds=self.kinds
        )
        self.rows.update({row.stat_key: row for row in plan.written})
        for listed in result.items:
            new = StoredTrafficSet(**asdict(listed), ingestion_run_id=run_id)
            old = self.lists.get(new.item_key)
            if new.day == self.day and (old is None or merge.replaces_set(new, old)):
                self.lists[new.item_key] = new


def prepared(day: date, only: tuple[str, ...], catalog: Catalog, now: datetime) -> Work:
    """Return the work of rebuilding the chosen metrics' values of one day.

    Raises:
        ConfigurationError: no answers of that day can be kept, or a metric is unknown.
    """
    oldest = today(now - KEEP_ANSWERS)
    if not oldest <= day <= today(now):
        raise ConfigurationError(
            f"No answers of {day} are kept: they are kept for {KEEP_ANSWERS.days} days. Fix: choose a day "
            f"from {oldest} to {today(now)}."
        )
    named = {metric.metric_id for metric in catalog.select(only)} if only else None

    async def work(context: RunContext) -> JobResult:
        since, until = midnight(day) - _LONGEST_RUN, midnight(day) + _LATEST_READING
        groups = groups_of(await context.store.answers(since, until))
        asked = {request.metric_id for group in groups for request in group.requests}
        if not asked:  # not at the start: only the database knows
            raise ConfigurationError(await _nothing_kept(context, day))
        groups, notes = without_runs(groups, await context.store.undone_runs())
        kinds = await _kinds(context)
        chosen = named if named is not None else asked & kinds.keys()
        replayed = await _replayed(context, groups, chosen, kinds, day)
        values = await _compared(context, replayed, day)
        context.batches.rebuilt = Rebuilt(values, await _compared_lists(context, replayed, day))
        _record(context, replayed, named or ())
        unknown = sorted(asked - kinds.keys()) if named is None else []
        if unknown:
            notes.append(f"Answers of metrics that are not stored were left out: {', '.join(unknown)}.")
        return JobResult(window_start=day, window_end=day, notes=tuple(notes))

    return work


async def _nothing_kept(context: RunContext, day: date) -> str:
    first = await context.store.first_answers()
    kept = (
        f"The oldest kept answers are of {today(first)}" if first else "No answers are kept in this database"
    )
    return (
        f"No answers from which values of {day} can be rebuilt are kept. {kept}. Only sources that cannot be "
        "asked again have kept answers. Fix: choose another day, or fetch the others with "
        "`community-metrics update-all`."
    )


async def _kinds(context: RunContext) -> dict[str, ValueKind]:
    """Return the kind of every metric, as stored; as in the catalogue for one that is not stored yet."""
    listed = {metric.metric_id: metric.value_kind for metric in context.catalog.metrics}
    return listed | {metric.metric_id: metric.value_kind for metric in await context.store.metrics()}


async def _replayed(
    context: RunContext,
    groups: Iterable[Group],
    chosen: Iterable[str],
    kinds: Mapping[str, ValueKind],
    day: date,
) -> _Replayed:
    found, wanted, sources = _Replayed(day, kinds), frozenset(chosen), available_sources()
    merges: list[tuple[Step, str, FetchResult]] = []
    for group in groups:
        subjects = {request.metric_id: request.subject for request in group.requests}
        source = sources.get(group.source)
        if not wanted & subjects.keys() or (source is not None and not _may_hold(group, source, day)):
            continue
        for result in await _results(context, group, source):
            steps = [step for step in group.steps if result.metric_id in step.metric_ids]
            if result.metric_id not in wanted or not steps:  # without a step, the run did not reach it
                continue
            found.runs[result.metric_id].add(group.run_id)
            if result.error is not None:
                found.errors[result.metric_id] = result.error
            merges += [(step, group.run_id, result) for step in steps]
    for step, run_id, result in sorted(merges, key=lambda one: (one[0].stored_at, one[1])):
        found.merge(result, step, run_id)
    return found


def _may_hold(group: Group, source: Source, day: date) -> bool:
    """Return whether the answers may hold a value of the day; a reading of an instant is of its own day."""
    if source.window is not SourceWindow.INSTANT:
        return True
    return any(today(answer.at) == day for answer in group.answers)


async def _results(context: RunContext, group: Group, source: Source | None) -> Sequence[FetchResult]:
    """Return what the source makes of the kept answers to the same requests."""
    if source is None:
        detail = f"the source {group.source!r} is not installed, so its kept answers cannot be read"
        return [
            FetchResult(
                request.metric_id,
                error=TerminalSourceError(
                    detail,
                    source=group.source,
                    subject=request.subject,
                    fix="install the package that provides it",
                ),
            )
            for request in group.requests
        ]
    clock = _StoppedClock(max((answer.at for answer in group.answers), default=group.steps[0].stored_at))
    batches = Batches(context.batches.run)
    alone = replace(context, clock=clock, progress=NoProgress(), answers=None, batches=batches)
    async with ReplayedClient(context.settings, clock, group.answers) as client:
        await Gathering(source, group.requests, client, alone).run()
    return batches.pending.results


async def _compared(context: RunContext, found: _Replayed, day: date) -> merge.MergePlan:
    """Return which rebuilt rows are missing, which replace their stored row, and which change nothing."""
    stored = {
        row.stat_key: row for row in await context.store.stats(sorted(found.runs), since=day, until=day)
    }
    inserted = [row for key, row in found.rows.items() if key not in stored]
    updated: list[StatRow] = []
    unchanged: list[StatRow] = []
    for key, old in stored.items():
        new = found.rows.get(key)
        is_replayed = old.ingestion_run_id in found.runs[old.metric_id]
        if new is None:
            if is_replayed:
                note = (
                    f"{day} is stored as {old.value}, and its answers yield no value; the row was left alone"
                )
                context.batches.notes.append((old.metric_id, note))
        elif merge.is_equal(old, new):
            unchanged.append(old)
        elif is_replayed:
            updated.append(new)
        else:
            unchanged.append(old)
            context.batches.notes.append((old.metric_id, _kept_note(old, new)))
    return merge.MergePlan(context.clock.now(), tuple(inserted), tuple(updated), tuple(unchanged))


async def _compared_lists(context: RunContext, found: _Replayed, day: date) -> tuple[StoredTrafficSet, ...]:
    """Return the rebuilt lists that are missing, or that replace one of a repeated run."""
    written: list[StoredTrafficSet] = []
    for new in found.lists.values():
        stored = await context.store.traffic_sets(new.metric_id, since=day, until=day)
        old = stored[0] if stored else None
        if old is None:
            written.append(new)
        elif merge.is_same_set(new, old):
            continue
        elif old.ingestion_run_id in found.runs[new.metric_id]:
            written.append(new)
        else:
            note = (
                f"the list of {day} was left as it is: it is of the run {old.ingestion_run_id}, "
                "of which no answers are kept"
            )
            context.batches.notes.append((new.metric_id, note))
    return tuple(written)


def _kept_note(old: StatRow, new: StatRow) -> str:
    return (
        f"{old.period_end} was left at {old.value}, although the answers yield {new.value}: the stored value "
        f"is of the run {old.ingestion_run_id}, of which no answers are kept"
    )


def _record(context: RunContext, found: _Replayed, named: Iterable[str]) -> None:
    """Record how each metric ended; an error counts only where it kept a metric from having its value.

    A metric that the caller `named` has an error where no answer is kept of it.
    """
    rows: defaultdict[str, list[StatRow]] = defaultdict(list)
    for row in found.rows.values():
        rows[row.metric_id].append(row)
    listed = {metric.metric_id: metric for metric in context.catalog.metrics}
    for metric_id in sorted({*named, *found.runs}):
        own, error = rows[metric_id], found.errors.get(metric_id)
        if metric_id not in found.runs:
            metric = listed[metric_id]
            detail = "no answer for this day is kept"
            fix = "run `community-metrics update-all`, if the source still returns the day"
            error = TerminalSourceError(detail, source=metric.source, subject=metric.subject, fix=fix)
        context.record(FetchResult(metric_id, tuple(map(_observation, own)), error=None if own else error))


def _observation(row: StatRow) -> Observation:
    return Observation(
        row.metric_id,
        row.period_start,
        row.period_end,
        row.value,
        row.source_window,
        row.observed_at,
        row.source_ref,
        row.is_reset,
        row.mark,
        row.subject_id,
        row.newest_part,
        row.parts_digest,
    )
