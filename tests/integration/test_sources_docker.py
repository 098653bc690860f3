"""Pulls from Docker Hub: a counter, read at an instant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceRateLimited, SourceShapeError, UnknownSubject
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources import available_sources
from community_metrics.sources.base import kind_of
from tests.support.clock import FakeClock
from tests.support.fetching import fetch, fetch_all, values, wanted
from tests.support.registries.platforms import DOCKER, total
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
IMAGE = "lancedb/lancedb"
PATH = f"/v2/repositories/{IMAGE}/"
PAGE = sample("dockerhub_repo_200")


async def test_a_reading_belongs_to_the_instant_of_its_answer(replay: Replay, registry: Registry) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC))
    (reading,) = (await fetch("docker", replay, wanted(IMAGE, "pulls:it:x"), clock=clock)).observations
    assert (reading.period_start, reading.period_end, reading.observed_at) == (TODAY, TODAY, clock.now())
    assert (reading.value, reading.source_window) == (total(registry, DOCKER, IMAGE), SourceWindow.INSTANT)
    assert reading.source_ref == f"https://hub.docker.com{PATH}"


async def test_the_documented_shape_is_read(replay: Replay) -> None:
    replay.always(PATH, PAGE)
    assert values(await fetch("docker", replay, wanted(IMAGE))) == {TODAY: 398}


def test_pulls_are_a_counter() -> None:
    assert kind_of(available_sources()["docker"]) is ValueKind.COUNTER


async def test_the_path_ends_with_a_slash_so_that_nothing_redirects(replay: Replay) -> None:
    await fetch("docker", replay, wanted("library/python"))
    assert replay.paths == ["/v2/repositories/library/python/"]


async def test_a_count_that_stands_still_is_stored_as_read(replay: Replay) -> None:
    replay.always(PATH, PAGE)
    clock = FakeClock()
    first = await fetch("docker", replay, wanted(IMAGE), clock=clock)
    clock.advance(86_400)
    second = await fetch("docker", replay, wanted(IMAGE, first_stored_day=TODAY), clock=clock)
    assert [*values(first).values(), *values(second).values()] == [398, 398]


async def test_a_lower_count_is_stored_as_read(replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=PAGE.body | {"pull_count": 7}))
    assert values(await fetch("docker", replay, wanted(IMAGE, first_stored_day=TODAY))) == {TODAY: 7}


async def test_a_zero_is_stored_while_nobody_has_pulled_the_image(replay: Replay, registry: Registry) -> None:
    registry.overrides[DOCKER, IMAGE, TODAY] = 0
    assert values(await fetch("docker", replay, wanted(IMAGE))) == {TODAY: 0}
    again = wanted(IMAGE, first_stored_day=date(2026, 11, 1), last_value=0)
    assert values(await fetch("docker", replay, again)) == {TODAY: 0}


@pytest.mark.parametrize(
    ("last_value", "stored"), [(1_398, "a total of 1,398 is"), (None, "totals since 2026-11-01 are")]
)
async def test_a_zero_below_a_stored_total_is_left_open(
    last_value: int | None, stored: str, replay: Replay, registry: Registry
) -> None:
    registry.overrides[DOCKER, IMAGE, TODAY] = 0
    request = wanted(IMAGE, first_stored_day=date(2026, 11, 1), last_value=last_value)
    result = await fetch("docker", replay, request)
    assert values(result) == {}
    assert result.notes == (f"2026-11-23 left open: the total is 0, but {stored} stored, and it only grows",)


async def test_an_unknown_image_fails_alone(replay: Replay) -> None:
    unknown, known = await fetch_all("docker", replay, wanted("lancedb/no-such"), wanted(IMAGE))
    assert isinstance(unknown.error, UnknownSubject)
    assert "an official image is written library/name" in str(unknown.error)
    assert known.observations


async def test_a_plain_429_is_waited_out(replay: Replay, clock: FakeClock) -> None:
    replay.script(PATH, Scripted(429, body_text="Too Many Requests"))
    result = await fetch("docker", replay, wanted(IMAGE), clock=clock)
    assert result.error is None
    assert clock.sleeps[0] >= 60


async def test_a_limit_that_stays_is_an_error_without_a_value(replay: Replay) -> None:
    replay.always("/v2/*", Scripted(429, body_text="Too Many Requests"))
    result = await fetch("docker", replay, wanted(IMAGE))
    assert isinstance(result.error, SourceRateLimited)
    assert result.observations == ()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"pull_count": None}, "pull_count"),
        ({"pull_count": "398"}, "pull_count"),
        ({"pull_count": -1}, "pull_count"),
        ({"pull_count": 1.5}, "pull_count"),
        ({"name": "other"}, "namespace and name are 'lancedb/other'"),
    ],
)
async def test_another_shape_stores_nothing(change: dict[str, Any], fault: str, replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=PAGE.body | change))
    result = await fetch("docker", replay, wanted(IMAGE))
    assert isinstance(result.error, SourceShapeError)
    assert fault in str(result.error)


@pytest.mark.parametrize("subject", ["lancedb/lancedb", "library/python", "a/b.c_d__e-f", "0x/1"])
def test_an_image_of_docker_hub_is_a_subject(subject: str) -> None:
    assert available_sources()["docker"].validate(subject, {}) == []


@pytest.mark.parametrize(
    ("subject", "fault"),
    [
        ("python", "an official image is written library/python"),
        ("_/python", "an official image is written library/python"),
        ("LanceDB/lancedb", "in lower case"),
        ("ghcr.io/lancedb/lancedb", "write namespace/name"),
        ("lancedb/lancedb:latest", "write namespace/name"),
        ("lancedb/..", "write namespace/name"),
    ],
)
def test_anything_else_is_a_fault_that_says_what_to_write(subject: str, fault: str) -> None:
    (found,) = available_sources()["docker"].validate(subject, {})
    assert fault in found


def test_docker_has_no_options() -> None:
    assert available_sources()["docker"].validate(IMAGE, {"tag": "x"}) == [
        "option 'tag' is unknown; docker has none"
    ]
