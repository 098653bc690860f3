"""A response and its sentinel together: what is stored, what is noted, and what is an error."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from community_metrics.errors import SourceUnreachable, TerminalSourceError
from community_metrics.model import Observation, SourceWindow, ValueMark
from community_metrics.periods import ONE_DAY, days_between
from community_metrics.sources.base import FetchRequest
from community_metrics.sources.days import DailyCounts, daily_result, emptied
from community_metrics.sources.sentinel import Response, Sentinel
from tests.support.clock import NOON
from tests.unit.test_sources_replies import reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.sources.base import FetchResult

METRIC, URL = "downloads:a:b", "https://registry.example/x"
START, SUNDAY = date(2026, 9, 28), date(2026, 11, 22)
MONDAY, WEDNESDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 18), date(2026, 11, 20)


class Registry:
    """A sentinel that counts how often it is read, and the result of a request beside it."""

    def __init__(self, by_day: Mapping[date, int] | Exception) -> None:
        self.by_day = by_day
        self.reads = 0
        self.sentinel = Sentinel("everything", self.read)

    async def read(self) -> Mapping[date, int]:
        self.reads += 1
        if isinstance(self.by_day, Exception):
            raise self.by_day
        return self.by_day

    async def result(
        self, by_day: Mapping[date, int], *, since: date | None = None, stored: date | None = None
    ) -> FetchResult:
        request = FetchRequest(METRIC, "a", {}, since, SUNDAY, stored)
        return await daily_result(request, DailyCounts(by_day, URL, NOON), self.sentinel, reply())


def steady(value: int, *, without: frozenset[date] = frozenset()) -> dict[date, int]:
    return {day: value for day in days_between(START, SUNDAY) if day not in without}


def stored(day: date, value: int, mark: ValueMark | None = None) -> Observation:
    return Observation(METRIC, day, day, value, SourceWindow.DAY, NOON, URL, mark=mark)


AWAY = SourceUnreachable(
    "connection refused",
    source="pypistats",
    subject="everything",
    url=URL,
    attempts=4,
    fix="check the network",
)


async def test_the_requested_days_are_stored_with_their_origin_and_marks_oldest_first() -> None:
    registry = Registry(steady(100) | {FRIDAY: 50})
    response = steady(3, without=frozenset({WEDNESDAY})) | {SUNDAY + ONE_DAY: 9}
    result = await registry.result(response, since=date(2026, 11, 17))
    assert (result.metric_id, result.error) == (METRIC, None)
    assert result.observations == (
        stored(date(2026, 11, 17), 3),
        stored(WEDNESDAY, 0, ValueMark.IMPLIED_ZERO),
        stored(date(2026, 11, 19), 3),
        stored(FRIDAY, 3, ValueMark.LOW_FOR_EVERYBODY),
        stored(date(2026, 11, 21), 3),
        stored(SUNDAY, 3),
    )
    assert result.notes == (
        "2026-11-20 low for everybody: the registry counted less than 90 % of a usual day",
    )


async def test_without_a_first_day_every_day_of_the_response_is_stored() -> None:
    result = await Registry(steady(100)).result(steady(3))
    assert [found.period_end for found in result.observations] == list(days_between(START, SUNDAY))


async def test_only_requested_days_are_held_back_or_noted() -> None:
    registry = Registry(steady(100) | {MONDAY: 15, WEDNESDAY: 15, FRIDAY: 40})
    result = await registry.result(steady(3, without=frozenset({SUNDAY})), since=WEDNESDAY)
    assert [found.period_end.day for found in result.observations] == [19, 20, 21]
    assert result.notes == (
        "2026-11-18 not published yet, or only in part",
        "2026-11-20 low for everybody: the registry counted less than 90 % of a usual day",
    )


async def test_a_day_that_may_only_be_late_has_no_note_and_an_older_one_has() -> None:
    late, settled = date(2026, 11, 21), FRIDAY
    registry = Registry(steady(100) | {late: 0, settled: 0})
    result = await registry.result(steady(3, without=frozenset({late, settled})), since=MONDAY)
    assert result.notes == ("2026-11-20 not published yet, or only in part",)


@pytest.mark.parametrize("since", [None, WEDNESDAY])
async def test_values_after_the_requested_days_do_not_make_a_zero_plausible(since: date | None) -> None:
    registry = Registry(steady(100))
    large = {WEDNESDAY - 7 * weeks * ONE_DAY: 300_000 for weeks in (1, 2)}
    late = {WEDNESDAY + 7 * weeks * ONE_DAY: 1 for weeks in (1, 2, 3)}
    result = await registry.result(large | {SUNDAY: 300_000} | late, since=since)
    assert WEDNESDAY not in {found.period_end for found in result.observations}


async def test_a_response_that_lost_its_rows_is_an_error_with_the_command_that_ends_it() -> None:
    result = await Registry(steady(100)).result({}, stored=START)
    assert (result.metric_id, result.observations) == (METRIC, ())
    error = result.error
    assert isinstance(error, TerminalSourceError)
    assert (error.source, error.subject, error.url, error.http_status) == (
        "github",
        "a/b",
        reply().public_url,
        200,
    )
    assert error.detail == (
        "the response holds no day with downloads, but days since 2026-09-28 are stored; it may have lost "
        "its rows, so nothing of it was stored"
    )
    assert error.fix == (
        "run the job again later; if the package has no more downloads, set active = false for "
        "downloads:a:b in the catalogue"
    )


@pytest.mark.parametrize(
    ("day", "value", "is_empty"), [(SUNDAY, 1, False), (SUNDAY, 0, True), (NOON.date(), 5, True)]
)
def test_a_response_with_one_completed_day_of_downloads_lost_nothing(
    day: date, value: int, is_empty: bool
) -> None:
    request = FetchRequest(METRIC, "a", {}, None, SUNDAY, START)
    assert (emptied(request, DailyCounts({day: value}, URL, NOON), reply()) is not None) is is_empty


async def test_the_sentinel_is_read_once_whatever_the_number_of_metrics() -> None:
    registry = Registry(steady(100))
    for _ in range(3):
        await registry.result(steady(3))
    assert registry.reads == 1


async def test_without_a_sentinel_values_are_stored_unchecked_and_zeros_are_not() -> None:
    registry = Registry(AWAY)
    response = steady(100, without=frozenset({MONDAY})) | {WEDNESDAY: 49, FRIDAY: 50}
    for _ in range(2):
        result = await registry.result(response, since=MONDAY)
        assert [found.period_end.day for found in result.observations] == [17, 18, 19, 20, 21, 22]
        assert result.notes == (
            "2026-11-16 left open: the sentinel everything failed",
            "2026-11-18 stored unchecked, though unusually low: the sentinel everything failed",
        )
    assert registry.reads == 1


@pytest.mark.parametrize(
    ("detail", "text"),
    [
        ("connection refused", "the sentinel everything failed: connection refused"),
        ("", "the sentinel everything failed"),
    ],
)
async def test_the_error_of_a_sentinel_names_it_and_is_one_for_all_metrics(detail: str, text: str) -> None:
    away = SourceUnreachable(
        detail, source="pypistats", subject="everything", url=URL, fix="check the network"
    )
    error = (await Registry(away).result(steady(3))).error
    assert error is not None
    assert (error.detail, error.fix, error.url, type(error)) == (text, None, URL, SourceUnreachable)


async def test_a_metric_without_any_doubt_has_no_note_though_the_sentinel_failed() -> None:
    assert (await Registry(AWAY).result(steady(3))).notes == ()


def test_a_day_is_unusually_low_below_half_of_its_usual_value() -> None:
    by_day = steady(100) | {MONDAY: 49, WEDNESDAY: 50, date(2026, 11, 17): 10}
    wanted = frozenset({MONDAY, WEDNESDAY, FRIDAY})
    assert Response(by_day, wanted, frozenset(), SUNDAY).unusually_low == [MONDAY]
    alone = Response({MONDAY: 1}, frozenset({MONDAY}), frozenset(), SUNDAY)
    assert alone.unusually_low == []
