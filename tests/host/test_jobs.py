"""Jobs on the host: a missed Monday, a kill, two starts, a failure; and `cm-job`."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.host.ledger import Ledger, expire_the_lease
from tests.host.mailbox import Mailbox
from tests.host.waiting import eventually
from tests.infra.rehearsal.readback import newest_value
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.host.box import Box
    from tests.host.world import World

REFRESH = "community-metrics-weekly-refresh"
DAILY = "community-metrics-daily-refresh"
CATCH_UP = "community-metrics-catch-up"
STAMP = f"/var/lib/systemd/timers/stamp-{REFRESH}.timer"
RUN_S = 60  # with the rate limits of the registries a run takes 20 s
SANDBOX = re.compile(
    "(User|Protect|Private|Restrict|SystemCall|Capab|Ambient|NoNew|UMask|LimitCORE|LoadCred|EnvironmentF|IPAddr|"
    "Inaccess|Memory(Max|Deny)|TasksMax|CPUWeight|Lock|RemoveIPC|Keyring|ProcSubset|TimeoutStopUSec)"
)


@pytest.fixture(scope="module")
def ledger(world: World) -> Ledger:
    return Ledger(world)


@pytest.fixture(scope="module")
def quiet(box: Box) -> Iterator[Box]:
    """The shared box without the timer of the catch-up."""
    box.succeeds(f"systemctl stop {CATCH_UP}.timer")
    yield box
    box.succeeds(f"systemctl start {CATCH_UP}.timer")


@pytest.fixture
def silent_registries(world: World) -> Iterator[None]:
    """Registries that never respond."""
    world.registries.always("*", Scripted(hang=True))
    yield
    world.stop("registries")
    world.start("registries")


@pytest.fixture
def refusing_registries(world: World) -> Iterator[None]:
    world.registries.always("*", Scripted(404, body={"message": "Not Found"}))
    yield
    world.stop("registries")
    world.start("registries")


def assert_state(ledger: Ledger, state: str) -> None:
    assert ledger.runs()[0].state == state


def runs_since(ledger: Ledger, before: int) -> list[str]:
    views = ledger.runs()
    return [view.state for view in views[: len(views) - before]]


def test_a_complete_week_is_not_refreshed_again(quiet: Box, ledger: Ledger) -> None:
    before = len(ledger.runs())

    quiet.succeeds(f"systemctl start {CATCH_UP}")

    assert "is complete." in quiet.journal(CATCH_UP, lines=5)
    assert quiet.run(f"systemctl is-active {REFRESH}").stdout == "inactive\n"
    assert len(ledger.runs()) == before


def test_the_daily_timer_waits_for_the_next_of_its_four_times(quiet: Box) -> None:
    shown = quiet.succeeds(f"systemctl show --property=TimersCalendar,Persistent,Unit {DAILY}.timer")

    assert "OnCalendar=*-*-* 02,08,14,20:45:00 UTC" in shown
    assert "Persistent=yes" in shown
    assert f"Unit={DAILY}.service" in shown


def test_the_daily_refresh_asks_for_nothing_that_was_read_today(quiet: Box, ledger: Ledger) -> None:
    quiet.succeeds(f"systemctl start {REFRESH}", limit_s=RUN_S)  # the box may have begun before midnight
    before = len(ledger.runs())

    quiet.succeeds(f"systemctl start {DAILY}", limit_s=RUN_S)

    assert runs_since(ledger, before) == []
    assert "Nothing is left to read today" in quiet.journal(DAILY, lines=20)


def test_a_missed_monday_is_run_once(make_box: Callable[..., Box], quiet: Box, ledger: Ledger) -> None:
    other = make_box(installed=True)
    stamp = other.file(STAMP)
    nine_days_ago = time.time() - 9 * 86_400
    stamp.touch()
    os.utime(stamp, (nine_days_ago, nine_days_ago))
    before = len(ledger.runs())

    other.boot()
    other.wait_until(f"journalctl --unit={REFRESH} --grep=Finished", limit_s=RUN_S)
    other.reboot()
    other.succeeds(f"systemctl start {CATCH_UP}")

    assert runs_since(ledger, before) == ["success"]
    assert other.run(f"systemctl is-active {REFRESH}").stdout == "inactive\n"


@pytest.mark.usefixtures("silent_registries")
def test_a_killed_job_is_recorded_and_a_notice_is_sent(quiet: Box, world: World, ledger: Ledger) -> None:
    mailbox, before = Mailbox(world, "killed"), len(ledger.runs())
    quiet.succeeds(f"systemctl start --no-block {REFRESH}")
    eventually(lambda: assert_state(ledger, "running"), RUN_S)

    quiet.succeeds(f"systemctl kill --signal=KILL {REFRESH}")

    notice = eventually(lambda: mailbox.received(f"{REFRESH}.service"), RUN_S)
    assert "(result: signal, KILL)" in notice
    assert ledger.runs()[0].run.ingestion_run_id in notice
    expire_the_lease(quiet)
    assert runs_since(ledger, before) == ["abandoned"]
    assert "abandoned" in quiet.succeeds("cm-job history")


def test_the_next_run_completes_the_week_and_two_starts_are_one_run(quiet: Box, ledger: Ledger) -> None:
    before = len(ledger.runs())
    quiet.succeeds(f"systemctl start {CATCH_UP}")  # the killed run left the week incomplete
    quiet.succeeds(f"systemctl start --no-block {REFRESH}")
    eventually(lambda: assert_state(ledger, "running"), RUN_S)

    beside = quiet.run("cm-job weekly_refresh --lookback-weeks 1")
    quiet.succeeds(f"systemctl start {REFRESH}", limit_s=RUN_S)

    assert (beside.returncode, "holds the database" in beside.stdout) == (75, True), beside.stdout
    assert runs_since(ledger, before) == ["success"]
    assert ledger.duplicate_keys() == {}


@pytest.mark.usefixtures("refusing_registries")
def test_a_failed_job_sends_a_notice_and_counts_in_the_gauge(
    quiet: Box, world: World, ledger: Ledger
) -> None:
    mailbox = Mailbox(world, "failing")

    assert quiet.run(f"systemctl start {REFRESH}", limit_s=RUN_S).returncode == 1

    notice = eventually(lambda: mailbox.received(f"{REFRESH}.service"), RUN_S)
    run = ledger.runs()[0]
    assert run.state == "failed"
    assert f"{run.run.ingestion_run_id}, failed" in notice
    assert str(run.run.error_summary).splitlines()[0] in notice
    quiet.succeeds("systemctl start community-metrics-monitor")
    assert newest_value(world.client("cloudwatch"), "FailedRuns") >= 1
    assert newest_value(world.client("cloudwatch"), "BadRunsInARow") >= 1


def test_the_monitor_publishes_every_gauge_of_the_alarms(quiet: Box, world: World) -> None:
    quiet.succeeds("systemctl start community-metrics-monitor")

    assert newest_value(world.client("cloudwatch"), "PublishedThroughAgeDays") == 1
    assert 0 <= newest_value(world.client("cloudwatch"), "CertificateLifetimeLeftPercent") <= 100
    assert 0 <= newest_value(world.client("cloudwatch"), "AgeOfLastSuccessHours") < 1
    assert 0 < newest_value(world.client("cloudwatch"), "DiskUsedPercent") < 100
    assert 0 < newest_value(world.client("cloudwatch"), "MemoryUsedPercent") < 100
    assert '"AgeOfLastSuccessHours": 0' in quiet.journal("community-metrics-monitor", lines=10)


def test_cm_job_runs_a_job_with_options(quiet: Box, ledger: Ledger) -> None:
    shown = quiet.succeeds(
        "cm-job weekly_refresh --lookback-weeks 4 --only 'downloads:lance:*'", limit_s=RUN_S
    )

    run = ledger.runs()[0].run
    assert (run.job_name, run.scope, run.status) == ("weekly_refresh", "downloads:lance:*", "success")
    assert run.ingestion_run_id in shown
    assert f'"run_id": "{run.ingestion_run_id}"' in quiet.journal("community-metrics-job-*", lines=200)


def test_cm_job_exits_with_the_exit_code_of_the_job(quiet: Box) -> None:
    wrong = quiet.run("cm-job weekly_refresh --lookback-weeks 0")

    assert wrong.returncode == 2
    assert "--lookback-weeks" in wrong.stdout
    assert quiet.run("cm-job").returncode == 64


def test_cm_job_on_a_terminal_uses_no_pager(quiet: Box) -> None:
    """On a terminal, `journalctl` would start a pager, which waits for a key."""
    typed = "TERM=xterm; export TERM; stty rows 5 columns 80; cm-job status"
    keys = "/run/rehearsal-keys"  # an open pipe without input

    shown = quiet.run(
        f"mkfifo {keys}; timeout 40 script --quiet --return --command '{typed}' /dev/null 0<>{keys}"
    )

    assert shown.returncode == 0, shown.stdout
    assert len(shown.stdout.splitlines()) > 5


@pytest.mark.usefixtures("silent_registries")
def test_ctrl_c_stops_the_job_and_closes_its_run(quiet: Box, ledger: Ledger) -> None:
    stopped = quiet.run("timeout --foreground --signal=INT 15 cm-job update_all", limit_s=RUN_S)

    run = ledger.runs()[0]
    assert "stopped by SIGTERM" in str(run.run.error_summary)
    assert run.run.ingestion_run_id in stopped.stdout
    assert quiet.succeeds("systemctl list-units --all --no-legend 'community-metrics-job-*'") == ""


def test_a_job_of_cm_job_has_the_sandbox_of_the_timers_job(quiet: Box) -> None:
    unit = "community-metrics-job-sandbox.service"
    quiet.succeeds(f"systemd-run --quiet --unit={unit} sleep 60")
    try:
        assert sandbox(quiet, unit) == sandbox(quiet, f"{REFRESH}.service")
    finally:
        quiet.succeeds(f"systemctl stop {unit}")


def sandbox(box: Box, unit: str) -> list[str]:
    """Return a unit's user, credentials, sandbox and limits."""
    lines = box.succeeds(f"systemctl show {unit}").splitlines()
    return sorted(line for line in lines if SANDBOX.match(line))
