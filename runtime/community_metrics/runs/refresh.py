"""What `weekly_refresh` and `update_all` share: ask the registries, each host at its own pace."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING

import structlog

from community_metrics.errors import (
    ConfigurationError,
    InvalidObservation,
    SourceError,
    TerminalSourceError,
)
from community_metrics.model import SEED_SOURCE, Status, ValueKind
from community_metrics.periods import ONE_DAY, days_between, last_completed_day, lookback_start, today
from community_metrics.runs.checks import invalid_observation
from community_metrics.runs.definitions import redefined, refusal
from community_metrics.runs.execute import Gathered, MetricOutcome
from community_metrics.runs.identity import Origins, proves_subject, stored_origins
from community_metrics.sources import available_sources
from community_metrics.sources.base import FetchRequest, FetchResult
from community_metrics.sources.client.client import RegistryClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.model import MetricDefinition, Provenance
    from community_metrics.runs.execute import JobRequest, RunContext, Work
    from community_metrics.sources.base import Source
    from community_metrics.storage import LanceDBReader

log = structlog.get_logger(__name__)

_LATE_START = timedelta(weeks=12)  # npm published the days of its outage of 2018 after up to six weeks
_READ_AGAIN_AFTER = timedelta(hours=24)


def prepared(
    request: JobRequest,
    catalog: Catalog,
    now: datetime,
    *,
    default_lookback_weeks: int,
    provenance: Provenance,
) -> Work:
    """Return the work of fetching every chosen metric over its window.

    The window is the last complete weeks, the days since, and what is still to be filled before them.

    Raises:
        ConfigurationError: `--only` chose nothing that a registry fills, or the look-back is under 1 week.
    """
    weeks = default_lookback_weeks if request.lookback_weeks is None else request.lookback_weeks
    if weeks < 1:
        raise ConfigurationError(
            f"--lookback-weeks is {weeks}; it counts complete weeks and must be at least 1."
        )
    by_source = _fetched_metrics(request, catalog)
    floor, until = lookback_start(now, weeks), last_completed_day(now)

    async def work(context: RunContext) -> Gathered:
        bound = await redefined(context.store, chain.from_iterable(by_source.values()))
        results = await _fetched(context, by_source, bound, floor, until)
        observations = tuple(observation for result in results for observation in result.observations)
        return Gathered(
            observations=observations,
            provenance=provenance,
            outcomes=tuple(_outcome(result) for result in results),
            same=frozenset(result.metric_id for result in results if result.observations) & bound.keys(),
            window_start=min((observation.period_start for observation in observations), default=floor),
            window_end=max((observation.period_end for observation in observations), default=until),
        )

    return work


def _fetched_metrics(request: JobRequest, catalog: Catalog) -> dict[Source, list[Metric]]:
    chosen = [metric for metric in catalog.select(request.only) if metric.source != SEED_SOURCE]
    if not chosen:
        raise ConfigurationError(
            "None of the chosen metrics comes from a registry. Metrics of the source "
            f"{SEED_SOURCE!r} are filled by `community-metrics seed`; others are added to "
            f"{catalog.path} by `community-metrics catalog add`."
        )
    sources = available_sources()
    grouped: dict[Source, list[Metric]] = defaultdict(list)
    for metric in chosen:
        grouped[sources[metric.source]].append(metric)
    return grouped


async def _fetched(
    context: RunContext,
    by_source: Mapping[Source, Sequence[Metric]],
    bound: Mapping[str, MetricDefinition],
    floor: date,
    until: date,
) -> list[FetchResult]:
    refused: list[FetchResult] = []
    requests: dict[Source, list[FetchRequest]] = defaultdict(list)
    origins = await stored_origins(context, [metric for _, metric in _pairs(by_source)])
    for source, metric in _pairs(by_source):
        known_as = bound.get(metric.metric_id)
        if known_as is not None and not _may_be_renamed(source, metric, known_as):
            error = TerminalSourceError(refusal(metric, known_as))
            refused.append(FetchResult(metric.metric_id, error=error))
            continue
        request = await _fetch_request(context, metric, source, floor, until)
        origin = origins.get(metric.metric_id, Origins())
        requests[source].append(
            replace(
                request,
                known_as=known_as.subject if known_as else None,
                stored_refs=origin.own,
                sibling_refs=origin.siblings,
            )
        )
    async with (
        RegistryClient(context.settings, context.clock, context.rng) as client,
        asyncio.TaskGroup() as tasks,
    ):
        fetches = [
            tasks.create_task(_fetch_all(source, wanted, client, context))
            for source, wanted in requests.items()
        ]
    return refused + [result for fetch in fetches for result in fetch.result()]


def _pairs(by_source: Mapping[Source, Sequence[Metric]]) -> Iterator[tuple[Source, Metric]]:
    return ((source, metric) for source, metrics in by_source.items() for metric in metrics)


def _may_be_renamed(source: Source, metric: Metric, stored: MetricDefinition) -> bool:
    """Say whether the source can prove that the new subject is the old one under another name."""
    same_series = (metric.source, metric.window) == (stored.source, stored.source_window)
    return same_series and proves_subject(source)


async def _fetch_request(
    context: RunContext, metric: Metric, source: Source, floor: date, until: date
) -> FetchRequest:
    first = await context.store.first_fetched_day(metric.metric_id)
    newest = await context.store.newest_row(metric.metric_id)
    since = None
    if first is not None and metric.value_kind is ValueKind.FLOW:
        reach = None if source.retention_days is None else until - (source.retention_days - 1) * ONE_DAY
        # one request returns all of it anyway: the first stored day may be later than what is stated now
        since = reach if source.answers_whole else await _first_wanted(context, metric, first, reach, floor)
    return FetchRequest(
        metric_id=metric.metric_id,
        subject=metric.subject,
        options=metric.options,
        since=since,
        until=until,
        first_stored_day=first,
        last_source_ref=newest.source_ref if newest else None,
    )


async def _first_wanted(
    context: RunContext, metric: Metric, first: date, reach: date | None, floor: date
) -> date | None:
    """Return the first day to ask for, `floor` at the latest; None for all that the source still answers for.

    `first` is the first stored day, `reach` the first that the source answers for, None for the beginning.
    """
    if not await _may_begin_earlier(context, metric, first, reach):
        return await _first_gap(context.store, metric.metric_id, max(first, reach or first), floor)
    return None if reach is None else await _first_gap(context.store, metric.metric_id, reach, floor)


async def _may_begin_earlier(context: RunContext, metric: Metric, first: date, reach: date | None) -> bool:
    """Say whether the source may yet state days from `reach` to `first`, the first stored one.

    The first answer may have been cut, and the days of a launch may be published late. A first day that is
    12 weeks old and final was read twice, a day apart, and neither answer stated an earlier one.
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


async def _first_gap(store: LanceDBReader, metric_id: str, oldest: date, floor: date) -> date:
    """Return the first day from `oldest` on that is not stored, `floor` at the latest."""
    stored = set(await store.stored_days(metric_id, oldest, floor - ONE_DAY))
    return next((day for day in days_between(oldest, floor - ONE_DAY) if day not in stored), floor)


async def _fetch_all(
    source: Source, requests: Sequence[FetchRequest], client: RegistryClient, context: RunContext
) -> list[FetchResult]:
    """Return one result for each request, whatever the source does: a plug-in fails its own metrics alone."""
    progress = context.progress
    progress.source_started(source.name, len(requests))
    wanted = {request.metric_id: request for request in requests}
    results: dict[str, FetchResult] = {}
    fault: SourceError = TerminalSourceError(
        f"The source {source.name} ended without a word about this metric."
    )
    try:
        async for result in source.fetch(requests, client):
            if result.metric_id in wanted:
                results[result.metric_id] = _checked(result, source, today(context.clock.now()))
                progress.metric_done(source.name, result.metric_id, results[result.metric_id].error)
    except Exception as error:  # a plug-in may raise anything
        log.exception("source failed", source=source.name)
        if isinstance(error, InvalidObservation):
            fault = _invalid(source, error)
        elif isinstance(error, SourceError):
            fault = error
        else:
            fault = TerminalSourceError(
                f"The source {source.name} broke off: {type(error).__name__}: {error}"
            )
    for metric_id in wanted.keys() - results.keys():
        results[metric_id] = FetchResult(metric_id, error=fault)
        progress.metric_done(source.name, metric_id, fault)
    return [results[metric_id] for metric_id in wanted]


def _checked(result: FetchResult, source: Source, day: date) -> FetchResult:
    """Return the result, or an error in its place when an observation in it is invalid; `day` is not over."""
    reason = invalid_observation(result, source, day)
    return result if reason is None else FetchResult(result.metric_id, error=_invalid(source, reason))


def _invalid(source: Source, reason: object) -> SourceError:
    return TerminalSourceError(
        f"The source {source.name} returned invalid data; nothing of this metric was stored: {reason}"
    )


def _outcome(result: FetchResult) -> MetricOutcome:
    error = None if result.error is None else str(result.error)
    return MetricOutcome(result.metric_id, len(result.observations), error, result.notes)
