"""The page about the Parquet files is up to date, and its examples read a backup alike."""

from __future__ import annotations

import re
import shutil
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from community_metrics.backup.place import place_of
from community_metrics.backup.writing import back_up
from tests.support import data_dictionary
from tests.support.api import FIRST_DAY, MISSING_DAY, PYTHON, RUST, fill, local_place, python_value
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

MONDAY = date(2026, 11, 16)


def examples() -> Iterator[str]:
    text = data_dictionary.PAGE.read_text(encoding="utf-8")
    return iter(re.findall(r"```python\n(.*?)```", text, re.DOTALL))


def rows_of(weeks: Any) -> list[tuple[str, date, int]]:
    """Return metric, Monday and sum of each week that an example has found."""
    if hasattr(weeks, "fetchall"):
        return list(weeks.fetchall())
    if hasattr(weeks, "rows"):
        return list(weeks.rows())
    return [(metric_id, week, int(value)) for (metric_id, week), value in weeks.items()]


def test_the_page_has_every_table_and_column_as_it_is() -> None:
    assert data_dictionary.PAGE.read_text(encoding="utf-8") == data_dictionary.rendered(), (
        "python -m tests.support.data_dictionary writes it"
    )


async def test_the_examples_sum_the_whole_weeks_of_a_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = local_place(tmp_path / "filled")
    await fill(place.writing)
    backups = place_of(place.writing, str(tmp_path / "backups"))
    made = (await back_up(place.writing, backups, clock=FakeClock())).manifest
    for table in ("stats", "metrics"):
        shutil.copy(tmp_path / "backups" / made.backup_id / f"{table}.parquet", tmp_path)
    monkeypatch.chdir(tmp_path)
    found = []
    for example in examples():
        names: dict[str, Any] = {}
        exec(example, names)  # noqa: S102  our own page
        found.append(rows_of(names["weeks"]))
    assert len(found) == 3
    assert found[0] == found[1] == found[2]
    sums = {(metric_id, week): value for metric_id, week, value in found[0]}
    week_before = MONDAY - timedelta(days=7)
    assert sums[PYTHON, week_before] == sum(
        python_value(week_before + timedelta(days=day)) for day in range(7)
    )
    assert (RUST, MISSING_DAY - timedelta(days=MISSING_DAY.weekday())) not in sums
    assert {metric_id for metric_id, _ in sums} == {PYTHON, RUST}
    assert min(week for _, week in sums) >= FIRST_DAY
    assert capsys.readouterr().out.count(PYTHON) > 3
