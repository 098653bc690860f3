"""What people see, on data built in memory: the views are pure."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.cli.doctor import Check, Verdict, is_wrong, render_checks
from community_metrics.cli.render.report import render_report, report_json
from community_metrics.cli.render.status import StatusView, ranges_text, render_runs, render_status
from community_metrics.cli.render.style import ASCII, UNICODE, PlainConsole, age, duration, legend, sparkline
from community_metrics.model import RunStatus
from community_metrics.periods import days_between, last_periods, parse_week
from community_metrics.series.failures import Failure
from community_metrics.series.freshness import freshness, run_view
from community_metrics.series.points import Point
from community_metrics.views.report import build_report
from community_metrics.views.stored import Holding, product_names
from tests.support.clock import NOON
from tests.support.rows import dailies, level, run, wide

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import RenderableType

    from community_metrics.views.report import Report

CATALOG = load_catalog(None)
PYTHON, RUST, STARS = "downloads:lance:python", "downloads:lance:rust", "stars:lance:github"
SUNDAY = date(2026, 11, 22)
W47 = parse_week("2026-W47")


def printed(what: RenderableType, width: int = 100) -> str:
    console = PlainConsole(width=width, file=io.StringIO(), force_terminal=False)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def downloads(metric_id: str, *, until: date = SUNDAY, without: tuple[date, ...] = ()) -> Holding:
    """150 days whose weeks grow: the day's number of its week of the year, times a thousand."""
    days = [day for day in days_between(until - timedelta(days=149), until) if day not in without]
    rows = dailies({day: day.isocalendar().week * 1000 for day in days}, metric_id=metric_id)
    return Holding(CATALOG.metric(metric_id), tuple(rows), first_day=days[0], newest=rows[-1])


def stars(value: int = 1234) -> Holding:
    rows = tuple(level(NOON - timedelta(days=7 * n), value - n) for n in range(12))
    return Holding(CATALOG.metric(STARS), rows, first_day=rows[-1].period_end, newest=rows[0])


def report_of(
    *holdings: Holding, weeks: int = 12, now: datetime = NOON, newest: date | None = SUNDAY
) -> Report:
    end = min(W47, parse_week("2026-W47"))
    return build_report(
        holdings, product_names(CATALOG), weeks=weeks, end=end, newest=newest, success=run(NOON), now=now
    )


def seeded(end: date) -> Holding:
    reading = wide(end - timedelta(days=29), end, 3000)
    return Holding(CATALOG.metric(RUST), fallback_rows=(reading,))


class TestReport:
    def test_a_line_has_week_value_change_and_completeness(self) -> None:
        text = printed(render_report(report_of(downloads(PYTHON)), UNICODE, 100))
        line = next(line for line in text.splitlines() if line.startswith("Python (PyPI pylance)"))
        assert line.split()[3:8] == ["2026-W47", "329,000", "+2.2%", "12/12", "wk"]

    def test_stars_change_by_a_number_and_not_by_a_percentage(self) -> None:
        text = printed(render_report(report_of(stars()), UNICODE, 100))
        line = next(line for line in text.splitlines() if line.startswith("stars"))
        assert line.split()[4:6] == ["1,234", "+1"]

    def test_stars_read_only_in_the_running_week_are_shown_as_of_this_week(self) -> None:
        reading = level(NOON + timedelta(hours=3), 77)
        holding = Holding(CATALOG.metric(STARS), (reading,), first_day=NOON.date(), newest=reading)
        report = report_of(holding, now=NOON + timedelta(hours=4))
        text = printed(render_report(report, UNICODE, 100))
        line = next(line for line in text.splitlines() if line.startswith("stars"))
        assert line.split()[3:6] == ["this", "77", "—"]

    def test_a_week_with_a_day_missing_is_not_the_last_complete_one(self) -> None:
        holding = downloads(PYTHON, without=(SUNDAY - timedelta(days=2),))
        text = printed(render_report(report_of(holding), UNICODE, 100))
        assert "2026-W46" in text
        assert UNICODE.partial in text

    def test_an_estimate_is_marked_and_has_no_change(self) -> None:
        text = printed(render_report(report_of(seeded(SUNDAY)), UNICODE, 100))
        line = next(line for line in text.splitlines() if line.startswith("Rust"))
        assert line.split()[3:7] == ["2026-W47", "≈", "700", "—"]
        assert "estimated" in text

    def test_the_window_ends_where_the_last_whole_reading_does(self) -> None:
        report = report_of(seeded(SUNDAY - timedelta(days=3)), weeks=3)
        assert [week.label for week in report.window] == ["2026-W44", "2026-W45", "2026-W46"]

    def test_old_data_are_called_old_in_days(self) -> None:
        now = NOON + timedelta(days=100)
        text = printed(render_report(report_of(downloads(PYTHON), now=now), UNICODE, 100))
        assert "The newest data are of 2026-11-22, 101 days old" in text
        assert "2026-W36 – 2026-W47" in text  # noqa: RUF001

    def test_an_empty_database_gets_the_commands_that_fill_it(self) -> None:
        text = printed(render_report(report_of(newest=None), UNICODE, 100))
        assert "community-metrics seed" in text

    def test_the_total_says_how_many_days_it_covers(self) -> None:
        holdings = downloads(PYTHON), downloads(RUST, without=(SUNDAY - timedelta(days=5),))
        text = printed(render_report(report_of(*holdings), UNICODE, 100))
        assert "29 of 30 days to 2026-11-22" in text

    @pytest.mark.parametrize("width", [80, 100, 160])
    def test_no_value_is_cut_off_and_no_line_is_too_long(self, width: int) -> None:
        report = report_of(downloads(PYTHON), downloads(RUST), stars(1_234_567))
        text = printed(render_report(report, UNICODE, width), width)
        assert "1,234,567" in text
        assert "2026-W47" in text
        assert max(len(line.rstrip()) for line in text.splitlines()) <= width

    def test_a_terminal_without_unicode_gets_plain_characters(self) -> None:
        report = report_of(downloads(PYTHON), seeded(SUNDAY))
        assert printed(render_report(report, ASCII, 80), 80).isascii()

    def test_a_value_that_is_stored_twice_is_marked_with_its_fix(self) -> None:
        holding = downloads(PYTHON)
        copied = replace(holding, rows=(*holding.rows, holding.rows[-2], replace(holding.rows[-2], value=1)))
        text = printed(render_report(report_of(copied, downloads(RUST)), UNICODE, 200), 200)
        assert f"! Values of {PYTHON} are stored more than once; the newest copy counts." in text
        assert "Fix: `community-metrics repair` deletes the others." in text
        (line,) = report_json(report_of(copied))["metrics"]
        assert [point["duplicated"] for point in line["points"][-2:]] == [False, True]

    def test_a_report_without_copies_says_nothing_of_them(self) -> None:
        assert "more than once" not in printed(render_report(report_of(downloads(PYTHON)), UNICODE, 200), 200)

    def test_json_holds_every_point_as_it_is(self) -> None:
        report = report_of(downloads(PYTHON, without=(SUNDAY,)))
        (line,) = json.loads(json.dumps(report_json(report)))["metrics"]
        assert (line["latest_complete_week"], line["value"], line["complete_weeks"]) == (
            "2026-W46",
            322_000,
            11,
        )
        assert (line["points"][-1]["days_present"], line["points"][-1]["complete"]) == (6, False)


class TestSparkline:
    def test_every_kind_of_point_has_a_sign_of_its_own(self) -> None:
        whole, half, guess, nothing = last_periods(W47, 4)
        points = [
            Point(whole, 8, 7, 7, complete=True),
            Point(half, 3, 6, 7),
            Point(guess, 8, estimated=True),
            Point(nothing),
        ]
        assert sparkline(points, UNICODE, from_zero=True).plain == "█▫⣿·"
        assert sparkline(points, ASCII, from_zero=True).plain == "8?d."

    def test_a_partial_week_does_not_set_the_scale(self) -> None:
        first, second = last_periods(W47, 2)
        points = [Point(first, 8, 7, 7, complete=True), Point(second, 800, 6, 7)]
        assert sparkline(points, UNICODE, from_zero=True).plain == "█▫"

    def test_levels_are_drawn_between_their_lowest_and_highest(self) -> None:
        points = [
            Point(week, value, 1, 1, complete=True)
            for week, value in zip(last_periods(W47, 3), (1000, 1001, 1002), strict=True)
        ]
        assert sparkline(points, UNICODE, from_zero=False).plain == "▁▅█"

    def test_the_legend_explains_only_what_occurs(self) -> None:
        whole = Point(W47, 8, 7, 7, complete=True)
        assert legend([[whole]], UNICODE).plain == "▁▄█ complete"
        assert "nothing known" in legend([[whole, Point(W47)]], UNICODE).plain


class TestStatus:
    @pytest.mark.parametrize(("days", "verdict"), [(1, "Fresh."), (9, "Stale.")])
    def test_the_age_of_the_last_success_decides(self, days: int, verdict: str) -> None:
        view = StatusView(NOON + timedelta(days=days), "place", run(NOON), (), ())
        assert verdict in printed(render_status(view, UNICODE))

    def test_missing_days_and_errors_are_named(self) -> None:
        missing = SUNDAY - timedelta(days=4)
        held = [downloads(PYTHON, without=(missing,)).stored_days]
        failure = Failure("pypistats.org returned 503", "TransientSourceError", None, (PYTHON,))
        view = StatusView(NOON, "place", run(NOON), tuple(freshness(held, NOON)), (), (failure,))
        text = printed(render_status(view, UNICODE))
        assert f"{PYTHON} lacks {missing}" in text
        assert f"{PYTHON}: pypistats.org returned 503" in text

    @pytest.mark.parametrize(("days_ago", "verdict"), [(4, "Fresh."), (5, "Behind.")])
    def test_a_registry_may_be_three_days_behind_yesterday(self, days_ago: int, verdict: str) -> None:
        last = NOON.date() - timedelta(days=days_ago)
        metrics = freshness([downloads(PYTHON, until=last).stored_days], NOON)
        text = printed(render_status(StatusView(NOON, "place", run(NOON), tuple(metrics), ()), UNICODE))
        assert verdict in text
        assert (f"pypistats gave no day after {last}" in text) is (verdict == "Behind.")

    def test_an_abandoned_run_is_called_so(self) -> None:
        view = run_view(run(NOON, RunStatus.RUNNING), None, NOON)
        assert "abandoned" in printed(render_runs([view], UNICODE))

    def test_adjoining_days_are_told_as_one_range(self) -> None:
        days = [date(2026, 11, day) for day in (1, 3, 4, 5, 8, 10, 12)]
        assert ranges_text(days) == "2026-11-01, 2026-11-03 to 2026-11-05, 2026-11-08 and 2 more gaps"


class TestDoctor:
    def test_a_warning_alone_is_nothing_wrong(self) -> None:
        assert not is_wrong([Check(Verdict.OK, "a", "b"), Check(Verdict.WARN, "c", "d", "e")])
        assert is_wrong([Check(Verdict.FAIL, "c", "d", "e")])

    def test_each_fault_comes_with_its_mend(self) -> None:
        text = printed(render_checks([Check(Verdict.FAIL, "keys", "one key twice", "`repair`")], UNICODE))
        assert "✗" in text
        assert "mend: `repair`" in text
        assert "1 fault to mend" in text


@pytest.mark.parametrize(
    ("span", "long", "short"),
    [
        (timedelta(seconds=-5), "less than a minute", "0 s"),
        (timedelta(seconds=59), "less than a minute", "59 s"),
        (timedelta(minutes=1), "1 minute", "60 s"),
        (timedelta(hours=25), "1 day", "25 h"),
        (timedelta(days=9), "9 days", "9 d"),
    ],
)
def test_ages_are_told_in_their_largest_whole_unit(span: timedelta, long: str, short: str) -> None:
    assert (age(span), duration(span)) == (long, short)
