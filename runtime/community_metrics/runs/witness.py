"""Once a week, the second witness of each metric: its last five weeks are kept beside the stored values.

Nothing is corrected by it, and a witness that does not answer takes nothing from the refresh.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import SourceError
from community_metrics.model import Witness, WitnessedDay
from community_metrics.periods import Grain, last_completed_day, period_of, today
from community_metrics.runs.backfill import LIMITS
from community_metrics.runs.batches import store_batch
from community_metrics.runs.signals import run_to_completion
from community_metrics.sources.backfill.clickpy import PACKAGES_OF_A_QUERY, read_days
from community_metrics.sources.client.client import RegistryClient
from community_metrics.sources.pypistats import normalized
from community_metrics.sources.sentinel import Intake, plausible_zeros

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from community_metrics.catalog import Metric
    from community_metrics.runs.job import RunContext
    from community_metrics.sources.backfill.clickpy import WitnessedDays
    from community_metrics.sources.days import DailyCounts

COMPARED: Final = timedelta(weeks=5)
WITNESS_LIMITS: Final = replace(LIMITS, total_s=60)
"""A query may take as long as in a backfill; one that took a minute is not repeated before the next week."""
_NEIGHBOURS: Final = timedelta(weeks=4)
"""The days before them, which show which days the witness has completely."""


async def ask_witnesses(context: RunContext) -> tuple[str, ...]:
    """Store what the witnesses of the active metrics counted; return a note for each that did not answer.

    Whatever the run has read is stored before, since a witness may take minutes.

    Raises:
        ClockWrong: the machine's clock is wrong; nothing was stored.
        LeaseLost: another run has taken the database over; nothing was stored.
        StorageError: a LanceDB operation failed.
    """
    if context.holder is None or not (due := await _due(context)):
        return ()
    _, cancelled = await run_to_completion(store_batch(context))
    if cancelled:
        raise asyncio.CancelledError
    client = RegistryClient(
        context.settings,
        context.clock,
        context.rng,
        limits=WITNESS_LIMITS,
        deadline_s=context.batches.deadline_s,
    )
    async with client:
        notes = [await _ask(context, client, group, with_mirrors=mirrors) for mirrors, group in _groups(due)]
    return tuple(note for note in notes if note)


async def _ask(
    context: RunContext, client: RegistryClient, group: Sequence[Metric], *, with_mirrors: bool
) -> str | None:
    """Store what the witness counted of the metrics of one query; return a note where it did not answer."""
    since = last_completed_day(context.clock.now()) - COMPARED - _NEIGHBOURS
    names = sorted({normalized(metric.subject) for metric in group})
    try:
        found = await read_days(client, names, since, with_mirrors=with_mirrors)
    except SourceError as error:
        return f"The second witness was not compared: {error.message}"
    if context.holder is not None:
        await context.holder.renew()
    await context.store.record_witnessed([row for metric in group for row in _rows(context, metric, found)])
    return None


async def _due(context: RunContext) -> list[Metric]:
    """Return the metrics whose witness was not asked since Monday, without those that failed in this run."""
    now = context.clock.now()
    failed = {name for name, outcome in context.batches.outcomes.items() if outcome.error_class is not None}
    witnessed = [
        metric
        for metric in context.catalog.active
        if metric.second_witness is Witness.CLICKPY and metric.metric_id not in failed
    ]
    if not witnessed:
        return []
    seen = await context.store.witnessed(
        [metric.metric_id for metric in witnessed], since=today(now) - COMPARED
    )
    monday = period_of(today(now), Grain.WEEK).start
    asked = {row.metric_id for row in seen if today(row.observed_at) >= monday}
    return [metric for metric in witnessed if metric.metric_id not in asked]


def _groups(metrics: Sequence[Metric]) -> Iterator[tuple[bool, list[Metric]]]:
    """Yield the metrics of one query each."""
    by_mirrors: dict[bool, list[Metric]] = defaultdict(list)
    for metric in metrics:
        by_mirrors[bool(metric.options.get("mirrors", False))].append(metric)
    for with_mirrors, group in by_mirrors.items():
        for start in range(0, len(group), PACKAGES_OF_A_QUERY):
            yield with_mirrors, group[start : start + PACKAGES_OF_A_QUERY]


def _rows(context: RunContext, metric: Metric, found: WitnessedDays) -> Iterator[WitnessedDay]:
    """Yield the days that the witness has completely; none of a package that it does not know."""
    counts = found.by_package[normalized(metric.subject)]
    for day, value in sorted(_values(counts, found.sentinel).items()):
        yield WitnessedDay(
            metric.metric_id,
            day,
            Witness.CLICKPY,
            value,
            counts.observed_at,
            counts.source_ref,
            context.run_id,
        )


def _values(counts: DailyCounts, sentinel: Mapping[date, int]) -> dict[date, int]:
    """Return the days to compare; one without a row is a 0 only where that is plausible, as in a backfill."""
    if not counts.by_day:
        return {}
    last = last_completed_day(counts.observed_at)
    days = Intake(sentinel).counted(last - timedelta(days=back) for back in range(COMPARED.days))
    first = min(counts.by_day)  # before it the package may not have existed
    absent = frozenset(day for day in days if day > first and day not in counts.by_day)
    stated = {day: counts.by_day[day] for day in days if day in counts.by_day}
    return dict.fromkeys(plausible_zeros(absent, counts.by_day), 0) | stated
