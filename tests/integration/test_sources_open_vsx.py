"""Open VSX' total of an extension, and the answers that would otherwise be taken for a 0."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceRateLimited, SourceShapeError, UnknownSubject
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources import available_sources
from community_metrics.sources.base import kind_of
from tests.support.clock import FakeClock
from tests.support.fetching import SUNDAY, fetch, fetch_all, values, wanted
from tests.support.registries.totals import total
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
EXTENSION = "redhat/java"


async def test_the_reading_belongs_to_the_day_of_the_response(replay: Replay, registry: Registry) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC))
    result = await fetch("open-vsx", replay, wanted(EXTENSION), clock=clock)
    (reading,) = result.observations
    assert (reading.period_start, reading.period_end, reading.observed_at) == (TODAY, TODAY, clock.now())
    assert reading.value == total(registry, "open-vsx", EXTENSION)
    assert reading.source_window is SourceWindow.INSTANT
    assert reading.source_ref == "https://open-vsx.org/api/redhat/java"


def test_its_values_are_a_counter() -> None:
    source = available_sources()["open-vsx"]
    assert (kind_of(source), source.host, source.sdk) == (ValueKind.COUNTER, "openvsx", None)


async def test_the_response_of_the_registry_is_read_in_any_spelling_of_the_name(replay: Replay) -> None:
    replay.always("/api/*", sample("openvsx_extension_200"))
    assert values(await fetch("open-vsx", replay, wanted("RedHat/Java"))) == {TODAY: 5_000_000}


async def test_an_unknown_extension_fails_alone(replay: Replay) -> None:
    unknown, known = await fetch_all("open-vsx", replay, wanted("a/no-such"), wanted(EXTENSION))
    assert isinstance(unknown.error, UnknownSubject)
    assert "write namespace/name" in str(unknown.error)
    assert known.observations


async def test_an_error_with_status_200_is_an_error(replay: Replay) -> None:
    replay.always("/api/*", Scripted(body={"error": "Extension not found: redhat.java"}))
    result = await fetch("open-vsx", replay, wanted(EXTENSION))
    assert isinstance(result.error, UnknownSubject)
    assert "Extension not found: redhat.java" in str(result.error)


async def test_a_limit_is_an_error_and_stores_nothing(replay: Replay) -> None:
    result = await fetch("open-vsx", replay, wanted("a/limited"))
    assert isinstance(result.error, SourceRateLimited)


async def test_a_total_of_0_after_a_stored_one_is_left_open(replay: Replay) -> None:
    replay.always("/api/*", Scripted(body={"namespace": "redhat", "name": "java", "downloadCount": 0}))
    result = await fetch("open-vsx", replay, wanted(EXTENSION, first_stored_day=SUNDAY))
    assert (result.observations, result.error) == ((), None)
    assert "left open" in result.notes[0]


@pytest.mark.parametrize(
    "change",
    [
        {"downloadCount": None},
        {"downloadCount": "5"},
        {"downloadCount": -1},
        {"name": "other"},
        {"namespace": "other"},
    ],
)
async def test_a_response_of_another_shape_is_no_zero(change: dict[str, Any], replay: Replay) -> None:
    body = {"namespace": "redhat", "name": "java", "downloadCount": 5} | change
    replay.always("/api/*", Scripted(body=body))
    result = await fetch("open-vsx", replay, wanted(EXTENSION))
    assert isinstance(result.error, SourceShapeError)
    assert result.observations == ()


@pytest.mark.parametrize("subject", ["java", "redhat.java", "a/b/c", "../x", "a/", "a b/c", "a/é"])
def test_what_cannot_be_an_extension_is_refused(subject: str) -> None:
    (fault,) = available_sources()["open-vsx"].validate(subject, {})
    assert fault == f"{subject!r} is not an extension; write namespace/name, as redhat/java"


def test_an_option_is_refused_by_its_name() -> None:
    faults = available_sources()["open-vsx"].validate(EXTENSION, {"target": "linux-x64"})
    assert faults == ["option 'target' is unknown; open-vsx has none"]
