"""Charts as SVG: XML of any words, gaps where data are missing, a shape for each kind of value, 20 kB."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from community_metrics.charts.drawing import Chart, Dot, Flag, Line, Mark
from community_metrics.charts.page import MARGIN, SMALL_PX, TEXT_PX, TITLE_PX, WIDTH
from community_metrics.charts.plot import MOST_RINGS
from community_metrics.charts.scale import axis_of, days_on
from community_metrics.charts.svg import chart_svg
from community_metrics.charts.text import text_width, wrapped
from community_metrics.periods import Grain, last_periods, period_of
from community_metrics.views.chart import MOST_DOTS

SVG = "{http://www.w3.org/2000/svg}"
LAST = period_of(date(2026, 11, 22), Grain.WEEK)
MOST = 20_000
SIZES = {"t": TITLE_PX, "s": TEXT_PX, "w": TEXT_PX, "k": TEXT_PX, "n": SMALL_PX}


def chart(*lines: list[Dot], **changes: object) -> Chart:
    drawn = [Line(f"line {at}", dots) for at, dots in enumerate(lines)]
    words = {"title": "Orchard", "subtitle": "downloads per week", "lines": drawn}
    return Chart(**(words | {"periods": last_periods(LAST, len(lines[0]))} | changes))  # type: ignore[arg-type]


def dots(*values: int | None) -> list[Dot]:
    return [Dot(value) for value in values]


def parsed(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314  we drew it


def paths(drawn: str, kind: str) -> list[str]:
    """Return the drawing of the paths of a class, and of those that are drawn with it."""
    picture = parsed(drawn)
    found = [path for path in picture.iter(f"{SVG}path") if path.attrib.get("class") == kind]
    used = {use.attrib["href"][1:] for use in picture.iter(f"{SVG}use") if use.attrib["class"] == kind}
    found += [path for path in picture.iter(f"{SVG}path") if path.attrib.get("id") in used]
    return [path.attrib["d"] for path in found]


def texts(drawn: str) -> list[str]:
    return ["".join(text.itertext()) for text in parsed(drawn).iter(f"{SVG}text")]


@settings(max_examples=40)
@given(st.text(), st.sampled_from(["auto", "light", "dark"]))
def test_a_chart_of_any_words_is_xml_that_runs_and_loads_nothing(text: str, theme: str) -> None:
    words = {"title": text, "subtitle": text, "warnings": [text], "notes": [text], "description": text}
    flags = [Flag(LAST.end, text)]
    drawn = chart_svg(chart(dots(1, None, 3), dots(2, 2, 2), flags=flags, **words), theme=theme)
    names = {element.tag.removeprefix(SVG) for element in parsed(drawn).iter()}
    assert names <= {"svg", "title", "desc", "style", "rect", "path", "text", "defs", "use"}
    assert not re.search(r"url\(|@import|href=\"[^#]|<script|on\w+=", re.sub(r">[^<]*<", "><", drawn))
    assert re.findall(r"https?://[^\"]*", re.sub(r">[^<]*<", "><", drawn)) == ["http://www.w3.org/2000/svg"]


def test_a_chart_has_a_title_a_text_alternative_and_the_unit_of_its_axis() -> None:
    drawn = chart_svg(chart(dots(1, 2), description="1 in 2026-W46, then 2 in 2026-W47."))
    picture = parsed(drawn)
    assert picture.attrib["aria-labelledby"] == "t d"
    assert [picture.findtext(f"{SVG}{name}") for name in ("title", "desc")] == [
        "Orchard",
        "1 in 2026-W46, then 2 in 2026-W47.",
    ]
    assert "downloads per week" in texts(drawn)


def test_a_missing_period_is_a_gap_and_said() -> None:
    drawn = chart_svg(chart(dots(1, 2, None, 4, 5)))
    (line,) = paths(drawn, "l0")
    assert line.count("M") == 2
    assert "gap: no data" in texts(drawn)


def test_a_value_between_gaps_is_a_dot() -> None:
    drawn = chart_svg(chart(dots(None, 7, None)))
    assert paths(drawn, "l0") == []
    (dot,) = paths(drawn, "l0 i")
    assert dot.endswith("h0")


@pytest.mark.parametrize(
    ("mark", "kind", "sign"),
    [
        (Mark.PROVISIONAL, "l0 h", "○ may still change"),
        (Mark.ESTIMATED, "l0 d", "┄ ◇ estimated"),
        (Mark.INCOMPLETE, "l0 x", "× days missing"),  # noqa: RUF001  the sign that is drawn
    ],
)
def test_each_kind_of_value_has_a_shape_that_the_key_explains(mark: Mark, kind: str, sign: str) -> None:
    drawn = chart_svg(chart([Dot(3), Dot(4), Dot(5, mark), Dot(6)]))
    assert paths(drawn, kind)
    assert sign in texts(drawn)
    assert not paths(chart_svg(chart(dots(3, 4, 5, 6))), kind)


def test_a_restated_value_has_a_wide_ring_behind_its_line_that_the_key_explains() -> None:
    drawn = chart_svg(chart([Dot(3), Dot(4, restated=True), Dot(None, restated=True), Dot(6)]))
    (shape,) = re.findall(r'<path id="q" d="([^"]*)"/>', drawn)
    assert shape.count("h0") == 1
    assert drawn.index('href="#q"') < drawn.index('class="l0')
    assert "◯ restated by the registry · gap: no data" in texts(drawn)
    assert not any("restated" in text for text in texts(chart_svg(chart(dots(3, 4)))))


def test_of_many_restated_values_the_newest_have_a_ring_and_the_key_says_how_many() -> None:
    drawn = chart_svg(chart([Dot(3, restated=True) for _ in range(MOST_RINGS + 9)]))
    (shape,) = re.findall(r'<path id="q" d="([^"]*)"/>', drawn)
    assert shape.count("h0") == MOST_RINGS
    assert "◯ restated by the registry, the newest 80 of 89" in texts(drawn)


def test_a_period_with_days_missing_is_joined_to_nothing() -> None:
    drawn = chart_svg(chart([Dot(9), Dot(9), Dot(2, Mark.INCOMPLETE), Dot(9), Dot(9)]))
    (line,) = paths(drawn, "l0")
    assert line.count("M") == 2


def test_a_reset_is_a_rule_without_a_value() -> None:
    drawn = chart_svg(chart([Dot(3), Dot(None, Mark.RESET), Dot(1)]))
    assert len(paths(drawn, "l0 r")) == 1
    assert "┊ counter reset" in "".join(texts(drawn))


def test_flows_start_at_zero_and_an_axis_that_does_not_says_so() -> None:
    assert "0" in texts(chart_svg(chart(dots(5_000, 5_100))))
    level = texts(chart_svg(chart(dots(5_010, 5_100), starts_at_zero=False)))
    assert "0" not in level
    assert "The axis begins at 5,000, not at 0." in level


def test_events_are_marked_on_their_day_and_named_below() -> None:
    early, late = date(2026, 11, 2), date(2026, 11, 18)
    flags = [Flag(late, "Orchard 2.0 <&>"), Flag(early, "on a front page")]
    drawn = chart_svg(chart(dots(1, 2, 3, 4), flags=flags))
    (marks,) = paths(drawn, "v")
    assert marks.count("M") == 2
    first, second = [text for text in texts(drawn) if text[:4] in {"1 20", "2 20"}]
    assert (first, second) == ("1 2026-11-02 on a front page", "2 2026-11-18 Orchard 2.0 <&>")


def test_the_numbers_of_events_on_the_last_day_are_all_in_the_picture() -> None:
    flags = [Flag(LAST.end, f"event {at}") for at in range(6)]
    picture = parsed(chart_svg(chart(dots(1, 2), flags=flags)))
    places = [float(text.attrib["x"]) for text in picture.iter(f"{SVG}text") if text.attrib["class"] == "m b"]
    assert len(places) == 6
    assert max(places) <= WIDTH - MARGIN + 8
    assert all(after - one >= 12 for one, after in pairwise(places))


def test_events_without_room_for_their_names_are_marked_and_counted() -> None:
    flags = [Flag(LAST.end - timedelta(days=at), f"{at} " + "x" * 400) for at in range(9)]
    drawn = chart_svg(chart(dots(*range(1, 9)), flags=flags))
    (marks,) = paths(drawn, "v")
    assert marks.count("M") == 9
    assert "5 more events in these days." in texts(drawn)


NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=300)


@settings(max_examples=40)
@given(st.lists(NAMES, min_size=2, max_size=8))
def test_a_long_name_goes_on_in_the_next_line_and_has_room(names: list[str]) -> None:
    lines = [Line(name, dots(1, 2)) for name in names]
    drawn = chart_svg(chart(dots(1, 2), lines=lines, title=names[0]))
    for text in parsed(drawn).iter(f"{SVG}text"):
        kind, start = text.attrib["class"], float(text.attrib["x"])
        if kind in SIZES:
            width = text_width("".join(text.itertext()), size=SIZES[kind], bold=kind in "tw")
            assert start + width <= WIDTH - MARGIN + 1
    shown = "".join("".join(text.itertext()) for text in parsed(drawn).iter(f"{SVG}text"))
    for name in names:
        assert re.sub(r"\s", "", "".join(wrapped(name, 10_000))) in re.sub(r"\s", "", shown)


def test_ten_years_of_weeks_have_at_most_20_kb_whatever_the_marks() -> None:
    for mark in (Mark.PROVISIONAL, Mark.ESTIMATED, Mark.INCOMPLETE):
        lines = [[Dot(7**9 + at * 10**6 % 999_983, mark, restated=True) for at in range(MOST_DOTS)]]
        flags = [Flag(LAST.end - timedelta(days=at), "x" * 300) for at in range(500)]
        assert len(chart_svg(chart(*lines, flags=flags)).encode()) <= MOST
    lines = [
        [
            Dot((at * 7919 + line * 104_729) % 99_991, Mark.PROVISIONAL, restated=True)
            for at in range(MOST_DOTS // 8)
        ]
        for line in range(8)
    ]
    names = [Line("x" * 150, line) for line in lines]
    assert len(chart_svg(chart(*lines, lines=names)).encode()) <= MOST


@given(st.lists(st.integers(0, 10**15), max_size=9), st.booleans())
def test_an_axis_has_room_for_every_value_and_few_labels_none_of_them_rounded(
    values: list[int], from_zero: bool
) -> None:
    axis = axis_of(values, from_zero=from_zero)
    assert axis.low <= min(values, default=0)
    assert axis.high >= max(values, default=0)
    assert 2 <= len(axis.labels) <= 8
    factors = {"k": 10**3, "M": 10**6, "G": 10**9}
    for value, label in axis.labels:
        number = float(label.rstrip("kMG").replace(",", "")) * factors.get(label[-1], 1)
        assert round(number) == value


@given(st.dates(date(1975, 1, 1), date(2190, 1, 1)), st.integers(0, 9_000))
def test_at_most_eight_days_are_labelled_and_all_are_in_the_chart(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    labelled = days_on(first, last)
    assert len(labelled) <= 9
    assert all(first <= day <= last for day, _ in labelled)
    assert len({label for _, label in labelled}) == len(labelled) or days > 300


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_does_not_follow_the_reader_and_auto_does(theme: str) -> None:
    assert "prefers-color-scheme" not in chart_svg(chart(dots(1)), theme=theme)
    assert "prefers-color-scheme:dark" in chart_svg(chart(dots(1)), theme="auto")


def test_lines_differ_without_colours() -> None:
    drawn = texts(chart_svg(chart(dots(1, 2), dots(2, 1))))
    assert {"A line 0", "B line 1"} <= set(drawn)
    assert {"A", "B"} <= set(drawn)


def test_a_chart_without_a_value_says_so() -> None:
    assert "no data in this period" in texts(chart_svg(chart(dots(None, None))))


@pytest.mark.parametrize("lines", [[dots(1)] * 9, [dots(1, 2), dots(1)]])
def test_what_cannot_be_drawn_is_an_error(lines: list[list[Dot]]) -> None:
    with pytest.raises(ValueError, match=r"at most 8 lines|one dot for each period"):
        chart_svg(chart(*lines))
