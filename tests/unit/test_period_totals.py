"""The weekly total of a product: which series and which week it is of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.model import LevelBreak, SourceWindow, Status, ValueKind
from community_metrics.periods import days_between, last_periods
from community_metrics.series.period_totals import level_of_period, period_total
from community_metrics.series.points import points
from tests.support.clock import NOON
from tests.support.insights import flow
from tests.support.readings import readings_of
from tests.support.rows import dailies, level, week_named, wide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.series.period_totals import PeriodTotal

PYTHON, RUST = "downloads:p:python", "downloads:p:rust"
LAST, SHOWN = week_named("2026-W47"), 4
"""The week that was over at NOON, and how many weeks the tests show; as many more are read."""


def days(metric_id: str, value: int, *, first: str = "2026-W30", last: str = "2026-W47") -> list[StatRow]:
    span = days_between(week_named(first).start, week_named(last).end)
    return dailies(dict.fromkeys(span, value), metric_id=metric_id)


def total(
    rows: Sequence[StatRow],
    *,
    metrics: Sequence[MetricDefinition] | None = None,
    breaks: Mapping[str, Sequence[LevelBreak]] | None = None,
) -> PeriodTotal:
    own = metrics or [flow(PYTHON, sdk="python"), flow(RUST, "crates", sdk="rust")]
    grid = points(own, readings_of(rows), last_periods(LAST, 2 * SHOWN), NOON)
    positions = {metric.metric_id: row for row, metric in enumerate(own)}
    return period_total(grid, own, positions, shown=SHOWN, breaks=breaks or {})


def test_the_total_is_of_the_newest_week_that_every_series_has() -> None:
    found = total([*days(PYTHON, 3), *days(RUST, 1, last="2026-W46")])
    assert (found.period, found.value) == (week_named("2026-W46"), 28)
    assert found.totals == (28, 28, 28, None)
    assert found.waits_for == (RUST,)
    assert [(part.sdk, part.value, part.share) for part in found.parts] == [
        ("python", 21, 0.75),
        ("rust", 7, 0.25),
    ]


def test_a_week_that_lacks_a_day_of_one_series_stays_open() -> None:
    rows = [row for row in days(RUST, 1) if row.period_end != date(2026, 11, 4)]
    assert total([*days(PYTHON, 3), *rows]).totals == (28, None, 28, 28)


def test_a_series_without_a_complete_week_is_in_no_sum_and_named() -> None:
    found = total(days(PYTHON, 3))
    assert (found.value, found.lacking, found.waits_for) == (21, (RUST,), ())
    assert found.changes.change is not None


def test_a_change_compares_the_same_series_or_nothing() -> None:
    found = total([*days(PYTHON, 3), *days(RUST, 1, first="2026-W47")])
    assert (found.value, found.changes.change) == (28, None)


def test_no_change_is_computed_across_a_change_of_counting() -> None:
    broken = LevelBreak(LAST.start, "counts mirrors")
    found = total([*days(PYTHON, 3), *days(RUST, 1)], breaks={RUST: [broken]})
    assert (found.value, found.changes.change, found.changes.level_break) == (28, None, broken)


def test_only_where_nothing_is_complete_an_estimate_is_shown_without_change_and_parts() -> None:
    conda = "downloads_30d:p:conda"
    reading = wide(date(2026, 10, 24), date(2026, 11, 22), 300, metric_id=conda)
    metric = flow(PYTHON, fallbacks=(conda,))
    found = total([reading], metrics=[metric])
    assert found.is_estimated
    assert found.value is not None
    assert (found.changes.change, found.parts, set(found.totals)) == (None, (), {None})
    known = total([reading, *days(PYTHON, 3, last="2026-W44")], metrics=[metric])
    assert (known.is_estimated, known.value) == (False, 21)


def test_the_state_of_a_total_is_that_of_its_parts() -> None:
    later = timedelta(hours=3)
    python, rust = days(PYTHON, 3), days(RUST, 1)
    rust[-1] = replace(rust[-1], status=Status.PROVISIONAL, revision=1, observed_at=NOON + later)
    found, other = total([*python, *rust]), total(python)
    assert (found.status, found.restated, found.observed_at) == (Status.PROVISIONAL, True, NOON + later)
    assert (other.status, other.restated) == (Status.FINAL, False)
    assert other.observed_at == max(row.observed_at for row in python)


def test_without_any_value_there_is_no_week() -> None:
    found = total([])
    assert (found.period, found.value, found.lacking) == (None, None, (PYTHON, RUST))
    assert (found.status, found.restated, found.observed_at) == (None, None, None)


@pytest.mark.parametrize(("second", "value", "change"), [(True, 15, 3), (False, 10, 2)])
def test_levels_are_summed_as_they_were_at_the_end_of_the_week(second: bool, value: int, change: int) -> None:
    names = ("stars:p:github", "stars:q:github")
    stars = [
        flow(name, "github", value_kind=ValueKind.LEVEL, source_window=SourceWindow.INSTANT, unit="stars")
        for name in names
    ]
    end = LAST.end_instant
    rows = [level(end, 10, metric_id=names[0]), level(end - timedelta(days=7), 8, metric_id=names[0])]
    if second:
        rows += [level(end, 5, metric_id=names[1]), level(end - timedelta(days=7), 4, metric_id=names[1])]
    grid = points(stars, readings_of(rows), last_periods(LAST, 4), NOON)
    found = level_of_period(grid, stars, {name: row for row, name in enumerate(names)}, {})
    assert found is not None
    assert (found.value, found.change and found.change.absolute) == (value, change)
    assert len(found.included) == 1 + second
