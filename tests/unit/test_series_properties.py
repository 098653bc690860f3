from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from community_metrics.model import (
    UNIQUES,
    Provenance,
    SourceWindow,
    StatRow,
    Status,
    ValueKind,
    newest_copy,
)
from community_metrics.periods import Grain, Period, days_between, midnight, period_of
from community_metrics.series.change import change_of_trailing, change_since
from tests.support import points_by_hand
from tests.support.readings import points
from tests.support.rows import SAMPLED, dailies, level, wide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

FIRST, SPAN = date(2026, 11, 30), 60
"""From a Monday before a week 53 over the turn of the year."""
LATER = datetime(2030, 1, 1, tzinfo=UTC)
DAYS = st.integers(0, SPAN - 1).map(lambda offset: FIRST + timedelta(days=offset))
VALUES = st.integers(0, 2**40)
KNOWN = st.dictionaries(DAYS, VALUES, max_size=SPAN)
GRAINS = st.sampled_from([Grain.WEEK, Grain.MONTH])
INSTANTS = st.integers(0, SPAN * 24 * 60).map(lambda minutes: midnight(FIRST) + timedelta(minutes=minutes))
READINGS = st.dictionaries(INSTANTS, VALUES, max_size=20).map(
    lambda known: [level(instant, value) for instant, value in known.items()]
)


def periods_of(grain: Grain) -> list[Period]:
    return sorted({period_of(day, grain) for day in days_between(FIRST, FIRST + timedelta(days=SPAN))})


@st.composite
def wide_readings(draw: st.DrawFn) -> list[StatRow]:
    starts = draw(st.lists(DAYS, max_size=4))
    return [wide(day, day + timedelta(days=draw(st.integers(6, 30))), draw(VALUES)) for day in starts]


@st.composite
def copied(draw: st.DrawFn, rows: Sequence[StatRow]) -> list[StatRow]:
    """Return the rows with copies among them, as writers that insert one key twice leave them."""
    chosen = draw(st.lists(st.sampled_from(rows), max_size=6)) if rows else []
    copies = [
        replace(
            row,
            value=draw(VALUES),
            observed_at=row.observed_at + timedelta(hours=draw(st.integers(-30, 30))),
            revision=draw(st.integers(0, 2)),
            ingestion_run_id=f"run-{number}",
        )
        for number, row in enumerate(chosen, start=2)
    ]
    return draw(st.permutations([*rows, *copies]))


@st.composite
def copied_readings(draw: st.DrawFn) -> list[StatRow]:
    """Return wide readings of two metrics, the first metric's first."""
    first = draw(copied(draw(wide_readings())))
    second = [replace(row, metric_id="downloads_7d:x:y") for row in draw(wide_readings())]
    return [*first, *second]


def by_key(rows: Sequence[StatRow]) -> dict[str, list[StatRow]]:
    grouped = defaultdict(list)
    for row in rows:
        grouped[row.stat_key].append(row)
    return grouped


def repaired(rows: Sequence[StatRow]) -> list[StatRow]:
    return [newest_copy(copies) for copies in by_key(rows).values()]


def duplicated_keys(rows: Sequence[StatRow]) -> set[str]:
    return {key for key, copies in by_key(rows).items() if len(copies) > 1}


@given(st.data(), KNOWN, wide_readings(), GRAINS)
def test_copies_of_a_day_change_no_point_but_mark_those_of_their_periods(
    data: st.DataObject, known: dict[date, int], readings: list[StatRow], grain: Grain
) -> None:
    rows, fallbacks = data.draw(copied(dailies(known))), data.draw(copied(readings))
    periods = periods_of(grain)
    series = points(rows, periods, window=SourceWindow.DAY, now=LATER, fallbacks=fallbacks)
    sound = points(repaired(rows), periods, window=SourceWindow.DAY, now=LATER, fallbacks=repaired(fallbacks))

    assert [replace(point, duplicated=False) for point in series] == list(sound)
    days = {row.period_end for row in rows if row.stat_key in duplicated_keys(rows)}
    for point in series:
        if not point.estimated:
            assert point.duplicated == any(point.period.start <= day <= point.period.end for day in days)


@given(st.data(), wide_readings(), GRAINS)
def test_copies_of_a_wide_reading_mark_the_periods_with_its_value(
    data: st.DataObject, readings: list[StatRow], grain: Grain
) -> None:
    rows = data.draw(copied(readings))
    periods, window = periods_of(grain), SourceWindow.THIRTY_DAYS
    series = points(rows, periods, window=window, now=LATER)
    assert [replace(point, duplicated=False) for point in series] == list(
        points(repaired(rows), periods, window=window, now=LATER)
    )
    marked = duplicated_keys(rows)
    behind = [row for row in repaired(rows) if row.stat_key in marked]
    others = [row for row in repaired(rows) if row.stat_key not in marked]
    for period, point in zip(periods, series, strict=True):
        (without,) = points(others, [period], window=window, now=LATER)
        (alone,) = points(behind, [period], window=window, now=LATER)
        # a reading counts where it gives the value, and not where another one does
        assert replace(point, duplicated=False) == replace(
            alone if point.duplicated else without, duplicated=False
        )


@given(st.data(), READINGS, GRAINS)
def test_copies_of_a_level_mark_the_periods_that_end_with_it(
    data: st.DataObject, readings: list[StatRow], grain: Grain
) -> None:
    rows = data.draw(copied(readings))
    periods, window = periods_of(grain), SourceWindow.INSTANT
    series = points(rows, periods, window=window, now=LATER)

    assert [replace(point, duplicated=False) for point in series] == list(
        points(repaired(rows), periods, window=window, now=LATER)
    )
    marked = {row.observed_at for row in repaired(rows) if row.stat_key in duplicated_keys(rows)}
    sound = {row.observed_at for row in repaired(rows)} - marked
    for point in series:
        assert not (point.duplicated and point.observed_at in sound)
        assert point.duplicated or point.observed_at not in marked or point.observed_at in sound


@given(KNOWN, GRAINS)
def test_the_sum_of_periods_is_the_sum_of_days(known: dict[date, int], grain: Grain) -> None:
    series = points(dailies(known), periods_of(grain), window=SourceWindow.DAY, now=LATER)
    assert sum(point.value or 0 for point in series) == sum(known.values())
    assert sum(point.days_present for point in series) == len(known)


@given(KNOWN, GRAINS)
def test_random_gaps_never_create_values(known: dict[date, int], grain: Grain) -> None:
    for point in points(dailies(known), periods_of(grain), window=SourceWindow.DAY, now=LATER):
        present = [day for day in days_between(point.period.start, point.period.end) if day in known]
        assert point.value == (sum(known[day] for day in present) if present else None)
        assert point.complete == (len(present) == point.period.days)


@given(KNOWN, wide_readings(), GRAINS)
def test_a_fallback_changes_only_periods_without_a_day(
    known: dict[date, int], fallbacks: list[StatRow], grain: Grain
) -> None:
    rows, periods = dailies(known), periods_of(grain)
    alone = points(rows, periods, window=SourceWindow.DAY, now=LATER)
    helped = points(rows, periods, window=SourceWindow.DAY, now=LATER, fallbacks=fallbacks)
    for before, after in zip(alone, helped, strict=True):
        assert after == before or (before.value is None and after.estimated and not after.complete)


@given(KNOWN, wide_readings(), st.randoms())
def test_the_order_of_rows_does_not_matter(
    known: dict[date, int], fallbacks: list[StatRow], rng: Random
) -> None:
    rows, periods = dailies(known), periods_of(Grain.WEEK)
    shuffled = sorted(rows, key=lambda _: rng.random())
    expected = points(rows, periods, window=SourceWindow.DAY, now=LATER, fallbacks=fallbacks)
    found = points(shuffled, periods, window=SourceWindow.DAY, now=LATER, fallbacks=fallbacks)
    assert list(found) == list(expected)


@given(KNOWN, DAYS)
def test_estimates_and_the_running_week_never_enter_a_change(known: dict[date, int], day: date) -> None:
    running = period_of(day, Grain.WEEK)
    now = midnight(day) + timedelta(hours=3)
    whole_range = wide(FIRST - timedelta(days=30), FIRST + timedelta(days=SPAN + 30), 10**9)
    series = points(
        dailies(known), periods_of(Grain.WEEK), window=SourceWindow.DAY, now=now, fallbacks=[whole_range]
    )
    at, values = series.periods.index(running), series.complete_values()
    assert change_since(values, at, 1) is None
    assert change_of_trailing(values, at, [7] * len(values)) is None


@given(READINGS, GRAINS)
def test_every_level_shown_was_read_and_near_its_period(readings: list[StatRow], grain: Grain) -> None:
    read = {(row.observed_at, row.value) for row in readings}
    for point in points(readings, periods_of(grain), window=SourceWindow.INSTANT, now=LATER):
        if point.observed_at is None:
            assert point.value is None
            continue
        assert (point.observed_at, point.value) in read
        assert (
            midnight(point.period.start)
            <= point.observed_at
            <= point.period.end_instant + timedelta(hours=12)
        )


@given(READINGS, GRAINS)
def test_each_reading_belongs_to_one_period_and_its_last_one_counts(
    readings: list[StatRow], grain: Grain
) -> None:
    reach = timedelta(hours=12)
    kept = {row.period_end: row.observed_at for row in sorted(readings, key=attrgetter("observed_at"))}
    for point in points(readings, periods_of(grain), window=SourceWindow.INSTANT, now=LATER):
        first, last = midnight(point.period.start) + reach, point.period.end_instant + reach
        belonging = [instant for instant in kept.values() if first < instant <= last]
        assert point.observed_at == max(belonging, default=None)
        assert point.complete == any(instant >= point.period.end_instant - reach for instant in belonging)


FORMS = st.sampled_from(
    [
        (SourceWindow.DAY, ValueKind.FLOW, "downloads"),
        (SourceWindow.DAY, ValueKind.FLOW, UNIQUES),
        (SourceWindow.WEEK, ValueKind.FLOW, "downloads"),
        (SourceWindow.WEEK, ValueKind.FLOW, UNIQUES),
        (SourceWindow.INSTANT, ValueKind.LEVEL, "stars"),
        (SourceWindow.INSTANT, ValueKind.COUNTER, "pulls"),
        (SourceWindow.THIRTY_DAYS, ValueKind.ROLLING, "downloads"),
    ]
)
ROWS = {
    SourceWindow.DAY: KNOWN.map(dailies),
    SourceWindow.INSTANT: READINGS,
    SourceWindow.WEEK: wide_readings(),
    SourceWindow.THIRTY_DAYS: wide_readings(),
}
SAMPLES = READINGS.map(lambda rows: [replace(row, metric_id=SAMPLED) for row in rows])


@given(st.data(), FORMS, st.sampled_from(Grain), DAYS)
def test_columns_have_the_points_that_a_rule_applied_row_by_row_has(
    data: st.DataObject, form: tuple[SourceWindow, ValueKind, str], grain: Grain, day: date
) -> None:
    window, kind, unit = form
    rows = [
        replace(
            row, status=data.draw(st.sampled_from(Status)), provenance=data.draw(st.sampled_from(Provenance))
        )
        for row in data.draw(copied(data.draw(ROWS[window])))
    ]
    others = data.draw(SAMPLES if window is SourceWindow.INSTANT else copied_readings())
    if window in {SourceWindow.WEEK, SourceWindow.THIRTY_DAYS}:  # or the fallbacks would be the metric itself
        others = repaired([replace(row, metric_id="downloads_30d:x:y") for row in others])
    now, periods = midnight(day) + timedelta(hours=15), periods_of(grain)
    found = points(rows, periods, window=window, kind=kind, unit=unit, now=now, fallbacks=others)
    assert list(found) == points_by_hand.points(
        rows, periods, window=window, kind=kind, unit=unit, now=now, fallbacks=others
    )


@given(st.lists(st.integers(0, 2**63 - 1), min_size=7, max_size=7))
def test_a_sum_beyond_an_int64_is_exact(values: list[int]) -> None:
    week = period_of(FIRST, Grain.WEEK)
    known = dict(zip(days_between(week.start, week.end), values, strict=True))
    (point,) = points(dailies(known), [week], window=SourceWindow.DAY, now=LATER)
    assert point.value == sum(values)
