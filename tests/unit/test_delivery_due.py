"""When a digest is due, and what becomes of a delivery, over a calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.delivery.due import GIVE_UP, Step, failed, given_up, next_step
from community_metrics.errors import (
    DeliveryError,
    DeliveryUnknown,
    TerminalDeliveryError,
    TransientDeliveryError,
)
from community_metrics.model import DeliveryState
from community_metrics.periods import Grain, last_completed
from community_metrics.views.due import EARLIEST, OLDEST, PATIENCE, Due, due_periods
from tests.support.deliveries import a_delivery

if TYPE_CHECKING:
    from community_metrics.model import StoredDelivery

GRAINS = (Grain.WEEK, Grain.MONTH, Grain.QUARTER)
HOUR = timedelta(hours=1)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
AT = datetime(2026, 11, 23, 7, 10, tzinfo=UTC)


def due(text: str, *grains: Grain) -> list[str]:
    found = due_periods(grains or GRAINS, datetime.fromisoformat(f"{text}+00:00"))
    return [one.period.label for one in found]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-23T06:59", []),
        ("2026-11-23T07:00", ["2026-W47"]),
        ("2026-11-29T23:59", ["2026-W47"]),
        ("2026-11-30T00:00", []),
        ("2026-12-01T06:59", ["2026-W48"]),
        ("2026-12-01T07:00", ["2026-W48", "2026-11"]),
        ("2027-01-01T07:00", ["2026-W52", "2026-12", "2026-Q4"]),
        ("2027-01-04T07:00", ["2026-W53", "2026-12", "2026-Q4"]),
        ("2027-01-08T00:00", ["2026-W53"]),
    ],
)
def test_a_digest_is_due_from_seven_oclock_until_its_period_is_a_week_old(
    now: str, expected: list[str]
) -> None:
    assert due(now) == expected


def test_a_week_no_longer_waits_from_wednesday_seven_oclock() -> None:
    (week,) = due_periods([Grain.WEEK], AT)
    assert [week.is_final(at) for at in (AT, AT + 2 * timedelta(days=1) - 20 * timedelta(minutes=1))] == [
        False,
        False,
    ]
    assert week.final_at == datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
    assert week.is_final(week.final_at)


@given(INSTANTS)
def test_only_the_last_period_is_due_and_never_one_that_goes_on_or_is_old(now: datetime) -> None:
    for one in due_periods(GRAINS, now):
        age = now - one.period.end_instant
        assert one.period == last_completed(now, one.period.grain)
        assert EARLIEST <= age < OLDEST
        assert one.is_final(now) == (age >= EARLIEST + PATIENCE)


@given(INSTANTS, st.sampled_from(GRAINS))
def test_an_hourly_job_finds_every_period_due_whichever_hours_it_missed(now: datetime, grain: Grain) -> None:
    period = last_completed(now, grain)
    first = period.end_instant + EARLIEST
    for late in range(0, int(PATIENCE / HOUR) + 24, 7):
        assert Due(period, first + PATIENCE) in due_periods([grain], first + late * HOUR)


# what is next


def step(row: StoredDelivery | None, now: datetime = AT, *, idempotent: bool = False) -> Step:
    return next_step(row, now, is_idempotent=idempotent)


def stored(state: DeliveryState, next_at: datetime | None = None) -> StoredDelivery:
    return a_delivery(state=state, first_attempt_at=AT, last_attempt_at=AT, next_attempt_at=next_at)


def test_what_was_sent_or_may_have_arrived_or_was_given_up_is_never_sent_by_itself() -> None:
    for state in (DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.FAILED):
        for idempotent in (True, False):
            assert step(stored(state), AT + timedelta(days=5), idempotent=idempotent) is Step.NOTHING


def test_what_a_killed_run_was_sending_goes_again_only_to_a_target_that_knows_it() -> None:
    row = stored(DeliveryState.SENDING)
    assert step(row) is Step.CALL_UNKNOWN
    assert step(row, idempotent=True) is Step.SEND
    assert step(row, AT + GIVE_UP + HOUR, idempotent=True) is Step.CALL_UNKNOWN


def test_a_failed_delivery_is_sent_at_its_next_attempt_and_not_before() -> None:
    row = stored(DeliveryState.FAILED, AT + HOUR)
    assert [step(row, AT + wait) for wait in (HOUR / 2, HOUR)] == [Step.NOTHING, Step.SEND]
    assert step(row, AT + GIVE_UP + HOUR) is Step.GIVE_UP


# after an error


TIMER_HOURS = range(7, 24)
"""The hours in which a deployment starts the job, ten minutes past."""


def attempts_from(first: datetime, late: timedelta = timedelta(0)) -> tuple[list[int], StoredDelivery]:
    """Return the hours after the first attempt in which a dead target is tried, and the row at the end.

    All runs but the first one start `late`.
    """
    row, hours = a_delivery(state=DeliveryState.SENDING, first_attempt_at=first, last_attempt_at=first), [0]
    row = failed(row, TransientDeliveryError("x"), first, is_idempotent=False)
    for number in range(1, 99):
        now = first + number * HOUR
        if now.hour in TIMER_HOURS and step(row, now + late) is Step.SEND:
            hours.append(number)
            row = failed(row, TransientDeliveryError("x"), now + late, is_idempotent=False)
    return hours, row


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("2026-11-23T07:10", [0, 1, 2, 4, 8, 16, 32, 48]),
        ("2026-11-23T18:10", [0, 1, 2, 4, 13, 26, 48]),
        ("2026-11-23T23:10", [0, 8, 16, 32, 48]),
    ],
)
@pytest.mark.parametrize("late_s", [-30, 0, 30])
def test_waits_double_and_the_last_attempt_is_48_hours_after_the_first(
    first: str, expected: list[int], late_s: int
) -> None:
    hours, row = attempts_from(datetime.fromisoformat(f"{first}+00:00"), timedelta(seconds=late_s))
    assert hours == expected
    assert (row.state, row.error_class) == (DeliveryState.FAILED, "TransientDeliveryError")
    assert row.next_attempt_at is None


@given(st.floats(0, 1e9), st.timedeltas(timedelta(0), GIVE_UP))
def test_a_demanded_wait_is_kept_unless_it_is_longer_than_a_delivery_is_tried(
    demanded: float, passed: timedelta
) -> None:
    row = a_delivery(first_attempt_at=AT)
    error = TransientDeliveryError("x", retry_after_s=demanded)
    following = failed(row, error, AT + passed, is_idempotent=False).next_attempt_at
    if following is not None:
        assert following >= AT + passed + timedelta(seconds=demanded)
        assert following <= AT + GIVE_UP


@pytest.mark.parametrize(
    ("error", "idempotent", "state", "goes_on"),
    [
        (TransientDeliveryError("x"), False, DeliveryState.FAILED, True),
        (TerminalDeliveryError("x"), True, DeliveryState.FAILED, False),
        (DeliveryUnknown("x"), False, DeliveryState.UNKNOWN, False),
        (DeliveryUnknown("x"), True, DeliveryState.FAILED, True),
    ],
)
def test_only_what_may_pass_goes_on_and_a_lost_response_only_where_a_second_message_does_no_harm(
    error: DeliveryError, idempotent: bool, state: DeliveryState, goes_on: bool
) -> None:
    row = failed(a_delivery(first_attempt_at=AT), error, AT, is_idempotent=idempotent)
    assert (row.state, row.next_attempt_at is not None, row.message) == (state, goes_on, "x")


def test_what_may_have_arrived_when_it_is_given_up_is_called_unknown() -> None:
    row = a_delivery(first_attempt_at=AT)
    late = failed(row, DeliveryUnknown("x"), AT + GIVE_UP, is_idempotent=True)
    assert (late.state, late.next_attempt_at) == (DeliveryState.UNKNOWN, None)
    early = failed(row, DeliveryUnknown("x"), AT, is_idempotent=True)
    assert given_up(early).state is DeliveryState.UNKNOWN
    assert (
        given_up(failed(row, TransientDeliveryError("x"), AT, is_idempotent=True)).state
        is DeliveryState.FAILED
    )


def test_a_refusal_does_not_take_back_that_an_earlier_attempt_may_have_arrived() -> None:
    early = failed(a_delivery(first_attempt_at=AT), DeliveryUnknown("x"), AT, is_idempotent=True)
    refused = failed(early, TerminalDeliveryError("y"), AT, is_idempotent=True)
    assert (refused.state, refused.message) == (DeliveryState.UNKNOWN, "y")
