"""What a job does not ask a registry for a second time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import lancedb
import pytest

from community_metrics.errors import ConfigurationError
from community_metrics.model import RunStatus
from community_metrics.runs.registry import DailyRefresh, Replay, UpdateAll, WeeklyRefresh
from community_metrics.storage import LanceDBReader
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.runs.job import Job
    from tests.support.jobs import Rig


def catalog_of(folder: Path, *metrics: tuple[str, str, str, str]) -> str:
    """Return a catalogue of daily metrics: id, source, subject and window of each."""
    entries = "".join(
        f'[[metric]]\nid = "{name}"\nsource = "{source}"\nsubject = "{subject}"\nwindow = "{window}"\n'
        f'display_name = "{name}"\ncadence = "daily"\n'
        for name, source, subject, window in metrics
    )
    path = folder / "catalog.toml"
    path.write_text(f'[[product]]\nid = "p"\nname = "P"\n{entries}', encoding="utf-8")
    return str(path)


async def test_what_the_daily_job_read_is_not_asked_again_that_day_if_its_registry_wants_that(
    rig: Rig, tmp_path: Path
) -> None:
    metrics = [
        ("downloads:p:python", "pypistats", "pylance", "1d"),
        ("downloads:p:rust", "crates", "lance", "1d"),
    ]
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, *metrics)
    asked = []
    for job in (DailyRefresh(), WeeklyRefresh(), WeeklyRefresh(), WeeklyRefresh()):
        rig.replay.requests.clear()
        report = await rig.run(job)
        asked.append([name in "".join(rig.replay.paths) for name in ("pylance", "crates/lance")])
        rig.now += timedelta(hours=5)  # the last run is on the next day
    assert asked == [[True, True], [False, True], [False, True], [True, True]]
    assert (report.run.lookback_weeks, report.notes) == (5, ())


PYTHON = ("downloads:p:python", "pypistats", "pylance", "1d")


async def test_what_a_job_read_is_not_asked_again_by_its_next_run_of_the_day_either(
    rig: Rig, tmp_path: Path
) -> None:
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, PYTHON)
    await rig.run(WeeklyRefresh())
    rig.replay.requests.clear()
    rig.now += timedelta(hours=5)
    report = await rig.run(WeeklyRefresh())
    assert rig.replay.paths == []
    assert report.run.metrics_left == 0
    assert [note.partition(":")[0] for note in report.notes] == ["2 metrics not read again"]  # with the total


@pytest.mark.parametrize("job", [WeeklyRefresh(only=("downloads:*",)), UpdateAll()], ids=["--only", "update"])
async def test_a_run_by_hand_reads_again_what_was_read_today_and_says_so(
    rig: Rig, tmp_path: Path, job: Job
) -> None:
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, PYTHON)
    await rig.run(DailyRefresh())
    registry, day = rig.replay.registry, rig.now.date() - timedelta(days=2)
    assert registry is not None
    registry.overrides["pypistats", "pylance", day] = 777
    report = await rig.run(job)
    assert {row.period_end: row.value for row in await rig.stats()}[day] == 777
    (note,) = report.notes
    assert note == "2 metrics read again today, although the registry asks to be read once a day."


async def test_a_metric_whose_subject_was_corrected_is_not_left_out(rig: Rig, tmp_path: Path) -> None:
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, PYTHON)
    await rig.run(WeeklyRefresh())
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, (PYTHON[0], PYTHON[1], "lancedb", PYTHON[3]))
    report = await rig.run(WeeklyRefresh())
    assert "fetching it would overwrite one history with another" in str(report.run.error_summary)


async def test_series_of_one_response_ask_for_it_once_and_each_keeps_it(rig: Rig, tmp_path: Path) -> None:
    metrics = [
        ("installs_30d:p:homebrew", "homebrew", "duckdb", "30d"),
        ("installs_90d:p:homebrew", "homebrew-90d", "duckdb", "90d"),
        ("installs_365d:p:homebrew", "homebrew-365d", "duckdb", "365d"),
        ("downloads_total:p:php", "packagist", "monolog/monolog", "instant"),
        ("downloads_30d:p:php", "packagist-30d", "monolog/monolog", "30d"),
    ]
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, *metrics)
    await rig.run(WeeklyRefresh())
    assert sorted(rig.replay.paths) == ["/api/formula/duckdb.json", "/packages/monolog/monolog.json"]
    before = await rig.stats()
    assert len(before) == len(metrics)
    rig.replay.stop()
    stats = await (await lancedb.connect_async(rig.folder)).open_table("stats")
    await stats.delete("true")
    for day in {row.period_end for row in before}:
        await rig.run(Replay(day))
    assert await rig.stats() == before


TWO = [
    ("downloads:p:python", "pypistats", "pylance", "1d"),
    ("downloads:p:rust", "crates", "lance", "1d"),
]
HOURLY = DailyRefresh(ask_again_after_hours=5)


async def test_an_hourly_schedule_asks_for_what_failed_again_after_its_pause(
    rig: Rig, tmp_path: Path
) -> None:
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, *TWO)
    rig.replay.always("/api/v1/crates/*", Scripted(404, body={"errors": [{"detail": "Not Found"}]}))
    rig.now = rig.now.replace(hour=2, minute=45)
    asked_at = []
    for _ in range(22):
        rig.replay.requests.clear()
        await rig.run(HOURLY)
        if "crates" in "".join(rig.replay.paths):
            asked_at.append(rig.now.hour)
        rig.now += timedelta(hours=1)

    assert asked_at == [2, 8, 14, 20]
    assert len(await rig.runs()) == len(asked_at), "the hours between them left no row"


async def test_a_skipped_run_says_what_is_asked_again_later(rig: Rig, tmp_path: Path) -> None:
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, *TWO)
    rig.replay.always("/api/v1/crates/*", Scripted(404, body={"errors": [{"detail": "Not Found"}]}))
    await rig.run(HOURLY)
    rig.replay.requests.clear()
    rig.now += timedelta(hours=1)

    skipped = await rig.run(HOURLY)

    assert rig.replay.requests == []
    assert skipped.run.status is RunStatus.SUCCESS
    [note] = skipped.notes
    assert note == (
        "Nothing is left to read now: of 4 daily metrics, 3 were read today, and 1 failed so recently that a "
        "later run asks again."
    )


async def test_a_person_who_starts_the_job_again_waits_for_nothing(rig: Rig, tmp_path: Path) -> None:
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, *TWO)
    rig.replay.always("/api/v1/crates/*", Scripted(404, body={"errors": [{"detail": "Not Found"}]}))
    await rig.run(DailyRefresh())
    rig.replay.recover()

    report = await rig.run(DailyRefresh())

    assert report.run.status is RunStatus.SUCCESS
    assert "downloads:p:rust" in {outcome.metric_id for outcome in report.outcomes}


async def test_a_changed_catalogue_is_stored_although_nothing_is_left_to_read(
    rig: Rig, tmp_path: Path
) -> None:
    rig.settings_overrides["catalog"] = catalog_of(tmp_path, *TWO)
    await rig.run(DailyRefresh())
    path = tmp_path / "catalog.toml"
    hidden = path.read_text(encoding="utf-8").replace("cadence", 'visibility = "team"\ncadence')
    path.write_text(hidden, encoding="utf-8")

    await rig.run(DailyRefresh())

    async with LanceDBReader.open(rig.settings) as reader:
        stored = {one.metric_id: one.visibility for one in await reader.metrics()}
    assert {stored[metric_id] for metric_id, *_ in TWO} == {"team"}


def test_the_pause_is_at_most_a_day() -> None:
    with pytest.raises(ConfigurationError, match=r"ask_again_after_hours is 25; .* at most 24\."):
        DailyRefresh(ask_again_after_hours=25)
