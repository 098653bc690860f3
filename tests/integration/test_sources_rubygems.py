"""RubyGems' total of a gem: read at an instant, never a day's downloads, and only of that gem."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceRateLimited, SourceShapeError, UnknownSubject
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources import available_sources
from community_metrics.sources.base import kind_of, unit_of
from tests.support.clock import FakeClock
from tests.support.fetching import SUNDAY, fetch, fetch_all, values, wanted
from tests.support.registries.totals import total
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)


async def test_the_reading_belongs_to_the_day_of_the_response(replay: Replay, registry: Registry) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC))
    result = await fetch("rubygems", replay, wanted("rails"), clock=clock)
    (reading,) = result.observations
    assert (reading.period_start, reading.period_end, reading.observed_at) == (TODAY, TODAY, clock.now())
    assert (reading.value, reading.source_window) == (
        total(registry, "rubygems", "rails"),
        SourceWindow.INSTANT,
    )
    assert reading.source_ref == "https://rubygems.org/api/v1/gems/rails.json"


async def test_the_response_of_the_registry_is_read(replay: Replay) -> None:
    replay.always("/api/v1/gems/*", sample("rubygems_gem_200"))
    assert values(await fetch("rubygems", replay, wanted("rails"))) == {TODAY: 600_000_000}


def test_its_values_are_a_counter_of_downloads() -> None:
    source = available_sources()["rubygems"]
    assert (kind_of(source), unit_of(source, {}), source.family) == (
        ValueKind.COUNTER,
        None,
        "downloads_total",
    )


async def test_a_total_that_falls_is_returned_as_it_is(replay: Replay, registry: Registry) -> None:
    before = await fetch("rubygems", replay, wanted("a-reset"))
    registry.today = date(2026, 12, 1)
    clock = FakeClock(datetime(2026, 12, 1, 12, tzinfo=UTC))
    after = await fetch("rubygems", replay, wanted("a-reset"), clock=clock)
    assert values(after)[date(2026, 12, 1)] < values(before)[TODAY]


async def test_an_unknown_gem_fails_alone(replay: Replay) -> None:
    unknown, known = await fetch_all("rubygems", replay, wanted("no-such-gem"), wanted("rails"))
    assert isinstance(unknown.error, UnknownSubject)
    assert "no gem of that name" in str(unknown.error)
    assert known.observations


async def test_a_limit_is_an_error_and_stores_nothing(replay: Replay) -> None:
    result = await fetch("rubygems", replay, wanted("limited"))
    assert isinstance(result.error, SourceRateLimited)
    assert result.observations == ()


async def test_a_total_of_0_after_a_stored_one_is_left_open(replay: Replay) -> None:
    replay.always("/api/v1/gems/*", Scripted(body={"name": "rails", "downloads": 0}))
    result = await fetch("rubygems", replay, wanted("rails", first_stored_day=SUNDAY))
    assert (result.observations, result.error) == ((), None)
    assert "left open" in result.notes[0]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "rails"},
        {"name": "rails", "downloads": None},
        {"name": "rails", "downloads": "600"},
        {"name": "rails", "downloads": -1},
        {"name": "rack", "downloads": 600},
        [],
    ],
)
async def test_a_response_of_another_shape_stores_nothing(body: Any, replay: Replay) -> None:
    replay.always("/api/v1/gems/*", Scripted(body=body))
    result = await fetch("rubygems", replay, wanted("rails"))
    assert isinstance(result.error, SourceShapeError)
    assert result.observations == ()


@pytest.mark.parametrize("subject", ["rails", "net-http", "a.b_c", "RedCloth", "7zip"])
def test_the_name_of_a_gem_is_accepted(subject: str) -> None:
    assert available_sources()["rubygems"].validate(subject, {}) == []


@pytest.mark.parametrize("subject", ["", "../x", "a/b", "-a", ".a", "a b", "a\n", "99", "a" * 256])
def test_what_cannot_be_a_gem_is_refused(subject: str) -> None:
    assert available_sources()["rubygems"].validate(subject, {}) == [
        f"{subject!r} is not the name of a gem such as rails"
    ]


def test_an_option_is_refused_by_its_name() -> None:
    faults = available_sources()["rubygems"].validate("rails", {"version": "8.0.0"})
    assert faults == ["option 'version' is unknown; rubygems has none"]
