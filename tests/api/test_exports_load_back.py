"""Every export of values is loaded by `import` into an empty database, as it was."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from community_metrics.config import Settings
from community_metrics.errors import SeedFileError
from community_metrics.model import Provenance, StatRow, Status
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import ImportFile
from community_metrics.storage import LanceDBReader
from tests.support.api import PYTHON
from tests.support.clock import NOON, FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.api import Api, Place

ALL = [
    "export/stats.csv",
    "export/stats.csv?excel=true",
    "export/stats.parquet",
]
OF_ONE_METRIC = f"series/{PYTHON}?format=csv&grain=day&from=2026-09-01"


async def stored(settings: Settings) -> list[StatRow]:
    async with LanceDBReader.open(settings) as reader:
        return await reader.stats([metric.metric_id for metric in await reader.metrics()])


async def loaded(api: Api, path: str, tmp_path: Path) -> list[StatRow]:
    """Return the rows of an empty database after it loaded what the API exports."""
    answer = await api.get(path)
    assert answer.status_code == 200
    file = tmp_path / path.partition("?")[0].replace("/", "-").replace(":", "-")
    file.write_bytes(answer.content)
    os.utime(file, (NOON.timestamp(), NOON.timestamp()))
    settings = Settings(_env_file=None, db_path=str(tmp_path / "empty"))
    await execute(ImportFile(file, "export"), settings, clock=FakeClock(NOON))
    return await stored(settings)


def values(rows: list[StatRow]) -> list[StatRow]:
    """Return the rows without what says how a value reached the database."""
    return [
        replace(
            row,
            first_value=row.value,
            status=Status.FINAL,
            provenance=Provenance.CSV_SEED,
            revision=0,
            revised_at=None,
            ingestion_run_id="",
            source_ref="",
        )
        for row in rows
    ]


@pytest.mark.parametrize("path", ALL)
async def test_an_export_of_all_values_loads_back(
    local_api: Api, filled_local: Place, path: str, tmp_path: Path
) -> None:
    rows = await loaded(local_api, path, tmp_path)
    assert values(rows) == values(await stored(filled_local.writing))
    assert all("https://registry.example/downloads" in row.source_ref for row in rows)


async def test_the_days_of_a_series_load_back(local_api: Api, filled_local: Place, tmp_path: Path) -> None:
    rows = await loaded(local_api, OF_ONE_METRIC, tmp_path)
    whole = [row for row in await stored(filled_local.writing) if row.metric_id == PYTHON]
    expected = {row.period_end: row.value for row in whole if str(row.period_end) >= "2026-09-01"}
    assert {row.period_end: row.value for row in rows} == expected
    assert len(rows) > 80


@pytest.mark.parametrize(
    ("grain", "first", "last"), [("week", "2026-11-16", "2026-11-22"), ("month", "2026-10-01", "2026-10-31")]
)
async def test_weeks_and_months_are_refused_with_the_export_that_loads_back(
    local_api: Api, tmp_path: Path, grain: str, first: str, last: str
) -> None:
    path = f"series/{PYTHON}?format=csv&grain={grain}&from={first}&to={last}"
    with pytest.raises(SeedFileError) as caught:
        await loaded(local_api, path, tmp_path)
    (fault,) = caught.value.faults
    assert fault == (
        f"line 2: the value of {PYTHON} covers {first} to {last}; every value of this metric covers 1d. What "
        "its days were is not known from a longer period, and is not invented. Fix: load the export of the "
        f"days, /series/{PYTHON}?format=csv&grain=day or /export/stats.csv"
    )
