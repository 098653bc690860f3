"""What is lost next and what is lost already, for every length of time that a source keeps its values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.model import SourceWindow, ValueKind
from community_metrics.periods import days_between, midnight, today
from community_metrics.series.loss import Loss, ReadDays, hours_until_loss, loss_of, vanishes_at

VIEWS = "views:lancedb:github"
DAY = timedelta(days=1)
TODAY = date(2026, 11, 29)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def days_ago(count: int) -> date:
    return TODAY - count * DAY


def last_days(oldest: int, newest: int = 1) -> frozenset[date]:
    """The days from `oldest` to `newest` days ago."""
    return frozenset(days_between(days_ago(oldest), days_ago(newest)))


def traffic(stored: frozenset[date] = frozenset(), answered_on: frozenset[date] = frozenset()) -> ReadDays:
    known_from = min(stored, default=None)
    days = tuple(sorted(stored))
    read_on = max(days) + DAY if days else None
    return ReadDays(VIEWS, ValueKind.FLOW, SourceWindow.DAY, 14, known_from, days, read_on, answered_on)


def stars(stored: frozenset[date] = frozenset()) -> ReadDays:
    known_from = min(stored, default=None)
    days = tuple(sorted(stored))
    newest = max(days, default=None)
    return ReadDays("stars:p:x", ValueKind.LEVEL, SourceWindow.INSTANT, 0, known_from, days, newest, stored)


def loss(metric: ReadDays, now: datetime = NOW) -> Loss:
    found = loss_of(metric, now)
    assert found is not None
    return found


def test_15_november_is_lost_on_29_november() -> None:
    found = loss(traffic(stored=last_days(40, 15), answered_on=frozenset({days_ago(14)})))
    assert (found.unread_day, found.lost_on) == (date(2026, 11, 15), date(2026, 11, 29))
    assert found.vanishes_at == datetime(2026, 11, 30, tzinfo=UTC)
    assert found.lost_days == ()


def test_of_an_outage_of_15_days_14_days_are_saved_and_one_is_lost() -> None:
    before, outage = last_days(40, 16), last_days(15)
    during = loss(traffic(before, frozenset({days_ago(15)})))
    assert (during.unread_day, during.lost_days) == (days_ago(14), (days_ago(15),))
    after = loss(traffic(before | outage - {days_ago(15)}, frozenset({days_ago(15), TODAY})))
    assert (after.unread_day, after.lost_days) == (TODAY, (days_ago(15),))


def test_when_every_day_was_read_the_running_day_is_next() -> None:
    found = loss(traffic(last_days(40), frozenset({TODAY})))
    assert (found.unread_day, found.lost_on, found.lost_days) == (TODAY, TODAY + 14 * DAY, ())


def test_a_day_that_may_still_be_published_is_unread_though_it_was_asked_for() -> None:
    found = loss(traffic(last_days(40, 3), frozenset({TODAY})))
    assert found.unread_day == days_ago(2)


@pytest.mark.parametrize(
    ("answered", "unread"),
    [(TODAY, TODAY), (days_ago(2), days_ago(5)), (days_ago(1), TODAY)],
    ids=["after it was late", "while it was late", "on its first day after that"],
)
def test_a_day_that_the_source_did_not_return_is_unread_only_if_it_was_asked_for_too_early(
    answered: date, unread: date
) -> None:
    found = loss(traffic(last_days(40) - {days_ago(5)}, frozenset({answered})))
    assert (found.unread_day, found.lost_days) == (unread, ())


@pytest.mark.parametrize(
    ("answered", "lost"),
    [(days_ago(16), ()), (days_ago(6), ()), (days_ago(17), (days_ago(20),)), (days_ago(5), (days_ago(20),))],
    ids=["not late any more", "last day that it was kept", "late", "after it was dropped"],
)
def test_an_old_day_is_lost_only_if_no_response_should_have_had_it(
    answered: date, lost: tuple[date, ...]
) -> None:
    found = loss(traffic(last_days(40) - {days_ago(20)}, frozenset({answered})))
    assert found.lost_days == lost


def test_days_before_the_first_stored_one_are_neither_unread_nor_lost() -> None:
    found = loss(traffic(last_days(5), frozenset({days_ago(4)})))
    assert (found.unread_day, found.lost_days) == (TODAY, ())


def test_a_metric_that_was_never_read_begins_with_the_oldest_day_that_is_kept() -> None:
    found = loss(traffic())
    assert (found.unread_day, found.lost_on, found.lost_days) == (days_ago(14), TODAY, ())


def test_a_metric_without_any_value_is_not_called_unread_for_days_that_its_source_left_out() -> None:
    assert loss(traffic(answered_on=frozenset({TODAY}))).unread_day == days_ago(3)


def test_a_reading_is_lost_when_its_own_day_is_over() -> None:
    missing_today = loss(stars(last_days(9) - {days_ago(4)}))
    assert (missing_today.unread_day, missing_today.vanishes_at) == (TODAY, midnight(TODAY + DAY))
    assert missing_today.lost_days == (days_ago(4),)
    assert loss(stars(last_days(9, 0))).unread_day == TODAY + DAY


def test_a_rolling_total_is_kept_for_the_day_after_it_whatever_its_source_declares() -> None:
    rolling = replace(traffic(last_days(9, 2)), kind=ValueKind.ROLLING, window=SourceWindow.THIRTY_DAYS)
    found = [loss(replace(rolling, retention_days=days)) for days in (0, 1)]
    assert found[0] == found[1]
    assert (found[0].unread_day, found[0].lost_on) == (days_ago(1), TODAY)


def test_a_count_by_the_week_is_due_every_seventh_day_after_the_newest() -> None:
    weekly = replace(traffic(), window=SourceWindow.WEEK, retention_days=7)
    stored = (days_ago(36), days_ago(15))
    found = loss(replace(weekly, known_from=days_ago(36), stored=stored))
    assert (found.unread_day, found.lost_days) == (days_ago(1), (days_ago(29), days_ago(22), days_ago(8)))
    assert loss_of(weekly, NOW) is None


def test_a_count_by_the_month_is_due_at_the_end_of_the_month() -> None:
    monthly = replace(traffic(), window=SourceWindow.MONTH, retention_days=20)
    found = loss(replace(monthly, known_from=date(2026, 8, 31), stored=(date(2026, 8, 31),)))
    assert (found.unread_day, found.lost_days) == (
        date(2026, 11, 30),
        (date(2026, 9, 30), date(2026, 10, 31)),
    )


def test_a_loss_is_reported_for_12_weeks() -> None:
    found = loss(stars(last_days(200, 100)))
    assert found.lost_days == tuple(sorted(last_days(84)))


class TestAlarm:
    def test_it_counts_the_hours_until_the_first_loss(self) -> None:
        read = loss(traffic(last_days(40), frozenset({TODAY})))
        behind = loss(traffic(last_days(40, 13), frozenset({days_ago(12)})))
        assert hours_until_loss([read, behind], NOW) == 60
        assert hours_until_loss([], NOW) is None

    @pytest.mark.parametrize(
        ("hour", "minute", "hours"),
        [(1, 0, None), (3, 0, None), (9, 0, None), (9, 15, 14.75), (21, 15, 2.75), (23, 45, 0.25)],
    )
    def test_a_reading_counts_once_two_runs_of_the_day_have_missed_it(
        self, hour: int, minute: int, hours: float | None
    ) -> None:
        now = NOW.replace(hour=hour, minute=minute)
        assert hours_until_loss([loss(stars(last_days(9)), now)], now) == hours

    def test_a_reading_that_was_taken_today_does_not_count(self) -> None:
        late = NOW.replace(hour=23)
        assert hours_until_loss([loss(stars(last_days(9, 0)), late)], late) is None

    @pytest.mark.parametrize(("newest", "counts"), [(14, True), (15, False)])
    def test_a_level_without_a_reading_for_two_weeks_raises_no_alarm_each_evening(
        self, newest: int, counts: bool
    ) -> None:
        late = NOW.replace(hour=23)
        found = loss(stars(last_days(30, newest)), late)
        assert (hours_until_loss([found], late) is not None) is counts
        assert len(found.lost_days) == newest - 1

    def test_a_flow_that_is_never_read_again_keeps_the_alarm_up(self) -> None:
        assert hours_until_loss([loss(traffic(last_days(90, 60)))], NOW) == 12

    @pytest.mark.parametrize(
        "metric", [traffic(), stars(), replace(traffic(last_days(40, 20)), last_read_on=None)]
    )
    @pytest.mark.parametrize(
        ("age", "counts"), [(0, False), (1, False), (2, True), (14, True), (15, False), (None, False)]
    )
    def test_a_metric_that_was_never_read_counts_from_its_third_day_on_for_two_weeks(
        self, metric: ReadDays, age: int | None, counts: bool
    ) -> None:
        defined_on = None if age is None else days_ago(age)
        found = loss(replace(metric, defined_on=defined_on))
        assert hours_until_loss([found], NOW) == (12 if counts else None)
        assert found.is_urgent(NOW) is counts
        assert found.is_last_day(NOW)

    @pytest.mark.parametrize(("newest", "urgent"), [(13, False), (14, True)])
    def test_it_rises_when_less_than_48_hours_are_left(self, newest: int, urgent: bool) -> None:
        found = loss(traffic(last_days(40, newest)))
        assert found.vanishes_at - NOW == timedelta(hours=36 if urgent else 60)
        assert found.is_urgent(NOW) is urgent


@st.composite
def histories(draw: st.DrawFn) -> tuple[ReadDays, datetime]:
    """A metric of which some days are stored and some days had a response, and an instant."""
    window = draw(st.sampled_from([SourceWindow.DAY, SourceWindow.THIRTY_DAYS, SourceWindow.INSTANT]))
    ages = st.frozensets(st.integers(0 if window is SourceWindow.INSTANT else 1, 60))
    stored = tuple(sorted(map(days_ago, draw(ages))))
    answered = frozenset(map(days_ago, draw(st.frozensets(st.integers(0, 60), max_size=8))))
    metric = ReadDays(
        VIEWS,
        window.usual_kind,
        window,
        draw(st.integers(0, 30)),
        min(stored, default=None),
        stored,
        max(stored, default=None),
        answered,
    )
    return metric, midnight(TODAY) + timedelta(minutes=draw(st.integers(0, 24 * 60 - 1)))


@given(histories())
def test_the_next_loss_is_always_ahead_and_never_a_stored_day(history: tuple[ReadDays, datetime]) -> None:
    metric, now = history
    found = loss(metric, now)
    assert found.vanishes_at > now
    assert found.unread_day not in metric.stored
    assert found.vanishes_at == vanishes_at(found.unread_day, found.kept_days)
    assert found.lost_on >= today(now)


@given(histories())
def test_a_lost_day_is_a_gap_that_no_response_can_fill(history: tuple[ReadDays, datetime]) -> None:
    metric, now = history
    for day in loss(metric, now).lost_days:
        assert vanishes_at(day, metric.kept_days) <= now
        assert min(metric.stored) < day
        assert day not in metric.stored


@given(histories())
def test_a_read_saves_every_day_that_is_kept_and_loses_none(history: tuple[ReadDays, datetime]) -> None:
    metric, now = history
    kept = frozenset(days_between(today(now) - metric.kept_days * DAY, today(now)))
    stored = tuple(sorted({*metric.stored, *kept}))
    before, after = loss(metric, now), loss(replace(metric, stored=stored), now)
    assert after.lost_days == before.lost_days
    assert after.unread_day > today(now)


@given(histories(), st.integers(1, 24))
def test_without_a_read_the_unread_days_become_the_lost_ones(
    history: tuple[ReadDays, datetime], wait: int
) -> None:
    metric, now = history
    first, later = loss(metric, now), loss(metric, now + wait * DAY)
    assert set(first.lost_days) <= set(later.lost_days)
    is_gone = first.vanishes_at <= now + wait * DAY
    assert (first.unread_day in later.lost_days) is (is_gone and bool(metric.stored))
    assert is_gone or later.unread_day == first.unread_day


@given(histories(), st.integers(0, 60))
def test_a_response_is_never_the_cause_of_a_loss(history: tuple[ReadDays, datetime], age: int) -> None:
    metric, now = history
    answered = replace(metric, answered_on=metric.answered_on | {days_ago(age)})
    before, after = loss(metric, now), loss(answered, now)
    assert set(after.lost_days) <= set(before.lost_days)
    assert after.unread_day >= before.unread_day
