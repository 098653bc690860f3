"""How fresh metrics and sources are, why a day is missing, and how the collecting runs ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from community_metrics.model import GapKind, Lease, Run, RunStatus, SourceWindow
from community_metrics.series.freshness import (
    MetricFreshness,
    RunView,
    SourceFreshness,
    StoredDays,
    freshness,
    gap_kind,
    last_success,
    run_health,
    run_view,
    source_freshness,
)
from tests.support.clock import NOON
from tests.support.rows import run

A, B = "downloads:lance:python", "downloads_30d:lance:python"
FRIDAY, SUNDAY = date(2026, 11, 20), date(2026, 11, 22)
DAY = timedelta(days=1)


def days_ago(count: int) -> date:
    return NOON.date() - count * DAY


def test_each_metric_keeps_its_own_facts_in_the_order_asked_for() -> None:
    read_at = NOON - timedelta(hours=3)
    known = StoredDays(A, "npm", SourceWindow.DAY, FRIDAY, frozenset({FRIDAY, SUNDAY}), read_at)
    never = StoredDays(B, "crates", SourceWindow.DAY, None, frozenset(), None)
    assert freshness([never, known], NOON, {A: "npm returned 503", "other": "x"}) == [
        MetricFreshness(B, "crates", None, None, (), None),
        MetricFreshness(A, "npm", SUNDAY, SUNDAY, (SUNDAY - DAY,), read_at, "npm returned 503"),
    ]


def test_a_metric_that_is_not_daily_has_no_published_day_though_its_source_has() -> None:
    daily = StoredDays(A, "npm", SourceWindow.DAY, SUNDAY, frozenset({SUNDAY}), NOON)
    wide = StoredDays(B, "npm", SourceWindow.THIRTY_DAYS, FRIDAY, frozenset({FRIDAY}), NOON)
    found = freshness([daily, wide], NOON)
    assert [(one.published_through, one.missing_days) for one in found] == [(SUNDAY, ()), (None, ())]


@pytest.mark.parametrize(
    ("newest_day", "is_stale", "stale_from"),
    [
        (None, False, None),
        (SUNDAY, False, datetime(2026, 12, 3, tzinfo=UTC)),
        (days_ago(11), True, datetime(2026, 11, 23, tzinfo=UTC)),
    ],
)
def test_a_source_has_its_newest_day_and_the_midnight_that_makes_it_stale(
    newest_day: date | None, is_stale: bool, stale_from: datetime | None
) -> None:
    found = source_freshness("npm", newest_day, NOON)
    assert found == SourceFreshness("npm", newest_day, is_stale, stale_from)
    assert type(found.is_stale) is bool


WINDOW = (days_ago(40), days_ago(5))


@pytest.mark.parametrize(
    ("age", "window", "started", "kind"),
    [
        (3, WINDOW, 0, GapKind.LATE),
        (4, WINDOW, 0, GapKind.NOT_FETCHED),
        (5, WINDOW, 0, GapKind.NOT_RETURNED),
        (20, WINDOW, 0, GapKind.NOT_RETURNED),
        (40, WINDOW, 0, GapKind.NOT_RETURNED),
        (41, WINDOW, 0, GapKind.NOT_FETCHED),
        (5, WINDOW, 2, GapKind.NOT_FETCHED),
        (5, WINDOW, 1, GapKind.NOT_RETURNED),
        (20, (None, days_ago(5)), 0, GapKind.NOT_FETCHED),
        (20, (days_ago(40), None), 0, GapKind.NOT_FETCHED),
    ],
    ids=[
        "may be published yet",
        "after the window",
        "last day of the window",
        "inside",
        "first day of the window",
        "before the window",
        "late when the run asked for it",
        "no longer late when the run asked for it",
        "a window without a first day",
        "a window without a last day",
    ],
)
def test_a_day_is_missing_because_it_is_late_or_was_not_asked_for_or_not_returned(
    age: int, window: tuple[date | None, date | None], started: int, kind: GapKind
) -> None:
    success = replace(run(NOON - started * DAY), window_start=window[0], window_end=window[1])
    assert gap_kind(days_ago(age), NOON, success) is kind


@pytest.mark.parametrize("order", [1, -1])
def test_the_last_success_is_the_one_that_started_last(order: int) -> None:
    runs = [run(NOON - age * DAY, run_id=f"run-{age}") for age in (1, 2, 3)]
    newest = last_success(runs[::order])
    assert newest is not None
    assert newest.ingestion_run_id == "run-1"


def test_a_run_of_some_metrics_is_not_a_success_of_all() -> None:
    assert last_success([replace(run(NOON), scope="npm")]) is None


def test_a_view_holds_the_run_itself_whatever_its_state() -> None:
    closed, gone = run(NOON, RunStatus.PARTIAL), run(NOON - DAY, RunStatus.RUNNING)
    assert run_view(closed, None, NOON) == RunView(closed, "partial")
    assert run_view(gone, None, NOON) == RunView(gone, "abandoned")


def open_run(started_at: datetime, run_id: str = "gone") -> Run:
    return run(started_at, RunStatus.RUNNING, run_id=run_id)


@pytest.mark.parametrize(("seconds", "counts"), [(75 * 60, 1), (75 * 60 + 1, 0)])
def test_a_failure_is_recent_for_75_minutes(seconds: int, counts: int) -> None:
    failed = replace(run(NOON, RunStatus.FAILED), finished_at=NOON - timedelta(seconds=seconds))
    assert run_health([failed], None, NOON).failed_lately == counts


@pytest.mark.parametrize(
    ("lease", "later", "counts"),
    [
        pytest.param(("gone", 2), None, 1, id="its lease expired lately"),
        pytest.param(("gone", 80), None, 0, id="its lease expired long ago"),
        pytest.param(("gone", 80), 1, 0, id="its lease counts, not the next run"),
        pytest.param(("other", 80), 1, 1, id="the next run started lately"),
        pytest.param(("other", 2), 100, 0, id="the next run started long ago"),
        pytest.param(None, 1, 1, id="without a lease, the next run counts"),
        pytest.param(None, None, 0, id="without lease and next run, its own start counts"),
    ],
)
def test_an_abandoned_run_ended_when_its_lease_expired_or_the_next_run_started(
    lease: tuple[str, int] | None, later: int | None, counts: int
) -> None:
    def ago(minutes: int) -> datetime:
        return NOON - timedelta(minutes=minutes)

    held = None if lease is None else Lease("database", lease[0], "host", 1, ago(120), ago(lease[1]))
    next_runs = [] if later is None else [run(ago(later), run_id="next")]
    assert run_health([*next_runs, open_run(ago(125))], held, NOON).failed_lately == counts
