"""An insight keeps its id while its numbers change, and differs from the others of its period."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from community_metrics.model import Cause, InsightKind
from community_metrics.series.insights import Insight
from community_metrics.series.insights.model import (
    GapNumbers,
    HeadlineNumbers,
    MilestoneNumbers,
    RecordNumbers,
    ShiftNumbers,
    SilenceNumbers,
    UnusualDay,
    UnusualNumbers,
)
from tests.support.rows import week_named

if TYPE_CHECKING:
    from community_metrics.series.insights.model import Numbers

A, B = "downloads:lance:python", "downloads:lance:rust"
WEDNESDAY, SUNDAY = date(2026, 11, 18), date(2026, 11, 22)


def insight(kind: InsightKind, numbers: Numbers, *metric_ids: str, product: str | None = None) -> Insight:
    return Insight(
        kind=kind,
        rule="a-rule",
        importance=1,
        unit="downloads",
        product=product,
        metric_ids=metric_ids,
        period=week_named("2026-W47"),
        numbers=numbers,
        sentence="A sentence.",
        link="/api/v1/x",
    )


def headline(total: int, *complete: str, product: str | None = None) -> Insight:
    numbers = HeadlineNumbers(total, None, None, complete, 2, (), (), None)
    return insight(InsightKind.HEADLINE, numbers, *complete, product=product)


def unusual(day: date, value: int) -> Insight:
    one = UnusualDay(day, value, 100, 50, 150)
    return insight(InsightKind.SPIKE, UnusualNumbers((one,), Cause.UNEXPLAINED, is_one_day=True, also=()), A)


def gap(lacking: tuple[date, ...], low: tuple[date, ...], *names: str) -> Insight:
    return insight(InsightKind.REGISTRY_GAP, GapNumbers("npm", lacking, low, 2), *names)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (headline(100, A), headline(300, A, B)),
        (unusual(WEDNESDAY, 900), unusual(WEDNESDAY, 950)),
        (gap((WEDNESDAY,), (), A), gap((WEDNESDAY, SUNDAY), (), A, B)),
    ],
    ids=["headline", "unusual", "gap"],
)
def test_an_id_stays_while_numbers_and_metrics_become_known(first: Insight, later: Insight) -> None:
    assert first.insight_id == later.insight_id


def test_the_insights_of_a_period_have_different_ids() -> None:
    marks = [MilestoneNumbers(mark, mark + 1, None, None, None) for mark in (1_000, 2_000)]
    found = [
        headline(100, A),
        headline(100, A, product="lance"),
        unusual(WEDNESDAY, 900),
        unusual(SUNDAY, 900),
        gap((WEDNESDAY,), (), A),
        gap((), (WEDNESDAY,), A),
        *(insight(InsightKind.MILESTONE, mark, A) for mark in marks),
        insight(InsightKind.LEVEL_BREAK, ShiftNumbers(WEDNESDAY, 1, 2, None), A),
        insight(InsightKind.RECORD, RecordNumbers(2, 1, "2026-W40", 52), A),
        insight(InsightKind.RECORD, RecordNumbers(2, 1, "2026-W40", 52), B),
        insight(InsightKind.SILENCE, SilenceNumbers(2, 2)),
    ]
    assert len({one.insight_id for one in found}) == len(found)
    assert found[-1].insight_id == "2026-W47|silence"
