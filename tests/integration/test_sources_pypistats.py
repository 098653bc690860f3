"""The traps of pypistats' answers, through the real client."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.errors import TerminalSourceError
from community_metrics.model import ValueMark
from community_metrics.periods import days_between
from tests.support.fetching import SUNDAY, fetch, fetch_all, values, wanted
from tests.support.registry import PYPI, Registry
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from tests.support.replay import Replay

MONDAY, TUESDAY, WEDNESDAY = (SUNDAY - timedelta(days=n) for n in (6, 5, 4))
EVERYTHING = "/api/packages/__all__/overall"


@pytest.mark.parametrize(("mirrors", "value"), [(False, 276_927), (True, 281_034)])
async def test_one_request_serves_both_series_and_never_adds_them(
    mirrors: bool, value: int, replay: Replay
) -> None:
    replay.always("/api/packages/lancedb/*", sample("pypistats_overall_both_200"))
    option = {"mirrors": mirrors}
    results = await fetch_all("pypistats", replay, wanted("lancedb", options=option), wanted("lancedb"))
    assert values(results[0])[MONDAY] == value
    assert replay.paths == ["/api/packages/lancedb/overall", EVERYTHING]


async def test_a_project_is_asked_for_by_its_normalised_name(replay: Replay) -> None:
    assert values(await fetch("pypistats", replay, wanted("Zope.Interface__x")))
    assert replay.paths == ["/api/packages/zope-interface-x/overall", EVERYTHING]


async def test_a_day_that_nobody_has_stays_missing(replay: Replay, registry: Registry) -> None:
    for subject in ("pylance", "__all__"):
        registry.overrides[PYPI, subject, WEDNESDAY] = None
    result = await fetch("pypistats", replay, wanted("pylance"))
    assert WEDNESDAY not in values(result)
    assert result.notes == ("2026-11-18 not published yet, or only in part",)


async def test_a_day_that_all_others_have_is_an_implied_zero(replay: Replay, registry: Registry) -> None:
    registry.usual[PYPI, "pylance"] = 5
    registry.overrides[PYPI, "pylance", WEDNESDAY] = None
    result = await fetch("pypistats", replay, wanted("pylance"))
    (zero,) = [found for found in result.observations if found.value == 0]
    assert (zero.period_end, zero.mark) == (WEDNESDAY, ValueMark.IMPLIED_ZERO)
    assert zero.source_ref == "https://pypistats.org/api/packages/pylance/overall"


async def test_a_lost_day_of_a_large_package_stays_missing_with_a_note(
    replay: Replay, registry: Registry
) -> None:
    registry.overrides[PYPI, "pylance", WEDNESDAY] = None
    result = await fetch("pypistats", replay, wanted("pylance"))
    assert WEDNESDAY not in values(result)
    assert result.notes == ("2026-11-18 left open: 0 is not plausible beside the days around it",)


async def test_a_missing_day_that_arrives_late_is_stored_then(replay: Replay, registry: Registry) -> None:
    registry.overrides |= {(PYPI, "pylance", SUNDAY): None, (PYPI, "__all__", SUNDAY): None}
    before = values(await fetch("pypistats", replay, wanted("pylance")))
    registry.overrides.clear()
    after = values(await fetch("pypistats", replay, wanted("pylance")))
    assert SUNDAY not in before
    assert after[SUNDAY] == registry.value(PYPI, "pylance", SUNDAY)


@pytest.mark.parametrize("source", ["pypistats", "crates"])
async def test_yesterday_is_never_an_implied_zero(source: str, replay: Replay, registry: Registry) -> None:
    registry.overrides[source, "pylance", SUNDAY] = None
    assert SUNDAY not in values(await fetch(source, replay, wanted("pylance")))


@pytest.mark.parametrize("share", [0.0005, 0.4, 0.85])
async def test_a_day_ingested_only_in_part_implies_no_zero(
    share: float, replay: Replay, registry: Registry
) -> None:
    registry.usual[PYPI, "pylance"] = 5
    everything = int(2_000_000_000 * share)
    registry.overrides |= {(PYPI, "pylance", WEDNESDAY): None, (PYPI, "__all__", WEDNESDAY): everything}
    assert WEDNESDAY not in values(await fetch("pypistats", replay, wanted("pylance")))


@pytest.mark.parametrize("source", ["pypistats", "crates", "npm"])
async def test_a_day_stated_only_in_part_for_everybody_is_held_back(
    source: str, replay: Replay, registry: Registry
) -> None:
    sentinel = {"pypistats": "__all__", "crates": "serde", "npm": "registry total"}[source]
    registry.overrides |= {(source, "pylance", WEDNESDAY): 40, (source, sentinel, WEDNESDAY): 40_000}
    result = await fetch(source, replay, wanted("pylance"))
    assert set(days_between(MONDAY, SUNDAY)) - set(values(result)) == {WEDNESDAY}
    assert result.notes == ("2026-11-18 not published yet, or only in part",)


@pytest.mark.parametrize("source", ["pypistats", "crates", "npm"])
@pytest.mark.parametrize("first", [MONDAY, WEDNESDAY], ids=["in its week", "on its first day"])
async def test_a_launch_on_a_day_taken_in_at_15_percent_is_held_back(
    source: str, first: date, replay: Replay, registry: Registry
) -> None:
    sentinel = {"pypistats": "__all__", "crates": "serde", "npm": "registry total"}[source]
    for day in days_between(date(2025, 1, 1), first - timedelta(days=1)):
        registry.overrides[source, "new", day] = 0 if source == "npm" else None
    share = int((registry.value(source, sentinel, WEDNESDAY) or 0) * 0.15)
    registry.overrides |= {(source, "new", WEDNESDAY): 6_074, (source, sentinel, WEDNESDAY): share}
    assert set(values(await fetch(source, replay, wanted("new")))) == set(days_between(first, SUNDAY)) - {
        WEDNESDAY
    }


@pytest.mark.parametrize("source", ["pypistats", "crates", "npm"])
async def test_a_day_that_is_low_for_everybody_is_stored_and_marked(
    source: str, replay: Replay, registry: Registry
) -> None:
    sentinel = {"pypistats": "__all__", "crates": "serde", "npm": "registry total"}[source]
    share = int((registry.value(source, sentinel, WEDNESDAY) or 0) * 0.6)
    registry.overrides[source, sentinel, WEDNESDAY] = share
    result = await fetch(source, replay, wanted("pylance"))
    marked = [o.period_end for o in result.observations if o.mark is ValueMark.LOW_FOR_EVERYBODY]
    assert marked == [WEDNESDAY]
    assert result.notes == (
        "2026-11-18 low for everybody: the registry counted less than 90 % of a usual day",
    )


@pytest.mark.parametrize("source", ["pypistats", "crates", "npm"])
async def test_a_bad_day_of_ones_own_is_stored_as_it_is(
    source: str, replay: Replay, registry: Registry
) -> None:
    registry.overrides[source, "pylance", WEDNESDAY] = 1
    result = await fetch(source, replay, wanted("pylance"))
    assert (values(result)[WEDNESDAY], result.notes) == (1, ())


async def test_days_before_the_first_release_are_not_filled(replay: Replay, registry: Registry) -> None:
    for day in days_between(date(2026, 1, 1), TUESDAY):
        registry.overrides[PYPI, "young", day] = None
    assert min(values(await fetch("pypistats", replay, wanted("young")))) == WEDNESDAY


async def test_days_after_the_first_stored_one_are_filled(replay: Replay, registry: Registry) -> None:
    registry.usual[PYPI, "young"] = 8
    for day in days_between(date(2026, 1, 1), TUESDAY):
        registry.overrides[PYPI, "young", day] = None
    found = values(await fetch("pypistats", replay, wanted("young", first_stored_day=MONDAY)))
    assert (found[MONDAY], found[TUESDAY], min(found)) == (0, 0, MONDAY)


async def test_a_category_that_vanished_fails_its_metric_and_no_other(
    replay: Replay, registry: Registry
) -> None:
    whole = [{"category": "with_mirrors", "date": f"{day}", "downloads": 9} for day in (MONDAY, TUESDAY)]
    body = {"data": whole, "package": "pylance", "type": "overall_downloads"}
    replay.always("/api/packages/pylance/*", Scripted(body=body))
    stored = wanted("pylance", "downloads:it:without", first_stored_day=MONDAY)
    mirrored = wanted("pylance", "downloads:it:with", options={"mirrors": True}, first_stored_day=MONDAY)
    lost, kept = await fetch_all("pypistats", replay, stored, mirrored)
    assert isinstance(lost.error, TerminalSourceError)
    assert lost.observations == ()
    assert values(kept)[MONDAY] == 9


async def test_a_failing_sentinel_withholds_only_zeros(replay: Replay, registry: Registry) -> None:
    registry.overrides[PYPI, "pylance", WEDNESDAY] = None
    replay.always(EVERYTHING, sample("pypistats_disabled_503"))
    result = await fetch("pypistats", replay, wanted("pylance", since=MONDAY))
    assert {o.period_end for o in result.observations} == set(days_between(MONDAY, SUNDAY)) - {WEDNESDAY}
    assert result.notes == ("2026-11-18 left open: the sentinel __all__ failed",)


async def test_a_low_day_is_stored_where_the_sentinel_fails_and_the_error_says_so(
    replay: Replay, registry: Registry
) -> None:
    registry.overrides[PYPI, "pylance", WEDNESDAY] = 1
    replay.always(EVERYTHING, sample("pypistats_disabled_503"))
    result = await fetch("pypistats", replay, wanted("pylance", since=MONDAY))
    assert len(result.observations) == 7
    assert "2026-11-18 stored unchecked, though unusually low: the sentinel __all__ failed" in result.notes


async def test_the_sentinel_is_asked_once_in_every_run(replay: Replay) -> None:
    await fetch_all("pypistats", replay, wanted("a"), wanted("b"), wanted("c"))
    assert replay.paths.count(EVERYTHING) == 1
    await fetch_all("pypistats", replay, wanted("c"))
    assert replay.paths.count(EVERYTHING) == 2


async def test_the_sentinel_counts_without_mirrors_like_the_packages(
    replay: Replay, registry: Registry
) -> None:
    registry.usual[PYPI, "pylance"] = 5
    registry.overrides[PYPI, "pylance", WEDNESDAY] = None
    rows = [
        {"category": category, "date": f"{day}", "downloads": 1 if is_lost and day == WEDNESDAY else 1_000}
        for category, is_lost in (("with_mirrors", False), ("without_mirrors", True))
        for day in days_between(SUNDAY - timedelta(weeks=8), SUNDAY)
    ]
    body = {"data": rows, "package": "__all__", "type": "overall_downloads"}
    replay.always(EVERYTHING, Scripted(body=body))
    assert WEDNESDAY not in values(await fetch("pypistats", replay, wanted("pylance", since=MONDAY)))
