"""The work of `weekly_refresh` and `update_all`: fetch from the registries, each host at its own pace."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

from community_metrics.errors import ConfigurationError
from community_metrics.model import SEED_SOURCE, Status, ValueKind
from community_metrics.periods import ONE_DAY, days_between, last_completed_day, lookback_start, today
from community_metrics.runs.definitions import redefined, refusal
from community_metrics.runs.gather import Gathering
from community_metrics.runs.identity import Origins, proves_subject, stored_origins
from community_metrics.runs.job import JobResult
from community_metrics.sources import available_sources
from community_metrics.sources.base import FetchRequest, FetchResult
from community_metrics.sources.client.client import RegistryClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.model import MetricDefinition, Provenance
    from community_metrics.runs.job import RunContext, Work
    from community_metrics.sources.base import Source

_LATE_START = timedelta(weeks=12)  # npm published the days of its outage of 2018 after up to six weeks
_READ_AGAIN_AFTER = timedelta(hours=24)


def prepared(
    only: tuple[str, ...], lookback_weeks: int, provenance: Provenance, catalog: Catalog, now: datetime
) -> Work:
    """Return the work of fetching every chosen metric over its window.

    The window is the last complete weeks, the days since, and the gaps before them.

    Raises:
        ConfigurationError: none of the chosen metrics comes from a registry.
    """
    by_source = _fetched_metrics(only, catalog)
    floor, until = lookback_start(now, lookback_weeks), last_completed_day(now)

    async def work(context: RunContext) -> JobResult:
        changed = await redefined(context.store, chain.from_iterable(by_source.values()))
        results = await _fetched(context, by_source, changed, floor, until)
        observations = tuple(observation for result in results for observation in result.observations)
        return JobResult(
            observations=observations,
            provenance=provenance,
            renamed=frozenset(result.metric_id for result in results if result.observations) & changed.keys(),
            window_start=min((observation.period_start for observation in observations), default=floor),
            window_end=max((observation.period_end for observation in observations), default=until),
        )

    return work


def _fetched_metrics(only: Sequence[str], catalog: Catalog) -> dict[Source, list[Metric]]:
    chosen = [metric for metric in catalog.select(only) if metric.source != SEED_SOURCE]
    if not chosen:
        raise ConfigurationError(
            "None of the chosen metrics comes from a registry. `community-metrics seed` loads metrics of the "
            f"source {SEED_SOURCE!r}; `community-metrics catalog add` adds others to {catalog.path}."
        )
    sources = available_sources()
    grouped: dict[Source, list[Metric]] = defaultdict(list)
    for metric in chosen:
        grouped[sources[metric.source]].append(metric)
    return grouped


async def _fetched(
    context: RunContext,
    by_source: Mapping[Source, Sequence[Metric]],
    changed: Mapping[str, MetricDefinition],
    floor: date,
    until: date,
) -> list[FetchResult]:
    requests: dict[Source, list[FetchRequest]] = defaultdict(list)
    origins = await stored_origins(context, [metric for _, metric in _pairs(by_source)])
    for source, metric in _pairs(by_source):
        stored = changed.get(metric.metric_id)
        same_series = stored and (metric.source, metric.window) == (stored.source, stored.source_window)
        if stored and not (same_series and proves_subject(source)):
            context.record(FetchResult(metric.metric_id, error=refusal(metric, stored)))
            continue
        request = await _fetch_request(context, metric, source, floor, until)
        origin, former = origins.get(metric.metric_id, Origins()), stored.subject if stored else None
        requests[source].append(
            replace(request, previous_subject=former, stored_refs=origin.own, sibling_refs=origin.siblings)
        )
    async with (
        RegistryClient(context.settings, context.clock, context.rng) as client,
        asyncio.TaskGroup() as tasks,
    ):
        fetches = [
            tasks.create_task(Gathering(source, wanted, client, context).run())
            for source, wanted in requests.items()
        ]
    client.clock_check.require_true()
    return [result for fetch in fetches for result in fetch.result()]


def _pairs(by_source: Mapping[Source, Sequence[Metric]]) -> Iterator[tuple[Source, Metric]]:
    return ((source, metric) for source, metrics in by_source.items() for metric in metrics)


async def _fetch_request(
    context: RunContext, metric: Metric, source: Source, floor: date, until: date
) -> FetchRequest:
    first = await context.store.first_fetched_day(metric.metric_id)
    newest = await context.store.newest_row(metric.metric_id)
    since = None
    if first is not None and metric.value_kind is ValueKind.FLOW:
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
        last_source_ref=newest.source_ref if newest else None,
    )


async def _first_wanted(
    context: RunContext, metric: Metric, first: date, reach: date | None, floor: date
) -> date | None:
    """Return the first day to request, `floor` at the latest; None for all that the source still returns.

    `first` is the first stored day, `reach` the first that the source returns, None for the beginning.
    """
    if not await _may_begin_earlier(context, metric, first, reach):
        return await _first_gap(context, metric.metric_id, max(first, reach or first), floor)
    return None if reach is None else await _first_gap(context, metric.metric_id, reach, floor)


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


async def _first_gap(context: RunContext, metric_id: str, oldest: date, floor: date) -> date:
    """Return the first day from `oldest` on that is not stored or was read only once, `floor` at the latest.

    Days that left the window after their first reading would otherwise be provisional for ever. A day that
    the second reading restated is not read a third time: of a long history some day always changes.
    """
    read_once_until = context.clock.now() - _READ_AGAIN_AFTER
    days = await context.store.stored_days(
        metric_id, oldest, floor - ONE_DAY, read_twice_or_after=read_once_until
    )
    stored = set(days)
    return next((day for day in days_between(oldest, floor - ONE_DAY) if day not in stored), floor)
