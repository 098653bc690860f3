"""An invalid observation cannot be constructed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.errors import ConfigurationError, InvalidObservation
from community_metrics.model import MAX_VALUE, Observation, SourceWindow
from community_metrics.periods import ONE_DAY
from tests.support.clock import NOON

DAY = NOON.date() - ONE_DAY
GOOD = Observation("downloads:a:b", DAY, DAY, 5, SourceWindow.DAY, NOON, "https://x.example/a")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("metric_id", "downloads"),
        ("metric_id", None),
        ("value", 5.5),
        ("value", True),
        ("value", MAX_VALUE + 1),
        ("value", -1),
        ("source_window", "1d"),
        ("period_start", NOON),
        ("period_end", NOON),
        ("period_end", "2026-11-22"),
        ("observed_at", datetime(2026, 11, 23)),  # noqa: DTZ001  the fault
        ("observed_at", "2026-11-23"),
        ("source_ref", None),
        ("source_ref", ""),
        ("source_ref", "\ud800"),
        ("source_ref", "two\nlines"),
    ],
)
def test_an_invalid_field_is_named_with_its_value(field: str, value: Any) -> None:
    with pytest.raises(InvalidObservation) as caught:
        replace(GOOD, **{field: value})
    assert (caught.value.field, caught.value.value) == (field, value)
    assert f": {field} is {value!r}, not " in str(caught.value)


def test_a_period_that_ends_before_it_starts_is_invalid() -> None:
    with pytest.raises(InvalidObservation, match="2026-11-23 to 2026-11-22"):
        replace(GOOD, period_start=DAY + ONE_DAY)


def test_a_fault_of_a_source_is_not_a_fault_of_the_configuration() -> None:
    assert not issubclass(InvalidObservation, ConfigurationError)


def test_the_message_shows_the_beginning_of_a_long_value() -> None:
    with pytest.raises(InvalidObservation) as caught:
        replace(GOOD, source_ref="\n" * 10_000)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        (SourceWindow.DAY, DAY, DAY),
        (SourceWindow.WEEK, DAY - timedelta(days=6), DAY),
        (SourceWindow.THIRTY_DAYS, DAY - timedelta(days=29), DAY),
        (SourceWindow.NINETY_DAYS, DAY - timedelta(days=89), DAY),
        (SourceWindow.YEAR, DAY - timedelta(days=364), DAY),
        (SourceWindow.MONTH, date(2026, 2, 1), date(2026, 2, 28)),
        (SourceWindow.MONTH, date(2026, 10, 1), date(2026, 10, 31)),
        (SourceWindow.INSTANT, DAY, DAY),
    ],
)
def test_a_period_is_exactly_one_window(window: SourceWindow, start: date, end: date) -> None:
    assert replace(GOOD, source_window=window, period_start=start, period_end=end).source_window is window
    for longer, later in ((1, 0), (0, 1), (-1, 0)):
        with pytest.raises(InvalidObservation, match=f"not one window of {window.value}"):
            replace(
                GOOD,
                source_window=window,
                period_start=start - longer * ONE_DAY,
                period_end=end + later * ONE_DAY,
            )


@pytest.mark.parametrize(
    ("window", "kinds"),
    [
        (SourceWindow.DAY, "flow"),
        (SourceWindow.WEEK, "rolling flow"),
        (SourceWindow.THIRTY_DAYS, "rolling"),
        (SourceWindow.NINETY_DAYS, "rolling"),
        (SourceWindow.YEAR, "rolling"),
        (SourceWindow.MONTH, "flow"),
        (SourceWindow.INSTANT, "level counter"),
    ],
)
def test_a_window_has_its_usual_kind_first(window: SourceWindow, kinds: str) -> None:
    assert [kind.value for kind in window.kinds] == kinds.split()
    assert window.usual_kind is window.kinds[0]


@given(st.sampled_from(SourceWindow), st.dates(), st.integers(-40, 400))
def test_a_window_has_one_length(window: SourceWindow, start: date, length: int) -> None:
    try:
        end = start + (length - 1) * ONE_DAY
    except OverflowError:
        return
    is_month = window is SourceWindow.MONTH
    month_ends = (end + ONE_DAY).day == 1 if end < date.max else True
    whole_month = start.day == 1 and month_ends and 28 <= length <= 31
    assert window.spans(start, end) is (whole_month if is_month else length == window.days)


def test_javascript_holds_the_sum_of_a_month_of_the_largest_values_exactly() -> None:
    assert MAX_VALUE * 31 * 29 < 2**53  # a month of days of 29 metrics
