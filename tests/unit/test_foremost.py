"""Which insights a first screen shows."""

from __future__ import annotations

from community_metrics.model import Direction, InsightKind
from community_metrics.series.change import Change
from community_metrics.series.insights import MOST_FOREMOST, Insight, foremost
from community_metrics.series.insights.model import MoverNumbers, SilenceNumbers
from tests.support.rows import week_named

W47 = week_named("2026-W47")
KINDS = [kind for kind in InsightKind if kind is not InsightKind.SILENCE]


def insight(kind: InsightKind, importance: int, unit: str = "downloads", metric_id: str = "") -> Insight:
    numbers = (
        SilenceNumbers(importance, 9)
        if kind is InsightKind.SILENCE
        else MoverNumbers(1, Change(absolute=1, fraction=1.0), Direction.UP)
    )
    name = metric_id or f"{kind}:{unit}:{importance}"
    return Insight(kind, "rule", importance, unit, None, (name,), W47, numbers, "sentence", "link")


def told(*insights: Insight) -> list[str]:
    return [f"{insights[at].kind} {insights[at].importance}" for at in foremost(insights)]


def test_what_is_unusual_comes_before_the_largest_changes() -> None:
    shown = told(
        insight(InsightKind.HEADLINE, 9),
        insight(InsightKind.SPIKE, 8),
        insight(InsightKind.MOVER, 3),
        insight(InsightKind.MOVER, 4),
        insight(InsightKind.MISSING, 1),
        insight(InsightKind.RESTATED, 1),
    )
    assert shown == ["spike 8", "mover 4", "mover 3"]


def test_a_week_of_many_records_does_not_hide_a_gap_of_a_registry() -> None:
    records = [insight(InsightKind.RECORD, size) for size in (9, 8, 7, 6)]
    shown = told(insight(InsightKind.REGISTRY_GAP, 1, "days"), *records)
    assert shown == ["registry_gap 1", "record 9", "record 8"]


def test_the_largest_of_each_kind_comes_before_the_second_of_any() -> None:
    kinds = (InsightKind.SPIKE, InsightKind.RECORD, InsightKind.MILESTONE)
    shown = told(*(insight(kind, size) for kind in kinds for size in (2, 1)))
    assert shown == ["spike 2", "record 2", "milestone 2", "spike 1"]


def test_downloads_come_before_what_is_counted_in_another_unit() -> None:
    assert told(insight(InsightKind.SPIKE, 1, "clones"), insight(InsightKind.SPIKE, 2)) == [
        "spike 2",
        "spike 1",
    ]


def test_a_usual_week_says_so_before_its_largest_changes() -> None:
    shown = told(
        insight(InsightKind.MOVER, 3, "forks"), insight(InsightKind.MOVER, 2), insight(InsightKind.SILENCE, 5)
    )
    assert shown == ["silence 5", "mover 2", "mover 3"]


def test_a_week_in_which_no_series_could_be_judged_is_not_called_usual() -> None:
    assert told(insight(InsightKind.SILENCE, 0)) == []


def test_a_metric_is_told_once() -> None:
    shown = told(
        insight(InsightKind.RECORD, 9, metric_id="a"),
        insight(InsightKind.MOVER, 5, metric_id="a"),
        insight(InsightKind.MOVER, 4, metric_id="b"),
    )
    assert shown == ["record 9", "mover 4"]


def test_there_are_never_more_than_four() -> None:
    assert len(told(*(insight(kind, size) for kind in KINDS for size in (3, 2, 1)))) == MOST_FOREMOST
