"""No cell of a CSV file is a formula, wherever a spreadsheet begins it."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.api.spreadsheet import plain_cell
from community_metrics.text import harmless

CELLS: list[tuple[str, str]] = json.loads(
    (Path(__file__).parents[2] / "frontend/src/data/spreadsheet-cells.json").read_text(encoding="utf-8")
)
"""The page's CSV has the same rule; its test reads the same table."""


@pytest.mark.parametrize(("text", "cell"), CELLS)
def test_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(text: str, cell: str) -> None:
    assert plain_cell(text) == cell


@given(st.text(alphabet="=+-@;\t\r\n \u200b\uff1dx"))
def test_nothing_but_apostrophes_is_added_and_no_part_still_begins_with_a_formula(text: str) -> None:
    cell = harmless(text)
    assert cell.replace("'", "") == text
    parts = re.split(r"[;\t\r\n]", cell)
    assert [part for part in parts if part.strip(" \u200b").startswith(tuple("=+-@\uff1d"))] == []


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, None),
        (-5, -5),
        (True, "true"),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22, 6, tzinfo=UTC), "2026-11-22T06:00:00Z"),
        (["a", "b"], "a b"),
        (["=a", "b"], "'=a b"),
    ],
)
def test_any_other_value_keeps_its_meaning(value: Any, cell: Any) -> None:
    assert plain_cell(value) == cell
