"""`community-metrics sql`: the stored rows by DuckDB, and nothing but these rows."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.errors import ConfigurationError, ExtraMissing
from community_metrics.model import Visibility
from community_metrics.periods import Grain, days_between, period_of
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.views.public import seen_by
from community_metrics.views.sql import load_query, require_duckdb
from tests.support import api as support
from tests.support.api import FIRST_DAY, LAST_DAY, MISSING_DAY, PYTHON, RUST, python_value
from tests.support.events import note

if TYPE_CHECKING:
    from community_metrics.views.sql import QueryResult
    from tests.support.api import Place

RESTATED, RESTATED_DAY = 999, date(2026, 11, 20)
TOTAL = "SELECT sum(value) AS total FROM stats WHERE metric_id = 'downloads:lance:python'"


RECIPES = Path(__file__).parents[2] / "docs/recipes.md"
MISSING_WEEK = period_of(MISSING_DAY, Grain.WEEK).start


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A database with known numbers, and an event that only the team may see."""
    made = support.local_place(tmp_path_factory.mktemp("sql"))

    async def fill() -> None:
        await support.fill(made.writing)
        async with LanceDBStore.open(made.writing) as store:
            await store.upsert_events([note(), note("note:team", visibility=Visibility.TEAM)])

    asyncio.run(fill())
    return made


async def run(
    place: Place, query: str, *, viewer: Visibility = Visibility.PUBLIC, limit: int = 100
) -> QueryResult:
    async with LanceDBReader.open(place.reading) as reader:
        seen, _ = seen_by(viewer, reader, load_catalog(None), has_team=True)
        return await load_query(seen, query=query, limit=limit)


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


async def test_a_sum_is_that_of_the_stored_days_and_of_one_unit(place: Place) -> None:
    days = {day: python_value(day) for day in days_between(FIRST_DAY, LAST_DAY)}
    result = await run(place, f"{TOTAL} AND unit = 'downloads' AND value_kind = 'flow'")
    known = sum(days.values()) - python_value(RESTATED_DAY) + RESTATED
    assert [dict(row) for row in result.rows] == [{"total": known}]


async def test_tables_can_be_joined_and_a_result_says_that_it_has_more(place: Place) -> None:
    query = "SELECT display_name, period_end, observed_at, value FROM stats JOIN metrics USING (metric_id)"
    result = await run(place, f"{query} WHERE metric_id = '{RUST}' ORDER BY period_end", limit=2)
    assert (len(result.rows), result.has_more, result.rows[0]["period_end"]) == (2, True, FIRST_DAY)
    assert not (await run(place, "SELECT 1 AS one WHERE false")).rows


async def test_what_is_of_the_team_is_there_only_for_the_team(place: Place) -> None:
    query = "SELECT event_id FROM events ORDER BY event_id"
    assert {row["event_id"] for row in (await run(place, query)).rows} == {note().event_id}
    both = await run(place, query, viewer=Visibility.TEAM)
    assert {row["event_id"] for row in both.rows} == {note().event_id, "note:team"}


async def test_the_query_of_the_page_returns_whole_weeks_alone(place: Place) -> None:
    (query,) = re.findall(r'community-metrics sql "(.*?)"', RECIPES.read_text(encoding="utf-8"), re.DOTALL)
    rows = (await run(place, query)).rows
    week = period_of(LAST_DAY, Grain.WEEK)
    days = [python_value(day) for day in days_between(week.start, week.end)]
    newest = {"metric_id": PYTHON, "week": week.start, "downloads": sum(days) - days[4] + RESTATED, "days": 7}
    assert dict(rows[0]) == newest
    assert (RUST, MISSING_WEEK) not in {(row["metric_id"], row["week"]) for row in rows}
    assert (PYTHON, MISSING_WEEK) in {(row["metric_id"], row["week"]) for row in rows}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("CREATE TABLE x AS SELECT 1", "writes nothing; this is CREATE"),
        ("SELECT 1; SELECT 2", "this is SELECT, SELECT"),
        ("", "this is nothing"),
        ("COPY stats TO '{folder}/stats.csv'", "this is COPY"),
        ("ATTACH '{folder}/other.db'", "this is ATTACH"),
        ("INSTALL httpfs", "this is LOAD"),
        ("SET enable_external_access = true", "this is SET"),
        ("DELETE FROM stats", "this is DELETE"),
        ("SELECT * FROM read_text('{folder}/secret.txt')", "disabled"),
        ("SELECT * FROM '{folder}/secret.csv'", "are disabled"),
        ("SELECT * FROM glob('{folder}/*')", "disabled"),
        ("SELECT * FROM tables", "does not exist"),
        ("SELECT * FROM deliveries", "the tables are metrics, stats, history"),
        ("SELECT 1 AS a, 2 AS a", "Two columns have the name a"),
    ],
)
async def test_a_query_that_does_more_than_read_these_tables_is_rejected(
    place: Place, tmp_path: Path, query: str, reason: str
) -> None:
    for name in ("secret.txt", "secret.csv"):
        (tmp_path / name).write_text("a,b\n1,2\n")
    before = files(tmp_path)
    with pytest.raises(ConfigurationError, match=reason) as caught:
        await run(place, query.format(folder=tmp_path))
    assert "Fix: " in str(caught.value)
    assert files(tmp_path) == before


def test_without_the_extra_the_error_names_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", [])  # where Python finds no package
    monkeypatch.delitem(sys.modules, "duckdb", raising=False)
    fix = re.escape("`sql` needs the extra sql. Fix: pip install 'community-metrics[sql]'")
    with pytest.raises(ExtraMissing, match=fix):
        require_duckdb()


def command(place: Place, *words: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CM_")}
    return subprocess.run(
        [sys.executable, "-m", "community_metrics.cli.main", "sql", *words],
        check=False,
        env={**kept, "CM_DB_PATH": place.reading.db_path},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_prints_a_table_json_and_csv(place: Place) -> None:
    query = "SELECT metric_id, period_end AS day, value, first_value FROM stats WHERE value = 999"
    printed = {form: command(place, query, *form) for form in ((), ("--json",), ("--csv",))}
    assert {(one.returncode, one.stderr) for one in printed.values()} == {(0, "")}
    row = {
        "metric_id": PYTHON,
        "day": "2026-11-20",
        "value": RESTATED,
        "first_value": python_value(RESTATED_DAY),
    }
    assert json.loads(printed["--json",].stdout) == [row]
    (read,) = csv.DictReader(io.StringIO(printed["--csv",].stdout))
    assert read == {name: str(value) for name, value in row.items()}
    assert printed[()].stdout.split() == [*row, *map(str, row.values())]
