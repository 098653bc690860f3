"""The work of the jobs that refresh: fetch from the registries, each host at its own pace."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from community_metrics.model import Status, ValueKind
from community_metrics.periods import ONE_DAY, days_between, last_completed_day, lookback_start, today
from community_metrics.runs.batches import storing
from community_metrics.runs.definitions import refusal
from community_metrics.runs.events import reading_requests, without_strangers
from community_metrics.runs.gather import Gathering
from community_metrics.runs.identity import StoredIds, proves_subject, stored_ids
from community_metrics.runs.job import JobResult
from community_metrics.runs.to_read import fetched_metrics, to_read
from community_metrics.runs.turns import in_turn, turn_failed
from community_metrics.runs.witness import ask_witnesses
from community_metrics.sources import available_sources
from community_metrics.sources.base import FetchRequest, FetchResult, reads_days_once
from community_metrics.sources.client.client import RegistryClient
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.catalog.readings import EventReading
    from community_metrics.model import LastRead, MetricDefinition
    from community_metrics.runs.job import RunContext, Work
    from community_metrics.runs.registry import Refresh
    from community_metrics.sources.base import Source
    from community_metrics.storage.reader import StoredEnds

_LATE_START = timedelta(weeks=12)  # npm published the days of its outage of 2018 after up to six weeks
_READ_AGAIN_AFTER = timedelta(hours=24)


def prepared(job: Refresh, catalog: Catalog, now: datetime) -> Work:
    """Return the work of fetching every chosen metric over its window.

    The window is the last complete weeks, the days since, and the gaps before them.

    Raises:
        ConfigurationError: none of the chosen metrics comes from a registry.
    """
    chosen = fetched_metrics(job.only, catalog)
    floor, until = lookback_start(now, job.lookback_weeks), last_completed_day(now)

    async def work(context: RunContext) -> JobResult:
        batches = context.batches
        batches.deadline_s = _deadline_s(job, context)
        left = await to_read(job, chosen, context)
        wanted, turns = left.metrics, left.turns
        batches.turns = turns
        batches.wanted = frozenset(metric.metric_id for metric in wanted)
        batches.wanted |= {reading.id for reading in left.readings}
        batches.redefined = frozenset(left.changed)
        by_source = _by_source(wanted, turns, context.clock.now())
        requests = await _requests(context, by_source, left.changed, floor, until)
        unasked = await _fetch(context, requests, left.readings)
        notes = (*job.notes(chosen, wanted, left.waiting), *_read_twice(left.read_twice), *unasked)
        if not wanted:
            return JobResult(notes=notes)
        return JobResult(batches.first_day or floor, batches.last_day or until, notes)

    return work


def _read_twice(count: int) -> tuple[str, ...]:
    """Return what a run by hand says of metrics that were read today and should be read once a day."""
    if not count:
        return ()
    return (
        f"{counted(count, 'metric')} read again today, although the registry asks to be read once a day.",
    )


def _deadline_s(job: Refresh, context: RunContext) -> float | None:
    """Return at which reading of the clock's `monotonic` the time of the run is used up; None for never."""
    minutes = job.time_budget_minutes
    return None if minutes is None else context.clock.monotonic() + 60 * minutes


def _by_source(
    metrics: Sequence[Metric], turns: Mapping[str, LastRead], now: datetime
) -> dict[Source, list[Metric]]:
    """Return the metrics by source, the least recently read ones of each first."""
    sources, named = available_sources(), {metric.metric_id: metric for metric in metrics}
    grouped: dict[Source, list[Metric]] = defaultdict(list)
    for metric_id in in_turn(named, turns, now):
        grouped[sources[named[metric_id].source]].append(named[metric_id])
    return grouped


async def _requests(
    context: RunContext,
    by_source: Mapping[Source, Sequence[Metric]],
    changed: Mapping[str, MetricDefinition],
    floor: date,
    until: date,
) -> dict[Source, list[FetchRequest]]:
    """Return what to ask each source for; a metric that must not be fetched is recorded with its error."""
    requests: dict[Source, list[FetchRequest]] = defaultdict(list)
    metrics = [metric for _, metric in _pairs(by_source)]
    ids = await stored_ids(context, metrics)
    ends = await context.store.ends([metric.metric_id for metric in metrics])
    for source, metric in _pairs(by_source):
        stored = changed.get(metric.metric_id)
        same_series = stored and (metric.source, metric.window) == (stored.source, stored.source_window)
        if stored and not (same_series and proves_subject(source)):
            turn = turn_failed(
                metric.metric_id, context.batches.turns.get(metric.metric_id), context.batches.run
            )
            context.record(FetchResult(metric.metric_id, error=refusal(metric, stored)), turn)
            continue
        request = await _fetch_request(context, (source, metric), ends.get(metric.metric_id), floor, until)
        known, former = ids.get(metric.metric_id, StoredIds()), stored.subject if stored else None
        requests[source].append(
            replace(request, previous_subject=former, stored_ids=known.own, sibling_ids=known.siblings)
        )
    return requests


def _pairs(by_source: Mapping[Source, Sequence[Metric]]) -> Iterator[tuple[Source, Metric]]:
    return ((source, metric) for source, metrics in by_source.items() for metric in metrics)


async def _fetch(
    context: RunContext,
    requests: Mapping[Source, Sequence[FetchRequest]],
    readings: Sequence[EventReading],
) -> tuple[str, ...]:
    """Ask every source, all side by side, and store what they return in batches meanwhile.

    Places of events come after them: a registry that limits requests should first give the values, some of
    which nobody gives later. Second witnesses come last, once all is stored; returns a note for each that
    did not answer.
    """
    async with _client(context) as client, storing(context):
        context.batches.check = client.clock_check.require_true
        async with asyncio.TaskGroup() as tasks:
            for source, wanted in requests.items():
                tasks.create_task(Gathering(source, wanted, client, context, source).run())
        ours = without_strangers(context, readings)
        skipped = {reading.id for reading in readings} - {reading.id for reading in ours}
        context.batches.wanted = (context.batches.wanted or frozenset()) - skipped
        of_events = await reading_requests(context, ours)
        async with asyncio.TaskGroup() as tasks:
            for reader, wanted in of_events.items():
                tasks.create_task(Gathering(reader, wanted, client, context).run())
    asks = getattr(context.job, "asks_witnesses", False) and not context.job.only
    return await ask_witnesses(context) if asks else ()


def _client(context: RunContext) -> RegistryClient:
    return RegistryClient(
        context.settings,
        context.clock,
        context.rng,
        recorder=context.answers,
        deadline_s=context.batches.deadline_s,
    )


async def _fetch_request(
    context: RunContext, wanted: tuple[Source, Metric], ends: StoredEnds | None, floor: date, until: date
) -> FetchRequest:
    source, metric = wanted
    first = ends.first_fetched_day if ends else None
    since, stored = None, frozenset[date]()
    if reads_days_once(source):
        stored = frozenset(await context.store.stored_days(metric.metric_id, first or until, until))
    elif first is not None and metric.value_kind is ValueKind.FLOW:
        reach = None if source.retention_days is None else until - (source.retention_days - 1) * ONE_DAY
        # each request returns all of it anyway: a response may now state days before the first stored one
        since = reach
        if not source.returns_full_history:
            since = await _first_wanted(context, metric, first, reach, floor)
    return FetchRequest(
        metric_id=metric.metric_id,
        subject=metric.subject,
        source=source.name,
        options=metric.options,
        since=since,
        until=until,
        first_stored_day=first,
        last_value=ends.newest.value if ends else None,
        last_newest_part=ends.newest.newest_part if ends else None,
        last_parts_digest=ends.newest.parts_digest if ends else None,
        stored_days=stored,
    )


async def _first_wanted(
    context: RunContext, metric: Metric, first: date, reach: date | None, floor: date
) -> date | None:
    """Return the first day to request, `floor` at the latest; None for all that the source still returns.

    `first` is the first stored day, `reach` the first that the source returns, None for the beginning.
    """
    if not await _may_begin_earlier(context, metric, first, reach):
        return await _first_gap(context, metric, max(first, reach or first), floor)
    return None if reach is None else await _first_gap(context, metric, reach, floor)


async def _may_begin_earlier(context: RunContext, metric: Metric, first: date, reach: date | None) -> bool:
    """Return whether the source may still publish days from `reach` to `first`, the first stored one.

    The first response may have been cut, and the days of a launch may be published late. A first day that is
    12 weeks old and final was read twice, a day apart, and neither response had an earlier one.
    """
    if reach is not None and first <= reach:
        return False
    now = context.clock.now()
    if today(now) - first < _LATE_START:
        return True
    rows = await context.store.stats([metric.metric_id], since=first, until=first)
    return any(
        row.status is not Status.FINAL and now - row.observed_at >= _READ_AGAIN_AFTER  # sooner proves nothing
        for row in rows
    )


async def _first_gap(context: RunContext, metric: Metric, oldest: date, floor: date) -> date:
    """Return the first day from `oldest` on that is not stored or was read only once, `floor` at the latest.

    Days that left the window after their first reading would otherwise be provisional for ever. A day that
    the second reading restated is not read a third time: of a long history some day always changes. A row
    has all days of its window: the days within a stored week are no gap.
    """
    read_once_until = context.clock.now() - _READ_AGAIN_AFTER
    length = metric.window.days or 1
    ends = await context.store.stored_days(
        metric.metric_id,
        oldest,
        floor + (length - 2) * ONE_DAY,
        read_twice_or_after=read_once_until,
    )
    stored = {end - offset * ONE_DAY for end in ends for offset in range(length)}
    return next((day for day in days_between(oldest, floor - ONE_DAY) if day not in stored), floor)
