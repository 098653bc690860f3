"""What a row keeps when a second write changes something other than its value."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from community_metrics.errors import StorageConflict
from community_metrics.model import Observation, SourceWindow, Status
from community_metrics.storage import merge
from tests.unit.test_merge import API, NOW, OLD_DAY, RECOMPUTED, SEED, after, applied, hours, observed

WEEK_START = OLD_DAY - timedelta(days=6)


def weekly(value: int, hour: float) -> Observation:
    """Return the same key with another window: the seven days up to the day."""
    one = observed(value, hours(hour))
    return replace(one, period_start=WEEK_START, source_window=SourceWindow.WEEK)


# the instant of the revision


def test_another_window_with_the_same_value_is_written_without_a_revision() -> None:
    row = after((observed(5), API), (weekly(5, 1), API))
    assert (row.source_window, row.period_start) == (SourceWindow.WEEK, WEEK_START)
    assert (row.revision, row.first_value, row.revised_at) == (0, 5, None)


def test_another_window_keeps_the_instant_of_an_earlier_revision() -> None:
    row = after((observed(5), API), (observed(7, hours(1)), API), (weekly(7, 2), API))
    assert (row.source_window, row.revision, row.revised_at) == (SourceWindow.WEEK, 1, hours(1))


def test_a_month_and_thirty_days_of_the_same_days_differ() -> None:
    thirty_days = replace(
        observed(5, hours(300), day=date(2026, 11, 30)),
        period_start=date(2026, 11, 1),
        source_window=SourceWindow.THIRTY_DAYS,
    )
    month = replace(thirty_days, source_window=SourceWindow.MONTH)
    row = after((thirty_days, API), (month, API))
    assert (row.source_window, row.revision) == (SourceWindow.MONTH, 0)


def test_a_plan_does_not_call_a_row_with_another_window_restated() -> None:
    table = {observed(5).stat_key: after((observed(5), API))}
    [metric] = applied(table, [weekly(5, 1)]).metrics
    assert (metric.changed, metric.restated) == (1, 0)


# provenance


def test_a_lower_provenance_settles_a_value_and_keeps_the_higher_one() -> None:
    row = after((observed(5), RECOMPUTED), (observed(5, hours(24)), API))
    assert (row.status, row.provenance) == (Status.FINAL, RECOMPUTED)


def test_a_raised_provenance_keeps_the_revisions() -> None:
    row = after((observed(5), SEED), (observed(6), SEED), (observed(6, hours(1)), API))
    assert (row.provenance, row.revision, row.first_value, row.revised_at) == (API, 1, 5, NOW)


# the run and the source


@pytest.mark.parametrize(
    ("second", "written"),
    [(observed(7, hours(1)), True), (observed(5, hours(24)), True), (observed(5, hours(1)), False)],
    ids=["restated", "settled", "unchanged"],
)
def test_a_row_names_the_run_and_the_source_that_wrote_it_last(second: Observation, written: bool) -> None:
    first = merge.plan({}, [observed(5)], provenance=API, run_id="first", now=NOW).inserted[0]
    assert (first.ingestion_run_id, first.source_ref) == ("first", "https://registry.example")
    later = replace(second, source_ref="https://elsewhere.example")
    planned = merge.plan({first.stat_key: first}, [later], provenance=API, run_id="second", now=hours(25))
    [row] = planned.updated if written else planned.unchanged
    expected = ("second", "https://elsewhere.example") if written else ("first", "https://registry.example")
    assert (row.ingestion_run_id, row.source_ref) == expected


# a batch with a key twice


@pytest.mark.parametrize(
    ("keys", "rest"), [(1, ""), (10, ""), (11, " and 1 more keys"), (13, " and 3 more keys")]
)
def test_a_refused_batch_names_ten_keys_and_counts_the_others(keys: int, rest: str) -> None:
    one_each = [observed(1, day=OLD_DAY + timedelta(days=number)) for number in range(keys)]
    with pytest.raises(StorageConflict) as caught:
        applied({}, [*one_each, *one_each])
    named = ", ".join(one.stat_key for one in one_each[:10])
    assert str(caught.value) == (
        f"Nothing was written, because the batch has two rows for {named}{rest}. "
        "Fix: correct the source or the seed file."
    )
