from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.series.disputes import is_disputed


@pytest.mark.parametrize(
    ("value", "witness", "expected"),
    [(1_000, 1_050, False), (1_000, 1_051, True), (1_000, 949, True), (0, 0, False), (0, 1, True)],
)
def test_a_difference_of_more_than_five_per_cent_disputes_a_day(
    value: int, witness: int, expected: bool
) -> None:
    assert is_disputed(value, witness) is expected


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_equal_counts_are_never_disputed_and_a_missing_one_always_is(value: int, other: int) -> None:
    assert not is_disputed(value, value)
    assert is_disputed(value + 1, 0)
    assert is_disputed(value, other) or abs(value - other) <= value
