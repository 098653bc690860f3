"""The traps of crates.io's answers, through the real client."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from tests.support.clock import FakeClock
from tests.support.fetching import SUNDAY, fetch, values, wanted
from tests.support.registry import CRATES, Registry
from tests.support.scripted import sample

if TYPE_CHECKING:
    from tests.support.replay import Replay

WEDNESDAY = SUNDAY - timedelta(days=4)


async def test_a_day_of_a_crate_is_the_sum_of_its_versions_and_the_rest(replay: Replay) -> None:
    replay.always("/api/v1/*", sample("crates_downloads_200"))
    found = values(await fetch("crates", replay, wanted("lancedb")))
    assert found == {date(2026, 11, 20): 8075, date(2026, 11, 21): 3109, SUNDAY: 3282}


async def test_a_release_that_moves_a_version_changes_no_total(replay: Replay) -> None:
    before = sample("crates_downloads_200")
    moved = [row for row in before.body["version_downloads"] if row["version"] == 1_460_011]
    kept = [row for row in before.body["version_downloads"] if row["version"] != 1_460_011]
    extra = {row["date"]: row["downloads"] for row in before.body["meta"]["extra_downloads"]}
    extra |= {row["date"]: extra[row["date"]] + row["downloads"] for row in moved}
    rows = [{"date": day, "downloads": value} for day, value in extra.items()]
    after = replace(before, body={"version_downloads": kept, "meta": {"extra_downloads": rows}})
    replay.script("/api/v1/crates/lancedb/*", before, after)
    first, second = [values(await fetch("crates", replay, wanted("lancedb"))) for _ in range(2)]
    assert first == second


async def test_an_empty_day_of_a_crate_is_real_when_serde_has_it(replay: Replay, registry: Registry) -> None:
    registry.usual[CRATES, "lance"] = 5
    registry.overrides[CRATES, "lance", WEDNESDAY] = None
    assert values(await fetch("crates", replay, wanted("lance")))[WEDNESDAY] == 0
    registry.overrides[CRATES, "serde", WEDNESDAY] = None
    assert WEDNESDAY not in values(await fetch("crates", replay, wanted("lance")))


async def test_a_lost_day_of_a_large_crate_stays_missing_with_a_note(
    replay: Replay, registry: Registry
) -> None:
    registry.overrides[CRATES, "lance", WEDNESDAY] = None
    result = await fetch("crates", replay, wanted("lance"))
    assert WEDNESDAY not in values(result)
    assert result.notes == ("2026-11-18 left open: 0 is not plausible beside the days around it",)


async def test_an_answer_that_ran_over_midnight_does_not_halve_its_oldest_day(replay: Replay) -> None:
    clock = FakeClock(datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC))
    found = values(await fetch("crates", replay, wanted("lance", until=date(2026, 11, 23)), clock=clock))
    assert min(found) == date(2026, 8, 27)
