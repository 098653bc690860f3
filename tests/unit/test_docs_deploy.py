"""docs/deploy.md: each acceptance criterion of the plan has a test that exists."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## Acceptance criteria")[2]
ROWS = re.findall(r"^\| (\d) \| (.+) \| (.+) \|$", TABLE, re.MULTILINE)
PROOFS = sorted({proof for _, _, proofs in ROWS for proof in re.findall(r"`([^`]+)`", proofs)})
CRITERIA_OF_THE_PLAN = {"0": 3, "1": 3, "2": 3, "3": 3, "4": 3}


def test_the_table_has_every_criterion_of_the_plan_with_a_test() -> None:
    assert Counter(phase for phase, _, _ in ROWS) == CRITERIA_OF_THE_PLAN
    assert all(re.fullmatch(r"`[^`]+::[^`]+`(, `[^`]+::[^`]+`)*", proofs) for _, _, proofs in ROWS)


@pytest.mark.parametrize("proof", PROOFS)
def test_a_test_that_the_table_names_exists(proof: str) -> None:
    path, _, name = proof.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")

    if path.endswith(".py"):
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)
    else:
        assert re.search(rf"test\([\"`]{re.escape(name)}", text)


def test_every_target_that_the_page_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`make ([a-z-]+)", PAGE))

    assert targets
    assert {name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


def test_every_price_has_its_date() -> None:
    costs = PAGE.partition("## Costs")[2].partition("\n## ")[0].partition("| item |")[2]
    table = re.findall(r"^\|.*\| ([^|]*) \|$", costs.partition("| **total")[0], re.MULTILINE)[1:]

    assert len(table) == 14
    assert [place for place in table if not re.search(r"[AB✗] \d{4}-\d\d-\d\d$", place)] == []
    assert re.findall(r"✗(?! \d{4}-\d\d-\d\d|, noted \d{4}-\d\d-\d\d).*", costs) == []
