"""How an insight is quoted: with what is known of its metrics in the period, and when that was read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.api.schemas.base import Versions
from community_metrics.mcp_server import mappers
from community_metrics.model import SEED_SOURCE, UNIQUES, InsightKind
from community_metrics.periods import days_between, midnight
from community_metrics.series.insights import insights_of
from community_metrics.series.points import points_of_period
from community_metrics.views.insights import Insights
from community_metrics.views.runs import Freshness
from tests.support.clock import NOON
from tests.support.insights import flow, material, rows_of, week_of

if TYPE_CHECKING:
    from community_metrics.mcp_server.answers import QuotedInsight

WEEK: Final = week_of(date(2026, 11, 16))
BEFORE: Final = WEEK.shifted(-1)
PYTHON: Final = flow("downloads:lance:python", display_name="Lance")
NEVER: Final = flow("downloads:lance:other", SEED_SOURCE, display_name="Other")
VISITORS: Final = flow("views:lance:visitors", display_name="Visitors", unit=UNIQUES)
VALUES: Final = {
    **dict.fromkeys(days_between(BEFORE.start, BEFORE.end), 10),
    **dict.fromkeys(days_between(WEEK.start, WEEK.end), 20),
}
VERSIONS: Final = dict.fromkeys(Versions.model_fields, 1)


def quoted() -> dict[InsightKind, QuotedInsight]:
    given = material(WEEK, {PYTHON.metric_id: VALUES}, metrics=[PYTHON, NEVER])
    view = Insights(WEEK, insights_of(given), Freshness(NOON, None, {}, read_at=NOON))
    metrics = {one.metric_id: one for one in given.metrics}
    known = mappers.Known(metrics, points_of_period(given.metrics, given.readings, WEEK, given.now))
    return {one.kind: one for one in mappers.insights_answer(view, known, VERSIONS).insights}


def test_an_insight_is_quoted_with_the_days_of_its_metric_and_their_reading_time() -> None:
    moved = quoted()[InsightKind.MOVER]
    assert (moved.completeness, moved.read_at) == ("7 of 7 days", midnight(WEEK.end) + timedelta(hours=36))
    assert (
        "(2026-W47; 7 of 7 days; rule largest-changes); source: pypistats, read 2026-11-23" in moved.citation
    )


def test_what_was_never_read_has_no_reading_time() -> None:
    missing = quoted()[InsightKind.MISSING]
    assert (missing.metric_ids, missing.read_at) == ([NEVER.metric_id], None)
    assert missing.citation.endswith("rule not-known); source: seed.")


def test_the_point_of_a_period_is_of_its_days_alone_and_uniques_of_a_day_have_none() -> None:
    metrics = [PYTHON, VISITORS]
    readings = rows_of(metrics, {one.metric_id: VALUES for one in metrics})
    found = points_of_period(metrics, readings, BEFORE, NOON)
    assert found.keys() == {PYTHON.metric_id}
    assert (found[PYTHON.metric_id].value, found[PYTHON.metric_id].complete) == (70, True)
    assert found[PYTHON.metric_id].observed_at == midnight(BEFORE.end) + timedelta(hours=36)
    assert points_of_period([VISITORS], readings, BEFORE, NOON) == {}
