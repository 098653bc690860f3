"""What `daily_refresh` reads: everything that a weekly reading would lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.catalog.entries import Cadence
from community_metrics.periods import today
from community_metrics.runs.turns import read_on
from community_metrics.sources import available_sources
from community_metrics.sources.base import forgets
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.catalog import Metric
    from community_metrics.model import LastRead
    from community_metrics.sources.base import Source


def is_daily(metric: Metric, source: Source) -> bool:
    """Return whether the daily refresh reads a metric: as its `cadence` says, else if its past gets lost."""
    if metric.cadence is not None:
        return metric.cadence is Cadence.DAILY
    return forgets(source)


def daily_metrics(metrics: Sequence[Metric]) -> list[Metric]:
    """Return those of the metrics, all of which a registry counts, that the daily refresh reads."""
    sources = available_sources()
    return [metric for metric in metrics if is_daily(metric, sources[metric.source])]


def still_to_read(chosen: Sequence[Metric], turns: Mapping[str, LastRead], now: datetime) -> list[Metric]:
    """Return the daily ones of the chosen metrics that were not read today (UTC)."""
    done = read_on(today(now), turns.values())
    return [metric for metric in daily_metrics(chosen) if metric.metric_id not in done]


def why_nothing(chosen: Sequence[Metric], waiting: int) -> str:
    """Return the sentence of a run that has nothing to read.

    `waiting` of the chosen metrics failed a short while ago and are asked again later.
    """
    count = len(daily_metrics(chosen))
    if waiting:
        return (
            f"Nothing is left to read now: of {counted(count, 'daily metric')}, {count - waiting} were read "
            f"today, and {waiting} failed so recently that a later run asks again."
        )
    if count:
        return f"Nothing is left to read today: {counted(count, 'daily metric')} were read already."
    return (
        "Nothing is read daily: each chosen metric is a flow that its source retains for 30 days or more. "
        'Set `cadence = "daily"` in the catalogue to read one daily.'
    )
