"""The host's programs, as far as they need no host: what they measure, say and promise."""

from __future__ import annotations

import json
import runpy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.config import ServiceManager
from community_metrics.errors import ConfigurationError
from community_metrics.host import catch_up as due
from community_metrics.host import monitor, notice
from community_metrics.host.service_manager import handed_over_sockets, notify
from community_metrics.model import RunStatus
from community_metrics.periods import ONE_DAY, Grain, last_weekly, period_of
from community_metrics.runs.registry import JOBS
from community_metrics.series.freshness import missing_days, run_view
from tests.support.rows import run

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WEEK = period_of(date(2026, 11, 16), Grain.WEEK)
FILES = Path(__file__).parents[2] / "infra" / "host" / "files"
UNITS = FILES / "etc" / "systemd" / "system"
MEMINFO = "MemTotal:        2000 kB\nMemFree:          100 kB\nMemAvailable:     500 kB\n"


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 11, 25, 12, tzinfo=UTC), datetime(2026, 11, 23, 6, tzinfo=UTC)),
        (datetime(2026, 11, 23, 6, tzinfo=UTC), datetime(2026, 11, 23, 6, tzinfo=UTC)),
        (datetime(2026, 11, 23, 5, 59, tzinfo=UTC), datetime(2026, 11, 16, 6, tzinfo=UTC)),
        (datetime(2026, 11, 22, 23, tzinfo=UTC), datetime(2026, 11, 16, 6, tzinfo=UTC)),
    ],
)
def test_the_last_monday_at_six_is_never_in_the_future(now: datetime, last: datetime) -> None:
    assert last_weekly(now, due.WEEKLY_AT_H) == last


def test_the_timer_and_the_question_agree_on_the_hour() -> None:
    timer = (UNITS / "community-metrics-weekly-refresh.timer").read_text(encoding="utf-8")

    assert f"OnCalendar=Mon *-*-* {due.WEEKLY_AT_H:02}:00:00 UTC" in timer


@pytest.mark.parametrize(
    ("first_day", "days", "missing"),
    [
        (None, (), 0),
        (date(2025, 1, 1), (), 7),
        (date(2026, 11, 20), (), 3),
        (date(2025, 1, 1), (WEEK.start, WEEK.end), 5),
        (date(2026, 11, 24), (), 0),
    ],
)
def test_a_week_lacks_the_days_since_the_metric_began(
    first_day: date | None, days: Sequence[date], missing: int
) -> None:
    assert len(missing_days(first_day, days, WEEK.start, WEEK.end)) == missing


def test_the_life_of_a_certificate_is_told_in_percent(tmp_path: Path) -> None:
    told = tmp_path / "certificate.json"
    facts = {"not_before": (NOW - 60 * ONE_DAY).isoformat(), "not_after": (NOW + 30 * ONE_DAY).isoformat()}
    told.write_text(json.dumps(facts), encoding="utf-8")

    assert monitor.certificate_life_left(told, NOW, up_s=5) == pytest.approx(100 / 3)
    assert monitor.certificate_life_left(told, NOW + 31 * ONE_DAY, up_s=5) == 0


@pytest.mark.parametrize(("up_s", "left"), [(119, None), (120, 0)])
def test_a_box_without_a_certificate_has_nothing_left_of_it_but_at_boot(
    tmp_path: Path, up_s: float, left: float | None
) -> None:
    assert monitor.certificate_life_left(tmp_path / "certificate.json", NOW, up_s) == left


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"not_before": "soon", "not_after": 3}'])
def test_a_gauge_that_cannot_be_measured_takes_no_other_with_it(tmp_path: Path, content: str) -> None:
    told = tmp_path / "certificate.json"
    told.write_text(content, encoding="utf-8")

    gauges, (fault,) = monitor.measured(monitor.host_measures(NOW, told))

    assert gauges.keys() == {monitor.DISK_USED, monitor.MEMORY_USED}
    assert fault.startswith("CertificateLifeLeftPercent: ")


def test_a_gauge_that_says_nothing_yet_is_left_out_without_a_fault() -> None:
    assert monitor.measured({"Later": lambda: None, "Now": lambda: 1.0}) == ({"Now": 1.0}, [])


def test_the_uptime_is_the_first_number_of_two() -> None:
    assert monitor.uptime_s("94.31 170.02\n") == 94.31


@pytest.mark.parametrize("unit", ["weekly-refresh", "catch-up", "secrets"])
def test_a_unit_that_fails_is_told_of(unit: str) -> None:
    text = (UNITS / f"community-metrics-{unit}.service").read_text(encoding="utf-8")

    assert "\nOnFailure=community-metrics-notice@%N.service\n" in text


def test_memory_is_used_that_nobody_could_have() -> None:
    assert monitor.memory_used(MEMINFO) == 75


def test_a_disk_is_between_empty_and_full(tmp_path: Path) -> None:
    assert 0 < monitor.disk_used(str(tmp_path)) < 100


def test_the_subject_is_one_that_a_mail_may_have() -> None:
    assert notice.subject("x-é.service") == "community-metrics: x-?.service failed"
    assert len(notice.subject("u" * 200)) == notice.SUBJECT_LIMIT


def test_a_notice_has_the_run_and_the_command_that_shows_more() -> None:
    failed = run(NOW - timedelta(minutes=3), RunStatus.FAILED, error_summary="downloads:a:b: HTTP 404")
    summary = notice.run_summary(run_view(failed, None, NOW))
    text = notice.message("community-metrics-weekly-refresh.service", "exit-code", "1", summary)

    assert "failed on" in text
    assert "(result: exit-code, 1)" in text
    assert "run-1, failed, started 2026-11-25 11:57 UTC" in text
    assert "downloads:a:b: HTTP 404" in text
    assert "journalctl -u community-metrics-weekly-refresh.service" in text


def test_a_notice_without_a_run_says_so() -> None:
    assert notice.run_summary(None) == "The history holds no run yet."


async def test_a_notice_speaks_where_the_settings_are_the_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CM_STORAGE_MODE", "enterprise")

    told = await notice.last_run(NOW)

    assert told.startswith("The history cannot be read: ConfigurationError: ")


def test_without_a_socket_the_server_says_what_to_start() -> None:
    with pytest.raises(ConfigurationError, match=r"Start community-metrics-api\.socket"):
        handed_over_sockets(ServiceManager())


def test_nobody_is_told_where_nobody_asked() -> None:
    notify(ServiceManager(), "READY=1")  # no socket to send to, and no error


def test_cm_job_knows_the_jobs() -> None:
    program = runpy.run_path(str(FILES / "usr/local/sbin/cm-job"))

    assert set(program["JOBS"]) == set(JOBS)
    assert program["command"](["update_all", "--lookback-weeks", "12"])[-3:] == [
        "community_metrics.jobs.update_all", "--lookback-weeks", "12",
    ]  # fmt: skip
    assert program["command"](["history"])[-1] == "history"
