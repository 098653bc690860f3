"""The slides of a digest with their charts: what is drawn, what is said of it, what its speaker knows."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community_metrics.charts.bars import embedded_bars
from community_metrics.charts.drawing import Bar, Bars
from community_metrics.digest.deck import deck_of
from community_metrics.digest.slides import slides_of
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.periods import midnight
from tests.support.digests import METRICS, OTHER, PYTHON, RUST, WEEK, digest_of, steady
from tests.support.events import note, release
from tests.support.readings import metric

if TYPE_CHECKING:
    from community_metrics.digest.slides import Slide
    from community_metrics.model.digest_content import Digest

LAST = WEEK.end
STARS = metric("stars:p:github", SourceWindow.INSTANT, kind=ValueKind.LEVEL)
VALUES = {
    PYTHON: steady(100, LAST),
    RUST: steady(50, LAST),
    OTHER: steady(10, LAST),
    STARS.metric_id: steady(5_000, LAST),
}
DIGEST = digest_of(VALUES, metrics=(*METRICS, STARS), stated=[release()], notes=[note()])
LACKING = digest_of(
    {**VALUES, RUST: {day: value for day, value in VALUES[RUST].items() if day != LAST}},
    metrics=(*METRICS, STARS),
)


def slide(digest: Digest, heading: str) -> Slide:
    [found] = [one for one in slides_of(digest).slides if one.heading.startswith(heading)]
    return found


def svgs(digest: Digest) -> list[ET.Element]:
    found = re.findall(r"<svg .*?</svg>", deck_of(digest), re.DOTALL)
    return [ET.fromstring(one) for one in found]  # noqa: S314  we drew it


def test_a_part_of_the_total_is_no_large_number() -> None:
    assert slides_of(DIGEST).slides[0].number == "1,120 downloads"
    assert DIGEST.total is not None
    part = DIGEST.total.model_copy(update={"is_complete": False, "value": 700})
    assert slides_of(DIGEST.model_copy(update={"total": part})).slides[0].number is None


def test_the_deck_shows_the_total_its_parts_products_and_stars() -> None:
    headings = [one.heading for one in slides_of(DIGEST).slides]
    assert headings[:7] == [
        "Lance and LanceDB: week 2026-W47",
        "Scorecard",
        "All products: 1,120 downloads in 2026-W47",
        "Downloads by SDK",
        "p: 1,050 downloads in 2026-W47",
        "q: 70 downloads in 2026-W47",
        "p: stars",
    ]
    assert len(svgs(DIGEST)) == 5


def test_a_picture_has_a_title_and_a_text_alternative() -> None:
    for drawn in svgs(DIGEST):
        texts = {one.attrib["id"]: one.text for one in drawn if one.tag in {"title", "desc"}}
        assert list(texts) == drawn.attrib["aria-labelledby"].split()
        assert all(texts.values())


def test_an_id_is_once_in_the_document() -> None:
    ids = re.findall(r'\bid="([^"]*)"', deck_of(DIGEST))
    assert ids
    assert len(ids) == len(set(ids))


def test_the_style_of_pictures_reaches_nothing_else() -> None:
    [style] = re.findall(r"<style>(.*?)</style>", deck_of(DIGEST), re.DOTALL)
    selectors = re.findall(r"([^{}]+)\{", style.split(".chart{", 1)[1].split("}", 1)[1])
    assert selectors
    assert all(own.strip().startswith(".chart ") for one in selectors for own in one.split(","))


def test_a_week_that_is_not_complete_is_a_gap_in_the_line_and_said() -> None:
    shown = slide(LACKING, "p: 7")
    assert shown.chart is not None
    values = [dot.value for dot in shown.chart.lines[0].dots]
    assert (values[-1], values[-2]) == (None, 1_050)
    assert shown.heading == "p: 700 downloads in 2026-W47, 1 of 2 series"
    assert shown.lead == "Not complete, so no change is given"
    assert f"2026-W47 has no value here: {RUST} is not complete." in shown.chart.notes[0]
    [drawn] = [one for one in svgs(LACKING) if one.findtext("title") == shown.heading]
    assert "gap: not complete" in "".join(drawn.itertext())


def test_there_is_no_share_where_a_series_is_missing_and_the_slide_says_why() -> None:
    assert slide(DIGEST, "Downloads by").bars is not None
    many = {name: value for name, value in VALUES.items() if name != OTHER}
    lacking = digest_of(many, metrics=(*METRICS, STARS))
    texts = [one.lead for one in slides_of(lacking).slides if one.heading == "Downloads by SDK"]
    assert texts == [
        "Without shares: 2 of 3 series are complete, and what is missing would raise the share of the others."
    ]


def test_shares_are_written_beside_their_bars() -> None:
    bars = slide(DIGEST, "Downloads by").bars
    assert bars is not None
    assert [(one.name, one.text) for one in bars.bars] == [("Python", "770 (68.8%)"), ("Rust", "350 (31.2%)")]


def test_each_chart_has_the_definitions_in_its_notes() -> None:
    rules = {rule.rule_id: rule.text for rule in DIGEST.rules}
    for one in slides_of(DIGEST).slides:
        if one.chart is not None and not one.chart.title.endswith("stars"):
            assert rules["total-of-period"] in one.notes
        if one.chart is not None:
            assert any("A gap is a week that is not complete" in text for text in one.notes)
        if one.bars is not None:
            assert any(text.startswith("A share is") for text in one.notes)


def test_what_people_say_is_marked_on_the_chart_with_their_names() -> None:
    chart = slide(DIGEST, "All products").chart
    assert chart is not None
    assert any(f"(says {note().author})" in flag.title for flag in chart.flags)


def test_a_chart_of_a_product_marks_only_its_own_events() -> None:
    other = digest_of(VALUES, metrics=(*METRICS, STARS), notes=[note(product="q")])
    charts = {one.heading[:2]: one.chart for one in slides_of(other).slides if one.chart is not None}
    assert charts["q:"] is not None
    assert [flag.title for flag in charts["q:"].flags] != []
    assert charts["p:"] is not None
    assert list(charts["p:"].flags) == []


def test_an_estimate_never_stands_as_a_number_of_its_own() -> None:
    assert DIGEST.total is not None
    total = DIGEST.total.model_copy(update={"is_estimated": True})
    shown = slides_of(DIGEST.model_copy(update={"total": total})).slides[0]
    assert shown.number == "about 1,120 downloads"


def test_short_lists_that_belong_together_share_a_slide() -> None:
    shown = slide(DIGEST, "What happened")
    assert shown.also is not None
    assert shown.also.heading == "What people say, with their names"
    html = deck_of(DIGEST)
    assert html.count("What people say, with their names") == 1


@given(st.lists(st.integers(1, 500), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_a_list_on_several_slides_is_spread_evenly_and_loses_nothing(lengths: list[int]) -> None:
    told = [
        DIGEST.notes[0].model_copy(update={"title": f"{at}" + "x" * size}) for at, size in enumerate(lengths)
    ]
    shown = [
        one
        for one in slides_of(DIGEST.model_copy(update={"notes": tuple(told), "happenings": ()})).slides
        if one.heading.startswith("What people say")
    ]
    assert [line.text[:60] for one in shown for line in one.lines] == [
        f"{one.day}  {one.author}: {one.title} ({one.product_name})"[:60] for one in told
    ]
    assert all(one.lines for one in shown)


def test_a_period_that_goes_on_has_no_number_and_no_picture() -> None:
    shown = slides_of(digest_of(VALUES, metrics=(*METRICS, STARS), now=midnight(LAST) + timedelta(hours=1)))
    assert "is not over" in str(shown.slides[0].lead)
    assert shown.slides[0].number is None
    assert not [one for one in shown.slides if one.chart or one.bars or one.table]


def test_bars_begin_at_zero_and_are_as_long_as_their_values() -> None:
    drawn = embedded_bars(Bars("Parts", [Bar("a", 100), Bar("b", 50), Bar("c", 0)]), scope="x-")
    lengths = [float(one) for one in re.findall(r"h([0-9.]+)\"", drawn)]
    assert lengths[0] == pytest.approx(2 * lengths[1], abs=0.2)
    assert lengths[2] == 0


def test_no_bars_are_no_picture() -> None:
    with pytest.raises(ValueError, match="at least one bar"):
        embedded_bars(Bars("Parts", []), scope="x-")
