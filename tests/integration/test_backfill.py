"""The days from before the first run: what is stored of them, what is not, and what survives a kill."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.cli.backfill_checks import backfill_checks
from community_metrics.errors import ConfigurationError
from community_metrics.model import OutcomeStatus, Provenance, RunStatus, Status, ValueMark
from community_metrics.periods import days_between
from community_metrics.runs.registry import Backfill, WeeklyRefresh
from community_metrics.sources.backfill import BackfillRequest
from community_metrics.sources.backfill.clickpy import ClickPy
from tests.support.clock import NOON, FakeClock
from tests.support.jobs import finished, without_run
from tests.support.registries.archive import ARCHIVE
from tests.support.registry import CRATES, NPM, PYPI, Registry
from tests.support.replay import Replay
from tests.support.scripted import Scripted
from tests.support.shell import shell

if TYPE_CHECKING:
    from community_metrics.model import RunOutcome, StatRow
    from community_metrics.runs.job import RunReport
    from tests.support.jobs import Rig

PYTHON, RUST, NODEJS = "downloads:lance:python", "downloads:lance:rust", "downloads:lancedb:nodejs"
CRATES_TOTAL, NPM_TOTAL = "registry:crates:all", "registry:npm:all"
PAGE = Path(__file__).parents[2] / "docs/backfill.md"
YESTERDAY = NOON.date() - timedelta(days=1)
NEWEST_FILE = YESTERDAY - timedelta(days=90)
LAST = {
    PYTHON: YESTERDAY - timedelta(days=181),
    RUST: NEWEST_FILE,
    NODEJS: YESTERDAY - timedelta(days=549),
    CRATES_TOTAL: NEWEST_FILE,
    NPM_TOTAL: YESTERDAY - timedelta(days=549),
}
"""The newest day that is filled: the source itself returns those after it."""


def registry_of(rig: Rig) -> Registry:
    assert rig.replay.registry is not None
    rig.replay.registry.archived = ("lance", "lancedb")
    return rig.replay.registry


async def rows_of(rig: Rig, metric_id: str) -> dict[date, StatRow]:
    rows = [*await rig.stats(), *await rig.totals()]
    return {row.period_end: row for row in rows if row.metric_id == metric_id}


async def filled(rig: Rig, metric_id: str) -> dict[date, int]:
    rows = await rows_of(rig, metric_id)
    return {day: row.value for day, row in rows.items() if row.provenance is Provenance.BACKFILL}


def outcome(report: RunReport, metric_id: str) -> RunOutcome:
    (found,) = [one for one in report.outcomes if one.metric_id == metric_id]
    return found


def of(metric_id: str, days: int = 40) -> Backfill:
    """Return the job that fills so many days of a metric."""
    return Backfill((metric_id,), LAST[metric_id] - timedelta(days=days - 1))


def true_values(registry: Registry, source: str, subject: str, job: Backfill) -> dict[date, int | None]:
    assert job.since is not None
    days = days_between(job.since, LAST[job.only[0]])
    return {day: registry.value(source, subject, day) for day in days}


@pytest.mark.parametrize(
    ("metric_id", "source", "subject"),
    [(RUST, CRATES, "lance"), (NODEJS, NPM, "@lancedb/lancedb"), (PYTHON, PYPI, "pylance")],
)
async def test_the_days_before_the_first_run_are_stored_once(
    rig: Rig, metric_id: str, source: str, subject: str
) -> None:
    registry, job = registry_of(rig), of(metric_id)
    await rig.run(WeeklyRefresh(only=(metric_id,)))
    refreshed = await rows_of(rig, metric_id)
    report = await rig.run(job)
    assert report.run.status is RunStatus.SUCCESS
    assert await filled(rig, metric_id) == true_values(registry, source, subject, job)
    after = await rows_of(rig, metric_id)
    assert {day: after[day] for day in refreshed} == refreshed
    versions = await rig.versions()
    rig.now += timedelta(days=2)
    again = await rig.run(job)
    assert (again.run.rows_inserted, again.run.rows_updated) == (0, 0)
    assert await rig.versions() == versions


async def test_the_total_of_each_registry_is_filled_with_its_packages(rig: Rig) -> None:
    registry = registry_of(rig)
    for metric_id, total, source, subject in (
        (RUST, CRATES_TOTAL, ARCHIVE, "__all__"),
        (NODEJS, NPM_TOTAL, NPM, "registry total"),
    ):
        job = of(metric_id)
        await rig.run(job)
        assert await filled(rig, total) == true_values(registry, source, subject, job)


@pytest.mark.parametrize(
    ("metric_id", "own", "total"),
    [
        (RUST, (CRATES, "lance"), (ARCHIVE, "__all__")),
        (NODEJS, (NPM, "@lancedb/lancedb"), (NPM, "registry total")),
    ],
)
async def test_the_first_day_of_a_range_is_checked_like_the_others(
    rig: Rig, metric_id: str, own: tuple[str, str], total: tuple[str, str]
) -> None:
    registry, job = registry_of(rig), of(metric_id, 20)
    assert job.since is not None
    registry.overrides |= {(*total, job.since): 900_000, (*own, job.since): 3}
    await rig.run(job)
    assert set(true_values(registry, *own, job)) - set(await filled(rig, metric_id)) == {job.since}


async def test_days_without_a_known_week_beside_them_are_left_for_a_longer_range(rig: Rig) -> None:
    registry_of(rig)
    report = await rig.run(of(RUST, 3))
    (note,) = [note for name, note in report.metric_notes if name == RUST]
    assert note.startswith("3 days left open")
    assert "no week beside them is known" in note
    await rig.run(of(RUST, 14))
    assert len(await filled(rig, RUST)) == 14


async def test_each_file_of_the_archive_is_read_once_for_all_crates(rig: Rig) -> None:
    registry_of(rig)
    await rig.run(Backfill(("downloads:*:rust",), NEWEST_FILE - timedelta(days=13)))
    files = [path for path in rig.replay.paths if path.endswith(".csv")]
    assert len(files) == len(set(files)) == 14
    assert len(await filled(rig, RUST)) == len(await filled(rig, "downloads:lancedb:rust")) == 14


async def test_a_dry_run_says_what_is_missing_and_sends_no_request(rig: Rig) -> None:
    await rig.run(WeeklyRefresh(only=(PYTHON,)))
    rig.replay.requests.clear()
    report = await rig.run(of(PYTHON), dry_run=True)
    first, last = LAST[PYTHON] - timedelta(days=39), LAST[PYTHON]
    assert report.notes == (
        f"{PYTHON}: 40 days from {first} to {last} could come from ClickPy.",
        "ClickPy: 1 request, at least 0:01:00 at its pace.",
    )
    assert rig.replay.paths == []


async def test_metrics_that_nothing_fills_are_refused(rig: Rig) -> None:
    with pytest.raises(ConfigurationError, match="None of the chosen metrics can be filled back"):
        await rig.run(Backfill(("stars:*",)))
    with pytest.raises(ConfigurationError, match="leaves no day to fill"):
        await rig.run(Backfill((RUST,), YESTERDAY))


async def test_doctor_says_how_far_back_each_metric_could_be_filled_and_was(rig: Rig) -> None:
    registry_of(rig).first_day = LAST[NODEJS] - timedelta(days=9)
    await rig.run(WeeklyRefresh(only=(NODEJS,)))
    catalog, clock = load_catalog(None), FakeClock(rig.now)
    before = [check.detail for check in await backfill_checks(rig.settings, catalog, clock)]
    assert any(
        f"{NODEJS}, {NPM_TOTAL} could be filled back to 2015-01-10 from npm history" in text
        for text in before
    )
    await rig.run(Backfill((NODEJS,)))
    after = [check.detail for check in await backfill_checks(rig.settings, catalog, clock)]
    first = registry_of(rig).first_day
    assert (
        f"{NODEJS}, {NPM_TOTAL}: filled back as far as npm history has them; the oldest stored day is {first}"
    ) in after


class TestCrates:
    async def test_a_day_without_a_file_and_one_that_fails_stay_missing(self, rig: Rig) -> None:
        registry, job = registry_of(rig), of(RUST, 70)
        absent, broken = NEWEST_FILE - timedelta(days=20), NEWEST_FILE - timedelta(days=30)
        registry.overrides[ARCHIVE, "__all__", absent] = None
        rig.replay.always(f"*/{broken}.csv", Scripted(body_text="version_id,downloads\n1,2,3\n"))
        report = await rig.run(job)
        expected = true_values(registry, CRATES, "lance", job)
        assert await filled(rig, RUST) == {
            day: value for day, value in expected.items() if day not in {absent, broken}
        }
        assert outcome(report, RUST).status is OutcomeStatus.PARTIAL
        rig.replay.recover()
        assert (await rig.run(job)).run.rows_inserted == 2

    async def test_a_day_that_was_counted_in_part_is_held_back(self, rig: Rig) -> None:
        registry, job = registry_of(rig), of(RUST, 70)
        low = NEWEST_FILE - timedelta(days=30)
        registry.overrides |= {(ARCHIVE, "__all__", low): 900_000, (CRATES, "lance", low): 3}
        report = await rig.run(job)
        assert low not in await filled(rig, RUST)
        assert (await filled(rig, CRATES_TOTAL))[low] == 900_000
        (note,) = [note for name, note in report.metric_notes if name == RUST]
        assert note.startswith(f"1 day left open, {low}: the archive has no complete file of them")
        preview = await rig.run(job, dry_run=True)
        assert preview.notes[0].startswith(f"{RUST}: 1 day from {low} to {low} could come from")
        assert len(preview.notes) == 2
        await rig.run(job)
        assert low not in await filled(rig, RUST)

    async def test_a_crate_without_a_row_in_a_complete_file_has_a_zero(self, rig: Rig) -> None:
        registry, job = registry_of(rig), of(RUST, 70)
        registry.usual[CRATES, "lance"] = 3
        quiet = NEWEST_FILE - timedelta(days=30)
        registry.overrides[CRATES, "lance", quiet] = 0
        await rig.run(job)
        row = (await rows_of(rig, RUST))[quiet]
        assert (row.value, row.mark, row.status) == (0, ValueMark.IMPLIED_ZERO, Status.FINAL)

    async def test_days_before_the_first_version_have_no_value(self, rig: Rig) -> None:
        registry, job = registry_of(rig), of(RUST, 70)
        registry.overrides = {
            (ARCHIVE, "__all__", day): 1_000_000 for day in days_between(date(2026, 1, 1), NEWEST_FILE)
        }
        registry.first_day = NEWEST_FILE - timedelta(days=9)
        await rig.run(job)
        assert min(await filled(rig, RUST)) == registry.first_day

    async def test_a_limit_ends_the_requests_and_keeps_what_was_read(self, rig: Rig) -> None:
        registry_of(rig)
        rig.replay.always(f"*/{NEWEST_FILE - timedelta(days=14)}.csv", Scripted(429, {"retry-after": "7200"}))
        report = await rig.run(of(RUST))
        assert len(await filled(rig, RUST)) == 14
        assert outcome(report, RUST).error_class == "SourceRateLimited"
        assert len([path for path in rig.replay.paths if path.endswith(".csv")]) == 15
        rig.replay.recover()
        rig.replay.requests.clear()
        await rig.run(of(RUST))
        assert len(await filled(rig, RUST)) == 40
        assert len([path for path in rig.replay.paths if path.endswith(".csv")]) == 26


class TestNpm:
    async def test_it_is_asked_in_chunks_of_a_year_since_the_beginning(self, rig: Rig) -> None:
        registry_of(rig)
        await rig.run(Backfill((NODEJS,)))
        ranges = [path.split("/")[3].split(":") for path in rig.replay.paths if "lancedb" in path]
        spans = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in ranges]
        assert all((last - first).days <= 364 for first, last in spans)
        assert (spans[-1][0], spans[0][1]) == (date(2015, 1, 10), LAST[NODEJS])
        assert min(await filled(rig, NODEJS)) == registry_of(rig).first_day

    async def test_without_the_total_no_day_of_a_package_is_stored(self, rig: Rig) -> None:
        registry_of(rig)
        rig.replay.always(f"*:{LAST[NODEJS]}", Scripted(404, body={}))
        report = await rig.run(of(NODEJS))
        assert await filled(rig, NODEJS) == {}
        assert outcome(report, NODEJS).status is OutcomeStatus.FAILED
        rig.replay.recover()
        assert (await rig.run(of(NODEJS))).run.rows_inserted == 80

    async def test_a_zero_is_judged_by_the_total_of_the_same_chunk(self, rig: Rig) -> None:
        registry, job = registry_of(rig), of(NODEJS, 70)
        registry.usual[NPM, "@lancedb/lancedb"] = 3
        quiet, lost = (LAST[NODEJS] - timedelta(days=back) for back in (30, 40))
        registry.overrides |= {(NPM, "@lancedb/lancedb", day): 0 for day in (quiet, lost)}
        registry.overrides[NPM, "registry total", lost] = 0
        await rig.run(job)
        found = await filled(rig, NODEJS)
        assert found[quiet] == 0
        assert lost not in found
        assert lost not in await filled(rig, NPM_TOTAL)


class TestClickPy:
    @pytest.fixture(autouse=True)
    async def refreshed(self, rig: Rig) -> None:
        await rig.run(WeeklyRefresh(only=("downloads:*:python",)))
        rig.replay.requests.clear()

    async def test_where_it_counts_otherwise_nothing_is_stored_and_the_report_says_so(self, rig: Rig) -> None:
        registry_of(rig).clickpy_factor = 1.03
        report = await rig.run(of(PYTHON))
        assert await filled(rig, PYTHON) == {}
        assert "ClickPy and pypistats differ by 3.0% (median of 180 days)" in str(
            outcome(report, PYTHON).message
        )

    async def test_without_days_in_common_nothing_is_stored(self, rig: Rig) -> None:
        registry_of(rig).clickpy_until = LAST[PYTHON] + timedelta(days=21)
        report = await rig.run(of(PYTHON))
        assert await filled(rig, PYTHON) == {}
        assert "have 20 complete days in common" in str(outcome(report, PYTHON).message)

    async def test_days_of_a_stall_are_unknown_and_no_zeros(self, rig: Rig) -> None:
        registry, job = registry_of(rig), of(PYTHON, 80)
        stalled = list(days_between(LAST[PYTHON] - timedelta(days=45), LAST[PYTHON] - timedelta(days=40)))
        names = ("pip", "requests", "setuptools", "six", "urllib3", "pylance")
        registry.overrides |= {(PYPI, name, day): None for name in names for day in stalled}
        await rig.run(job)
        assert set(true_values(registry, PYPI, "pylance", job)) - set(await filled(rig, PYTHON)) == set(
            stalled
        )

    def test_a_hundred_packages_take_few_queries(self) -> None:
        request = BackfillRequest(PYTHON, "pylance", "pypistats", {}, LAST[PYTHON], LAST[PYTHON])
        assert ClickPy().steps([request] * 100) == 3

    async def test_packages_share_a_query_that_fails_instead_of_being_cut(self, rig: Rig) -> None:
        await rig.run(Backfill(("downloads:*:python",)))
        assert len(rig.replay.requests) == 1
        assert rig.replay.requests[0].params == {
            "user": "demo",
            "result_overflow_mode": "throw",
            "read_overflow_mode": "throw",
            "wait_end_of_query": "1",
        }

    @pytest.mark.parametrize(
        ("reply", "said"),
        [
            (
                Scripted(500, {"x-clickhouse-exception-code": "396"}, body_text="Code: 396. DB::Exception"),
                "over a limit",
            ),
            (
                Scripted(404, {"x-clickhouse-exception-code": "60"}, body_text="Code: 60. DB::Exception"),
                "it may be being rebuilt",
            ),
            (
                Scripted(500, {"x-clickhouse-exception-code": "201"}, body_text="Code: 201. DB::Exception"),
                "requests are limited",
            ),
            (Scripted(429, body_text="slow down"), "requests are limited"),
            (Scripted(body={"data": [], "rows": 3}), "it has 0 of 3 rows"),
            (Scripted(body={"data": [], "rows": 0, "exception": "Code: 159. TIMEOUT"}), "ends with an error"),
            (Scripted(body={"data": [], "rows": 0}), "it lacks pip"),
        ],
    )
    async def test_an_answer_that_is_cut_or_refused_stores_nothing(
        self, rig: Rig, reply: Scripted, said: str
    ) -> None:
        rig.replay.always("/", reply)
        report = await rig.run(of(PYTHON))
        assert said in str(outcome(report, PYTHON).message)
        assert await filled(rig, PYTHON) == {}
        assert len(rig.replay.requests) == 1


def test_the_commands_of_the_page_work_in_their_order(tmp_path: Path) -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    today = datetime.now(UTC).date()
    with Replay(Registry(today)) as registries:
        done = shell(block, tmp_path, registries.environment())
    assert done.returncode == 0, done.stderr
    days = (today - timedelta(days=182)) - date(2025, 1, 1)
    assert f"{days.days + 1} new" in done.stdout


async def test_a_killed_run_is_continued_by_the_next_one(rig: Rig) -> None:
    registry_of(rig)
    job = of(NODEJS)
    code, _, _ = finished(rig.start(job, kill_at="after:upsert_observations:1"))
    assert code == -9
    rig.now += timedelta(hours=2)
    await rig.run(job)
    rows = without_run(list((await rows_of(rig, NODEJS)).values()))
    clean = replace(rig, folder=rig.folder.with_name("clean.lancedb"))
    await clean.run(job)
    assert rows == without_run(list((await rows_of(clean, NODEJS)).values()))
    assert await rig.duplicate_keys() == {}
