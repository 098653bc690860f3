"""The parts of the host's programs that can be tested without a host."""

from __future__ import annotations

import json
import runpy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.config import ServiceManager
from community_metrics.errors import ConfigurationError
from community_metrics.host import catch_up, monitor, notice
from community_metrics.host.service_manager import activation_sockets, notify
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
    assert last_weekly(now, catch_up.WEEKLY_AT_H) == last


def test_the_timer_and_the_catch_up_use_the_same_hour() -> None:
    timer = (UNITS / "community-metrics-weekly-refresh.timer").read_text(encoding="utf-8")

    assert f"OnCalendar=Mon *-*-* {catch_up.WEEKLY_AT_H:02}:00:00 UTC" in timer


def test_the_daily_timer_and_the_catch_up_use_the_same_times() -> None:
    timer = (UNITS / "community-metrics-daily-refresh.timer").read_text(encoding="utf-8")
    hours = ",".join(f"{at.seconds // 3600:02}" for at in catch_up.DAILY_AT)

    assert f"OnCalendar=*-*-* {hours}:45:00 UTC\n" in timer


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 11, 25, 12, tzinfo=UTC), datetime(2026, 11, 25, 8, 45, tzinfo=UTC)),
        (datetime(2026, 11, 25, 2, 45, tzinfo=UTC), datetime(2026, 11, 25, 2, 45, tzinfo=UTC)),
        (datetime(2026, 11, 25, 2, 44, tzinfo=UTC), datetime(2026, 11, 24, 20, 45, tzinfo=UTC)),
    ],
)
def test_the_last_daily_time_is_never_in_the_future(now: datetime, last: datetime) -> None:
    assert catch_up.last_daily(now) == last


def test_the_unit_of_the_catch_up_starts_the_job_that_is_due() -> None:
    unit = (UNITS / "community-metrics-catch-up.service").read_text(encoding="utf-8")

    assert catch_up.EXIT_CODES == {"weekly_refresh": 0, "daily_refresh": 11, None: 10}
    assert "SuccessExitStatus=10 11\n" in unit
    for job, code in catch_up.EXIT_CODES.items():
        name = (job or "").removesuffix("_refresh")
        assert (f'"success {code}") job={name} ;;' in unit) is (job is not None)
    assert "exec systemctl --no-block start community-metrics-$$job-refresh.service" in unit


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
def test_a_week_lacks_days_only_after_the_metrics_first_day(
    first_day: date | None, days: Sequence[date], missing: int
) -> None:
    assert len(missing_days(first_day, days, WEEK.start, WEEK.end)) == missing


def test_the_remaining_lifetime_of_a_certificate_is_in_percent(tmp_path: Path) -> None:
    status = tmp_path / "certificate.json"
    facts = {"not_before": (NOW - 60 * ONE_DAY).isoformat(), "not_after": (NOW + 30 * ONE_DAY).isoformat()}
    status.write_text(json.dumps(facts), encoding="utf-8")

    assert monitor.certificate_lifetime_left(status, NOW, up_s=5) == pytest.approx(100 / 3)
    assert monitor.certificate_lifetime_left(status, NOW + 31 * ONE_DAY, up_s=5) == 0


@pytest.mark.parametrize(("up_s", "left"), [(119, None), (120, 0)])
def test_a_host_without_a_certificate_has_no_lifetime_left_except_at_boot(
    tmp_path: Path, up_s: float, left: float | None
) -> None:
    assert monitor.certificate_lifetime_left(tmp_path / "certificate.json", NOW, up_s) == left


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"not_before": "soon", "not_after": 3}'])
def test_a_gauge_that_cannot_be_measured_does_not_affect_the_others(tmp_path: Path, content: str) -> None:
    status = tmp_path / "certificate.json"
    status.write_text(content, encoding="utf-8")

    gauges, (error,) = monitor.measured(monitor.host_measures(NOW, status))

    assert gauges.keys() == {monitor.DISK_USED, monitor.MEMORY_USED}
    assert error.startswith("CertificateLifetimeLeftPercent: ")


def test_a_gauge_without_a_value_yet_is_left_out_without_an_error() -> None:
    assert monitor.measured({"Later": lambda: None, "Now": lambda: 1.0}) == ({"Now": 1.0}, [])


def test_the_uptime_is_the_first_of_two_numbers() -> None:
    assert monitor.uptime_s("94.31 170.02\n") == 94.31


@pytest.mark.parametrize("unit", ["daily-refresh", "weekly-refresh", "catch-up", "secrets"])
def test_a_failed_unit_sends_a_notice(unit: str) -> None:
    text = (UNITS / f"community-metrics-{unit}.service").read_text(encoding="utf-8")

    assert "\nOnFailure=community-metrics-notice@%N.service\n" in text


def test_used_memory_is_what_is_not_available() -> None:
    assert monitor.memory_used(MEMINFO) == 75


def test_disk_usage_is_between_0_and_100_percent(tmp_path: Path) -> None:
    assert 0 < monitor.disk_used(str(tmp_path)) < 100


def test_the_subject_is_short_ascii() -> None:
    assert notice.subject("x-é.service") == "community-metrics: x-?.service failed"
    assert len(notice.subject("u" * 200)) == notice.SUBJECT_LIMIT


def test_a_notice_has_the_last_run_and_the_command_for_details() -> None:
    failed = run(NOW - timedelta(minutes=3), RunStatus.FAILED, error_summary="downloads:a:b: HTTP 404")
    summary = notice.run_summary(run_view(failed, None, NOW))
    text = notice.message("community-metrics-weekly-refresh.service", "exit-code", "1", summary)

    assert "failed on" in text
    assert "(result: exit-code, 1)" in text
    assert "run-1, failed, started 2026-11-25 11:57 UTC" in text
    assert "downloads:a:b: HTTP 404" in text
    assert "journalctl -u community-metrics-weekly-refresh.service" in text


def test_a_notice_without_a_run() -> None:
    assert notice.run_summary(None) == "No run is stored yet."


async def test_a_notice_reports_invalid_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CM_STORAGE_MODE", "enterprise")

    text = await notice.last_run(NOW)

    assert text.startswith("The last run cannot be read: ConfigurationError: ")


def test_without_a_socket_the_error_names_the_unit_to_start() -> None:
    with pytest.raises(ConfigurationError, match=r"start community-metrics-api\.socket"):
        activation_sockets(ServiceManager())


def test_without_a_notify_socket_nothing_is_sent() -> None:
    notify(ServiceManager(), "READY=1")  # no error


def test_cm_job_knows_the_jobs() -> None:
    program = runpy.run_path(str(FILES / "usr/local/sbin/cm-job"))

    assert set(program["JOBS"]) == set(JOBS)
    assert program["command"](["update_all", "--lookback-weeks", "12"])[-3:] == [
        "community_metrics.jobs.update_all", "--lookback-weeks", "12",
    ]  # fmt: skip
    assert program["command"](["history"])[-1] == "history"
