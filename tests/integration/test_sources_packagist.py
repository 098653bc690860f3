"""Packagist's two numbers of a package: the total and the last 30 days; and how it wants to be asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceRateLimited, SourceShapeError, UnknownSubject
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources import available_sources
from community_metrics.sources.base import kind_of
from tests.support.clock import NOON, FakeClock
from tests.support.fetching import SUNDAY, fetch, fetch_all, values, wanted
from tests.support.registries.totals import last_30_days, total
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
PACKAGE = "monolog/monolog"
BOTH = pytest.mark.parametrize("source", ["packagist", "packagist-30d"])


async def test_the_total_belongs_to_the_day_of_the_response(replay: Replay, registry: Registry) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC))
    result = await fetch("packagist", replay, wanted(PACKAGE), clock=clock)
    (reading,) = result.observations
    assert (reading.period_start, reading.period_end, reading.observed_at) == (TODAY, TODAY, clock.now())
    assert reading.value == total(registry, "packagist", PACKAGE)
    assert reading.source_ref == "https://packagist.org/packages/monolog/monolog.json"


async def test_the_30_days_end_with_the_last_completed_day(replay: Replay, registry: Registry) -> None:
    result = await fetch("packagist-30d", replay, wanted(PACKAGE))
    (reading,) = result.observations
    assert (reading.period_start, reading.period_end) == (SUNDAY - timedelta(days=29), SUNDAY)
    assert reading.value == last_30_days(registry, "packagist", PACKAGE)
    assert reading.source_window is SourceWindow.THIRTY_DAYS


def test_the_total_is_a_counter_and_the_30_days_are_a_rolling_total() -> None:
    sources = available_sources()
    whole, month = sources["packagist"], sources["packagist-30d"]
    assert (kind_of(whole), whole.family, whole.sdk) == (ValueKind.COUNTER, "downloads_total", "php")
    assert (kind_of(month), month.family, month.sdk) == (ValueKind.ROLLING, "downloads_30d", "php")


@pytest.mark.parametrize(
    ("source", "expected"),
    [("packagist", {TODAY: 900_000_000}), ("packagist-30d", {SUNDAY: 9_000_000})],
)
async def test_the_response_of_the_registry_is_read(
    source: str, expected: dict[date, int], replay: Replay
) -> None:
    replay.always("/packages/*", sample("packagist_package_200"))
    assert values(await fetch(source, replay, wanted("Monolog/Monolog"))) == expected


@pytest.mark.parametrize(("second", "pause"), [(0, 60), (59, 1), (60, 0)])
async def test_no_request_starts_in_the_first_minute_of_an_hour(
    second: int, pause: int, replay: Replay
) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 6, tzinfo=UTC) + timedelta(seconds=second))
    await fetch("packagist", replay, wanted(PACKAGE), clock=clock)
    assert clock.sleeps == ([pause] if pause else [])


async def test_a_request_that_its_pace_would_move_to_the_full_hour_waits_too(replay: Replay) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 6, 59, 59, 500_000, tzinfo=UTC))
    await fetch_all("packagist", replay, wanted(PACKAGE), wanted("monolog/other"), clock=clock)
    assert clock.sleeps == [pytest.approx(1), 60]
    assert clock.now() >= datetime(2026, 11, 23, 7, 1, tzinfo=UTC)


async def test_another_registry_does_not_wait_for_the_full_hour(replay: Replay) -> None:
    clock = FakeClock(NOON)
    await fetch("rubygems", replay, wanted("rails"), clock=clock)
    assert clock.sleeps == []


async def test_an_e_mail_address_is_sent_as_packagist_asks_for_it(replay: Replay) -> None:
    await fetch("packagist", replay, wanted(PACKAGE), contact="ops@example.org")
    assert "mailto:ops@example.org" in replay.requests[0].headers["user-agent"]


@BOTH
async def test_an_unknown_package_fails_alone(source: str, replay: Replay) -> None:
    unknown, known = await fetch_all(source, replay, wanted("a/no-such"), wanted(PACKAGE))
    assert isinstance(unknown.error, UnknownSubject)
    assert "write vendor/name" in str(unknown.error)
    assert known.observations


@BOTH
async def test_a_limit_is_an_error_and_stores_nothing(source: str, replay: Replay) -> None:
    result = await fetch(source, replay, wanted("a/limited"))
    assert isinstance(result.error, SourceRateLimited)


@BOTH
async def test_a_total_of_0_after_a_stored_one_is_left_open(source: str, replay: Replay) -> None:
    replay.always(
        "/packages/*", Scripted(body={"package": {"name": PACKAGE, "downloads": {"total": 0, "monthly": 0}}})
    )
    result = await fetch(source, replay, wanted(PACKAGE, first_stored_day=SUNDAY))
    assert (result.observations, result.error) == ((), None)
    assert "left open" in result.notes[0]


@BOTH
@pytest.mark.parametrize(
    "package",
    [
        {"name": PACKAGE},
        {"name": PACKAGE, "downloads": 5},
        {"name": PACKAGE, "downloads": {"total": "1", "monthly": "1"}},
        {"name": PACKAGE, "downloads": {"total": -1, "monthly": -1}},
        {"name": "monolog/other", "downloads": {"total": 1, "monthly": 1}},
        [],
    ],
)
async def test_a_response_of_another_shape_stores_nothing(source: str, package: Any, replay: Replay) -> None:
    replay.always("/packages/*", Scripted(body={"package": package}))
    result = await fetch(source, replay, wanted(PACKAGE))
    assert isinstance(result.error, SourceShapeError)
    assert result.observations == ()


@BOTH
@pytest.mark.parametrize("subject", ["monolog", "a/b/c", "../x", "a/", "-a/b", "a b/c", "a/b.json/c"])
def test_what_cannot_be_a_package_is_refused(source: str, subject: str) -> None:
    assert available_sources()[source].validate(subject, {}) == [
        f"{subject!r} is not a Packagist package; write vendor/name, as monolog/monolog"
    ]


@BOTH
def test_an_option_is_refused_by_its_name(source: str) -> None:
    faults = available_sources()[source].validate(PACKAGE, {"dev": True})
    assert faults == [f"option 'dev' is unknown; {source} has none"]
