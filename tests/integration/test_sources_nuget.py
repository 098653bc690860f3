"""NuGet's total of a package: found by index and search, whose responses are checked before they count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.config import Settings
from community_metrics.errors import (
    SourceRateLimited,
    SourceShapeError,
    SourceUnreachable,
    TerminalSourceError,
    UnknownSubject,
)
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources import available_sources
from community_metrics.sources.base import kind_of
from tests.support.clock import FakeClock
from tests.support.fetching import SUNDAY, fetch, fetch_all, values, wanted
from tests.support.registries.totals import last_sunday, total
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
PACKAGE = "Newtonsoft.Json"
INDEX = "/v3/index.json"


def index(address: str, kind: str = "SearchQueryService") -> Scripted:
    return Scripted(body={"resources": [{"@id": address, "@type": kind}]})


async def test_the_reading_belongs_to_the_day_of_the_response(replay: Replay, registry: Registry) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 23, 59, 57, tzinfo=UTC))
    result = await fetch("nuget", replay, wanted(PACKAGE), clock=clock)
    (reading,) = result.observations
    assert (reading.period_start, reading.period_end, reading.observed_at) == (TODAY, TODAY, clock.now())
    assert reading.value == total(registry, "nuget", PACKAGE, last_sunday(registry))
    assert reading.source_window is SourceWindow.INSTANT
    assert reading.source_ref.startswith("https://azuresearch-usnc.nuget.org/query?q=packageid%3ANewtonsoft")


def test_its_values_are_a_counter() -> None:
    source = available_sources()["nuget"]
    assert (kind_of(source), source.family, source.sdk) == (ValueKind.COUNTER, "downloads_total", "dotnet")


async def test_the_index_is_read_once_for_all_packages(replay: Replay) -> None:
    results = await fetch_all("nuget", replay, *(wanted(f"Package{n}") for n in range(3)))
    assert all(result.observations for result in results)
    assert [request.path for request in replay.requests] == [INDEX, "/query", "/query", "/query"]


async def test_the_search_includes_what_has_only_new_or_unreleased_versions(replay: Replay) -> None:
    await fetch("nuget", replay, wanted(PACKAGE))
    expected = {"q": "packageid:Newtonsoft.Json", "take": "1", "prerelease": "true", "semVerLevel": "2.0.0"}
    assert replay.requests[-1].params == expected


async def test_the_response_of_the_registry_is_read_in_any_spelling_of_the_id(replay: Replay) -> None:
    replay.script(INDEX, sample("nuget_index_200"))
    replay.script("/query", sample("nuget_search_200"))
    result = await fetch("nuget", replay, wanted("newtonsoft.JSON"))
    assert values(result) == {TODAY: 8_980_175_208}


async def test_the_same_total_on_many_days_is_what_nuget_says(replay: Replay, registry: Registry) -> None:
    first = await fetch("nuget", replay, wanted(PACKAGE))
    registry.today += timedelta(days=2)
    clock = FakeClock(datetime(2026, 11, 25, 12, tzinfo=UTC))
    second = await fetch("nuget", replay, wanted(PACKAGE), clock=clock)
    assert list(values(first).values()) == list(values(second).values())
    assert list(values(second)) == [date(2026, 11, 25)]


async def test_an_id_without_a_hit_is_an_unknown_package_and_no_zero(replay: Replay) -> None:
    unknown, known = await fetch_all("nuget", replay, wanted("no-such-id"), wanted(PACKAGE))
    assert isinstance(unknown.error, UnknownSubject)
    assert "no listed package of that id" in str(unknown.error)
    assert unknown.observations == ()
    assert known.observations


async def test_a_hit_of_another_id_is_not_taken(replay: Replay) -> None:
    replay.script("/query", Scripted(body={"data": [{"id": "Newtonsoft.Json.Bson", "totalDownloads": 5}]}))
    result = await fetch("nuget", replay, wanted(PACKAGE))
    assert isinstance(result.error, SourceShapeError)
    assert "it is about 'Newtonsoft.Json.Bson'" in str(result.error)


async def test_a_search_on_a_host_that_the_index_names_is_asked_there(replay: Replay) -> None:
    replay.always(INDEX, index("https://search.nuget.org/v9/find", "SearchQueryService/3.5.0"))
    replay.always("/v9/find", sample("nuget_search_200"))
    result = await fetch("nuget", replay, wanted(PACKAGE))
    assert result.observations[0].source_ref.startswith("https://search.nuget.org/v9/find?q=")


def test_the_stand_in_replaces_any_host_of_the_search_and_the_default_none() -> None:
    stand_in = Settings(_env_file=None, source_url_nuget_search="http://127.0.0.1:1")
    named = "https://search.nuget.org"
    assert stand_in.source_url("nuget_search", named) == "http://127.0.0.1:1"
    assert Settings(_env_file=None).source_url("nuget_search", named) == named


@pytest.mark.parametrize(
    "address",
    [
        "http://azuresearch-usnc.nuget.org/query",
        "https://azuresearch-usnc.nuget.org.example/query",
        "https://nuget.org.evil/query",
        "https://evilnuget.org/query",
        "https://user@azuresearch-usnc.nuget.org/query",
        "https://azuresearch-usnc.nuget.org:8443/query",
        "https://azuresearch-usnc.nuget.org/query?q=x",
        "https://[half",
        "/query",
        "",
    ],
)
async def test_a_search_that_is_not_nugets_own_is_not_asked(address: str, replay: Replay) -> None:
    replay.always(INDEX, index(address))
    result = await fetch("nuget", replay, wanted(PACKAGE))
    assert isinstance(result.error, SourceShapeError)
    assert "the SearchQueryService is at" in str(result.error)
    assert [request.path for request in replay.requests] == [INDEX]


async def test_an_index_without_a_search_is_an_error_of_each_package(replay: Replay) -> None:
    replay.always(INDEX, index("https://api.nuget.org/v3-flatcontainer/", "PackageBaseAddress/3.0.0"))
    results = await fetch_all("nuget", replay, wanted(PACKAGE), wanted("Serilog"))
    assert [result.error.subject for result in results if result.error] == [PACKAGE, "Serilog"]
    assert all("there is no SearchQueryService" in str(result.error) for result in results)


@pytest.mark.parametrize("path", [INDEX, "/query"])
async def test_an_address_that_is_gone_is_no_unknown_package(path: str, replay: Replay) -> None:
    replay.always(path, Scripted(404, body={}))
    result = await fetch("nuget", replay, wanted(PACKAGE))
    assert type(result.error) is TerminalSourceError
    assert "update community-metrics, if NuGet has moved" in str(result.error)


async def test_a_limit_is_an_error_and_stores_nothing(replay: Replay) -> None:
    result = await fetch("nuget", replay, wanted("limited"))
    assert isinstance(result.error, SourceRateLimited)


async def test_an_index_that_cannot_be_reached_names_the_package(replay: Replay) -> None:
    result = await fetch("nuget", replay, wanted(PACKAGE), source_url_nuget="http://127.0.0.1:1")
    assert isinstance(result.error, SourceUnreachable)
    assert result.error.subject == PACKAGE


async def test_a_total_of_0_after_a_stored_one_is_left_open(replay: Replay) -> None:
    replay.always("/query", Scripted(body={"data": [{"id": PACKAGE, "totalDownloads": 0}]}))
    result = await fetch("nuget", replay, wanted(PACKAGE, first_stored_day=SUNDAY))
    assert (result.observations, result.error) == ((), None)
    assert "left open" in result.notes[0]


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": PACKAGE}]},
        {"data": [{"id": PACKAGE, "totalDownloads": "5"}]},
        {"data": [{"id": PACKAGE, "totalDownloads": -1}]},
        {"totalHits": 0},
        [],
    ],
)
async def test_a_response_of_another_shape_stores_nothing(body: Any, replay: Replay) -> None:
    replay.always("/query", Scripted(body=body))
    result = await fetch("nuget", replay, wanted(PACKAGE))
    assert isinstance(result.error, SourceShapeError)
    assert result.observations == ()


@pytest.mark.parametrize("subject", ["Newtonsoft.Json", "A_B-c.d", "Пакет", "x" * 100])
def test_the_id_of_a_package_is_accepted(subject: str) -> None:
    assert available_sources()["nuget"].validate(subject, {}) == []


@pytest.mark.parametrize("subject", ["", "a b", "a:b", "a OR id:b", "a/b", ".a", "a\n", "x" * 101])
def test_what_cannot_be_an_id_is_refused(subject: str) -> None:
    assert available_sources()["nuget"].validate(subject, {}) == [
        f"{subject!r} is not the id of a NuGet package such as Newtonsoft.Json"
    ]


def test_an_option_is_refused_by_its_name() -> None:
    faults = available_sources()["nuget"].validate(PACKAGE, {"prerelease": False})
    assert faults == ["option 'prerelease' is unknown; nuget has none"]
