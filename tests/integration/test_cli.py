"""The program as people and timers start it: a process, its output and its exit code."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import httpx
import pytest

from community_metrics.api.app import create_app
from community_metrics.catalog import load_catalog
from community_metrics.catalog.edit import plan_addition
from community_metrics.catalog.files import init_catalog
from community_metrics.cli.checks import Verdict
from community_metrics.cli.doctor import examine
from community_metrics.cli.main import COMMANDS, SUBCOMMANDS, load_command
from community_metrics.model import JobName, Provenance
from community_metrics.periods import ONE_DAY, ONE_WEEK
from community_metrics.runs.registry import JOBS, BootstrapTables, ImportFile, WeeklyRefresh
from community_metrics.sources import available_sources
from community_metrics.storage import LanceDBStore
from community_metrics.storage.schemas import HISTORY, METRICS, STATS
from tests.support import cli_docs
from tests.support.clock import NOON, FakeClock
from tests.support.jobs import ROOT
from tests.support.program import run_program
from tests.support.registry import Registry
from tests.support.scripted import Scripted
from tests.support.worlds import raw_table

if TYPE_CHECKING:
    from community_metrics.storage.schemas import AnyTable
    from tests.support.jobs import Rig

PROGRAM = [sys.executable, "-m", "community_metrics.cli.main"]
COMMANDS_FOLDER = ROOT / "runtime" / "community_metrics" / "cli" / "commands"
JOB_COMMANDS = {
    "seed_from_csv": "seed",
    "daily_refresh": "refresh-daily",
    "weekly_refresh": "refresh",
    "update_all": "update-all",
    "bootstrap_tables": "bootstrap",
    "import_file": "import",
    "replay": "replay",
    "backfill": "backfill",
}
PYTHON, NODEJS = "downloads:lancedb:python", "downloads:lancedb:nodejs"


def start(
    rig: Rig, *words: str, program: list[str] | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a command; from its first import with `program`, or with what Python reads when it begins."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CM_", "PYTHONIO"))}
    environment = {**kept, **rig.replay.environment(), "CM_DB_PATH": str(rig.folder), **more}
    if program is None and "PYTHONIOENCODING" not in more:
        return run_program(words, rig.folder.parent, environment)
    return subprocess.run(
        [*(program or PROGRAM), *words],
        check=False,
        env=environment,
        cwd=rig.folder.parent,
        capture_output=True,
        timeout=60,
        encoding="utf-8",
    )


def on_a_terminal(rig: Rig, *words: str, **more: str) -> str:
    """Return what the program shows on a terminal of 200 columns."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CM_")}
    sized = {"COLUMNS": "200", "TERM": "dumb"}
    environment = {**kept, **rig.replay.environment(), "CM_DB_PATH": str(rig.folder), **sized, **more}
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [*PROGRAM, *words],
            env=environment,
            cwd=rig.folder.parent,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the end of a terminal
            while part := screen.read(65_536):
                shown += part
        process.wait(60)
    return shown.decode()


class TestHelp:
    @pytest.mark.parametrize("words", [["--help"], ["refresh", "--help"], ["catalog", "--help"]])
    def test_help_loads_nothing_heavy(self, words: list[str]) -> None:
        code = (
            "import sys\n"
            f"sys.argv = ['community-metrics', *{words!r}]\n"
            "from community_metrics.cli.main import main\n"
            "try:\n    main()\n"
            "except SystemExit as end:\n    assert not end.code\n"
            "heavy = {'lancedb', 'pyarrow', 'pydantic_settings', 'httpx', 'rich.table', 'rich.markdown'}\n"
            # typer imports pydantic for the option of a group; ours need these modules first
            "ours = {f'community_metrics.{name}' for name in ('catalog', 'config', 'api', 'cli.jobs')}\n"
            "print(sorted((heavy | ours) & set(sys.modules)), file=sys.stderr)\n"
        )
        run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        assert run.stderr.strip() == "[]"
        assert "Usage: community-metrics" in run.stdout

    def test_the_help_of_the_program_is_that_of_each_command(self) -> None:
        listed = {name: text for panel in COMMANDS.values() for name, text in panel.items()}
        listed |= {
            f"{group} {name}": text for group, own in SUBCOMMANDS.items() for name, text in own.items()
        }
        own_help = {path: load_command(path).get_short_help_str(limit=1_000) for path in listed}
        assert listed == own_help

    def test_each_module_of_a_command_is_listed(self) -> None:
        names = {
            name.replace("-", "_").replace("import", "import_file")
            for panel in COMMANDS.values()
            for name in panel
        }
        assert {path.stem for path in COMMANDS_FOLDER.glob("[a-z]*.py")} == names

    def test_a_mistyped_command_gets_a_suggestion(self, rig: Rig) -> None:
        assert "Did you mean 'report'?" in start(rig, "repot").stderr
        assert "Did you mean 'show'?" in start(rig, "catalog", "sow").stderr

    def test_each_job_can_be_selected(self) -> None:
        assert list(get_args(JobName)) == [*JOBS, "repair", "event", "digest", "deliver", "undo"]

    def test_each_job_has_a_command(self) -> None:
        assert JOB_COMMANDS.keys() == JOBS.keys()

    @pytest.mark.parametrize(("module", "command"), JOB_COMMANDS.items())
    def test_a_job_module_has_the_options_of_its_command(self, rig: Rig, module: str, command: str) -> None:
        job = start(rig, "--help", program=[sys.executable, "-m", f"community_metrics.jobs.{module}"])
        ours = start(rig, command, "--help")
        assert job.returncode == ours.returncode == 0
        assert job.stdout.partition("\n")[2] == ours.stdout.partition("\n")[2]

    def test_the_program_runs_as_a_module(self, rig: Rig) -> None:
        run = start(rig, "--version", program=[sys.executable, "-m", "community_metrics"])
        assert (run.returncode, run.stdout.strip()) == (0, version("community-metrics"))

    @pytest.mark.parametrize(
        ("typed", "offered"),
        [
            ("re", {"report", "refresh", "refresh-daily", "replay", "repair", "restore"}),
            ("catalog s", {"show"}),
        ],
    )
    def test_a_shell_completes_commands(self, rig: Rig, typed: str, offered: set[str]) -> None:
        protocol = {
            "_COMMUNITY_METRICS_COMPLETE": "complete_bash",
            "COMP_WORDS": f"community-metrics {typed}",
            "COMP_CWORD": str(len(typed.split())),
        }
        program = [str(Path(sys.executable).with_name("community-metrics"))]
        assert set(start(rig, program=program, **protocol).stdout.split()) == offered

    def test_the_page_about_the_program_is_up_to_date(self) -> None:
        page = Path(cli_docs.PAGE)
        assert page.read_text(encoding="utf-8") == cli_docs.rendered(), (
            "python -m tests.support.cli_docs writes it"
        )


class TestExitCodes:
    @pytest.mark.parametrize("words", [["--help"], ["catalog", "show"], ["catalog", "show", "--json"]])
    def test_a_full_disk_behind_the_output_is_one_message(self, rig: Rig, words: list[str]) -> None:
        with Path("/dev/full").open("w") as full:
            run = subprocess.run(
                [*PROGRAM, *words], check=False, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
            )
        assert run.returncode == 1
        assert run.stderr == (
            "Error: The output cannot be written: No space left on device. Fix: write it somewhere else.\n"
        )

    @pytest.mark.parametrize(
        ("words", "allowed"),
        [
            (["report", "--weeks", "1_0"], "1_0 is not a whole number from 1 to 520"),
            (["report", "--width", "59"], "59 is not a whole number from 60 to 400"),
            (["report", "--full", "--markdown"], "choose one of --full, --markdown and --json"),
            (["report", "--weeks", "+4"], "+4 is not a whole number from 1 to 520"),
            (
                ["insights", "--week", "2026-W54"],
                "'2026-W54' is not a week from 1971 to 2199",
            ),
            (["insights", "--week", "2199-W01"], "2199-W01 is not over; the last one is"),
            (
                ["insights", "--week", "2026-W47", "--month", "2026-10"],
                "--month exclude each other",
            ),
            (["digest", "--quarter", "2026-Q5"], "'2026-Q5' is not a quarter from 1971 to 2199"),
            (["digest", "--week", "last", "--month", "last"], "--month exclude each other"),
            (["before-after", "x", "--day", "2026-13-01"], "2026-13-01 is not a day written YYYY-MM-DD"),
            (
                ["before-after", "x", "--day", "2026-10-14", "--days", "10"],
                "10 is not a multiple of 7 from 7 to 364",
            ),
            (["before-after", "x"], "one of --day and --event is missing"),
            (["before-after", "x", "--event", "e", "--day", "2026-10-14"], "--day and --event exclude"),
            (["refresh", "--lookback-weeks", "521"], "521 is not a whole number from 1 to 520"),
            (["history", "--limit", "0"], "0 is not a whole number from 1 to 1000"),
            (["serve", "--port", "65536"], "65536 is not a whole number from 0 to 65535"),
            (["history", "--job", "nope"], "'nope' is not one of 'seed_from_csv', 'daily_refresh'"),
        ],
    )
    def test_a_value_that_an_option_does_not_allow_is_refused_with_the_allowed_ones(
        self, rig: Rig, words: list[str], allowed: str
    ) -> None:
        run = start(rig, *words, COLUMNS="200")
        assert run.returncode == 2
        assert allowed in run.stderr

    def test_success_is_0_and_a_rerun_changes_nothing(self, rig: Rig) -> None:
        first, second = start(rig, "seed", "--json"), start(rig, "seed", "--json")
        assert first.returncode == second.returncode == 0
        assert json.loads(first.stdout)["run"]["rows_inserted"] > 0
        assert json.loads(second.stdout)["run"]["rows_inserted"] == 0

    @pytest.mark.parametrize(("strict", "code"), [([], 0), (["--strict"], 3)])
    def test_a_partial_run_is_0_and_under_strict_3(self, rig: Rig, strict: list[str], code: int) -> None:
        rig.replay.always("*/packages/lancedb/*", Scripted(404, body={"message": "no"}))
        run = start(rig, "refresh", "--only", "downloads:lance*:python", *strict)
        assert run.returncode == code
        assert PYTHON in run.stdout
        assert "partial" in run.stdout

    def test_a_failed_run_is_1(self, rig: Rig) -> None:
        rig.replay.always("*/packages/lancedb/*", Scripted(404, body={"message": "no"}))
        assert start(rig, "refresh", "--only", PYTHON).returncode == 1

    def test_best_effort_ignores_failures_of_registries_only(self, rig: Rig) -> None:
        rig.replay.always("*/packages/lancedb/*", Scripted(404, body={"message": "no"}))
        words = ("refresh", "--best-effort", "--only", PYTHON)
        unavailable = start(rig, *words)
        unwritable = start(rig, *words, CM_DB_PATH="/proc/nowhere")
        assert (unavailable.returncode, unwritable.returncode) == (0, 1)
        assert "weekly_refresh: failed" in unavailable.stdout
        assert "CM_DB_PATH" in unwritable.stderr

    @pytest.mark.parametrize(
        ("spec", "column", "commands"),
        [
            (METRICS, "value_kind", ["refresh", "seed"]),
            (STATS, "provenance", ["report", "seed"]),
            (HISTORY, "status", ["status", "history"]),
        ],
    )
    async def test_a_word_of_a_newer_version_is_one_message(
        self, rig: Rig, spec: AnyTable, column: str, commands: list[str]
    ) -> None:
        assert start(rig, "seed").returncode == 0
        async with LanceDBStore.open(rig.settings) as store:
            await (await raw_table(store, spec)).update({column: "odd"})
        for command in commands:
            run = start(rig, command)
            assert run.returncode == 1
            assert "Traceback" not in run.stderr
            message = run.stderr.splitlines()[-1]
            assert message.startswith(f"Error: The table {spec.name} has a row with {column} 'odd', which")

    def test_make_up_ignores_no_other_failure(self) -> None:
        (line,) = [
            line for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if "metrics refresh" in line
        ]
        assert "refresh --best-effort" in line
        assert "||" not in line

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["refresh", "--only", "downloads:lance:pyton"], "downloads:lance:python"),
            (["refresh", "--lookback-weeks", "0"], "0 is not a whole number from 1 to 520"),
            (["refresh", "--lookback-weeks", "999999"], "is not a whole number from 1 to 520"),
            (["update-all", "--lookback-weeks", "521"], "is not a whole number from 1 to 520"),
            (["report", "--weeks", "999999"], "is not a whole number from 1 to 520"),
            (["seed", "--path", "nowhere.csv"], "nowhere.csv"),
            (["bootstrap", "--reset"], "--yes"),
            (["frobnicate"], "No such command"),
        ],
    )
    def test_a_mistake_is_2_and_one_message_without_a_traceback(
        self, rig: Rig, words: list[str], message: str
    ) -> None:
        run = start(rig, *words)
        assert run.returncode == 2
        assert message in run.stderr
        assert "Traceback" not in run.stderr

    def test_every_fault_of_the_settings_is_reported(self, rig: Rig) -> None:
        run = start(rig, "status", CM_STORAGE_MODE="enterprise")
        assert run.returncode == 2
        assert "CM_LANCEDB_URI" in run.stderr
        assert "CM_LANCEDB_API_KEY" in run.stderr

    @pytest.mark.parametrize("command", ["seed", "repair"])
    async def test_a_held_database_is_75(self, rig: Rig, command: str) -> None:
        await rig.run(BootstrapTables())
        async with LanceDBStore.open(rig.settings) as store:
            now = datetime.now(UTC)  # the lease must be live for the real clock
            await store.acquire_lease("another", host="elsewhere", pid=1, now=now, ttl=timedelta(minutes=5))
        run = start(rig, command)
        assert run.returncode == 75
        assert "another" in run.stderr

    def test_a_missing_database_is_1_with_the_command_that_creates_it(self, rig: Rig) -> None:
        run = start(rig, "report")
        assert run.returncode == 1
        assert "community-metrics bootstrap" in run.stderr


class TestViews:
    def test_a_dry_run_shows_what_would_change_and_writes_nothing(self, rig: Rig) -> None:
        assert "would be new" in start(rig, "seed", "--dry-run").stdout
        assert not rig.folder.exists()

    def test_seed_data_alone_make_a_report_of_estimates_with_its_age(self, rig: Rig) -> None:
        start(rig, "seed")
        run = start(rig, "report", "--full", COLUMNS="80", PYTHONIOENCODING="utf-8")
        assert "days old; the window ends there" in " ".join(run.stdout.split())
        assert "≈" in run.stdout
        run = start(rig, "report", "--width", "100", PYTHONIOENCODING="utf-8")
        assert "≈" in run.stdout
        assert "History to May 2026, from files" in run.stdout

    def test_a_terminal_without_unicode_does_not_end_the_program(self, rig: Rig) -> None:
        start(rig, "seed")
        for form in ([], ["--full"], ["--markdown"]):
            run = start(rig, "report", *form, PYTHONIOENCODING="ascii")
            assert (run.returncode, run.stdout.isascii()) == (0, True)

    async def test_the_report_shows_what_the_registry_counted(self, rig: Rig) -> None:
        await rig.run(WeeklyRefresh(only=(NODEJS,)))
        report = json.loads(start(rig, "report", "--weeks", "4", "--json").stdout)
        metrics = [metric for product in report["products"] for metric in product["metrics"]]
        latest = next(m["latest_complete"] for m in metrics if m["metric_id"] == NODEJS)
        registry = rig.replay.registry
        assert registry is not None
        days = [NOON.date() - n * ONE_DAY for n in range(1, 8)]
        assert latest["week"] == "2026-W47"
        assert latest["value"] == sum(registry.value("npm", "@lancedb/lancedb", day) or 0 for day in days)

    async def test_a_success_is_seen_behind_any_number_of_narrowed_runs(self, rig: Rig) -> None:
        await rig.run(WeeklyRefresh())
        (success,) = await rig.runs()
        narrowed = [
            replace(
                success,
                ingestion_run_id=f"narrowed-{n}",
                scope=NODEJS,
                started_at=success.started_at + timedelta(minutes=n),
            )
            for n in range(1, 101)
        ]
        async with LanceDBStore.open(rig.settings) as store:
            await (await raw_table(store, HISTORY)).add(HISTORY.to_arrow(narrowed))
        for command in ("status", "report"):
            freshness = json.loads(start(rig, command, "--json").stdout)["freshness"]
            assert success.finished_at is not None
            assert datetime.fromisoformat(freshness["last_success_at"]) == success.finished_at

    async def test_status_and_history_include_the_run(self, rig: Rig) -> None:
        report = await rig.run(WeeklyRefresh(only=(NODEJS,)))
        status = json.loads(start(rig, "status", "--json").stdout)
        history = json.loads(start(rig, "history", "--json").stdout)
        metric = next(metric for metric in status["metrics"] if metric["metric_id"] == NODEJS)
        assert (metric["newest_day"], metric["published_through"]) == ("2026-11-22", "2026-11-22")
        assert history["runs"][0]["run_id"] == report.run.ingestion_run_id

    def test_without_a_terminal_the_log_is_json_on_stderr_and_stdout_holds_the_result(self, rig: Rig) -> None:
        run = start(rig, "seed", "--json")
        assert json.loads(run.stdout)["run"]["state"] == "success"
        assert "run closed" in [json.loads(line)["event"] for line in run.stderr.splitlines()]


class TestDoctor:
    async def test_a_filled_database_and_reachable_registries_have_no_problem(self, rig: Rig) -> None:
        await rig.run(WeeklyRefresh())
        checks = await examine(rig.settings, FakeClock())
        assert [check.detail for check in checks if check.verdict is Verdict.FAIL] == []
        sources = available_sources()
        hosts = {
            sources[metric.source].host
            for metric in load_catalog(None).select([])
            if metric.source in sources
        }
        assert sum(check.area == "sources" for check in checks) == len(hosts)

    @pytest.mark.parametrize(("source", "asked"), [("crates:lance", False), ("github-history:o/r", True)])
    async def test_a_github_token_is_asked_for_only_where_a_metric_is_read_from_github(
        self, rig: Rig, tmp_path: Path, source: str, asked: bool
    ) -> None:
        own = tmp_path / "catalog.toml"
        init_catalog(own)
        plan_addition(own, [source], "p").write()
        rig.settings_overrides["catalog"] = own
        checks = await examine(rig.settings, FakeClock())
        assert any("CM_GITHUB_TOKEN" in check.fix for check in checks if check.area == "settings") is asked

    async def test_a_day_lost_since_the_last_success_is_a_problem_with_its_fix(self, rig: Rig) -> None:
        await rig.run(WeeklyRefresh())
        registry = rig.replay.registry
        assert registry is not None
        rig.now += ONE_WEEK
        registry.today += ONE_WEEK
        await rig.run(WeeklyRefresh(only=(NODEJS,)))
        async with LanceDBStore.open(rig.settings) as store:
            await (await raw_table(store, STATS)).delete(f"stat_key = '{NODEJS}|2026-11-24'")
        checks = await examine(rig.settings, FakeClock(rig.now))
        (fault,) = [check for check in checks if check.area == "gaps" and NODEJS in check.detail]
        assert fault.verdict is Verdict.FAIL
        assert "2026-11-24" in fault.detail
        assert f"--only {NODEJS}" in fault.fix

    async def test_a_day_that_a_complete_refresh_did_not_get_is_a_warning(self, rig: Rig) -> None:
        registry = rig.replay.registry
        assert registry is not None
        lost = NOON.date() - 12 * ONE_DAY
        registry.overrides = {
            ("npm", "@lancedb/lancedb", lost): None,
            ("npm", "registry total", lost): None,
        }
        await rig.run(WeeklyRefresh())
        checks = await examine(rig.settings, FakeClock())
        (gap,) = [check for check in checks if check.area == "gaps"]
        assert gap.verdict is Verdict.WARN
        assert f"{NODEJS} lacks {lost}, which npm did not return" in gap.detail
        assert "nothing to do" in gap.fix

    async def test_registries_without_data_for_two_weeks_are_a_problem(self, rig: Rig) -> None:
        rig.now += timedelta(weeks=2)  # of the program, not of the registries
        report = await rig.run(WeeklyRefresh())
        faults = [c for c in await examine(rig.settings, FakeClock(rig.now)) if c.verdict is Verdict.FAIL]
        assert report.run.error_summary is None
        assert {fault.detail.partition(" has published no day after ")[0] for fault in faults} >= {
            "npm",
            "crates",
        }
        assert all("community-metrics refresh" in fault.fix for fault in faults)

    async def test_a_key_that_is_stored_twice_is_found_and_repaired(self, rig: Rig) -> None:
        await rig.run(WeeklyRefresh(only=(NODEJS,)))
        async with LanceDBStore.open(rig.settings) as store:
            table = await raw_table(store, STATS)
            await table.add(await table.query().where(f"stat_key = '{NODEJS}|2026-11-11'").to_arrow())
        assert any(
            c.area == "keys" and c.verdict is Verdict.FAIL for c in await examine(rig.settings, FakeClock())
        )
        repaired = json.loads(start(rig, "repair", "--json").stdout)
        assert repaired["dropped"] == [{"table": "stats", "key": f"{NODEJS}|2026-11-11"}]

    async def test_a_value_that_changed_in_its_file_is_named_with_its_fix(self, rig: Rig) -> None:
        await rig.run(WeeklyRefresh(only=(NODEJS,)))
        async with LanceDBStore.open(rig.settings) as store:
            table = await raw_table(store, STATS)
            await table.update({"value": 7}, where=f"stat_key = '{NODEJS}|2026-11-11'")
        faults = [c for c in await examine(rig.settings, FakeClock()) if c.verdict is Verdict.FAIL]
        (fault,) = [fault for fault in faults if fault.area == "rows"]
        assert f"value is first_value): {NODEJS}|2026-11-11" in fault.detail
        assert "`community-metrics update-all`" in fault.fix

    async def test_a_run_of_a_clock_ahead_is_found_and_removed(self, rig: Rig) -> None:
        await rig.run(WeeklyRefresh(only=(NODEJS,)))
        rows = await rig.stats()
        rig.now = datetime.now(UTC) + timedelta(days=400)
        ahead = await rig.run(WeeklyRefresh(only=("stars:*",)))
        (fault,) = [c for c in await examine(rig.settings, FakeClock()) if c.area == "clock"]
        assert fault.verdict is Verdict.FAIL
        assert ahead.run.ingestion_run_id in fault.detail
        assert "`community-metrics repair`" in fault.fix
        printed = start(rig, "repair").stdout
        assert f"deleted 1 row of {ahead.run.ingestion_run_id} from history: from the future" in printed
        assert await rig.stats() == rows
        assert [run.job_name for run in await rig.runs()] == ["repair", "weekly_refresh"]

    async def test_a_damaged_index_is_named_with_the_command_that_rebuilds_it(self, rig: Rig) -> None:
        await rig.run(WeeklyRefresh(only=(NODEJS,)))
        for path in (rig.folder / "stats.lance" / "_indices").rglob("*.lance"):
            path.unlink()
        (fault,) = [c for c in await examine(rig.settings, FakeClock()) if c.verdict is Verdict.FAIL]
        assert (fault.area, "`community-metrics repair`" in fault.fix) == ("indexes", True)
        assert "built the index of stats.metric_id" in start(rig, "repair").stdout
        assert all(
            c.area != "indexes" or c.verdict is Verdict.OK for c in await examine(rig.settings, FakeClock())
        )

    async def test_a_word_of_a_newer_version_has_only_its_own_fix(self, rig: Rig) -> None:
        await rig.run(WeeklyRefresh(only=(NODEJS,)))
        async with LanceDBStore.open(rig.settings) as store:
            await (await raw_table(store, HISTORY)).update({"status": "odd"})
        (fault,) = [c for c in await examine(rig.settings, FakeClock()) if c.verdict is Verdict.FAIL]
        assert "status 'odd'" in fault.detail
        assert "Fix: upgrade" in fault.detail
        assert fault.fix == ""

    async def test_a_registry_that_rejects_requests_is_named_with_the_override(self, rig: Rig) -> None:
        await rig.run(WeeklyRefresh())
        rig.replay.always("/api/v1/crates/*", Scripted(403, body={"errors": [{"detail": "no"}]}))
        (fault,) = [c for c in await examine(rig.settings, FakeClock()) if c.verdict is Verdict.FAIL]
        assert fault.area == "sources"
        assert "CM_SOURCE_URL_CRATES" in fault.fix

    def test_without_a_database_it_exits_with_1_and_prints_the_command_that_creates_it(
        self, rig: Rig
    ) -> None:
        run = start(rig, "doctor")
        assert run.returncode == 1
        assert "community-metrics seed" in run.stdout


class TestImport:
    def test_it_shows_what_it_would_store_and_stores_it_in_one_run(self, rig: Rig) -> None:
        file = rig.folder.parent / "mine.csv"
        file.write_text(
            "category,date,downloads\nwithout_mirrors,2024-05-03,10\nwithout_mirrors,2024-05-04,12\n"
        )
        run = start(rig, "import", "--metric", PYTHON, str(file))
        assert run.returncode == 0, run.stderr
        shown = run.stdout.index("2024-05-03 \N{EN DASH} 2024-05-04")
        stored = run.stdout.index("import_file: success   2 new, 0 changed, 0 unchanged")
        assert shown < run.stdout.index("mine.csv is a pypistats file: 2 values.") < stored
        history = json.loads(start(rig, "history", "--json").stdout)
        assert [(one["job_name"], one["rows_inserted"]) for one in history["runs"]] == [("import_file", 2)]

    def test_a_dry_run_stores_nothing(self, rig: Rig) -> None:
        file = rig.folder.parent / "range.json"
        rows = [{"day": "2024-05-03", "downloads": 7}]
        file.write_text(json.dumps({"package": "@lancedb/lancedb", "downloads": rows}))
        run = start(rig, "import", "--metric", NODEJS, "--dry-run", "--json", str(file))
        assert json.loads(run.stdout)["plan"]["metrics"][0]["new"] == 1
        assert start(rig, "history").returncode == 1

    def test_a_refused_file_is_2_and_names_its_format(self, rig: Rig) -> None:
        file = rig.folder.parent / "stars.csv"
        file.write_text("Repository,Date,Stars\nlancedb/lancedb,2022-07-23T00:15:10Z,0\n")
        run = start(rig, "import", "--metric", PYTHON, "--format", "pypistats", str(file))
        assert run.returncode == 2
        assert "it is a star-history file, not a pypistats file. Fix: use --format star-history" in run.stderr
        assert not rig.folder.exists()

    @pytest.mark.parametrize("path", ["export/stats.csv", f"series/{PYTHON}?format=csv&grain=day"])
    async def test_an_export_of_the_api_loads_back(self, rig: Rig, path: str, tmp_path: Path) -> None:
        await rig.run(WeeklyRefresh())
        app = create_app(rig.settings, clock=FakeClock())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://api.test"
        ) as client:
            response = await client.get(f"/api/v1/{path}")
        file = tmp_path / "export.csv"
        file.write_bytes(response.content)
        job = ImportFile(file, metric=PYTHON)
        later = replace(rig, now=rig.now + timedelta(minutes=1))  # a value read later is left out
        other = replace(later, folder=tmp_path / "other.lancedb")
        await other.run(job)
        expected = [row for row in await rig.stats() if row.metric_id == PYTHON]
        stored = await other.stats()
        assert [(row.period_end, row.value) for row in stored] == [(r.period_end, r.value) for r in expected]
        assert {row.provenance for row in stored} == {Provenance.CSV_SEED}
        if path.startswith("export"):
            assert all(row.source_ref.endswith(expected[0].source_ref) for row in stored)
        again = await later.run(job)
        assert (again.run.rows_inserted, again.run.rows_updated) == (0, 0)


class TestTerminal:
    def test_a_note_is_shown_once_and_no_log_line_beside_the_bars(self, rig: Rig) -> None:
        lost = datetime.now(UTC).date() - timedelta(days=20)
        registry = Registry(datetime.now(UTC).date())
        registry.overrides = {("npm", "@lancedb/lancedb", lost): None, ("npm", "registry total", lost): None}
        rig.replay.registry = registry
        shown = on_a_terminal(rig, "refresh", "--only", NODEJS)
        assert shown.count(f"{lost}") == 1
        assert "[warning" not in shown
        assert "weekly_refresh: success" in shown

    def test_debugging_shows_the_log_all_the_same(self, rig: Rig) -> None:
        assert "run closed" in on_a_terminal(rig, "refresh", "--only", NODEJS, CM_LOG_LEVEL="DEBUG")


class TestCatalog:
    def test_an_own_catalogue_is_created_extended_and_validated(self, rig: Rig) -> None:
        assert start(rig, "catalog", "init", "my.toml").returncode == 0
        added = start(rig, "catalog", "add", "pypistats:httpx", "--product", "httpx", CM_CATALOG="my.toml")
        assert "downloads:httpx:python" in added.stdout
        assert "is in order" in start(rig, "catalog", "check", CM_CATALOG="my.toml").stdout
        shown = json.loads(start(rig, "catalog", "show", "--json", CM_CATALOG="my.toml").stdout)
        assert [metric["metric_id"] for metric in shown["metrics"]] == ["downloads:httpx:python"]

    def test_a_package_that_the_registry_does_not_have_is_refused(self, rig: Rig) -> None:
        start(rig, "catalog", "init", "my.toml")
        words = ["catalog", "add", "crates:lance", "npm:no-such-package", "github:no-such/repository"]
        refused = start(rig, *words, "--product", "p", CM_CATALOG="my.toml")
        assert refused.returncode == 2
        assert "npm no-such-package: " in refused.stderr
        assert "github no-such/repository: " in refused.stderr
        assert "crates lance" not in refused.stderr
        assert "--no-check" in refused.stderr
        assert start(rig, *words, "--product", "p", "--no-check", CM_CATALOG="my.toml").returncode == 0

    def test_a_package_is_added_with_a_note_while_its_registry_is_down(self, rig: Rig) -> None:
        start(rig, "catalog", "init", "my.toml")
        words = ["catalog", "add", "crates:lance", "--product", "p"]
        added = start(rig, *words, CM_CATALOG="my.toml", CM_SOURCE_URL_CRATES="http://127.0.0.1:9")
        assert added.returncode == 0
        assert "It was not checked whether the package exists: 127.0.0.1:9 cannot be reached" in added.stderr

    def test_a_list_is_added_and_a_metric_removed(self, rig: Rig) -> None:
        start(rig, "catalog", "init", "my.toml")
        (rig.folder.parent / "list.txt").write_text("crates:lance\nhttps://github.com/lancedb/lancedb\n")
        added = start(rig, "catalog", "add", "--product", "p", "--from", "list.txt", CM_CATALOG="my.toml")
        assert added.returncode == 0, added.stderr
        removed = start(
            rig, "catalog", "remove", "stars:p:github", "stars_retained:p:github", CM_CATALOG="my.toml"
        )
        assert removed.returncode == 0, removed.stderr
        shown = json.loads(start(rig, "catalog", "show", "--json", CM_CATALOG="my.toml").stdout)
        assert [metric["metric_id"] for metric in shown["metrics"]] == ["downloads:p:rust"]

    def test_nothing_to_add_is_a_mistake(self, rig: Rig) -> None:
        start(rig, "catalog", "init", "my.toml")
        run = start(rig, "catalog", "add", "--product", "p", CM_CATALOG="my.toml")
        assert (run.returncode, "Fix: write SOURCE:SUBJECT" in run.stderr) == (2, True)
