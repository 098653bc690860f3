"""The page about the Parquet files is up to date, and its examples read a backup alike."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.backup.place import place_of
from community_metrics.backup.writing import back_up
from tests.support import data_dictionary
from tests.support.api import FIRST_DAY, MISSING_DAY, PYTHON, RUST, fill, local_place, python_value
from tests.support.clock import FakeClock
from tests.support.installed import python_of_examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MONDAY = date(2026, 11, 16)


def examples() -> Iterator[str]:
    text = data_dictionary.PAGE.read_text(encoding="utf-8")
    return iter(re.findall(r"```python\n(.*?)```", text, re.DOTALL))


SHOW_ROWS = """
import json, sys
names = {}
exec(sys.stdin.read(), names)
weeks = names["weeks"]
rows = next((read for read in ("fetchall", "rows") if hasattr(weeks, read)), None)
found = getattr(weeks, rows)() if rows else [(*key, int(value)) for key, value in weeks.items()]
print(json.dumps(found, default=str), file=sys.stderr)
"""
"""Runs an example, and writes metric, Monday and sum of each week that it has found to stderr."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return python_of_examples(tmp_path_factory.mktemp("examples"))


def run(python: Path, example: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an example in a folder with a backup's files."""
    return subprocess.run(
        [python, "-c", SHOW_ROWS],
        input=example, cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_the_page_has_every_table_and_column_as_it_is() -> None:
    assert data_dictionary.PAGE.read_text(encoding="utf-8") == data_dictionary.rendered(), (
        "python -m tests.support.data_dictionary writes it"
    )


@pytest.mark.timeout(300)  # where uv's cache has not all packages, they are downloaded
async def test_the_examples_sum_the_whole_weeks_of_a_backup(python: Path, tmp_path: Path) -> None:
    place = local_place(tmp_path / "filled")
    await fill(place.writing)
    backups = place_of(place.writing, str(tmp_path / "backups"))
    made = (await back_up(place.writing, backups, clock=FakeClock())).manifest
    for table in ("stats", "metrics"):
        shutil.copy(tmp_path / "backups" / made.backup_id / f"{table}.parquet", tmp_path)
    ran = [run(python, example, tmp_path) for example in examples()]
    assert [done.returncode for done in ran] == [0, 0, 0], ran
    found = [json.loads(done.stderr) for done in ran]
    assert found[0] == found[1] == found[2]
    sums = {(metric_id, date.fromisoformat(week)): value for metric_id, week, value in found[0]}
    week_before = MONDAY - timedelta(days=7)
    assert sums[PYTHON, week_before] == sum(
        python_value(week_before + timedelta(days=day)) for day in range(7)
    )
    assert (RUST, MISSING_DAY - timedelta(days=MISSING_DAY.weekday())) not in sums
    assert {metric_id for metric_id, _ in sums} == {PYTHON, RUST}
    assert min(week for _, week in sums) >= FIRST_DAY
    assert all(PYTHON in done.stdout for done in ran)
