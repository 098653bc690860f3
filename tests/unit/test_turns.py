"""Whose turn it is: whatever stops runs, every metric is read before one is read twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.errors import (
    SourceDenied,
    SourceError,
    SourceRateLimited,
    SourceUnreachable,
    TransientSourceError,
    UnknownSubject,
)
from community_metrics.model import LastRead, Run, RunStatus
from community_metrics.periods import ONE_DAY, today
from community_metrics.runs.turns import failed_since, in_turn, read_on, to_continue, turn_taken
from community_metrics.sources.base import FetchResult
from tests.support.clock import NOON
from tests.support.worlds import METRIC, observed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RUN = Run("run-2", "daily_refresh", NOON - timedelta(minutes=10))
BEFORE = LastRead(METRIC, NOON - ONE_DAY, NOON - ONE_DAY, "run-1")
FAR_BACK = datetime.min.replace(tzinfo=UTC)


def error(kind: type[SourceError], attempts: int | None = 1) -> SourceError:
    return kind("on purpose", source="pypistats", subject="pylance", attempts=attempts)


def turn_after(result: FetchResult) -> LastRead | None:
    return turn_taken(result, BEFORE, RUN, NOON)


@pytest.mark.parametrize(
    "result",
    [
        FetchResult(METRIC, (observed(7),)),
        FetchResult(METRIC, (observed(7),), error(UnknownSubject)),
    ],
)
def test_an_answer_with_values_counts_as_read(result: FetchResult) -> None:
    assert turn_after(result) == LastRead(METRIC, NOON, NOON, "run-2")


@pytest.mark.parametrize(
    "result",
    [
        FetchResult(METRIC),
        FetchResult(METRIC, error=error(UnknownSubject)),
        FetchResult(METRIC, error=error(SourceDenied)),
        FetchResult(METRIC, error=error(TransientSourceError, attempts=4)),
        FetchResult(METRIC, (observed(7),), error(SourceRateLimited, attempts=0)),
    ],
)
def test_an_answer_without_values_takes_the_turn_but_is_read_again_today(result: FetchResult) -> None:
    assert turn_after(result) == LastRead(METRIC, NOON, BEFORE.read_at, "run-2")


@pytest.mark.parametrize(
    "failure",
    [error(SourceRateLimited, attempts=0), error(SourceRateLimited), error(SourceUnreachable, attempts=0)],
)
def test_a_metric_that_was_limited_or_skipped_keeps_its_turn(failure: SourceError) -> None:
    assert turn_after(FetchResult(METRIC, error=failure)) is None


def test_a_metric_without_a_response_comes_before_what_its_run_had_read() -> None:
    turn = turn_after(FetchResult(METRIC, error=error(SourceUnreachable)))

    assert turn == LastRead(METRIC, RUN.started_at, BEFORE.read_at, "run-2")


def test_a_metric_counts_as_read_on_the_utc_day_of_its_answer_only() -> None:
    reads = [
        BEFORE,
        replace(BEFORE, metric_id="a:b:c", read_at=NOON),
        replace(BEFORE, metric_id="d:e:f", read_at=None),
    ]

    assert read_on(today(NOON), reads) == {"a:b:c"}


def test_a_turn_of_a_clock_that_was_ahead_counts_as_none() -> None:
    ahead = replace(BEFORE, turn_at=NOON + ONE_DAY)
    other = replace(BEFORE, metric_id="a:b:c")

    assert in_turn(["a:b:c", METRIC], {METRIC: ahead, "a:b:c": other}, NOON) == [METRIC, "a:b:c"]


turns = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.timedeltas(timedelta(), timedelta(days=9)).map(
        lambda ago: LastRead("x", NOON - ago, NOON - ago, "run-1")
    ),
)


@given(st.permutations("abcdefgh"), turns)
def test_the_order_has_every_metric_once_and_the_least_recently_read_first(
    ids: Sequence[str], last: Mapping[str, LastRead]
) -> None:
    ordered = in_turn(ids, last, NOON)
    instants = [last[name].turn_at if name in last else FAR_BACK for name in ordered]

    assert sorted(ordered) == sorted(ids)
    assert instants == sorted(instants)


@given(st.permutations("abcdefgh"), turns)
def test_metrics_with_equal_turns_keep_their_order(ids: Sequence[str], last: Mapping[str, LastRead]) -> None:
    never = [name for name in in_turn(ids, last, NOON) if name not in last]

    assert never == [name for name in ids if name not in last]


@given(st.integers(1, 30), st.lists(st.integers(1, 12), min_size=1, max_size=12), st.booleans())
def test_whatever_stops_the_runs_none_is_read_twice_before_all_were_read_once(
    count: int, reached: Sequence[int], is_limited: bool
) -> None:
    """Each run reads some metrics; then its time is up, or the registry limits the next ones."""
    ids = [f"m{number}" for number in range(count)]
    last: dict[str, LastRead] = {}
    answered: list[str] = []
    for at, number in enumerate([*reached] * 30):
        started = NOON + timedelta(hours=at)
        run = Run(f"run-{at}", "daily_refresh", started)
        ordered = in_turn(ids, last, started)
        outcomes: list[tuple[str, SourceError | None]] = [(name, None) for name in ordered[:number]]
        if is_limited:  # the next two find out, the others are skipped
            outcomes += [(name, error(SourceRateLimited)) for name in ordered[number : number + 2]]
            outcomes += [(name, error(SourceRateLimited, 0)) for name in ordered[number + 2 :]]
        for position, (name, failure) in enumerate(outcomes):
            now = started + timedelta(seconds=position + 1)
            turn = turn_taken(FetchResult(name, error=failure), last.get(name), run, now)
            last |= {} if turn is None else {name: turn}
            answered += [] if failure else [name]

    rounds = [answered[start : start + count] for start in range(0, len(answered) - count + 1, count)]
    assert all(set(one) == set(ids) for one in rounds)


@given(st.integers(3, 20), st.integers(0, 19), st.integers(0, 19))
def test_two_metrics_that_are_always_unreachable_do_not_keep_the_others_from_theirs(
    count: int, first: int, second: int
) -> None:
    ids = [f"m{number}" for number in range(count)]
    dead = {ids[first % count], ids[second % count]}
    last: dict[str, LastRead] = {}
    reads: dict[str, int] = dict.fromkeys(ids, 0)
    for at in range(8):
        started = NOON + timedelta(hours=at)
        failed_in_a_row = 0
        for position, name in enumerate(in_turn(ids, last, started)):
            is_skipped = failed_in_a_row > 1  # the circuit of the host is open
            failed_in_a_row += name in dead
            failure = error(SourceUnreachable, 0 if is_skipped else 1) if is_skipped or name in dead else None
            failed_in_a_row = failed_in_a_row if failure else 0
            now = started + timedelta(seconds=position + 1)
            run = Run(f"run-{at}", "daily_refresh", started)
            turn = turn_taken(FetchResult(name, error=failure), last.get(name), run, now)
            last |= {} if turn is None else {name: turn}
            reads[name] += failure is None
    assert all(reads[name] >= 3 for name in ids if name not in dead)


def ended(hours_ago: int, left: int | None, **values: Any) -> Run:
    return Run(
        f"run-{hours_ago}",
        "weekly_refresh",
        NOON - timedelta(hours=hours_ago),
        **{"status": RunStatus.SUCCESS, "metrics_left": left, "lookback_weeks": 5} | values,
    )


@pytest.mark.parametrize(
    ("runs", "continued"),
    [
        ([ended(4, 20), ended(8, 30), ended(10, 0), ended(11, 40)], 2),
        ([ended(4, None, status=RunStatus.RUNNING), ended(8, 30)], 2),
        ([ended(4, 20, status=RunStatus.FAILED)], 1),
        ([ended(4, 0, status=RunStatus.PARTIAL)], 0),
        ([ended(37, 20)], 0),
        ([ended(8, 20), ended(13, 20)], 1),
        ([ended(2, 0, scope="downloads:*"), ended(4, 20)], 1),
        ([ended(4, 20, lookback_weeks=1)], 0),
        ([ended(4, 20, lookback_weeks=None)], 0),
        ([ended(4, 20, lookback_weeks=12)], 1),
        ([ended(2, 0, lookback_weeks=1), ended(4, 20)], 1),
        ([], 0),
    ],
)
def test_a_run_continues_those_before_it_that_left_metrics_or_were_killed(
    runs: list[Run], continued: int
) -> None:
    new = Run("run-0", "weekly_refresh", NOON, lookback_weeks=5)
    assert len(to_continue(runs, new)) == continued


@pytest.mark.parametrize(
    ("read", "has_failed"),
    [
        (LastRead(METRIC, NOON, NOON, "run-1"), False),
        (LastRead(METRIC, NOON, None, "run-1"), True),
        (LastRead(METRIC, NOON, NOON - ONE_DAY, "run-1"), True),
        (LastRead(METRIC, NOON - timedelta(seconds=1), None, "run-1"), False),
    ],
    ids=["it was read", "never read", "read before", "it failed earlier"],
)
def test_what_failed_is_known_by_a_turn_without_a_value(read: LastRead, *, has_failed: bool) -> None:
    assert failed_since(NOON, [read]) == (frozenset({METRIC}) if has_failed else frozenset())
