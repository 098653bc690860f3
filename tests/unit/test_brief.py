"""The short report: one line for each product at any width, no number cut, and Markdown that parses."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.cells import cell_len

from community_metrics.cli.render.brief import escaped, markdown_of, render_brief
from community_metrics.cli.render.style import UNICODE, PlainConsole
from community_metrics.periods import Grain, last_periods, period_of
from community_metrics.series.change import Change, Changes
from community_metrics.series.period_totals import LevelOfPeriod, PeriodTotal
from community_metrics.series.totals import LevelTotal
from community_metrics.views.brief import Brief
from community_metrics.views.dashboard import Dashboard
from community_metrics.views.overview import Overview
from community_metrics.views.product_table import ProductOfPeriod, Stars
from community_metrics.views.report import Report
from community_metrics.views.runs import Freshness
from tests.support.clock import NOON
from tests.support.rows import run

WEEK = period_of(date(2026, 11, 22), Grain.WEEK)
WEEKS = tuple(last_periods(WEEK, 52))
CHANGE = Change(-1_234, -0.25)


def product(
    name: str, value: int | None, change: Change | None = CHANGE, stars: int = 12_345
) -> ProductOfPeriod:
    total = PeriodTotal(
        period=None if value is None else WEEK,
        value=value,
        is_estimated=False,
        changes=Changes(change, change, change),
        parts=(),
        totals=(None, *(range(51))),
        estimates=(None,) * 52,
        lacking=(),
        waits_for=(),
    )
    of_period = LevelOfPeriod(stars, change, ("stars:p:github",), ("stars:p:github",))
    return ProductOfPeriod(name.lower(), name, "downloads", total, (), Stars(stars, of_period, (), 1))


def without_values(shown: ProductOfPeriod) -> ProductOfPeriod:
    assert shown.total is not None
    return replace(shown, stars=None, total=replace(shown.total, totals=(None,) * 52))


def brief(*products: ProductOfPeriod, newest_day: date | None = WEEK.end) -> Brief:
    freshness = Freshness(NOON, run(NOON), {"pypistats": newest_day})
    overview = Overview("Ours", WEEK, None, None, WEEKS, 3, 3, None, products, None, freshness)
    dashboard = Dashboard(WEEKS[-12:], (), LevelTotal(None, (), ()), freshness)
    return Brief(overview, (), Report(dashboard, newest_day))


def lines(shown: Brief, width: int) -> list[str]:
    console = PlainConsole(width=width, file=io.StringIO(), force_terminal=False)
    console.print(render_brief(shown, UNICODE, width))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=60)
VALUES = st.integers(0, 10**15)
CHANGES = st.builds(Change, st.integers(-(10**13), 10**13), st.floats(-1, 10**6))


@settings(max_examples=150)
@given(st.lists(st.tuples(NAMES, VALUES, CHANGES, VALUES), min_size=1, max_size=6), st.integers(60, 200))
def test_no_line_is_wider_than_asked_and_no_number_is_cut(
    rows: list[tuple[str, int, Change, int]], width: int
) -> None:
    shown = lines(brief(*(product(*row) for row in rows)), width)
    assert max(map(cell_len, shown)) <= width
    at = next(at for at, line in enumerate(shown) if re.match(r" +downloads", line))
    table = shown[at : at + 1 + len(rows)]
    for (_, value, change, stars), line in zip(rows, table[1:], strict=True):
        numbers = line.split("  ")
        assert f"{value:,}" in [cell.strip() for cell in numbers]
        if "stars" in table[0]:
            assert f"{stars:,}" in [cell.strip() for cell in numbers]
            assert f"{change.absolute:+,}".replace("-", "\u2212") in [cell.strip() for cell in numbers]
        changes = re.findall(r"\bweek\b|(?<!\d)4 weeks|year", table[0])
        assert line.count(f"{change.fraction:+,.1%}".replace("-", "\u2212")) >= len(changes)


def test_names_are_shortened_before_a_column_is_left_out() -> None:
    names = ["A product with a long name", "Another product with a long name"]
    wide, narrow = [lines(brief(*(product(name, 1_338_329) for name in names)), at) for at in (120, 62)]
    assert any(names[1] in line for line in wide)
    heading = next(line for line in narrow if line.lstrip().startswith("downloads"))
    assert heading.split() == ["downloads", "week", "4", "weeks", "year", "stars"]
    assert any(line.startswith("Another") and "…" in line for line in narrow)


def test_the_line_of_periods_says_how_many_it_has() -> None:
    for width in range(80, 130):
        shown = lines(brief(product("Orchard", 1_338_329)), width)
        heading = next(line for line in shown if line.lstrip().startswith("downloads"))
        weeks = re.search(r"(\d+) weeks$", heading)
        if weeks is not None and weeks[1] != "4":
            row = next(line for line in shown if line.startswith("Orchard"))
            assert len(row.split()[-1]) == int(weeks[1])


def test_negative_numbers_have_the_sign_for_people() -> None:
    assert any("\u22121,234" in line and "\u221225.0%" in line for line in lines(brief(product("P", 9)), 100))


def test_a_value_of_another_week_says_which() -> None:
    one = product("Orchard", 9)
    assert one.total is not None
    earlier = replace(one, total=replace(one.total, period=WEEK.shifted(-1)))
    row = next(line for line in lines(brief(earlier), 100) if line.startswith("Orchard"))
    assert "2026-W46 9" in row


def test_what_is_not_known_is_no_zero() -> None:
    shown = lines(brief(product("Orchard", None, None), product("Other", 7)), 100)
    row = next(line for line in shown if line.startswith("Orchard"))
    assert row.split()[1:5] == ["—"] * 4


def test_nothing_is_shown_of_products_and_columns_of_which_nothing_is_known() -> None:
    empty = without_values(product("Empty", None, None))
    without = replace(product("Orchard", 1_338_329, None), stars=None)
    shown = lines(brief(empty, without), 100)
    heading = next(line for line in shown if line.lstrip().startswith("downloads"))
    assert heading.split() == ["downloads", "52", "weeks"]
    assert not any(line.startswith("Empty") for line in shown)


def test_a_product_is_known_by_its_stars_or_by_any_value_of_its_weeks() -> None:
    counted = replace(product("Counted", None, None), stars=None)
    empty = without_values(counted)
    assert counted.total is not None
    guessed = replace(empty, total=replace(counted.total, totals=(None,) * 52, estimates=(7,)))
    starred = replace(empty, stars=product("Starred", None, None).stars)
    shown = (counted, guessed, starred, empty, replace(empty, unit=None, total=None))
    assert [one.is_known for one in shown] == [True, True, True, False, False]


def test_old_data_are_called_old() -> None:
    old = brief(product("Orchard", 7))
    old = replace(old, report=replace(old.report, newest_day=WEEK.end - timedelta(days=40)))
    for text in (" ".join(lines(old, 80)), markdown_of(old, UNICODE)):
        assert "The newest data are of 2026-10-13, 41 days old" in text


def test_without_data_it_says_what_fills_the_database() -> None:
    assert "community-metrics seed" in " ".join(lines(brief(newest_day=None), 80))
    assert "community-metrics seed" in markdown_of(brief(newest_day=None), UNICODE)


@settings(max_examples=100)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40))
def test_markdown_shows_a_text_as_it_is(text: str) -> None:
    said = f"say {text} once"
    (_, inline, _) = MarkdownIt("commonmark").parse(escaped(said))
    children = inline.children or []
    assert {child.type for child in children} <= {"text", "code_inline", "text_special"}
    assert "".join(child.content for child in children) == said


@pytest.mark.parametrize("name", ["plain", "``` and more", "# a *b* _c_", "@team/all"])
def test_markdown_is_paragraphs_and_one_block_of_code_with_a_line_for_each_product(name: str) -> None:
    text = markdown_of(brief(product(name, 5), product("Other", 6)), UNICODE)
    tokens = MarkdownIt("commonmark").parse(text)
    assert {token.type for token in tokens if token.nesting >= 0} <= {"paragraph_open", "inline", "fence"}
    (code,) = [token.content for token in tokens if token.type == "fence"]
    assert len(code.splitlines()) == 3
    assert any(line.startswith(name) for line in code.splitlines())
    assert max(map(len, code.splitlines())) <= 96
