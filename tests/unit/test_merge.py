from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community_metrics.errors import StorageConflict
from community_metrics.model import (
    Observation,
    Provenance,
    SourceWindow,
    StatRow,
    Status,
    ValueKind,
    ValueMark,
    newest_copy,
)
from community_metrics.storage import merge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.storage.merge import MergePlan

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OLD_DAY = date(2026, 11, 1)
API, SEED, RECOMPUTED = Provenance.API, Provenance.CSV_SEED, Provenance.RECOMPUTED
BACKFILL = Provenance.BACKFILL


def observed(
    value: int,
    at: datetime = NOW,
    *,
    day: date = OLD_DAY,
    metric_id: str = "downloads:lance:python",
    window: SourceWindow = SourceWindow.DAY,
) -> Observation:
    return Observation(metric_id, day, day, value, window, at, "https://registry.example")


def reading(value: int, at: datetime = NOW) -> Observation:
    return observed(value, at, metric_id="stars:lance:github", window=SourceWindow.INSTANT)


def omitted(at: datetime = NOW, *, day: date = OLD_DAY) -> Observation:
    """Return the 0 of a day that the registry's answer leaves out."""
    return replace(observed(0, at, day=day), mark=ValueMark.IMPLIED_ZERO)


def applied(
    table: dict[str, StatRow], batch: Sequence[Observation], provenance: Provenance = API, now: datetime = NOW
) -> MergePlan:
    """Plan and carry out, as a store would."""
    kinds = {"downloads:lance:python": ValueKind.FLOW, "pulls:lance:docker": ValueKind.COUNTER}
    planned = merge.plan(table, batch, provenance=provenance, run_id="run", now=now, kinds=kinds)
    table.update({row.stat_key: row for row in planned.written})
    return planned


def after(*steps: tuple[Observation, Provenance]) -> StatRow:
    """Return the only row after each observation was written at the instant it was made."""
    table: dict[str, StatRow] = {}
    for observation, provenance in steps:
        applied(table, [observation], provenance, observation.observed_at)
    [row] = table.values()
    return row


def hours(count: float) -> datetime:
    return NOW + timedelta(hours=count)


RESTATED_AND_THEN_READ_AGAIN = ((7, NOW), (9, NOW + timedelta(hours=30)), (9, NOW + timedelta(hours=60)))


# birth


@pytest.mark.parametrize(
    ("observation", "provenance", "status"),
    [
        (observed(1), API, Status.PROVISIONAL),
        (observed(1), RECOMPUTED, Status.PROVISIONAL),
        (observed(1), SEED, Status.FINAL),
        (observed(1), BACKFILL, Status.FINAL),
        (reading(1), API, Status.FINAL),
    ],
)
def test_a_new_row_is_final_if_nothing_can_restate_it(
    observation: Observation, provenance: Provenance, status: Status
) -> None:
    row = after((observation, provenance))
    assert (row.status, row.first_value, row.revision, row.revised_at) == (status, 1, 0, None)


# settling


def test_an_equal_reading_a_day_later_settles_a_value() -> None:
    row = after((observed(5), API), (observed(5, hours(24)), API))
    assert (row.status, row.observed_at, row.revision) == (Status.FINAL, hours(24), 0)


def test_an_equal_reading_within_a_day_changes_nothing() -> None:
    row = after((observed(5), API), (observed(5, hours(23.9)), API))
    assert (row.status, row.observed_at) == (Status.PROVISIONAL, NOW)


@pytest.mark.parametrize(("age_days", "status"), [(2, Status.PROVISIONAL), (3, Status.FINAL)])
def test_a_value_settles_once_its_day_is_three_days_old(age_days: int, status: Status) -> None:
    day = hours(24).date() - timedelta(days=age_days)
    assert after((observed(5, day=day), API), (observed(5, hours(24), day=day), API)).status is status


def test_a_settled_value_that_changes_is_provisional_again() -> None:
    row = after((observed(5), API), (observed(5, hours(24)), API), (observed(6, hours(48)), API))
    assert (row.status, row.revision, row.first_value) == (Status.PROVISIONAL, 1, 5)


def test_a_settled_value_read_again_is_not_written() -> None:
    row = after((observed(5), API), (observed(5, hours(24)), API), (observed(5, hours(90)), API))
    assert (row.status, row.observed_at) == (Status.FINAL, hours(24))


@pytest.mark.parametrize(
    ("age_days", "second", "first_value", "revision"),
    [
        (1, 7, 7, 0),
        (2, 7, 7, 0),
        (3, 7, 5, 1),
        (1, 4, 5, 1),
        (3, 4, 5, 1),
    ],
)
def test_growth_of_a_value_read_while_its_day_settled_is_no_restatement(
    age_days: int, second: int, first_value: int, revision: int
) -> None:
    day = NOW.date() - timedelta(days=age_days)
    row = after((observed(5, day=day), API), (observed(second, hours(7 * 24), day=day), API))
    assert (row.value, row.first_value, row.revision) == (second, first_value, revision)
    assert row.revised_at == (hours(7 * 24) if revision else None)
    assert row.status is Status.PROVISIONAL


def test_growth_after_a_fall_keeps_the_fall() -> None:
    day = NOW.date() - timedelta(days=1)
    steps = [(observed(5, day=day), API), (observed(4, hours(1), day=day), API)]
    row = after(*steps, (observed(6, hours(2), day=day), API))
    assert (row.value, row.first_value, row.revision, row.revised_at) == (6, 5, 1, hours(1))


def test_a_seed_value_of_a_young_day_that_the_registry_raises_is_restated() -> None:
    day = NOW.date() - timedelta(days=1)
    row = after((observed(5, day=day), SEED), (observed(7, hours(1), day=day), API))
    assert (row.first_value, row.revision) == (5, 1)


# restating


def test_a_restated_flow_keeps_its_first_value_and_the_instant() -> None:
    row = after((observed(5), API), (observed(7, hours(1)), API), (observed(6, hours(2)), API))
    assert (row.value, row.first_value, row.revision, row.revised_at) == (6, 5, 2, hours(2))


def test_settling_keeps_the_revisions() -> None:
    row = after((observed(5), API), (observed(7, hours(1)), API), (observed(7, hours(26)), API))
    assert (row.status, row.first_value, row.revision, row.revised_at) == (Status.FINAL, 5, 1, hours(1))


def test_another_first_day_of_the_same_value_is_stored_without_a_revision() -> None:
    month = Observation(
        "downloads:lance:python",
        date(2026, 10, 1),
        date(2026, 10, 31),
        5,
        SourceWindow.MONTH,
        NOW,
        "https://r",
    )
    day = replace(
        month, period_start=date(2026, 10, 31), source_window=SourceWindow.DAY, observed_at=hours(30)
    )
    row = after((month, API), (day, API))
    assert (row.source_window, row.period_start, row.revision) == (SourceWindow.DAY, date(2026, 10, 31), 0)
    assert (row.status, row.revised_at, row.first_value) == (Status.PROVISIONAL, None, 5)


def test_a_later_run_that_only_confirms_keeps_the_instant_of_the_restatement() -> None:
    row = after((observed(5), API), (observed(6, hours(1)), API), (observed(6, hours(2)), RECOMPUTED))
    assert (row.provenance, row.revision, row.revised_at, row.first_value) == (RECOMPUTED, 1, hours(1), 5)


@pytest.mark.parametrize("winner", ["observed_at", "revision", "provenance", "value", "ingestion_run_id"])
def test_of_two_copies_the_newest_wins_then_the_most_revised_then_the_higher_provenance(winner: str) -> None:
    order = ["observed_at", "revision", "provenance", "value", "ingestion_run_id"]
    low: dict[str, Any] = dict(zip(order, (NOW, 1, API, 5, "a"), strict=True))
    high: dict[str, Any] = dict(zip(order, (hours(1), 2, RECOMPUTED, 6, "b"), strict=True))
    row = after((observed(5), API))
    decided = order.index(winner)
    better = {name: (high if at == decided else low)[name] for at, name in enumerate(order)}
    worse = {name: (high if at > decided else low)[name] for at, name in enumerate(order)}
    assert newest_copy([replace(row, **worse), replace(row, **better)]) == replace(row, **better)


def test_a_level_read_again_on_the_same_day_replaces_the_first_reading() -> None:
    row = after((reading(70), API), (reading(68, hours(1)), API))
    assert (row.value, row.first_value, row.revision, row.status) == (68, 68, 0, Status.FINAL)


def test_an_equal_level_is_not_written() -> None:
    assert after((reading(70), API), (reading(70, hours(1)), API)).observed_at == NOW


def test_an_older_observation_never_replaces_a_newer_one() -> None:
    assert after((observed(5), API), (observed(9, hours(-1)), RECOMPUTED)).value == 5


# omissions


@pytest.mark.parametrize("first", list(Provenance))
@pytest.mark.parametrize("second", [API, RECOMPUTED])
def test_an_implied_zero_never_replaces_downloads(first: Provenance, second: Provenance) -> None:
    stored = after((observed(5), first))
    assert after((observed(5), first), (omitted(hours(48)), second)) == stored


def test_an_implied_zero_of_a_new_day_is_stored_and_settles() -> None:
    row = after((omitted(), API), (omitted(hours(24)), API))
    assert (row.value, row.status, row.revision) == (0, Status.FINAL, 0)


def test_downloads_published_late_replace_an_implied_zero() -> None:
    row = after((omitted(), API), (observed(5, hours(1)), API))
    assert (row.value, row.first_value, row.revision) == (5, 0, 1)


def test_a_zero_that_the_registry_states_replaces_downloads() -> None:
    assert after((observed(5), API), (observed(0, hours(1)), API)).value == 0


# provenance


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (SEED, API, API),
        (SEED, RECOMPUTED, RECOMPUTED),
        (API, RECOMPUTED, RECOMPUTED),
        (RECOMPUTED, API, RECOMPUTED),
        (API, SEED, API),
        (RECOMPUTED, SEED, RECOMPUTED),
        (SEED, BACKFILL, BACKFILL),
        (BACKFILL, SEED, BACKFILL),
        (BACKFILL, API, API),
        (API, BACKFILL, API),
    ],
)
def test_an_equal_value_takes_the_higher_provenance_without_a_revision(
    first: Provenance, second: Provenance, kept: Provenance
) -> None:
    row = after((observed(5), first), (observed(5, hours(1)), second))
    assert (row.provenance, row.revision, row.first_value) == (kept, 0, 5)


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [(SEED, API, 6), (API, RECOMPUTED, 6), (RECOMPUTED, API, 6), (API, SEED, 5), (RECOMPUTED, SEED, 5)],
)
def test_a_new_value_wins_unless_it_comes_from_a_seed_file(
    first: Provenance, second: Provenance, value: int
) -> None:
    row = after((observed(5), first), (observed(6, hours(1)), second))
    assert (row.value, row.first_value) == (value, 5)


def test_a_seed_value_that_the_registry_confirms_has_been_read_once() -> None:
    assert after((observed(5), SEED), (observed(5, hours(1)), API)).status is Status.PROVISIONAL


def test_a_corrected_seed_file_corrects_its_row() -> None:
    row = after((observed(5), SEED), (observed(6), SEED))
    assert (row.value, row.status, row.revision) == (6, Status.FINAL, 1)


@pytest.mark.parametrize("at", [NOW, hours(-1)])
def test_the_source_takes_the_place_of_a_backfilled_value_and_restates_nothing(at: datetime) -> None:
    row = after((observed(5), BACKFILL), (observed(6, at), API))
    assert (row.value, row.first_value, row.revision, row.provenance) == (6, 6, 0, API)
    assert row.status is Status.PROVISIONAL


# batches


def test_a_batch_with_two_rows_for_a_key_is_refused() -> None:
    with pytest.raises(StorageConflict) as caught:
        applied({}, [observed(1), observed(2), observed(3), observed(1, day=date(2026, 11, 2))])
    assert "Nothing was written" in str(caught.value)
    assert str(caught.value).count("downloads:lance:python|2026-11-01") == 1
    assert "2026-11-02" not in str(caught.value)


def test_rows_are_written_by_metric_and_then_by_day() -> None:
    batch = [
        observed(1, day=date(2026, 11, day), metric_id=metric)
        for day in (2, 1)
        for metric in ("b:b:b", "a:a:a")
    ]
    keys = [row.stat_key for row in applied({}, batch).written]
    assert keys == ["a:a:a|2026-11-01", "a:a:a|2026-11-02", "b:b:b|2026-11-01", "b:b:b|2026-11-02"]


# properties

unhurried = settings(deadline=None)  # a busy machine is no fault of the rules

_days = st.dates(date(2026, 10, 1), date(2026, 11, 22))
_provenances = st.sampled_from(Provenance)
_instants = st.integers(0, 200).map(hours)
_stated = st.builds(observed, st.integers(0, 3), _instants, day=_days)
_omitted = st.builds(omitted, _instants, day=_days)
_observations = st.one_of(_stated, _omitted)
_batches = st.lists(_observations, max_size=12, unique_by=lambda one: one.stat_key)
_histories = st.lists(st.tuples(_batches, _provenances), max_size=6)


def _played(history: Sequence[tuple[Sequence[Observation], Provenance]]) -> dict[str, StatRow]:
    table: dict[str, StatRow] = {}
    for number, (batch, provenance) in enumerate(history):
        applied(table, batch, provenance, hours(200 + number))
    return table


@unhurried
@given(_histories, _batches, _provenances)
def test_a_rerun_changes_nothing(
    history: list[tuple[list[Observation], Provenance]], batch: list[Observation], provenance: Provenance
) -> None:
    table = _played(history)
    applied(table, batch, provenance, hours(300))
    again = applied(table, batch, provenance, hours(300))
    assert again.written == ()
    assert len(again.unchanged) == len(batch)


@unhurried
@given(_histories, _batches, _provenances, st.randoms())
def test_the_order_of_distinct_keys_does_not_matter(
    history: list[tuple[list[Observation], Provenance]],
    batch: list[Observation],
    provenance: Provenance,
    random: object,
) -> None:
    at_once, one_by_one = _played(history), _played(history)
    applied(at_once, batch, provenance, hours(300))
    shuffled = list(batch)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hands in a random.Random
    for observation in shuffled:
        applied(one_by_one, [observation], provenance, hours(300))
    assert at_once == one_by_one


def is_settling_growth(before: StatRow, after: StatRow) -> bool:
    was_young = before.observed_at.date() - before.period_end < timedelta(days=3)
    return was_young and before.status is Status.PROVISIONAL and after.value > before.value


@unhurried
@given(_histories)
def test_the_first_value_is_kept_and_observed_at_never_decreases(
    history: list[tuple[list[Observation], Provenance]],
) -> None:
    table: dict[str, StatRow] = {}
    for batch, provenance in history:
        before = dict(table)
        applied(table, batch, provenance, hours(300))
        for key, row in before.items():
            if row.provenance is BACKFILL and table[key].provenance.is_scheduled:
                continue  # as if it had never been backfilled: the next property
            changed = table[key].value != row.value
            assert table[key].observed_at >= row.observed_at
            if changed and is_settling_growth(row, table[key]):
                assert table[key].revision == row.revision
            else:
                assert table[key].first_value == row.first_value
                assert table[key].revision - row.revision == changed
            if table[key].revision == 0:
                assert (table[key].first_value, table[key].revised_at) == (table[key].value, None)
            assert row.provenance is SEED or table[key].provenance is not SEED


_stated_batches = st.lists(_stated, max_size=12, unique_by=lambda one: one.stat_key)
_of_source_and_backfill = st.lists(
    st.tuples(_stated_batches, st.sampled_from([API, RECOMPUTED, BACKFILL])), max_size=6
)


@unhurried
@given(_of_source_and_backfill)
def test_a_backfill_never_changes_a_value_that_the_source_gives(
    history: list[tuple[list[Observation], Provenance]],
) -> None:
    table: dict[str, StatRow] = {}
    source_alone: dict[str, StatRow] = {}
    for number, (batch, provenance) in enumerate(history):
        applied(table, batch, provenance, hours(200 + number))
        if provenance is not BACKFILL:
            applied(source_alone, batch, provenance, hours(200 + number))
    assert {key: table[key] for key in source_alone} == source_alone
    others = [row for key, row in table.items() if key not in source_alone]
    assert all(row.provenance is BACKFILL for row in others)


@unhurried
@given(_histories, st.lists(_omitted, max_size=12, unique_by=lambda one: one.stat_key), _provenances)
def test_omissions_never_remove_downloads(
    history: list[tuple[list[Observation], Provenance]], batch: list[Observation], provenance: Provenance
) -> None:
    table = _played(history)
    before = {key: row for key, row in table.items() if row.value > 0}
    applied(table, batch, provenance, hours(300))
    assert {key: table[key] for key in before} == before


@unhurried
@given(_histories, _batches, _provenances)
def test_every_observation_is_counted_once(
    history: list[tuple[list[Observation], Provenance]], batch: list[Observation], provenance: Provenance
) -> None:
    table = _played(history)
    counts = merge.plan(table, batch, provenance=provenance, run_id="run", now=hours(300)).counts
    assert counts.inserted + counts.updated + counts.unchanged == len(batch)
    assert counts.inserted == sum(one.stat_key not in table for one in batch)


@unhurried
@given(st.lists(_observations, min_size=1, max_size=6), st.randoms())
def test_every_reader_picks_the_same_copy(batch: list[Observation], random: object) -> None:
    copies = [
        merge.plan(
            {},
            [replace(one, period_end=OLD_DAY, period_start=OLD_DAY)],
            provenance=API,
            run_id=str(n),
            now=NOW,
        ).inserted[0]
        for n, one in enumerate(batch)
    ]
    shuffled = list(copies)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hands in a random.Random
    assert newest_copy(copies) == newest_copy(shuffled)
    assert newest_copy(copies).observed_at == max(copy.observed_at for copy in copies)


def test_a_plan_counts_a_row_as_restated_only_when_it_changes_the_value() -> None:
    table: dict[str, StatRow] = {}
    plans = [applied(table, [observed(value, at)], now=at) for value, at in RESTATED_AND_THEN_READ_AGAIN]
    assert [[metric.restated for metric in plan.metrics] for plan in plans] == [[0], [1], [0]]
    assert plans[2].updated[0].status is Status.FINAL


# counters and rolling totals


def pulls(value: int, hour: int) -> Observation:
    at = datetime(2026, 11, 1, hour, tzinfo=UTC)
    return observed(value, at, metric_id="pulls:lance:docker", window=SourceWindow.INSTANT)


@pytest.mark.parametrize(
    ("hours", "kept"),
    [((2, 15), 2), ((2, 6), 2), ((12, 15), 12), ((13, 20), 20)],
    ids=["morning, afternoon", "morning, later", "noon", "afternoon, evening"],
)
def test_a_second_reading_of_a_counter_never_costs_the_day_before_its_end(
    hours: tuple[int, int], kept: int
) -> None:
    table: dict[str, StatRow] = {}
    for hour in hours:
        applied(table, [pulls(hour, hour)])
    (row,) = table.values()
    assert (row.value, row.observed_at.hour, row.revision, row.status) == (kept, kept, 0, Status.FINAL)


@pytest.mark.parametrize(
    ("hours", "kept"),
    [((2, 15), 2), ((2, 6), 6), ((2, 12), 12), ((12, 15), 12), ((13, 20), 20), ((2, 6, 15, 20), 6)],
)
def test_a_reading_of_a_level_is_replaced_by_one_of_the_same_half_of_its_day(
    hours: tuple[int, ...], kept: int
) -> None:
    table: dict[str, StatRow] = {}
    for hour in hours:
        applied(table, [replace(pulls(hour, hour), metric_id="stars:lance:github")])
    assert [(row.value, row.observed_at.hour) for row in table.values()] == [(kept, kept)]


@pytest.mark.parametrize(
    "second", [replace(pulls(500, 20), is_reset=True), pulls(7, 20)], ids=["its source knows", "it fell"]
)
def test_a_reset_within_a_day_stays_known_when_the_reading_before_it_is_replaced(second: Observation) -> None:
    table: dict[str, StatRow] = {}
    for read in (pulls(13, 13), second, pulls(900, 22)):
        applied(table, [read])
    assert [(row.value, row.is_reset) for row in table.values()] == [(900, True)]


def test_a_fall_after_the_reading_of_a_morning_is_stored_as_a_reset() -> None:
    table: dict[str, StatRow] = {}
    for read in (pulls(100, 2), pulls(3, 6), pulls(3, 7)):
        applied(table, [read])
    assert [(row.value, row.observed_at.hour, row.is_reset) for row in table.values()] == [(3, 6, True)]


def test_an_equal_total_that_was_reset_is_written() -> None:
    table: dict[str, StatRow] = {}
    planned = [applied(table, [read]) for read in (pulls(9, 13), replace(pulls(9, 20), is_reset=True))]
    assert [len(one.updated) for one in planned] == [0, 1]
    assert [row.is_reset for row in table.values()] == [True]


def test_a_reading_of_a_counter_replaces_the_one_of_a_seed_file() -> None:
    table: dict[str, StatRow] = {}
    applied(table, [pulls(1, 2)], SEED)
    applied(table, [pulls(5, 15)])
    assert [(row.value, row.provenance) for row in table.values()] == [(5, API)]


def test_a_second_reading_of_a_rolling_total_replaces_the_first_and_is_no_revision() -> None:
    table: dict[str, StatRow] = {}
    for number, value in enumerate((500, 450)):
        total = observed(value, NOW + timedelta(days=number), metric_id="installs:lance:homebrew")
        start = OLD_DAY - timedelta(days=29)
        applied(table, [replace(total, period_start=start, source_window=SourceWindow.THIRTY_DAYS)])
    (row,) = table.values()
    assert (row.value, row.first_value, row.revision, row.status) == (450, 450, 0, Status.FINAL)
