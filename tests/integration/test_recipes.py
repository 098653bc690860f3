"""The examples of docs/recipes.md for spreadsheets and notebooks read a server as they are written."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import shutil
import subprocess
from datetime import date
from typing import TYPE_CHECKING

import httpx
import pytest

from community_metrics.api.app import create_app
from community_metrics.periods import Grain, period_of
from community_metrics.site.paths import file_stem
from tests.support import api as support
from tests.support.api import PYTHON, python_value
from tests.support.clock import FakeClock
from tests.support.installed import clean_environment, python_of_examples
from tests.support.servers import served
from tests.support.shell import DOCS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MONDAY = date(2026, 11, 9)
SERVER = "https://metrics.example.org"
SITE = "https://team.github.io/metrics/"
PAGE = (DOCS / "recipes.md").read_text(encoding="utf-8")
SHEETS = re.findall(r'^=IMPORTDATA\("(.*)"\)$', PAGE, re.MULTILINE)
(R,) = re.findall(r"^```r\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
PANDAS, POLARS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
RSCRIPT = shutil.which("Rscript")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = support.local_place(tmp_path_factory.mktemp("recipes"))
    asyncio.run(support.fill(place.writing))
    with served(create_app(place.reading, clock=FakeClock())) as url:
        yield url


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return python_of_examples(tmp_path_factory.mktemp("examples"))


def read(address: str) -> list[dict[str, str]]:
    """Return the rows at an address, asked for without a token, as Google's servers do."""
    answer = httpx.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def address_in(block: str) -> str:
    (found,) = re.findall(rf'"({SERVER}[^"]*)"', block)
    return str(found)


def test_the_formula_for_sheets_has_the_weeks_of_a_metric(origin: str) -> None:
    of_server, of_site = SHEETS
    rows = read(of_server.replace(SERVER, origin))
    assert {row["metric_id"] for row in rows} == {PYTHON}
    values = {row["period_start"]: row["value"] for row in rows}
    assert values[str(MONDAY)] == str(7 * python_value(MONDAY))
    # the name of the file in each site, whose bytes `test_site` compares with the API's
    assert of_site == f"{SITE}api/v1/series/{file_stem(PYTHON)}.csv"


def whole_weeks(origin: str) -> list[tuple[str, str]]:
    """Return the last four weeks of a metric that are known, and their values, as the API has them."""
    body = httpx.get(f"{origin}/api/v1/series/{PYTHON}?grain=week").json()
    points = [one for one in body["points"] if one["complete"]][-4:]
    return [(period_of_day(one["period_start"]), str(one["value"])) for one in points]


def period_of_day(day: str) -> str:
    return period_of(date.fromisoformat(day), Grain.WEEK).label


@pytest.mark.timeout(300)  # where uv's cache has not all packages, they are downloaded
@pytest.mark.parametrize("block", [PANDAS, POLARS], ids=["pandas", "polars"])
def test_pandas_and_polars_print_the_whole_weeks(origin: str, python: Path, block: str) -> None:
    assert address_in(block) == SHEETS[0]
    done = run([python, "-"], block.replace(SERVER, origin))
    assert done.returncode == 0, done.stderr
    assert re.findall(r"(\d{4}-W\d\d)\D*(\d+)", done.stdout) == whole_weeks(origin)


def test_the_columns_of_the_example_in_r_are_those_of_the_file(origin: str) -> None:
    assert address_in(R) == SHEETS[0]
    (row, *_) = read(address_in(R).replace(SERVER, origin))
    used = [*re.findall(r"toupper\((\w+)\)", R), *re.findall(r'"(\w+)"', R.partition("c(")[2])]
    assert used == ["complete", "week", "value"]
    assert {*used} <= row.keys()


@pytest.mark.skipif(RSCRIPT is None, reason="Rscript is not installed; on Debian it is in r-base-core")
def test_r_prints_the_whole_weeks(origin: str) -> None:
    assert RSCRIPT is not None
    done = run([RSCRIPT, "-"], R.replace(SERVER, origin))
    assert done.returncode == 0, done.stderr
    assert re.findall(r"(\d{4}-W\d\d)\s+(\d+)", done.stdout) == whole_weeks(origin)


def run(command: list[str | Path], script: str) -> subprocess.CompletedProcess[str]:
    environment = clean_environment() | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return subprocess.run(
        command, input=script, env=environment, capture_output=True, text=True, check=False, timeout=110
    )
