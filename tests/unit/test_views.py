"""What the views compute from rows: one rule for each number, whatever face shows it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.periods import Grain, days_between, last_completed, last_periods
from community_metrics.views.dashboard import DashboardRows
from community_metrics.views.report import report_of, shown_change, shown_point
from community_metrics.views.runs import Freshness
from community_metrics.views.selection import StoredMetrics
from tests.support.clock import NOON
from tests.support.readings import readings_of
from tests.support.rows import dailies, wide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from community_metrics.model import StatRow
    from community_metrics.views.report import Report

PYTHON, RUST, CONDA = "downloads:p:python", "downloads:p:rust", "downloads_30d:p:conda"
SUNDAY = date(2026, 11, 22)
METRIC = """
[[metric]]
id = "{id}"
source = "{source}"
subject = "p"
window = "{window}"
display_name = "{id}"
"""
"""Two registries that count by the day, and beside them a reading of 30 days that only a file has."""
CATALOG = "\n".join([
    '[[product]]\nid = "p"\nname = "P"',
    METRIC.format(id=PYTHON, source="pypistats", window="1d"),
    METRIC.format(id=RUST, source="crates", window="1d"),
    METRIC.format(id=CONDA, source="seed", window="30d"),
])  # fmt: skip


@pytest.fixture
def stored(tmp_path: Path) -> StoredMetrics:
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG, encoding="utf-8")
    catalog = load_catalog(file)
    return StoredMetrics([metric.definition(NOON) for metric in catalog.metrics], catalog)


def days(metric_id: str, value: int, *, until: date = SUNDAY, count: int = 60) -> list[StatRow]:
    return dailies(
        dict.fromkeys(days_between(until - timedelta(days=count - 1), until), value), metric_id=metric_id
    )


def report(stored: StoredMetrics, *rows: Sequence[StatRow], weeks: int) -> Report:
    every = [row for own in rows for row in own]
    readings = readings_of(every)
    periods = last_periods(last_completed(NOON, Grain.WEEK), 80)
    freshness = Freshness(NOON, None, {})
    read = DashboardRows(stored, stored.shown, readings, readings.newest(), periods, 80, freshness)
    return report_of(read.build(), max(row.period_end for row in every), weeks=weeks)


@pytest.mark.parametrize("weeks", [1, 5, 8, 70])
def test_a_total_and_a_share_do_not_depend_on_the_weeks_of_a_report(
    stored: StoredMetrics, weeks: int
) -> None:
    found = report(stored, days(PYTHON, 75), days(RUST, 25), weeks=weeks)
    (product,) = found.dashboard.products
    assert product.downloads is not None
    assert (product.downloads.value, product.downloads.days_present) == (30 * 100, 30)
    assert [metric.summary.share for metric in product.metrics] == [0.75, 0.25, None]


def test_a_reading_of_30_days_takes_no_part_in_the_shares_of_days(stored: StoredMetrics) -> None:
    reading = wide(SUNDAY - timedelta(days=33), SUNDAY - timedelta(days=4), 3_000, metric_id=CONDA)
    found = report(stored, days(PYTHON, 75), days(RUST, 25), [reading], weeks=4)
    assert [metric.summary.share for metric in found.metrics] == [0.75, 0.25, None]


def test_a_row_shows_the_newest_complete_week_of_its_window_and_the_change_to_it(
    stored: StoredMetrics,
) -> None:
    late = days(RUST, 25, until=SUNDAY - timedelta(days=17))
    found = report(stored, days(PYTHON, 75), late, weeks=4)
    python, rust, _ = found.metrics
    shown = [shown_point(metric) for metric in (python, rust)]
    assert [point and point.period.label for point in shown] == ["2026-W47", "2026-W44"]
    assert [change and change.absolute for change in map(shown_change, (python, rust))] == [0, 0]


def test_a_row_whose_last_complete_week_is_before_the_window_shows_no_change(stored: StoredMetrics) -> None:
    late = days(RUST, 25, until=SUNDAY - timedelta(days=17))
    found = report(stored, days(PYTHON, 75), late, weeks=3)
    _, rust, _ = found.metrics
    point = shown_point(rust)
    assert point is not None
    assert (point.period.label, point.days_present, point.complete) == ("2026-W45", 4, False)
    assert shown_change(rust) is None
    assert rust.summary.latest is not None
