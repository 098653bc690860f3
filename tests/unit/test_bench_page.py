"""What the page of the benches says of a figure without a bound."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench import lambda_import, page, refresh
from bench.results import Result

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

DAY = "2026-11-29"
PROFILE = """\
import time: self [us] | cumulative | imported package
import time:      1000 |       1000 |   json.decoder
import time:      2000 |       3000 | json
import time:      4000 |       4000 |     boto3.session
import time:       500 |       4500 | boto3
"""


def test_a_figure_without_a_bound_is_shown_with_its_parts_and_not_counted() -> None:
    free = Result.beside("import", 300, 100, "ms", parts=(("boto3", 150.0), ("the rest", 50.0)))
    text = page.written(
        {lambda_import: page.Measured(DAY, [free, Result.at_most("modules", 1, "modules", bound=0)])}
    )
    assert "0 of 1 bounds held" in text
    assert "| import | 300 ms | 100 ms | 3.00 × |  |  |" in text  # noqa: RUF001  the sign is meant
    assert "| boto3 | 150.0 ms | 75% |" in text


def test_the_page_says_what_happens_beyond_the_bounds() -> None:
    text = page.written({lambda_import: page.Measured(DAY, [])})
    beyond = text.partition("## Beyond the bounds")[2]
    linked = re.findall(r"\(api\.md#([a-z-]+)\)", beyond)
    assert {"busy", "answer-too-large"} <= set(linked)
    explained = (page.PAGE.parent / "api.md").read_text()
    assert [kind for kind in linked if f"### {kind}\n" not in explained] == []


def test_one_bench_measured_again_leaves_the_figures_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "FIGURES", tmp_path / "figures.json")
    page.FIGURES.write_text("{}")
    first = Result.beside("import", 300, 100, "ms", parts=(("boto3", 150.0),))
    page.keep({"lambda_import": [first], "refresh": [Result.at_most("first", 2, "s", bound=1)]})
    page.keep({"refresh": [Result.at_most("first", 0.5, "s", bound=1)]})
    text = page.written(page.kept({"lambda_import": lambda_import, "refresh": refresh}))
    assert "1 of 1 bounds held" in text
    assert "| first | 0.5 s |" in text
    assert "| boto3 | 150.0 ms | 100% |" in text


def test_imports_are_summed_by_top_level_package() -> None:
    assert lambda_import.by_package(PROFILE) == {lambda_import.STANDARD_LIBRARY: 3.0, "boto3": 4.5}
