"""Badges and sparklines: room for every text, a gap for each missing week, always XML."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.charts.badges import badge, short_number, sparkline
from community_metrics.charts.text import cleaned, text_width

SVG = "{http://www.w3.org/2000/svg}"
MEASURED = {
    "pylance downloads": 98.7,
    "@lancedb/lancedb downloads": 154.8,
    "LANCE_DB_CORE": 87.5,
    "WWWWWWWW": 81.8,
    "MMMMMMM": 69.8,
    "mmmmwwww": 75.7,
    "0123456789": 62.9,
    "1.23M/week": 62.8,
    "my-long-package-name_v2": 139.0,
    "ŠČŽÄÖÜ": 42.7,
    "приложение загрузки": 117.8,
    "Ελληνικά": 47.1,
    "e\u0301e\u0301": 12.4,
    "深度学习工具包": 77.0,
    "ダウンロード数": 77.0,
    "한국어": 33.0,
    "\uff21\uff22\uff23": 33.0,
    "🚀🚀": 27.0,
}
"""Widths in Chromium, in 11 px `system-ui`; those of full-width characters are one em each."""


def parsed(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314  we drew it


@pytest.mark.parametrize(("text", "width"), MEASURED.items())
def test_a_text_has_the_room_that_a_browser_needs_and_not_twice_as_much(text: str, width: float) -> None:
    assert 0.95 * width <= text_width(text) <= 1.35 * width


@pytest.mark.parametrize("text", ["1.23M/week", "no data"])
def test_a_bold_text_has_more_room(text: str) -> None:
    assert text_width(text, bold=True) > text_width(text)


def test_a_badge_has_the_room_of_both_texts_and_shows_them() -> None:
    drawn = badge(label="深度学习 downloads", value="1.23M/week", title="t", description="d", theme="auto")
    picture = parsed(drawn)
    texts = picture.findall(f"{SVG}text")
    lengths = [int(text.attrib["textLength"]) for text in texts]
    assert lengths == [text_width("深度学习 downloads"), text_width("1.23M/week", bold=True)]
    assert [text.text for text in texts] == ["深度学习 downloads", "1.23M/week"]
    ends = [int(text.attrib["x"]) + length for text, length in zip(texts, lengths, strict=True)]
    assert ends[0] < int(texts[1].attrib["x"])
    assert ends[1] < int(picture.attrib["width"])


@given(st.text())
def test_a_picture_of_any_text_is_xml(text: str) -> None:
    for drawn in (
        badge(label=text, value=text, title=text, description=text, theme="auto"),
        sparkline([1, None, 2], title=text, description=text, theme="auto"),
    ):
        assert parsed(drawn).tag == f"{SVG}svg"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A\u0008B", "AB"),
        ("\u001b[31mred", "[31mred"),
        ("12\u202e34", "1234"),
        ("\u2066a\u2069\u200e\u200f\u061c", "a"),
        ("a\n\tb", "a b"),
        ("a\ufffeb\uffffc\ue000", "abc"),
        ("a\u0085b", "a b"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("<&>", "<&>"),
    ],
)
def test_what_no_reader_can_see_is_left_out(text: str, shown: str) -> None:
    assert cleaned(text) == shown


def lines_of(values: list[int | None]) -> list[str]:
    drawn = sparkline(values, title="t", description="d", theme="auto")
    return re.findall(r'<path d="M([^"]*)"/>', drawn)


def test_a_missing_week_is_a_gap_in_the_line() -> None:
    first, second = lines_of([1, 2, None, 4, 5])
    assert (first.count("L"), second.count("L")) == (2, 2)  # two points each, the last one twice
    assert float(first.split("L")[-1].split()[0]) < float(second.split()[0])


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ([1, 2, 3], 1),
        ([None, 1, None], 1),
        ([1, None, 2, None, 3], 3),
        ([0, None, 0], 2),
        ([None, 1, 2, None], 1),
    ],
)
def test_a_line_has_a_part_for_each_run_of_weeks(values: list[int | None], count: int) -> None:
    assert len(lines_of(values)) == count


def test_a_sparkline_begins_at_zero_so_that_half_the_value_is_half_the_height() -> None:
    (line,) = lines_of([100, 50, 0])
    high, half, zero = (float(place.split()[1]) for place in line.split("L")[:3])
    assert half == pytest.approx((high + zero) / 2, abs=0.1)
    assert high < half < zero


def test_a_week_is_drawn_at_its_place_also_after_a_gap() -> None:
    before, after = lines_of([3, None, 1, 2])
    assert (before.split()[0], after.split("L")[1].split()[0]) == ("3.0", "157.0")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.00k"),
        (1_239, "1.23k"),
        (12_399, "12.3k"),
        (123_999, "123k"),
        (999_999, "999k"),
        (1_000_000, "1.00M"),
        (4_569_999, "4.56M"),
        (9_999_999_999, "9.99G"),
    ],
)
def test_the_number_of_a_badge_is_truncated_to_three_digits(value: int, shown: str) -> None:
    assert short_number(value) == shown
