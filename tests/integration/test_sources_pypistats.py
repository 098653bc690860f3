"""The traps of pypistats' answers, through the real client."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.errors import TerminalSourceError
from community_metrics.model import IMPLIED_ZERO
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
    assert replay.paths == ["/api/packages/lancedb/overall"]


async def test_a_project_is_asked_for_by_its_normalised_name(replay: Replay) -> None:
    assert values(await fetch("pypistats", replay, wanted("Zope.Interface__x")))
    assert replay.paths == ["/api/packages/zope-interface-x/overall"]


async def test_a_day_that_nobody_has_stays_missing(replay: Replay, registry: Registry) -> None:
    for subject in ("pylance", "__all__"):
        registry.overrides[PYPI, subject, WEDNESDAY] = None
    result = await fetch("pypistats", replay, wanted("pylance"))
    assert WEDNESDAY not in values(result)
    assert result.notes == ("2026-11-18 not published yet, or only in part",)


async def test_a_day_that_all_others_have_is_an_implied_zero(replay: Replay, registry: Registry) -> None:
    registry.overrides[PYPI, "pylance", WEDNESDAY] = None
    result = await fetch("pypistats", replay, wanted("pylance"))
    (zero,) = [found for found in result.observations if found.value == 0]
    assert (zero.period_end, zero.source_ref) == (
        WEDNESDAY,
        f"https://pypistats.org/api/packages/pylance/overall{IMPLIED_ZERO}",
    )


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


async def test_a_day_ingested_only_in_part_implies_no_zero(replay: Replay, registry: Registry) -> None:
    registry.overrides |= {(PYPI, "pylance", WEDNESDAY): None, (PYPI, "__all__", WEDNESDAY): 1_000_000}
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


async def test_the_sentinel_is_asked_once_and_only_in_doubt(replay: Replay, registry: Registry) -> None:
    for subject in ("a", "b"):
        registry.overrides[PYPI, subject, WEDNESDAY] = None
    await fetch_all("pypistats", replay, wanted("a"), wanted("b"), wanted("c"))
    assert replay.paths.count(EVERYTHING) == 1
    await fetch_all("pypistats", replay, wanted("c"))
    assert replay.paths.count(EVERYTHING) == 1
