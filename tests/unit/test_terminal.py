"""What people see, on data built in memory: what is computed from rows needs no database."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.mappers import dashboard_body
from community_metrics.catalog import load_catalog
from community_metrics.catalog.deliveries import Delivery
from community_metrics.cli.checks import Check, Verdict
from community_metrics.cli.commands.doctor import has_problem, render_checks
from community_metrics.cli.render.report import render_report
from community_metrics.cli.render.status import render_runs, render_status
from community_metrics.cli.render.style import ASCII, UNICODE, PlainConsole, age, duration, legend, sparkline
from community_metrics.model import OutcomeStatus, RunOutcome, RunStatus, Visibility
from community_metrics.model import Status as ValueStatus
from community_metrics.periods import Grain, days_between, last_completed, last_periods
from community_metrics.series.freshness import StoredDays, run_health, run_view
from community_metrics.series.grid import Point
from community_metrics.series.loss import Loss, vanishes_at
from community_metrics.text import ranges_text
from community_metrics.views.dashboard import DashboardRows
from community_metrics.views.deliveries import TargetStatus
from community_metrics.views.due import Due
from community_metrics.views.report import report_of
from community_metrics.views.runs import Freshness
from community_metrics.views.selection import StoredMetrics
from community_metrics.views.status import status_of
from tests.support.clock import NOON
from tests.support.columns import points_of
from tests.support.readings import readings_of
from tests.support.rows import dailies, level, run, week_named, wide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from community_metrics.model import StatRow
    from community_metrics.views.report import Report
    from community_metrics.views.status import Status

CATALOG = load_catalog(None)
PYTHON, RUST, STARS = "downloads:lance:python", "downloads:lance:rust", "stars:lance:github"
SUNDAY = date(2026, 11, 22)
W47 = week_named("2026-W47")


def with_long_names(report: Report) -> Report:
    """Return the report with names in its first product that are too long for most terminals."""
    product, *others = report.dashboard.products
    named = [
        replace(one, metric=replace(one.metric, display_name="A name of forty-one characters, or longer"))
        for one in product.metrics
    ]
    products = (replace(product, metrics=tuple(named)), *others)
    return replace(report, dashboard=replace(report.dashboard, products=products))


def printed(what: RenderableType, width: int = 100) -> str:
    console = PlainConsole(width=width, file=io.StringIO(), force_terminal=False)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def downloads(metric_id: str, *, until: date = SUNDAY, without: tuple[date, ...] = ()) -> list[StatRow]:
    """150 days whose weeks grow: the day's number of its week of the year, times a thousand."""
    days = [day for day in days_between(until - timedelta(days=149), until) if day not in without]
    return dailies({day: day.isocalendar().week * 1000 for day in days}, metric_id=metric_id)


def stars(value: int = 1234) -> list[StatRow]:
    return [level(NOON - timedelta(days=7 * n), value - n) for n in range(12)]


def seeded(end: date) -> list[StatRow]:
    return [wide(end - timedelta(days=29), end, 3000, metric_id=f"downloads_30d:{RUST.partition(':')[2]}")]


def report_of_rows(*rows: Sequence[StatRow], weeks: int = 12, now: datetime = NOON) -> Report:
    """The report over these rows alone: of the metrics that they belong to, and of those they estimate."""
    by_metric = {own[0].metric_id: own for own in rows if own}
    definitions = [metric.definition(NOON) for metric in CATALOG.metrics]
    stored = StoredMetrics(definitions, CATALOG)
    chosen = [metric for metric in stored.shown if by_metric.keys() & {metric.metric_id, *metric.fallbacks}]
    ids = {name for metric in chosen for name in (metric.metric_id, *metric.fallbacks)}
    alone = StoredMetrics([item for item in definitions if item.metric_id in ids], CATALOG)
    readings = readings_of(row for own in by_metric.values() for row in own)
    newest_day = max((row.period_end for own in by_metric.values() for row in own), default=None)
    periods = last_periods(last_completed(now, Grain.WEEK), 120)
    freshness = Freshness(now, run(NOON), {"pypistats": newest_day})
    dashboard = DashboardRows(alone, chosen, readings, readings.newest(), periods, 120, freshness)
    return report_of(dashboard.build(), newest_day, weeks=weeks)


UNAVAILABLE = RunOutcome(
    run_id="r",
    metric_id=PYTHON,
    status=OutcomeStatus.FAILED,
    error_class="TransientSourceError",
    message="pypistats.org returned 503",
    url=None,
    observations=0,
    last_day=None,
)


def status(
    *, now: datetime = NOON, days: Sequence[StoredDays] = (), errors: Mapping[str, RunOutcome] | None = None
) -> Status:
    health = run_health((), None, now)
    newest_days = {one.source: max(one.days) for one in days} or {"pypistats": NOON.date()}
    return status_of(days, errors or {}, (), health, Freshness(now, run(NOON), newest_days))


def loss(metric_id: str, kept_days: int, unread: date, *, lost: tuple[date, ...] = ()) -> Loss:
    """What a metric that was read yesterday loses next."""
    at = vanishes_at(unread, kept_days)
    return Loss(metric_id, unread, at, lost, NOON.date() - timedelta(days=1), kept_days)


def stored_days(rows: Sequence[StatRow]) -> StoredDays:
    metric = CATALOG.metric(rows[0].metric_id)
    days = frozenset(row.period_end for row in rows)
    return StoredDays(metric.metric_id, metric.source, metric.window, min(days), days, NOON)


class TestReport:
    def test_a_line_has_week_value_change_and_completeness(self) -> None:
        text = printed(render_report(report_of_rows(downloads(PYTHON)), UNICODE, 100))
        line = next(line for line in text.splitlines() if line.startswith("Python (PyPI pylance)"))
        assert line.split()[3:9] == ["2026-W47", "329,000", "downloads", "+2.2%", "12/12", "wk"]

    def test_stars_change_by_a_number_and_not_by_a_percentage(self) -> None:
        text = printed(render_report(report_of_rows(stars()), UNICODE, 100))
        line = next(line for line in text.splitlines() if line.startswith("stars"))
        assert line.split()[5:8] == ["1,234", "stars", "+1"]

    @pytest.mark.parametrize(("width", "when"), [(100, ["2026-11-25", "15:00"]), (80, ["2026-11-25"])])
    def test_the_value_of_a_level_is_its_latest_reading_with_its_time(
        self, width: int, when: list[str]
    ) -> None:
        now = NOON + timedelta(days=2, hours=3)
        report = report_of_rows([*stars(), level(now, 1300)], now=now + timedelta(minutes=1))
        text = printed(render_report(report, UNICODE, width), width)
        line = next(line for line in text.splitlines() if line.startswith("stars"))
        at = line.split().index("2026-11-25")
        assert line.split()[at : at + len(when) + 3] == [*when, "1,300", "stars", "+1"]

    def test_a_provisional_value_is_marked(self) -> None:
        rows = downloads(PYTHON)
        text = printed(render_report(report_of_rows(rows), UNICODE, 100))
        assert "provisional" not in text
        rows[-1] = replace(rows[-1], status=ValueStatus.PROVISIONAL)
        text = printed(render_report(report_of_rows(rows), UNICODE, 100))
        assert "* 329,000" in text
        assert "* provisional" in text

    def test_a_week_with_a_day_missing_is_not_the_last_complete_one(self) -> None:
        rows = downloads(PYTHON, without=(SUNDAY - timedelta(days=2),))
        text = printed(render_report(report_of_rows(rows), UNICODE, 100))
        assert "2026-W46" in text
        assert UNICODE.partial in text

    def test_an_estimate_is_marked_and_has_no_change(self) -> None:
        text = printed(render_report(report_of_rows(seeded(SUNDAY)), UNICODE, 100))
        line = next(line for line in text.splitlines() if line.startswith("Rust"))
        assert line.split()[3:8] == ["2026-W47", "≈", "700", "downloads", "—"]
        assert "estimated" in text

    def test_the_window_ends_where_the_last_whole_reading_does(self) -> None:
        report = report_of_rows(seeded(SUNDAY - timedelta(days=3)), weeks=3)
        assert [week.label for week in report.dashboard.periods] == ["2026-W44", "2026-W45", "2026-W46"]

    def test_old_data_are_called_old_in_days(self) -> None:
        now = NOON + timedelta(days=100)
        text = printed(render_report(report_of_rows(downloads(PYTHON), now=now), UNICODE, 100))
        assert "The newest data are of 2026-11-22, 101 days old" in text
        assert "2026-W36 – 2026-W47" in text  # noqa: RUF001

    def test_an_empty_database_gets_the_commands_that_fill_it(self) -> None:
        text = printed(render_report(report_of_rows(), UNICODE, 100))
        assert "community-metrics seed" in text

    def test_the_total_includes_the_number_of_days_it_covers(self) -> None:
        rows = downloads(PYTHON), downloads(RUST, without=(SUNDAY - timedelta(days=5),))
        text = printed(render_report(report_of_rows(*rows), UNICODE, 100))
        assert "29 of 30 days to 2026-11-22, without 2026-11-17" in text

    def test_a_total_names_what_it_waits_for_and_what_left_it(self) -> None:
        late = downloads(PYTHON), downloads(RUST, until=SUNDAY - timedelta(days=2))
        text = printed(render_report(report_of_rows(*late), UNICODE, 200), 200)
        assert f"in 30 days to 2026-11-20; waits for {RUST}" in text
        gone = downloads(PYTHON), downloads(RUST, until=SUNDAY - timedelta(days=15))
        text = printed(render_report(report_of_rows(*gone), UNICODE, 200), 200)
        assert "in 30 days to 2026-11-22\n" in text
        assert f"! {RUST} is in no total: its newest value is of 2026-11-07, more than two weeks old." in text

    def test_a_stale_source_is_named_with_its_newest_day(self) -> None:
        now = NOON + timedelta(days=12)
        text = printed(render_report(report_of_rows(downloads(PYTHON), now=now), UNICODE, 200), 200)
        assert "! pypistats is stale: its newest day is 2026-11-22, 13 days ago." in text

    def test_data_of_another_catalogue_are_called_so(self) -> None:
        other = ("downloads:p:x",)
        empty = replace(report_of_rows(), other_metrics=other)
        text = printed(render_report(empty, UNICODE, 400), 400)
        assert "No metric of this catalogue has data. The database has 1 metric of another one" in text
        shown = replace(report_of_rows(downloads(PYTHON)), other_metrics=(PYTHON, *other))
        text = printed(render_report(shown, UNICODE, 400), 400)
        assert "The catalogue has none of these metrics" in text

    @pytest.mark.parametrize("width", [50, 60, 80, 100, 160])
    def test_names_are_cut_but_no_value_and_no_line_is_too_long(self, width: int) -> None:
        large = [replace(row, value=2_345_678_901) for row in downloads(RUST)]
        report = with_long_names(report_of_rows(downloads(PYTHON), large, stars(1_234_567)))
        text = printed(render_report(report, UNICODE, width), width)
        assert "A name of" in text
        assert "1,234,567" in text
        assert "16,419,752,307" in text
        assert "W…" not in text
        assert "2026-W47" in text
        assert max(len(line.rstrip()) for line in text.splitlines()) <= width

    @pytest.mark.parametrize("width", range(72, 140))
    def test_the_line_has_a_mark_for_each_of_the_weeks_in_its_heading(self, width: int) -> None:
        report = with_long_names(report_of_rows(downloads(PYTHON)[-30:]))  # 4 complete weeks: `4/12 wk`
        lines = printed(render_report(report, UNICODE, width), width).splitlines()
        heading = next(at for at, line in enumerate(lines) if re.match(r" +week +value", line))
        weeks = re.search(r"(\d+) weeks", lines[heading])
        assert weeks is not None or "weeks" not in lines[heading]
        if weeks is not None:
            assert len(lines[heading + 1].split()[-1]) == int(weeks[1])

    def test_a_terminal_without_unicode_gets_plain_characters(self) -> None:
        report = report_of_rows(downloads(PYTHON), seeded(SUNDAY))
        assert printed(render_report(report, ASCII, 80), 80).isascii()

    def test_a_value_that_is_stored_twice_is_marked_with_its_fix(self) -> None:
        rows = downloads(PYTHON)
        copied = [*rows, rows[-2], replace(rows[-2], value=1)]
        text = printed(render_report(report_of_rows(copied, downloads(RUST)), UNICODE, 200), 200)
        assert f"! Values of {PYTHON} are stored more than once; the newest copy counts." in text
        assert "Fix: `community-metrics repair` deletes the others." in text
        (metric,) = report_of_rows(copied).metrics
        assert [point.duplicated for point in metric.points[-2:]] == [False, True]

    def test_a_report_without_copies_does_not_mention_them(self) -> None:
        assert "more than once" not in printed(
            render_report(report_of_rows(downloads(PYTHON)), UNICODE, 200), 200
        )

    def test_json_holds_every_point_as_it_is(self) -> None:
        report = report_of_rows(downloads(PYTHON, without=(SUNDAY,)))
        body = dashboard_body(report.dashboard, {"metrics": 1, "stats": 2, "history": 3, "run_outcomes": 4})
        board = json.loads(body.model_dump_json())
        (metric,) = board["products"][0]["metrics"]
        latest, points = metric["latest_complete"], points_of(board, PYTHON)
        assert (latest["week"], latest["value"]) == ("2026-W46", 322_000)
        assert [point["complete"] for point in points] == [*[True] * 11, False]
        assert points[-1]["days_present"] == 6


class TestSparkline:
    def test_every_kind_of_point_has_its_own_glyph(self) -> None:
        whole, half, guess, nothing = last_periods(W47, 4)
        points = [
            Point(whole, 8, 7, 7, complete=True),
            Point(half, 3, 6, 7),
            Point(guess, 8, estimated=True),
            Point(nothing),
        ]
        assert sparkline(points, UNICODE).plain == "█▫⣿·"
        assert sparkline(points, ASCII).plain == "8?d."

    def test_a_partial_week_does_not_set_the_scale(self) -> None:
        first, second = last_periods(W47, 2)
        points = [Point(first, 8, 7, 7, complete=True), Point(second, 800, 6, 7)]
        assert sparkline(points, UNICODE).plain == "█▫"

    def test_every_line_starts_at_zero_so_that_a_height_is_a_value(self) -> None:
        points = [
            Point(week, value, 1, 1, complete=True)
            for week, value in zip(last_periods(W47, 4), (0, 500, 1001, 1002), strict=True)
        ]
        assert sparkline(points, UNICODE).plain == "▁▄██"

    def test_the_legend_explains_only_what_occurs(self) -> None:
        whole = Point(W47, 8, 7, 7, complete=True)
        assert legend([[whole]], UNICODE).plain == "▁▄█ complete"
        assert "no data" in legend([[whole, Point(W47)]], UNICODE).plain


class TestStatus:
    @pytest.mark.parametrize(("days", "verdict"), [(10, "Fresh."), (11, "Stale.")])
    def test_the_age_of_the_newest_day_decides(self, days: int, verdict: str) -> None:
        view = status(now=NOON + timedelta(days=days))
        assert verdict in printed(render_status(view, "place", UNICODE))

    def test_a_metric_of_the_team_is_marked_by_a_word(self) -> None:
        days = stored_days(downloads(PYTHON))
        assert "team" not in printed(render_status(status(days=[days]), "place", UNICODE))
        view = status(days=[replace(days, visibility=Visibility.TEAM)])
        assert "team" in printed(render_status(view, "place", UNICODE))

    def test_missing_days_and_errors_are_named(self) -> None:
        missing = SUNDAY - timedelta(days=4)
        view = status(days=[stored_days(downloads(PYTHON, without=(missing,)))], errors={PYTHON: UNAVAILABLE})
        text = printed(render_status(view, "place", UNICODE))
        assert f"{PYTHON} lacks {missing}" in text
        assert f"{PYTHON}: pypistats.org returned 503" in text

    @pytest.mark.parametrize(("days_ago", "verdict"), [(4, "Fresh."), (5, "Behind.")])
    def test_a_registry_may_be_three_days_behind_yesterday(self, days_ago: int, verdict: str) -> None:
        last = NOON.date() - timedelta(days=days_ago)
        view = status(days=[stored_days(downloads(PYTHON, until=last))])
        text = printed(render_status(view, "place", UNICODE))
        assert verdict in text
        assert (f"pypistats has published no day after {last}" in text) is (verdict == "Behind.")

    @pytest.mark.parametrize(("hours", "is_warning"), [(0, False), (1, True)])
    def test_a_digest_that_no_run_tried_is_a_warning_once_it_should_have_been_sent(
        self, hours: int, is_warning: bool
    ) -> None:
        target = Delivery.model_validate({"id": "team", "to": "slack"})
        waits = TargetStatus(target, None, (), (Due(W47, NOON - timedelta(hours=hours)),), ())
        text = printed(render_status(replace(status(), deliveries=(waits,)), "place", UNICODE))
        assert (f"{UNICODE.warn} team: week 2026-W47 was due since" in text) is is_warning
        assert ("  team: week 2026-W47 is due since" in text) is not is_warning

    def test_a_digest_that_was_never_sent_is_a_warning(self) -> None:
        target = Delivery.model_validate({"id": "team", "to": "slack"})
        view = replace(status(), deliveries=(TargetStatus(target, None, (), (), (W47,)),))
        text = printed(render_status(view, "place", UNICODE))
        assert f"{UNICODE.warn} team: week 2026-W47 was never sent" in text

    def test_it_says_what_is_lost_next_and_what_is_lost_for_good(self) -> None:
        day = NOON.date()
        urgent = loss(PYTHON, 14, day - timedelta(days=14), lost=(day - timedelta(days=15),))
        later = [loss(f"{name}:lance:x", 89, day) for name in ("a", "b", "c", "d")]
        text = printed(render_status(replace(status(), losses=(urgent, *later)), "place", UNICODE), 200)
        assert f"✗ {PYTHON}: 2026-11-09 is lost on 2026-11-23. Fix: run `community-metrics refresh`" in text
        assert "  a:lance:x, b:lance:x, c:lance:x and 1 more: 2026-11-23 is lost on 2027-02-20" in text
        assert f"! {PYTHON}: 1 day lost for good: 2026-11-08" in text

    def test_without_a_source_that_forgets_nothing_is_said_of_losses(self) -> None:
        assert "lost" not in printed(render_status(status(), "place", UNICODE))

    def test_an_abandoned_run_is_called_so(self) -> None:
        view = run_view(run(NOON, RunStatus.RUNNING), None, NOON)
        assert "abandoned" in printed(render_runs([view], UNICODE))

    def test_adjoining_days_are_printed_as_one_range(self) -> None:
        days = [date(2026, 11, day) for day in (1, 3, 4, 5, 8, 10, 12)]
        assert ranges_text(days) == "2026-11-01, 2026-11-03 to 2026-11-05, 2026-11-08 and 2 more gaps"


class TestDoctor:
    def test_a_warning_alone_is_not_a_problem(self) -> None:
        assert not has_problem([Check(Verdict.OK, "a", "b"), Check(Verdict.WARN, "c", "d", "e")])
        assert has_problem([Check(Verdict.FAIL, "c", "d", "e")])

    def test_each_problem_is_printed_with_its_fix(self) -> None:
        text = printed(render_checks([Check(Verdict.FAIL, "keys", "one key twice", "`repair`")], UNICODE))
        assert "✗" in text
        assert "Fix: `repair`" in text
        assert "1 problem, 0 warnings." in text


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
def test_ages_are_printed_in_their_largest_whole_unit(span: timedelta, long: str, short: str) -> None:
    assert (age(span), duration(span)) == (long, short)
