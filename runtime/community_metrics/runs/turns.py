"""Whose turn it is: each source takes its least recently read metrics first. Pure.

A run may end before it has read every metric: its time is used up, a registry limits requests, the machine
stops. The next run then begins where it ended, not with the same metrics again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from community_metrics.errors import SourceRateLimited, SourceUnreachable, TerminalSourceError
from community_metrics.model import LastRead, RunStatus, is_reading_id
from community_metrics.periods import Grain, period_of, today

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from community_metrics.model import Run
    from community_metrics.sources.base import FetchResult

CONTINUED_WITHIN: Final = timedelta(hours=36)
"""How long after a run that left metrics the next one continues it: a daily schedule, and half a day."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def in_turn(metric_ids: Iterable[str], last: Mapping[str, LastRead], now: datetime) -> list[str]:
    """Return the metrics, the least recently read first; those that were never read come in their order.

    A turn after `now` was recorded by a clock that was ahead, and counts as none. Metrics whose requests
    failed in one run have one turn; of those too the least recently read comes first.
    """

    def turn_of(metric_id: str) -> tuple[datetime, datetime]:
        read = last.get(metric_id)
        if read is None or read.turn_at > now:
            return (_NEVER, _NEVER)
        return (read.turn_at, read.read_at or _NEVER)

    return sorted(metric_ids, key=turn_of)


def turn_taken(result: FetchResult, before: LastRead | None, run: Run, now: datetime) -> LastRead | None:
    """Return what the result of one metric means for its next turn; None where its turn is still to come.

    A metric that its host limited keeps its turn, and so does one that was skipped, because its host had
    limited requests or was unreachable before.
    """
    metric_id, error, run_id = result.metric_id, result.error, run.ingestion_run_id
    read_before = before.read_at if before else None
    if result.observations or not isinstance(error, SourceRateLimited | SourceUnreachable):
        is_read = bool(result.observations) and (error is None or isinstance(error, TerminalSourceError))
        is_read |= is_reading_id(metric_id) and error is None  # a feed has no values, and maybe no entry
        return LastRead(metric_id, now, now if is_read else read_before, run_id)
    was_its_own = bool(error.attempts) and isinstance(error, SourceUnreachable)
    return turn_failed(metric_id, before, run) if was_its_own else None


def turn_failed(metric_id: str, before: LastRead | None, run: Run) -> LastRead:
    """Return the turn of a metric whose own request got no response, which may be its own fault.

    It comes after those that were not read yet, and before those that this run read: it must neither lose its
    turn nor keep the others from theirs in every run.
    """
    return LastRead(metric_id, run.started_at, before.read_at if before else None, run.ingestion_run_id)


def read_on(day: date, last: Iterable[LastRead]) -> frozenset[str]:
    """Return the metrics that were read on a UTC day, and whose registry would only repeat its answer."""
    return frozenset(
        read.metric_id for read in last if read.read_at is not None and today(read.read_at) == day
    )


def failed_since(begin: datetime, last: Iterable[LastRead]) -> frozenset[str]:
    """Return the metrics and places whose last turn came at `begin` or later and brought no value."""
    return frozenset(
        read.metric_id
        for read in last
        if read.turn_at >= begin and (read.read_at is None or read.read_at < read.turn_at)
    )


def to_continue(runs: Sequence[Run], new: Run) -> list[Run]:
    """Return the runs that a new one continues: each left metrics, or was killed.

    `runs` are earlier runs of the same job, newest first. A run over other metrics, or over fewer weeks,
    neither continues another one nor ends its series. No run continues one of an earlier ISO week, whose last
    days it must read.
    """
    own = [run for run in runs if run.scope == new.scope and _reaches(run, new)]
    starts = [new.started_at, *(run.started_at for run in own)]
    links = zip(own, starts, strict=False)
    return [run for run, _ in takewhile(lambda link: _is_continued(*link), links)]


def _reaches(run: Run, new: Run) -> bool:
    """Return whether a run read as many weeks; one of an earlier version does not say how many."""
    return (run.lookback_weeks or 0) >= (new.lookback_weeks or 0)


def _is_continued(run: Run, next_start: datetime) -> bool:
    is_unfinished = bool(run.metrics_left) or run.status is RunStatus.RUNNING
    weeks = {period_of(today(start), Grain.WEEK) for start in (run.started_at, next_start)}
    return is_unfinished and len(weeks) == 1 and next_start - run.started_at <= CONTINUED_WITHIN
