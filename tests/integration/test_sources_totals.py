"""The totals of registries, through the real client: what is stored of them, and what is requested for it."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceShapeError, TransientSourceError, UnknownSubject
from community_metrics.sources import available_sources
from community_metrics.sources.base import EVERYTHING
from community_metrics.sources.client.client import RegistryClient
from tests.support.clock import FakeClock
from tests.support.fetching import SUNDAY, fetch, fetch_all, values, wanted
from tests.support.registries.archive import ARCHIVE
from tests.support.registry import NPM, PYPI
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from datetime import date

    from community_metrics.sources import FetchRequest
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TOTAL = "registry:it:all"
NEWEST = SUNDAY - timedelta(days=90)
"""The newest day of the archive of crates.io."""
BINARY = {"content-type": "binary/octet-stream"}


def total(**changes: Any) -> FetchRequest:
    return wanted(EVERYTHING, TOTAL, **changes)


def days_back(count: int, newest: date = NEWEST) -> list[date]:
    return [newest - timedelta(days=back) for back in range(count)]


def files(replay: Replay) -> list[str]:
    return [path.rpartition("/")[2] for path in replay.paths if "/archive/" in path]


@pytest.mark.parametrize(
    ("source", "subject", "name"),
    [("npm", "left-pad", "registry total"), ("pypistats", "lancedb", EVERYTHING)],
)
async def test_the_total_of_a_registry_costs_no_request_beside_a_package(
    source: str, subject: str, name: str, replay: Replay, registry: Registry
) -> None:
    since = SUNDAY - timedelta(days=30)
    await fetch_all(source, replay, wanted(subject, since=since))
    alone = len(replay.paths)
    results = await fetch_all(source, replay, total(since=since), wanted(subject, since=since))
    assert len(replay.paths) == 2 * alone
    found = {result.metric_id: values(result) for result in results}[TOTAL]
    assert len(found) == 31
    assert all(value == registry.value(source, name, day) for day, value in found.items())


async def test_a_day_that_npm_states_with_0_was_not_counted_and_is_not_stored(
    replay: Replay, registry: Registry
) -> None:
    lost = SUNDAY - timedelta(days=4)
    registry.overrides[NPM, "registry total", lost] = 0
    found = values(await fetch("npm", replay, total(since=SUNDAY - timedelta(days=9))))
    assert len(found) == 9
    assert lost not in found


async def test_a_day_that_a_registry_counted_in_part_is_stored_as_it_states_it(
    replay: Replay, registry: Registry
) -> None:
    registry.overrides[PYPI, EVERYTHING, SUNDAY] = 1_000
    assert values(await fetch("pypistats", replay, total()))[SUNDAY] == 1_000


async def test_the_total_with_mirrors_is_another_one(replay: Replay) -> None:
    without = values(await fetch("pypistats", replay, total()))[SUNDAY]
    with_mirrors = values(await fetch("pypistats", replay, total(options={"mirrors": True})))[SUNDAY]
    assert with_mirrors > without


async def test_a_total_that_fails_is_an_error_of_its_own(replay: Replay) -> None:
    replay.always("/downloads/range/2026-*:2026-11-22", Scripted(404, body={}))
    (result,) = await fetch_all("npm", replay, total(since=SUNDAY))
    assert isinstance(result.error, UnknownSubject)


class TestArchive:
    async def test_a_first_run_reads_the_newest_ten_days_and_sums_each(
        self, replay: Replay, registry: Registry
    ) -> None:
        found = values(await fetch(ARCHIVE, replay, total()))
        assert found == {day: registry.value(ARCHIVE, EVERYTHING, day) for day in days_back(10)}
        assert files(replay) == ["index.json", *(f"{day}.csv" for day in days_back(10))]

    async def test_a_stored_day_is_never_requested_again(self, replay: Replay) -> None:
        stored = frozenset(days_back(10, NEWEST - timedelta(days=2)))
        request = total(first_stored_day=min(stored), stored_days=stored)
        assert list(values(await fetch(ARCHIVE, replay, request))) == days_back(2)[::-1]
        assert files(replay) == ["index.json", *(f"{day}.csv" for day in days_back(2))]

    async def test_after_a_pause_the_older_days_are_left_for_later_runs(self, replay: Replay) -> None:
        first = NEWEST - timedelta(days=25)
        result = await fetch(ARCHIVE, replay, total(first_stored_day=first, stored_days=frozenset({first})))
        assert list(values(result)) == days_back(10)[::-1]
        assert result.notes == ("15 older days of the archive left for later runs",)

    async def test_a_run_whose_time_is_used_up_keeps_the_days_that_it_read(self, replay: Replay) -> None:
        clock, jitter = FakeClock(), random.Random(7)  # noqa: S311  no secret
        deadline_s = clock.monotonic() + 4
        async with RegistryClient(replay.settings(), clock, jitter, deadline_s=deadline_s) as client:
            (result,) = [one async for one in available_sources()[ARCHIVE].fetch([total()], client)]
        read = [row.period_end for row in result.observations]
        assert read == days_back(len(read))[::-1]
        assert 0 < len(read) < 10
        assert result.error is None
        assert result.notes == (f"{10 - len(read)} older days of the archive left for later runs",)

    async def test_a_file_that_fails_costs_only_its_own_day(self, replay: Replay) -> None:
        replay.always(f"*/{NEWEST}.csv", Scripted(404, body_text="<Error/>"))
        result = await fetch(ARCHIVE, replay, total())
        assert [row.period_end for row in result.observations] == days_back(9, NEWEST - timedelta(days=1))[
            ::-1
        ]
        assert isinstance(result.error, UnknownSubject)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("version_id,downloads\n1,2\n1;3\n", "a line is not version_id,downloads"),
            ("version_id,downloads\n1,2\n2,-3\n", "a line is not version_id,downloads"),
            ("crate,downloads\n1,2\n", "the first line is"),
            ("version_id,downloads\n1,2\n1", "the last line is cut short"),
            ("", "the last line is cut short"),
        ],
    )
    async def test_a_file_of_another_shape_is_not_summed(self, text: str, said: str, replay: Replay) -> None:
        replay.always(f"*/{NEWEST}.csv", Scripted(headers=BINARY, body_text=text))
        result = await fetch(ARCHIVE, replay, total())
        assert isinstance(result.error, SourceShapeError)
        assert said in str(result.error)
        assert NEWEST not in {row.period_end for row in result.observations}

    async def test_a_sum_does_not_depend_on_where_the_pieces_of_a_file_end(self, replay: Replay) -> None:
        text = "version_id,downloads\r\n" + "".join(f"{n},{n}\r\n" for n in range(12))
        replay.always(f"*/{NEWEST}.csv", Scripted(headers=BINARY, body_text=text, drip_s=0.0001))
        assert values(await fetch(ARCHIVE, replay, total()))[NEWEST] == sum(range(12))

    async def test_a_web_page_is_no_file(self, replay: Replay) -> None:
        replay.always(f"*/{NEWEST}.csv", Scripted(body_text="<html>maintenance</html>"))
        result = await fetch(ARCHIVE, replay, total())
        assert isinstance(result.error, TransientSourceError)

    async def test_a_file_without_a_download_is_no_0(self, replay: Replay) -> None:
        replay.always(f"*/{NEWEST}.csv", Scripted(headers=BINARY, body_text="version_id,downloads\n"))
        result = await fetch(ARCHIVE, replay, total())
        assert result.error is None
        assert len(result.observations) == 9

    async def test_a_file_larger_than_any_of_the_archive_is_refused(
        self, replay: Replay, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("community_metrics.sources.crates_archive.LARGEST_FILE", 100)
        text = "version_id,downloads\n" + "1,2\n" * 50
        replay.always(f"*/{NEWEST}.csv", Scripted(headers=BINARY, body_text=text))
        result = await fetch(ARCHIVE, replay, total())
        assert "larger than 100 bytes" in str(result.error)
