from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.model import GapKind, Lease, RunStatus, SourceWindow, ValueKind
from community_metrics.periods import days_between, last_periods
from community_metrics.series.freshness import (
    StoredDays,
    behind,
    freshness,
    gap_kind,
    last_success,
    run_view,
    source_freshness,
)
from community_metrics.series.summary import Summary, summarize
from community_metrics.series.totals import LeftOut, flow_total, left_out, level_total
from community_metrics.views.runs import Freshness
from tests.support.clock import NOON
from tests.support.readings import metric, points, readings_of
from tests.support.rows import dailies, daily, level, run, week_named

if TYPE_CHECKING:
    from community_metrics.model import StatRow
    from community_metrics.series.grid import PointSeries
    from community_metrics.series.totals import FlowTotal, LevelTotal

W47 = week_named("2026-W47")
SUNDAY = date(2026, 11, 22)
A, B = "downloads:lance:python", "downloads:lance:rust"


def days(count: int, *, until: date = SUNDAY, without: tuple[date, ...] = ()) -> dict[date, int]:
    return {day: 1 for day in days_between(until - timedelta(days=count - 1), until) if day not in without}


def weeks(values: list[int]) -> PointSeries:
    """Weeks up to week 47, each with its value on its Monday and 0 on the other days."""
    periods = last_periods(W47, len(values))
    known = {day: 0 for week in periods for day in days_between(week.start, week.end)}
    known |= {week.start: value for week, value in zip(periods, values, strict=True)}
    return points(dailies(known), periods, window=SourceWindow.DAY, now=NOON)


def total_of(rows: dict[str, list[StatRow]]) -> FlowTotal:
    every = [replace(row, metric_id=name) for name, own in rows.items() for row in own]
    return flow_total(readings_of(every, rows), list(rows), date(2025, 11, 23))


def stars_of(rows: dict[str, list[StatRow]]) -> LevelTotal:
    every = [replace(row, metric_id=name) for name, own in rows.items() for row in own]
    metrics = [metric(name, SourceWindow.INSTANT) for name in rows]
    return level_total(readings_of(every, rows).newest(), metrics)


def stored(metric_id: str, known: dict[date, int], *, first: date | None = None) -> StoredDays:
    return StoredDays(
        metric_id, "crates", SourceWindow.DAY, first or min(known, default=None), frozenset(known), NOON
    )


class TestSummary:
    def test_a_summary_is_of_the_newest_complete_week(self) -> None:
        own = weeks([40, 50])
        summary = summarize(own, ValueKind.FLOW, [100, 200])
        assert summary.latest == own[-1]
        assert (summary.change and summary.change.fraction, summary.share) == (0.25, 0.25)

    def test_a_week_without_a_total_of_the_product_has_no_share(self) -> None:
        own = weeks([40, 50])
        assert summarize(own, ValueKind.FLOW, [100, None]).share is None
        assert summarize(own, ValueKind.FLOW, None).share is None

    def test_the_summary_of_an_empty_series_is_empty(self) -> None:
        nothing = points([], [W47], window=SourceWindow.DAY, now=NOON)
        assert summarize(nothing, ValueKind.FLOW, None) == Summary()


class TestTotals:
    def test_a_total_covers_only_days_that_all_metrics_have(self) -> None:
        gap = SUNDAY - timedelta(days=3)
        total = total_of({A: dailies(days(40)), B: dailies(days(40, without=(gap,)))})
        assert (total.value, total.days_present, total.days_expected) == (58, 29, 30)

    def test_a_total_ends_with_the_last_day_settled_for_all(self) -> None:
        total = total_of({A: dailies(days(40)), B: dailies(days(40, until=SUNDAY - timedelta(days=2)))})
        assert (total.period_start, total.period_end) == (date(2026, 10, 22), date(2026, 11, 20))

    @pytest.mark.parametrize("is_newest_first", [True, False])
    def test_a_day_that_is_stored_twice_is_added_once_as_last_read(self, is_newest_first: bool) -> None:
        newer = daily(SUNDAY, 5, observed_at=NOON + timedelta(days=1))
        rows = [newer, *dailies(days(30))] if is_newest_first else [*dailies(days(30)), newer]
        total = total_of({A: rows})
        assert (total.value, total.days_present) == (34, 30)

    @pytest.mark.parametrize("is_revised_first", [True, False])
    def test_a_level_that_is_stored_twice_is_added_once(self, is_revised_first: bool) -> None:
        revised = replace(level(NOON, 9), revision=1)
        copies = [revised, level(NOON, 7)] if is_revised_first else [level(NOON, 7), revised]
        assert stars_of({"stars:a:github": copies}).value == 9

    def test_days_before_the_first_day_of_a_total_do_not_count(self) -> None:
        rows = readings_of(dailies(days(40)), [A])
        assert flow_total(rows, [A], SUNDAY + timedelta(days=1)).waits_for == (A,)
        assert flow_total(rows, [A], SUNDAY).days_present == 1

    def test_there_is_no_total_while_one_metric_has_no_day(self) -> None:
        total = total_of({A: dailies(days(40)), B: []})
        assert (total.value, total.waits_for) == (None, (B,))

    def test_a_total_names_the_metrics_that_it_waits_for(self) -> None:
        early, late = SUNDAY - timedelta(days=2), SUNDAY - timedelta(days=1)
        third = "downloads:lance:node"
        total = total_of({
            A: dailies(days(40)),
            B: dailies(days(40, until=early)),
            third: dailies(days(40, until=late)),
        })  # fmt: skip
        assert (total.period_end, total.waits_for) == (early, (B,))

    def test_a_total_of_equally_new_metrics_waits_for_none(self) -> None:
        assert total_of({A: dailies(days(40)), B: dailies(days(40))}).waits_for == ()

    def test_a_total_names_the_days_that_it_lacks(self) -> None:
        gaps = (SUNDAY - timedelta(days=29), SUNDAY - timedelta(days=3))
        total = total_of({A: dailies(days(40)), B: dailies(days(40, without=gaps))})
        assert (total.missing_days, total.days_present) == (gaps, 28)

    def test_a_metric_that_left_has_no_part_in_a_total(self) -> None:
        every = [replace(row, metric_id=B) for row in dailies(days(10, until=SUNDAY - timedelta(days=60)))]
        gone = LeftOut(B, SUNDAY - timedelta(days=60))
        readings = readings_of([*dailies(days(40)), *every], [A, B])
        total = flow_total(readings, [A, B], date(2025, 11, 23), left_out=[gone])
        assert (total.metric_ids, total.value, total.waits_for) == ((A,), 30, ())
        assert total.left_out == (gone,)

    @pytest.mark.parametrize(
        ("own", "other", "published", "leaves"),
        [
            (14, 0, None, False),
            (15, 0, None, True),
            (15, 15, None, False),
            (15, 15, 1, False),
            (15, 15, 0, True),
            (None, 0, None, True),
            (None, None, None, False),
        ],
        ids=[
            "two weeks behind",
            "longer behind",
            "all are as old",
            "two weeks behind its source",
            "longer behind its source",
            "never stored",
            "nothing is stored",
        ],
    )
    def test_what_failed_for_more_than_two_weeks_leaves(
        self, own: int | None, other: int | None, published: int | None, leaves: bool
    ) -> None:
        def ago(count: int) -> date:
            return SUNDAY - timedelta(days=count)

        metrics = [metric(B, SourceWindow.DAY), replace(metric(A, SourceWindow.DAY), source="crates")]
        metrics = [replace(one, created_at=NOON - timedelta(days=60)) for one in metrics]
        newest = {name: ago(age) for name, age in ((B, own), (A, other)) if age is not None}
        sources = {} if published is None else {"pypistats": ago(published)}
        left = [one.metric_id for one in left_out(metrics, newest, sources)]
        assert left == ([B] if leaves else [])

    def test_a_metric_that_is_new_and_was_never_read_is_waited_for(self) -> None:
        metrics = [metric(B, SourceWindow.DAY)]
        assert left_out(metrics, {}, {"pypistats": SUNDAY}) == ()
        (gone,) = left_out(metrics, {}, {"pypistats": NOON.date() + timedelta(days=15)})
        assert gone == LeftOut(B, None)

    def test_a_total_of_stars_has_the_instant_of_each_reading_and_the_missing_metrics(self) -> None:
        rows = {"stars:a:github": [level(NOON, 7), level(NOON - timedelta(days=1), 9)], "stars:b:github": []}
        total = stars_of(rows)
        assert (total.value, total.missing) == (7, ("stars:b:github",))
        assert total.readings[0].observed_at == NOON

    @pytest.mark.parametrize(("age", "total", "left"), [(14, 16, 0), (15, 7, 1)])
    def test_an_old_reading_leaves_a_total_of_stars(self, age: int, total: int, left: int) -> None:
        old = level(NOON - timedelta(days=age), 9)
        found = stars_of({"stars:a:github": [level(NOON, 7)], "stars:b:github": [old]})
        assert (found.value, len(found.left_out)) == (total, left)


class TestFreshness:
    def test_a_day_that_another_metric_of_the_source_has_is_missing(self) -> None:
        behind = days(40, until=SUNDAY - timedelta(days=1))
        (_, late) = freshness([stored(A, days(40)), stored(B, behind)], NOON)
        assert (late.newest_day, late.published_through) == (SUNDAY - timedelta(days=1), SUNDAY)
        assert late.missing_days == (SUNDAY,)

    def test_days_before_the_first_stored_one_are_not_missing(self) -> None:
        (young,) = freshness([stored(A, days(5))], NOON)
        assert young.missing_days == ()

    def test_a_gap_older_than_12_weeks_is_not_listed(self) -> None:
        old = date(2026, 8, 30)  # the day before the Monday on which the last 12 weeks begin
        known = days(120, without=(old, old + timedelta(days=1)))
        (metric,) = freshness([stored(A, known)], NOON)
        assert metric.missing_days == (date(2026, 8, 31),)

    @pytest.mark.parametrize(("days_ago", "kind"), [(3, GapKind.LATE), (4, GapKind.NOT_FETCHED)])
    def test_a_registry_is_behind_when_its_next_day_is_no_longer_late(
        self, days_ago: int, kind: GapKind
    ) -> None:
        day = NOON.date() - timedelta(days=days_ago)
        assert gap_kind(day, NOON, None) is kind
        assert bool(behind({"npm": day - timedelta(days=1)}, NOON)) is (kind is GapKind.NOT_FETCHED)

    def test_a_level_has_no_missing_days(self) -> None:
        reading = StoredDays(
            "stars:a:github", "github", SourceWindow.INSTANT, SUNDAY, frozenset({SUNDAY}), NOON
        )
        (metric,) = freshness([reading], NOON + timedelta(days=60))
        assert (metric.published_through, metric.missing_days) == (None, ())

    def test_a_seed_file_publishes_nothing_so_none_of_its_days_is_missing(self) -> None:
        whole, short = days(40), days(30, until=SUNDAY - timedelta(days=9))
        seeded = [replace(stored(A, whole), source="seed"), replace(stored(B, short), source="seed")]
        found = freshness(seeded, NOON)
        assert [(metric.published_through, metric.missing_days) for metric in found] == [(None, ())] * 2

    def test_a_source_is_stale_when_its_newest_day_is_more_than_10_days_ago(self) -> None:
        midnight = datetime(2026, 12, 3, tzinfo=UTC)
        before, after = (
            source_freshness("npm", SUNDAY, now) for now in (midnight - timedelta(seconds=1), midnight)
        )
        assert (before.is_stale, after.is_stale) == (False, True)
        assert before.stale_from == after.stale_from == midnight

    @pytest.mark.parametrize(
        ("newest", "stale"),
        [
            ({}, True),
            ({"npm": None}, True),
            ({"npm": None, "crates": SUNDAY}, False),
            ({"npm": SUNDAY - timedelta(days=10), "crates": SUNDAY}, True),
        ],
    )
    def test_data_are_stale_when_a_source_is_or_nothing_was_ever_fetched(
        self, newest: dict[str, date | None], stale: bool
    ) -> None:
        assert Freshness(NOON, None, newest).is_stale is stale

    @pytest.mark.parametrize(
        ("status", "job"), [(RunStatus.PARTIAL, "weekly_refresh"), (RunStatus.SUCCESS, "seed_from_csv")]
    )
    def test_only_a_whole_refresh_is_a_success(self, status: RunStatus, job: str) -> None:
        assert last_success([run(NOON, status, job_name=job)]) is None

    def test_a_run_without_a_live_lease_was_abandoned(self) -> None:
        open_run = run(NOON, RunStatus.RUNNING)
        lease = Lease("database", "run-1", "host", 1, NOON, NOON + timedelta(minutes=2))
        assert run_view(open_run, lease, NOON).state == "running"
        assert run_view(open_run, lease, lease.expires_at).state == "abandoned"
        assert run_view(open_run, None, NOON).state == "abandoned"

    def test_a_run_that_started_after_the_lease_was_read_is_running(self) -> None:
        assert run_view(run(NOON + timedelta(seconds=1), RunStatus.RUNNING), None, NOON).state == "running"
