"""The machine's clock against the clocks of the registries: at most five minutes apart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from community_metrics.errors import ClockWrong
from community_metrics.sources.client.clock_check import ClockCheck
from tests.support.clock import NOON

MINUTE = timedelta(minutes=1)


def checked(*skews_by_host: tuple[str, timedelta]) -> ClockCheck:
    check = ClockCheck()
    for host, skew in skews_by_host:
        check.note(host, NOON + skew, NOON)
    return check


@pytest.mark.parametrize("skew", [0 * MINUTE, 5 * MINUTE, -5 * MINUTE])
def test_a_few_minutes_are_no_fault(skew: timedelta) -> None:
    checked(("npm", skew)).require_true()


@pytest.mark.parametrize(
    ("skew", "words"),
    [
        (timedelta(days=400), "400 days ahead of the registries'"),
        (timedelta(days=1), "24 hours ahead of the registries'"),
        (6 * MINUTE, "6 minutes ahead of the registries'"),
        (-timedelta(hours=5), "5 hours behind the registries'"),
    ],
)
def test_more_is_refused_with_both_instants_and_a_fix(skew: timedelta, words: str) -> None:
    with pytest.raises(ClockWrong) as caught:
        checked(("npm", skew), ("crates", skew)).require_true()
    assert words in str(caught.value)
    assert f"it read {NOON + skew:%Y-%m-%dT%H:%M:%SZ}" in str(caught.value)
    assert "(crates, npm)" in str(caught.value)
    assert "Nothing was stored. Fix: set the clock" in str(caught.value)


def test_a_single_host_with_a_wrong_clock_does_not_stop_the_run() -> None:
    checked(("npm", 400 * MINUTE), ("crates", 0 * MINUTE), ("github", MINUTE)).require_true()
    checked(("npm", 400 * MINUTE), ("crates", 0 * MINUTE)).require_true()


def test_an_old_date_of_a_cache_does_not_outweigh_a_new_one_of_the_same_host() -> None:
    checked(("npm", 400 * MINUTE), ("npm", MINUTE)).require_true()


def test_without_any_date_nothing_is_compared() -> None:
    ClockCheck().require_true()
