"""The traps of npm's answers, through the real client."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.errors import SourceShapeError
from community_metrics.periods import days_between
from tests.support.fetching import SUNDAY, fetch, values, wanted
from tests.support.registry import NPM, Registry
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from tests.support.replay import Replay

MONDAY, TUESDAY, WEDNESDAY = (SUNDAY - timedelta(days=n) for n in (6, 5, 4))


async def test_zeros_at_the_end_have_not_landed(replay: Replay) -> None:
    replay.always("/downloads/*/%40lancedb%2Flancedb", sample("npm_range_not_landed_200"))
    request = wanted("@lancedb/lancedb", since=date(2026, 11, 18), until=date(2026, 11, 23))
    found = values(await fetch("npm", replay, request))
    assert list(found) == list(days_between(date(2026, 11, 18), date(2026, 11, 21)))


async def test_a_small_package_has_zeros_at_the_end_once_the_registry_counted_the_day(
    replay: Replay, registry: Registry
) -> None:
    registry.usual[NPM, "left-pad"] = 4
    saturday = SUNDAY - timedelta(days=1)
    registry.overrides |= {(NPM, "left-pad", saturday): 0, (NPM, "left-pad", SUNDAY): 0}
    registry.overrides[NPM, "registry total", SUNDAY] = 0
    before = await fetch("npm", replay, wanted("left-pad", since=SUNDAY - timedelta(weeks=5)))
    assert (values(before).get(saturday), values(before).get(SUNDAY), before.notes) == (0, None, ())
    del registry.overrides[NPM, "registry total", SUNDAY]
    after = await fetch("npm", replay, wanted("left-pad", since=SUNDAY - timedelta(weeks=5)))
    assert values(after).get(SUNDAY) == 0


async def test_a_lost_day_of_a_large_package_stays_missing_with_a_note(
    replay: Replay, registry: Registry
) -> None:
    registry.overrides |= {(NPM, "big", SUNDAY - timedelta(days=n)): 300_000 for n in range(40)}
    registry.overrides |= {(NPM, "big", WEDNESDAY): 0, (NPM, "big", SUNDAY): 0}
    result = await fetch("npm", replay, wanted("big", since=SUNDAY - timedelta(weeks=5)))
    assert {WEDNESDAY, SUNDAY}.isdisjoint(values(result))
    assert result.notes == ("2026-11-18, 2026-11-22 left open: 0 is not plausible beside the days around it",)


@pytest.mark.parametrize("package", ["left-pad2", "LEFT-PAD", None])
async def test_counts_of_another_package_are_refused(
    package: str | None, replay: Replay, registry: Registry
) -> None:
    body = {"downloads": [{"day": f"{SUNDAY}", "downloads": 7}], "start": f"{SUNDAY}", "end": f"{SUNDAY}"}
    replay.always("/downloads/*/left-pad", Scripted(body=body | ({"package": package} if package else {})))
    result = await fetch("npm", replay, wanted("left-pad", since=SUNDAY))
    assert isinstance(result.error, SourceShapeError)
    assert result.observations == ()
    assert f"package is {package!r}" in str(result.error)


@pytest.mark.parametrize(("total", "stored"), [(15_000_000_000, True), (0, False), (900_000_000, False)])
async def test_a_zero_inside_is_believed_only_where_the_registry_was_counted(
    total: int, stored: bool, replay: Replay, registry: Registry
) -> None:
    registry.usual[NPM, "left-pad"] = 5
    registry.overrides |= {(NPM, "left-pad", WEDNESDAY): 0, (NPM, "registry total", WEDNESDAY): total}
    found = values(await fetch("npm", replay, wanted("left-pad", since=MONDAY)))
    assert (WEDNESDAY in found) is stored
    assert found.get(WEDNESDAY, 0) == 0


async def test_a_day_that_npm_leaves_out_stays_missing(replay: Replay) -> None:
    whole = sample("npm_range_scoped_200")
    rows = [row for row in whole.body["downloads"] if row["day"] != "2026-11-18"]
    replay.always("/downloads/*/%40lancedb%2Flancedb", replace(whole, body=whole.body | {"downloads": rows}))
    found = values(await fetch("npm", replay, wanted("@lancedb/lancedb", since=MONDAY)))
    assert set(found) == set(days_between(MONDAY, SUNDAY)) - {WEDNESDAY}


@pytest.mark.parametrize(("first_stored_day", "first"), [(None, WEDNESDAY), (TUESDAY, TUESDAY)])
async def test_zeros_before_the_first_known_download_are_no_values(
    first_stored_day: date | None, first: date, replay: Replay, registry: Registry
) -> None:
    registry.usual[NPM, "young"] = 5
    for day in days_between(date(2025, 1, 1), TUESDAY):
        registry.overrides[NPM, "young", day] = 0
    found = values(await fetch("npm", replay, wanted("young", first_stored_day=first_stored_day)))
    assert min(found) == first


async def test_a_range_that_the_server_cuts_is_read_as_cut(replay: Replay) -> None:
    replay.registry = Registry(SUNDAY, first_day=date(2024, 9, 1))
    found = values(await fetch("npm", replay, wanted("a", until=SUNDAY - timedelta(days=1))))
    assert min(found) == SUNDAY - timedelta(days=548)


async def test_long_ranges_are_asked_for_in_chunks_of_a_year(replay: Replay) -> None:
    result = await fetch("npm", replay, wanted("@lancedb/lancedb"))
    periods = [path.split("/")[3].split(":") for path in replay.paths if path.endswith("lancedb")]
    spans = [date.fromisoformat(end) - date.fromisoformat(start) for start, end in periods]
    assert [span.days + 1 for span in spans] == [365, 184]
    assert {found.source_ref.split("/")[5] for found in result.observations} == {":".join(p) for p in periods}


async def test_a_scoped_name_travels_as_one_segment(replay: Replay) -> None:
    await fetch("npm", replay, wanted("@lancedb/lancedb", since=SUNDAY))
    assert replay.paths == [
        "/downloads/range/2026-11-22:2026-11-22/%40lancedb%2Flancedb",
        "/downloads/range/2026-10-25:2026-11-22",
    ]


async def test_a_zero_of_one_of_two_chunks_is_stored_once(replay: Replay, registry: Registry) -> None:
    registry.usual[NPM, "left-pad"] = 3
    zeros = [SUNDAY - timedelta(days=back) for back in (400, 40)]
    registry.overrides |= {(NPM, "left-pad", day): 0 for day in zeros}
    result = await fetch("npm", replay, wanted("left-pad"))
    days = [row.period_end for row in result.observations]
    assert len(days) == len(set(days))
    assert set(zeros) <= set(days)


async def test_a_failing_registry_total_withholds_only_zeros(replay: Replay, registry: Registry) -> None:
    registry.overrides[NPM, "a", WEDNESDAY] = 0
    replay.always("/downloads/range/*:2026-11-22", Scripted(400, body={"error": "no"}))
    result = await fetch("npm", replay, wanted("a", since=MONDAY))
    assert len(result.observations) == 6
    assert result.notes == ("2026-11-18 left open: the sentinel registry total failed",)
