"""Which series may share a chart: the rule `alike` of docs/insights.md."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.api.comparing import comparable_body
from community_metrics.model import UNIQUES, LevelBreak, SourceWindow, ValueKind
from community_metrics.series.alike import Candidate, Scale, alike, parts
from community_metrics.views.compare import Comparable
from tests.support.comparisons import FRESHNESS, TABLE, VERSIONS
from tests.support.comparisons import text as comparisons_text
from tests.support.insights import flow

if TYPE_CHECKING:
    from community_metrics.model import MetricDefinition

FIRST, LAST = date(2026, 1, 1), date(2026, 11, 22)
PYTHON = flow("downloads:lance:python")
RUST = replace(PYTHON, metric_id="downloads:lance:rust", display_name="Lance for Rust", source="crates")
PULLS = replace(RUST, metric_id="pulls:lance:docker", unit="pulls", value_kind=ValueKind.COUNTER)
STARS = replace(
    PYTHON,
    metric_id="stars:lance:github",
    display_name="Lance stars",
    unit="stars",
    value_kind=ValueKind.LEVEL,
    source_window=SourceWindow.INSTANT,
)
INSTALLS = replace(
    PYTHON,
    metric_id="installs:lance:homebrew",
    display_name="Installs",
    value_kind=ValueKind.ROLLING,
    source_window=SourceWindow.MONTH_ROLLING
    if hasattr(SourceWindow, "MONTH_ROLLING")
    else SourceWindow("30d"),
)
VISITORS = replace(PYTHON, metric_id="visitors:lance:github", display_name="Visitors", unit=UNIQUES)


def candidate(metric: MetricDefinition, size: int | None = 100, **changes: Any) -> Candidate:
    return replace(Candidate(metric, "", (), FIRST, size), **changes)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (STARS, "Lance stars is a level, but downloads:lance:python is an amount of each period."),
        (
            INSTALLS,
            "Installs is a rolling total of 30 days, but downloads:lance:python is an amount of each period.",
        ),
        (VISITORS, "Visitors is uniques of a day, but downloads:lance:python is an amount of each period."),
    ],
)
def test_another_kind_of_number_is_refused_with_a_sentence(other: MetricDefinition, reason: str) -> None:
    found = alike([candidate(PYTHON), candidate(other)], FIRST, LAST)
    assert [one.metric for one in found.accepted] == [PYTHON]
    assert [(one.metric_id, one.sentence) for one in found.refused] == [(other.metric_id, reason)]


def test_a_variant_of_a_series_is_refused_and_another_source_is_not() -> None:
    mirrored = replace(PYTHON, metric_id="downloads:lance:mirrored", display_name="With mirrors")
    one, variant, rust = candidate(PYTHON), candidate(mirrored, way="mirrors = true"), candidate(RUST)
    found = alike([one, variant, rust], FIRST, LAST)
    assert [each.metric for each in found.accepted] == [PYTHON, RUST]
    assert found.refused[0].sentence == (
        "With mirrors and downloads:lance:python are counted in two ways: pypistats has mirrors = true for "
        "the one and no option for the other."
    )


@pytest.mark.parametrize(("first", "is_refused"), [(FIRST, True), (date(2026, 6, 1), False)])
def test_a_series_is_refused_across_a_change_of_counting_alone(first: date, *, is_refused: bool) -> None:
    changed = candidate(RUST, breaks=(LevelBreak(date(2026, 6, 1), "bots are left out"),))
    found = alike([candidate(PYTHON), changed], first, LAST)
    sentences = [one.sentence for one in found.refused]
    said = "Lance for Rust is counted in another way since 2026-06-01 (bots are left out). Choose days from"
    assert [text.startswith(said) for text in sentences] == [True] * is_refused


def test_each_unit_has_an_axis_and_several_units_are_indexed() -> None:
    found = alike([candidate(PYTHON), candidate(PULLS), candidate(RUST)], FIRST, LAST)
    assert [(axis.unit, axis.metric_ids) for axis in found.axes] == [
        ("downloads", (PYTHON.metric_id, RUST.metric_id)),
        ("pulls", (PULLS.metric_id,)),
    ]
    assert found.advice is not None
    assert found.advice.scale is Scale.INDEXED


@pytest.mark.parametrize(
    ("size", "advised"), [(999, None), (1_000, Scale.LOG), (74_000, Scale.LOG), (None, None), (0, None)]
)
def test_a_log_scale_is_advised_where_sizes_are_far_apart(size: int | None, advised: Scale | None) -> None:
    found = alike([candidate(PYTHON, 100), candidate(RUST, size)], FIRST, LAST)
    assert (found.advice and found.advice.scale) == advised
    if size == 74_000:
        assert found.advice is not None
        assert found.advice.sentence.startswith("Lance for Rust is 740 times as large as downloads:lance:")


def test_what_decides_on_a_thousand_series_grows_with_each_of_them_alike() -> None:
    many = [
        candidate(replace(PYTHON, metric_id=f"downloads:p{at:03}:python"), 10 ** (1 + at % 7))
        for at in range(1_000)
    ]
    few_bytes, bytes_of_all = (_size_of_parts(some) for some in (many[:100], many))
    assert bytes_of_all < 10 * few_bytes
    assert bytes_of_all < 600_000


def _size_of_parts(candidates: list[Candidate]) -> int:
    view = Comparable(LAST, parts(candidates), frozenset(), FRESHNESS)
    return len(comparable_body(view, VERSIONS).model_dump_json().encode())


def test_the_page_without_a_server_is_tested_with_what_the_rule_says() -> None:
    assert TABLE.read_text(encoding="utf-8") == comparisons_text(), (
        "Fix: run `python -m tests.support.comparisons`"
    )
