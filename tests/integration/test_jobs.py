"""Jobs from registry to table: what a run writes, what it leaves alone, and what it says of itself."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import lancedb
import pytest

from community_metrics.backup.place import place_beside, place_of
from community_metrics.errors import BackupUnavailable, ConfigurationError, StorageUnavailable
from community_metrics.model import Provenance, RunStatus, Status
from community_metrics.periods import ONE_DAY
from community_metrics.runs.registry import BootstrapTables, SeedFromCsv, UpdateAll, WeeklyRefresh
from community_metrics.runs.restore import restore
from community_metrics.series.freshness import last_success
from community_metrics.storage import LanceDBReader
from tests.support.clock import NOON, FakeClock
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from community_metrics.model import MetricDefinition
    from community_metrics.runs.job import Job
    from tests.support.jobs import Rig

YESTERDAY = NOON.date() - ONE_DAY
SETTLED = NOON.date() - timedelta(days=3)
NPM = ("npm", "@lancedb/lancedb")
NODEJS = "downloads:lancedb:nodejs"


async def value_of(rig: Rig, metric_id: str, day: date) -> int | None:
    """Return the stored value, None where the day is missing."""
    key = f"{metric_id}|{day}"
    return next((row.value for row in await rig.stats() if row.stat_key == key), None)


async def test_a_first_refresh_takes_all_that_the_registries_still_have(rig: Rig) -> None:
    report = await rig.run(WeeklyRefresh())
    days = dict.fromkeys(("downloads:lance:python", "downloads:lance:rust", NODEJS), 0)
    for row in await rig.stats():
        days[row.metric_id] = days.get(row.metric_id, 0) + 1
    assert report.run.status is RunStatus.SUCCESS
    assert (days["downloads:lance:python"], days["downloads:lance:rust"], days[NODEJS]) == (181, 89, 548)


async def test_every_stored_value_is_the_registrys_own(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=(NODEJS,)))
    registry = rig.replay.registry
    assert registry is not None
    rows = await rig.stats()
    assert rows
    assert all(row.value == registry.value(*NPM, row.period_end) for row in rows)


async def test_a_run_over_chosen_metrics_stores_the_totals_that_it_reads_anyway(rig: Rig) -> None:
    report = await rig.run(WeeklyRefresh(only=("downloads:lance:python", "downloads:lance:rust")))
    chosen = {"downloads:lance:python", "downloads:lance:rust"}
    # the total of crates.io is another source's, from its archive
    assert {outcome.metric_id for outcome in report.outcomes} == {*chosen, "registry:pypi:all"}
    totals = await rig.totals()
    assert {row.metric_id for row in totals} == {"registry:pypi:all"}
    assert len(totals) == len([row for row in await rig.stats() if row.metric_id == "downloads:lance:python"])


async def test_without_a_token_the_packaged_catalogue_stays_far_below_githubs_60_requests_an_hour(
    rig: Rig,
) -> None:
    registry = rig.replay.registry
    assert registry is not None
    registry.first_day = date(2022, 7, 1)  # Lance's first day; the histories of the others are shorter
    await rig.run(WeeklyRefresh())
    first = asked_of_github(rig)
    rig.replay.requests.clear()
    registry.today += ONE_DAY
    rig.now += ONE_DAY
    await rig.run(WeeklyRefresh())
    assert 0 < first <= 50
    assert 0 < asked_of_github(rig) <= 20


def asked_of_github(rig: Rig) -> int:
    """Return how many of the requests go to GitHub."""
    assert not any("authorization" in request.headers for request in rig.replay.requests)
    return sum(path.startswith(("/repos/", "/repositories/")) for path in rig.replay.paths)


@pytest.mark.parametrize("job", [WeeklyRefresh(), UpdateAll()])
async def test_a_rerun_changes_no_row_and_makes_no_version(rig: Rig, job: Job) -> None:
    await rig.run(job)
    versions = await rig.versions()
    rig.now += timedelta(minutes=5)
    report = await rig.run(job)
    flows = report.run.rows_inserted + report.run.rows_updated
    assert flows == 0
    assert await rig.versions() == versions


async def test_seeding_twice_adds_nothing(rig: Rig) -> None:
    first = await rig.run(SeedFromCsv())
    versions = await rig.versions()
    second = await rig.run(SeedFromCsv())
    assert (first.run.rows_inserted, second.run.rows_inserted, second.run.rows_updated) == (115, 0, 0)
    assert await rig.versions() == versions


async def test_seeded_rows_say_so_and_never_stand_in_a_daily_metric(rig: Rig) -> None:
    await rig.run(SeedFromCsv())
    rows = await rig.stats()
    assert {row.provenance for row in rows} == {Provenance.CSV_SEED}
    assert not {row.metric_id.split(":")[0] for row in rows} & {"downloads", "stars"}


async def test_update_all_marks_what_it_confirms_as_recomputed(rig: Rig) -> None:
    await rig.run(WeeklyRefresh())
    rig.now += timedelta(hours=1)
    report = await rig.run(UpdateAll(lookback_weeks=2, only=(NODEJS,)))
    recomputed = [row for row in await rig.stats() if row.provenance is Provenance.RECOMPUTED]
    totals = [row for row in await rig.totals() if row.provenance is Provenance.RECOMPUTED]
    assert len(recomputed) == len(totals) == 14
    assert report.run.rows_updated == 2 * 14
    assert all(row.revision == 0 for row in recomputed)


async def test_update_all_overwrites_seeded_days(rig: Rig, tmp_path: Path) -> None:
    seed = tmp_path / "mine.csv"
    header = "metric_id,period_start,period_end,value,observed_at,source_ref,assumed,suspect,note"
    seed.write_text(f"{header}\n{NODEJS},{YESTERDAY},{YESTERDAY},7,,notes,,,\n")
    await rig.run(SeedFromCsv(path=seed))
    await rig.run(UpdateAll(only=(NODEJS,)))
    row = next(row for row in await rig.stats() if row.period_end == YESTERDAY)
    assert (row.provenance, row.first_value, row.revision) == (Provenance.RECOMPUTED, 7, 1)


async def test_a_seeded_day_does_not_hide_what_the_registry_still_has(rig: Rig, tmp_path: Path) -> None:
    seed = tmp_path / "mine.csv"
    header = "metric_id,period_start,period_end,value,observed_at,source_ref,assumed,suspect,note"
    seed.write_text(f"{header}\n{NODEJS},{YESTERDAY},{YESTERDAY},7,,notes,,,\n")
    await rig.run(SeedFromCsv(path=seed))
    report = await rig.run(WeeklyRefresh(only=(NODEJS,)))
    assert report.run.rows_inserted == 547 + len(await rig.totals())


async def test_seeded_rows_of_an_inactive_metric_do_not_vanish_without_a_word(
    rig: Rig, tmp_path: Path
) -> None:
    product = '[[product]]\nid = "p"\nname = "P"\n'
    metric = (
        '[[metric]]\nid = "downloads:p:{0}"\nsource = "npm"\nsubject = "{0}"\nwindow = "1d"\n'
        'display_name = "{0}"\nactive = {1}\n'
    )
    catalog, seed = tmp_path / "catalog.toml", tmp_path / "mine.csv"
    catalog.write_text(product + metric.format("on", "true") + metric.format("off", "false"))
    header = "metric_id,period_start,period_end,value,observed_at,source_ref,assumed,suspect,note"
    days = (YESTERDAY, YESTERDAY - ONE_DAY)
    rows = [f"downloads:p:{name},{day},{day},7,,notes,,,\n" for name in ("on", "off") for day in days]
    seed.write_text(f"{header}\n{''.join(rows)}")
    rig.settings_overrides = {"catalog": catalog}
    report = await rig.run(SeedFromCsv(path=seed))
    (note,) = report.notes
    assert note.startswith("2 rows of metrics that are not active left out: downloads:p:off.")
    assert report.run.rows_inserted == 2


async def test_a_day_that_npm_lost_is_missing_and_is_filled_when_npm_finds_it(rig: Rig) -> None:
    lost = YESTERDAY - timedelta(days=100)
    registry = rig.replay.registry
    assert registry is not None
    registry.overrides = {(*NPM, lost): None, ("npm", "registry total", lost): None}
    first = await rig.run(WeeklyRefresh(only=(NODEJS,)))
    assert first.run.status is RunStatus.SUCCESS
    assert await value_of(rig, NODEJS, lost) is None

    registry.overrides = {}
    await rig.run(WeeklyRefresh(only=(NODEJS,), lookback_weeks=1))
    assert await value_of(rig, NODEJS, lost) == registry.value(*NPM, lost)


async def test_without_gaps_a_refresh_asks_for_no_more_than_its_window(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=(NODEJS,)))
    rig.replay.requests.clear()
    report = await rig.run(WeeklyRefresh(only=(NODEJS,), lookback_weeks=1))
    assert report.run.window_start == date(2026, 11, 16)
    assert any("2026-11-16:2026-11-22" in path for path in rig.replay.paths)


@pytest.mark.parametrize("source", ["pypistats", "crates"])
async def test_an_answer_that_holds_everything_is_compared_whole(rig: Rig, source: str) -> None:
    metric_id = {"pypistats": "downloads:lance:python", "crates": "downloads:lance:rust"}[source]
    subject = {"pypistats": "pylance", "crates": "lance"}[source]
    await rig.run(WeeklyRefresh(only=(metric_id,)))
    registry = rig.replay.registry
    assert registry is not None
    registry.overrides[source, subject, YESTERDAY - timedelta(days=80)] = 4_242
    rig.now += timedelta(hours=1)
    report = await rig.run(WeeklyRefresh(only=(metric_id,), lookback_weeks=1))
    assert report.run.rows_updated == 1


async def test_every_week_of_the_star_history_that_is_read_is_compared(rig: Rig) -> None:
    only = ("stars_retained:lance:github",)
    await rig.run(WeeklyRefresh(only=only))
    registry, day = rig.replay.registry, YESTERDAY - timedelta(weeks=20)
    assert registry is not None
    asked = len(rig.replay.requests)
    registry.overrides["github-history", "lance-format/lance", day] = 1
    rig.now += timedelta(hours=1)
    await rig.run(WeeklyRefresh(only=only))
    assert await value_of(rig, only[0], day) == 1
    assert len(rig.replay.requests) == asked + 1


async def test_days_that_left_the_registrys_window_are_no_longer_its_concern(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=("downloads:lance:rust",)))
    registry = rig.replay.registry
    assert registry is not None
    rig.now += timedelta(weeks=4)
    registry.today = rig.now.date()
    report = await rig.run(WeeklyRefresh(only=("downloads:lance:rust",)))
    assert report.run.rows_inserted == 28
    assert report.metric_notes == ()


async def test_a_restated_day_keeps_its_first_value(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=(NODEJS,)))
    registry = rig.replay.registry
    assert registry is not None
    before = registry.value(*NPM, SETTLED)
    registry.overrides[(*NPM, SETTLED)] = 4_242
    rig.now += timedelta(hours=6)
    report = await rig.run(WeeklyRefresh(only=(NODEJS,)))
    row = next(row for row in await rig.stats() if row.period_end == SETTLED)
    assert report.run.rows_updated == 1
    assert (row.value, row.first_value, row.revision, row.status) == (4_242, before, 1, Status.PROVISIONAL)


EMPTIED = {
    "downloads:lance:python": {"data": [], "package": "pylance", "type": "overall_downloads"},
    "downloads:lance:rust": {"version_downloads": [], "meta": {"extra_downloads": []}},
}


@pytest.mark.parametrize("job", [WeeklyRefresh, UpdateAll])
@pytest.mark.parametrize("metric_id", EMPTIED)
async def test_an_emptied_answer_fails_its_metric_and_takes_nothing_away(
    rig: Rig, metric_id: str, job: type[WeeklyRefresh | UpdateAll]
) -> None:
    await rig.run(WeeklyRefresh(only=(metric_id,)))
    rows = await rig.stats()
    for path in ("/api/packages/pylance/*", "/api/v1/crates/lance/*"):
        rig.replay.always(path, Scripted(body=EMPTIED[metric_id]))
    rig.now += timedelta(days=1)
    report = await rig.run(job(only=(metric_id,)))
    assert report.run.status is RunStatus.FAILED
    assert "holds no day with downloads" in (report.run.error_summary or "")
    assert await rig.stats() == rows


@pytest.mark.parametrize(
    ("metric_id", "source", "subject"),
    [("downloads:lance:python", "pypistats", "pylance"), ("downloads:lance:rust", "crates", "lance")],
)
async def test_a_day_that_a_later_answer_leaves_out_keeps_its_downloads(
    rig: Rig, metric_id: str, source: str, subject: str
) -> None:
    await rig.run(WeeklyRefresh(only=(metric_id,)))
    rows, registry = await rig.stats(), rig.replay.registry
    assert registry is not None
    registry.overrides[source, subject, YESTERDAY - timedelta(days=30)] = None
    rig.now += timedelta(hours=1)
    report = await rig.run(WeeklyRefresh(only=(metric_id,)))
    assert report.run.status is RunStatus.SUCCESS
    assert await rig.stats() == rows


async def test_a_value_read_again_a_day_later_is_final_once_it_is_three_days_old(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=(NODEJS,)))
    rig.now += timedelta(hours=25)
    await rig.run(WeeklyRefresh(only=(NODEJS,)))
    status = {row.period_end: row.status for row in await rig.stats()}
    assert status[YESTERDAY - 3 * ONE_DAY] is Status.FINAL
    assert status[YESTERDAY] is Status.PROVISIONAL


async def test_an_unknown_package_fails_its_metric_and_no_other(rig: Rig, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.toml"
    entry = '[[metric]]\nid = "downloads:x:{}"\nsource = "pypistats"\nsubject = "{}"\nwindow = "1d"\n'
    entries = entry.format("python", "httpx"), entry.format("other", "no-such-package")
    names = [text + 'display_name = "x"\n' for text in entries]
    catalog.write_text('[[product]]\nid = "x"\nname = "X"\n' + "".join(names))
    rig.settings_overrides["catalog"] = catalog
    report = await rig.run(WeeklyRefresh())
    assert report.run.status is RunStatus.PARTIAL
    assert report.run.error_summary is not None
    assert "downloads:x:other" in report.run.error_summary
    assert report.run.rows_inserted == 2 * 181  # and the days of the total of PyPI


async def test_when_every_metric_fails_the_run_failed_and_what_was_stored_stays(rig: Rig) -> None:
    await rig.run(WeeklyRefresh())
    rows = await rig.stats()
    rig.replay.always("*", Scripted(404, body={"message": "Not Found"}))
    report = await rig.run(WeeklyRefresh())
    assert report.run.status is RunStatus.FAILED
    assert await rig.stats() == rows


@pytest.mark.parametrize("only", [("downloads:lance:rust",), ("downloads:lance:*",)])
async def test_a_failed_sentinel_makes_the_run_partial_and_the_values_are_stored(
    rig: Rig, only: tuple[str, ...]
) -> None:
    registry = rig.replay.registry
    assert registry is not None
    registry.overrides["crates", "lance", YESTERDAY - timedelta(days=9)] = None
    rig.replay.always("/api/v1/crates/serde/*", Scripted(503, body={"errors": []}))
    report = await rig.run(WeeklyRefresh(only=only))
    assert report.run.status is RunStatus.PARTIAL
    assert "the sentinel serde failed" in (report.run.error_summary or "")
    assert len([row for row in await rig.stats() if row.metric_id == "downloads:lance:rust"]) == 88


async def test_a_day_counted_only_in_part_is_missing_until_it_is_whole(rig: Rig) -> None:
    registry = rig.replay.registry
    assert registry is not None
    day = YESTERDAY - timedelta(days=3)
    registry.overrides |= {("pypistats", "pylance", day): 9, ("pypistats", "__all__", day): 40_000}
    report = await rig.run(WeeklyRefresh(only=("downloads:lance:python",)))
    partly = await value_of(rig, "downloads:lance:python", day)
    registry.overrides.clear()
    await rig.run(WeeklyRefresh(only=("downloads:lance:python",)))
    assert (report.run.status, partly) == (RunStatus.SUCCESS, None)
    whole = await value_of(rig, "downloads:lance:python", day)
    assert whole == registry.value("pypistats", "pylance", day)


async def definition_of(rig: Rig, metric_id: str) -> MetricDefinition:
    async with LanceDBReader.open(rig.settings) as reader:
        return next(metric for metric in await reader.metrics() if metric.metric_id == metric_id)


def use_catalog(rig: Rig, *metrics: tuple[str, str, str]) -> None:
    """Write a catalogue with one metric for each id's end, source and subject."""
    entries = [
        f'[[metric]]\nid = "{"stars" if source == "github" else "downloads"}:p:{name}"\n'
        f'source = "{source}"\nsubject = "{subject}"\n'
        f'window = "{"instant" if source == "github" else "1d"}"\ndisplay_name = "{name}"\n'
        for name, source, subject in metrics
    ]
    path = rig.folder.with_name("catalog.toml")
    path.write_text('[[product]]\nid = "p"\nname = "P"\n' + "".join(entries))
    rig.settings_overrides["catalog"] = path


@pytest.mark.parametrize("now", [("a", "crates", "zzz"), ("a", "npm", "aaa")])
async def test_another_subject_or_source_under_an_old_id_is_refused_and_nothing_changes(
    rig: Rig, now: tuple[str, str, str]
) -> None:
    use_catalog(rig, ("a", "crates", "aaa"), ("b", "crates", "bbb"))
    await rig.run(WeeklyRefresh())
    rows, definition = await rig.stats(), await definition_of(rig, "downloads:p:a")
    use_catalog(rig, now, ("b", "crates", "bbb"))
    for _ in range(2):
        report = await rig.run(WeeklyRefresh())
        assert report.run.status is RunStatus.PARTIAL
        assert "the stored rows of this id are crates aaa (1d)" in (report.run.error_summary or "")
        assert "its own id" in (report.run.error_summary or "")
    assert await rig.stats() == rows
    assert await definition_of(rig, "downloads:p:a") == definition


async def test_a_subject_that_never_brought_a_value_may_be_corrected(rig: Rig) -> None:
    use_catalog(rig, ("a", "crates", "no-such"))
    await rig.run(WeeklyRefresh())
    use_catalog(rig, ("a", "crates", "aaa"))
    report = await rig.run(WeeklyRefresh())
    assert report.run.status is RunStatus.SUCCESS
    assert (await definition_of(rig, "downloads:p:a")).subject == "aaa"


async def test_a_renamed_repository_goes_on_under_its_new_name_and_another_one_does_not(rig: Rig) -> None:
    use_catalog(rig, ("a", "github", "old/name"))
    registry = rig.replay.registry
    assert registry is not None
    registry.renamed["old/name"] = "new/name"
    await rig.run(WeeklyRefresh())
    use_catalog(rig, ("a", "github", "new/name"))
    renamed = await rig.run(WeeklyRefresh())
    use_catalog(rig, ("a", "github", "somebody/else"))
    other = await rig.run(WeeklyRefresh())
    assert (renamed.run.status, other.run.status) == (RunStatus.SUCCESS, RunStatus.FAILED)
    assert (await definition_of(rig, "stars:p:a")).subject == "new/name"


async def test_a_metric_that_left_the_catalogue_is_inactive_until_it_comes_back(rig: Rig) -> None:
    both = (("a", "crates", "aaa"), ("b", "crates", "bbb"))
    use_catalog(rig, *both)
    await rig.run(WeeklyRefresh())
    use_catalog(rig, both[1])
    await rig.run(WeeklyRefresh(only=("downloads:p:b",)))
    narrowed = (await definition_of(rig, "downloads:p:a")).is_active
    await rig.run(WeeklyRefresh())
    gone, versions = (await definition_of(rig, "downloads:p:a")).is_active, await rig.versions()
    await rig.run(WeeklyRefresh())
    assert (narrowed, gone, await rig.versions()) == (True, False, versions)
    use_catalog(rig, *both)
    await rig.run(WeeklyRefresh())
    assert (await definition_of(rig, "downloads:p:a")).is_active


async def test_a_run_that_would_retire_most_metrics_is_refused_and_changes_nothing(rig: Rig) -> None:
    use_catalog(rig, *((name, "crates", name) for name in "abc"))
    await rig.run(WeeklyRefresh())
    versions, runs = await rig.versions(), await rig.runs()
    use_catalog(rig, ("a", "crates", "a"), ("z", "crates", "z"))
    for job in (WeeklyRefresh(), UpdateAll(), SeedFromCsv(), BootstrapTables()):
        for dry_run in (False, True):
            with pytest.raises(ConfigurationError) as refused:
                await rig.run(job, dry_run=dry_run)
            assert refused.value.exit_code == 2
            assert refused.value.faults == ["downloads:p:b", "downloads:p:c"]
            assert "2 of the 3 active metrics" in str(refused.value)
            assert "Fix: set CM_CATALOG to the catalogue of this database." in str(refused.value)
    assert (await rig.versions(), await rig.runs()) == (versions, runs)


async def test_most_metrics_are_retired_with_the_option(rig: Rig) -> None:
    use_catalog(rig, *((name, "crates", name) for name in "abc"))
    await rig.run(WeeklyRefresh())
    use_catalog(rig, ("z", "crates", "z"))
    await rig.run(WeeklyRefresh(retire=True))
    assert not (await definition_of(rig, "downloads:p:a")).is_active
    await rig.run(WeeklyRefresh())  # the database is now of this catalogue


async def test_a_run_of_chosen_metrics_retires_nothing_with_any_catalogue(rig: Rig) -> None:
    use_catalog(rig, ("a", "crates", "a"))
    await rig.run(WeeklyRefresh())
    use_catalog(rig, ("z", "crates", "z"))
    await rig.run(WeeklyRefresh(only=("downloads:p:z",)))
    assert (await definition_of(rig, "downloads:p:a")).is_active


async def test_a_changed_shape_writes_nothing_and_names_the_field(rig: Rig) -> None:
    rig.replay.always("/api/v1/crates/lance/*", Scripted(body={"version_downloads": "none", "meta": {}}))
    report = await rig.run(WeeklyRefresh(only=("downloads:lance:*",)))
    assert report.run.status is RunStatus.PARTIAL
    assert "version_downloads" in (report.run.error_summary or "")
    assert {row.metric_id for row in await rig.stats()} == {"downloads:lance:python"}


async def test_a_dry_run_shows_the_rows_and_leaves_no_trace(rig: Rig) -> None:
    await rig.run(BootstrapTables())
    versions = await rig.versions()
    report = await rig.run(WeeklyRefresh(), dry_run=True)
    assert report.plan is not None
    assert len(report.plan.inserted) == report.run.rows_inserted > 4_000
    assert await rig.versions() == versions
    assert [run.job_name for run in await rig.runs()] == ["bootstrap_tables"]


async def test_a_dry_run_in_an_empty_folder_works_and_makes_nothing(rig: Rig) -> None:
    report = await rig.run(SeedFromCsv(), dry_run=True)
    assert report.run.rows_inserted == 115
    assert not rig.folder.exists()


@pytest.mark.parametrize("table", ["leases", "metrics", "history"])
async def test_a_dry_run_compares_with_the_rows_whatever_other_table_is_missing(rig: Rig, table: str) -> None:
    only = ("downloads:lance:rust",)
    await rig.run(WeeklyRefresh(only=only))
    connection = await lancedb.connect_async(rig.folder)
    await connection.drop_table(table)
    report = await rig.run(WeeklyRefresh(only=only), dry_run=True)
    assert (report.run.rows_inserted, report.run.rows_unchanged) == (0, 89)


async def test_reset_empties_every_table_and_leaves_its_own_run(rig: Rig) -> None:
    await rig.run(SeedFromCsv())
    before = await rig.stats()
    report = await rig.run(BootstrapTables(reset=True))
    assert await rig.stats() == []
    assert [run.job_name for run in await rig.runs()] == ["bootstrap_tables"]
    place = place_of(rig.settings, f"{place_beside(rig.settings)}/replaced")
    assert f"is in the backup {place}/2026" in report.notes[0]
    await restore(rig.settings, place, replaces=True, clock=FakeClock(NOON))
    assert await rig.stats() == before


async def test_a_reset_whose_backup_fails_deletes_nothing(rig: Rig, tmp_path: Path) -> None:
    await rig.run(SeedFromCsv())
    (tmp_path / "file").write_text("x")
    rig.settings_overrides["backup_target"] = str(tmp_path / "file/backups")
    with pytest.raises(BackupUnavailable, match=r"cannot be listed|cannot be written"):
        await rig.run(BootstrapTables(reset=True))
    assert len(await rig.stats()) == 115
    await rig.run(BootstrapTables(reset=True, without_backup=True))
    assert await rig.stats() == []


async def test_with_a_catalogue_of_ones_own_there_is_nothing_to_seed(rig: Rig, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(
        '[[product]]\nid = "x"\nname = "X"\n[[metric]]\nid = "stars:x:github"\nsource = "github"\n'
        'subject = "o/x"\nwindow = "instant"\ndisplay_name = "x"\n'
    )
    rig.settings_overrides["catalog"] = catalog
    report = await rig.run(SeedFromCsv())
    assert report.run.status is RunStatus.SUCCESS
    assert any("nothing to seed" in note for note in report.notes)


async def test_a_run_of_seed_metrics_alone_says_which_command_fills_them(rig: Rig) -> None:
    with pytest.raises(ConfigurationError, match="community-metrics seed"):
        await rig.run(WeeklyRefresh(only=("downloads_month:*",)))


@pytest.mark.parametrize("weeks", [0, -3])
async def test_a_look_back_of_no_weeks_is_refused(rig: Rig, weeks: int) -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        await rig.run(WeeklyRefresh(lookback_weeks=weeks))


@pytest.mark.parametrize(
    ("job", "what"),
    [
        (WeeklyRefresh(only=("nope",)), "nope"),
        (SeedFromCsv(path=Path("/nowhere/seed.csv")), "/nowhere/seed.csv"),
    ],
)
async def test_what_cannot_be_used_touches_nothing(rig: Rig, job: Job, what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        await rig.run(job)
    assert not rig.folder.exists()


async def test_a_narrowed_run_says_so_and_is_no_success_of_the_whole(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=(NODEJS,)))
    (run,) = await rig.runs()
    assert (run.scope, last_success([run])) == (NODEJS, None)


async def test_a_dry_reset_says_what_it_would_delete_and_deletes_nothing(rig: Rig) -> None:
    await rig.run(SeedFromCsv())
    report = await rig.run(BootstrapTables(reset=True), dry_run=True)
    assert "would delete every row" in report.notes[0]
    assert len(await rig.stats()) == 115


async def test_history_has_one_row_for_each_run_newest_first(rig: Rig) -> None:
    jobs: list[Job] = [SeedFromCsv(), WeeklyRefresh(), UpdateAll()]
    for minute, job in enumerate(jobs):
        rig.now = NOON + timedelta(minutes=minute)
        await rig.run(job)
    runs = await rig.runs()
    assert [run.job_name for run in runs] == ["update_all", "weekly_refresh", "seed_from_csv"]
    assert all(run.finished_at is not None for run in runs)


async def test_a_folder_that_cannot_be_written_is_named(rig: Rig, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    rig.folder = file / "db"
    with pytest.raises(StorageUnavailable, match="CM_DB_PATH"):
        await rig.run(SeedFromCsv())
