"""A machine without network: each command says so once, and no more than is known."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.cli.checks import Verdict
from community_metrics.cli.doctor import examine
from community_metrics.cli.render.report import render_report
from community_metrics.cli.render.run import render_outcome
from community_metrics.cli.render.style import UNICODE, PlainConsole
from community_metrics.config import Settings
from community_metrics.model import RunStatus
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import SeedFromCsv, WeeklyRefresh
from community_metrics.views.report import load_report
from community_metrics.views.rows import read
from tests.support.clock import NOON, FakeClock
from tests.support.jobs import RNG
from tests.support.replay import HOSTS

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

CLOSED = "http://127.0.0.1:9"
"""Nothing listens on the port that the service `discard` once had."""


@pytest.fixture
def offline(tmp_path: Path) -> Settings:
    origins: dict[str, Any] = {f"source_url_{host}": CLOSED for host in HOSTS}
    return Settings(_env_file=None, db_path=str(tmp_path / "db"), **origins)


def printed(what: RenderableType) -> str:
    console = PlainConsole(width=110, file=io.StringIO(), force_terminal=False)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_a_refresh_has_one_line_for_each_cause_and_names_the_demo(offline: Settings) -> None:
    job = WeeklyRefresh(only=("downloads:lance:*", "stars:*"))
    report = await execute(job, offline, clock=FakeClock(), rng=RNG)
    assert report.run.status is RunStatus.FAILED
    text = printed(render_outcome(report, UNICODE))
    first, rest = text.split("\n", 1)
    lines = rest.partition("Fix: ")[0].splitlines()
    assert first == "✗ No registry answered; this machine seems to be offline:"
    assert len(lines) == len(report.view.failures) == 3  # pypistats, crates, GitHub
    assert all("127.0.0.1:9 cannot be reached" in line for line in lines)
    assert text.count("`make demo`") == 1
    assert "downloads:lance:python" not in text


async def test_a_registry_that_answered_is_no_machine_without_network(offline: Settings) -> None:
    report = await execute(SeedFromCsv(), offline, clock=FakeClock(), rng=RNG)
    assert not report.is_offline


async def test_the_report_shows_what_is_known_and_ends_with_how_far_it_reaches(offline: Settings) -> None:
    await execute(SeedFromCsv(), offline, clock=FakeClock(), rng=RNG)
    catalog = load_catalog(None)
    report, _ = await read(offline, lambda reader: load_report(reader, catalog, NOON, weeks=12))
    text = printed(render_report(report, UNICODE, 110))
    assert "≈" in text
    assert "Lance Graph" not in text  # nothing is known of it
    assert "has no value of" not in text
    assert "no total of downloads" not in text
    assert "without any value are not shown; `community-metrics status` names them." in text
    assert "! History to May 2026, from files: no registry has been read yet." in text
    assert text.count("`community-metrics refresh`") == text.count("`make demo`") == 1


async def test_doctor_has_one_problem_for_all_registries_and_praises_nothing(offline: Settings) -> None:
    await execute(SeedFromCsv(), offline, clock=FakeClock(), rng=RNG)
    checks = await examine(offline, FakeClock())
    (sources,) = [check for check in checks if check.area == "sources"]
    assert sources.verdict is Verdict.FAIL
    assert sources.detail.count("cannot be reached") == len(sources.detail.splitlines()) - 1 == 8
    assert "`make demo`" in sources.fix
    (gaps,) = [check for check in checks if check.area == "gaps"]
    assert gaps.verdict is Verdict.WARN
    assert not [check for check in checks if check.area == "traffic"]
