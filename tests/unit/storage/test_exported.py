"""Any row of `metrics` or `history` is the same after an export to CSV or Parquet and back."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from community_metrics.api.spreadsheet import plain_cell
from community_metrics.model import MetricDefinition, Run, RunStatus
from community_metrics.seed.table import table_of, text_of
from community_metrics.storage.exported import rows_of_csv, rows_of_parquet
from community_metrics.storage.schemas import HISTORY, METRICS
from community_metrics.text import harmless, without_apostrophes
from tests.support.clock import NOON

if TYPE_CHECKING:
    from community_metrics.storage.schemas import Row, TableSpec

DAYS = st.dates(date(2015, 1, 1), date(2026, 11, 22))
INSTANTS = st.datetimes(datetime(2015, 1, 1), datetime(2026, 11, 22), timezones=st.just(UTC))  # noqa: DTZ001
TEXTS = st.text(st.characters(exclude_characters="'", exclude_categories=["Cs"])) | st.text('=+@-;\t\r\n "x,')
IDS = st.from_regex(r"[a-z]{1,9}:[a-z]{1,9}:[a-z]{1,9}", fullmatch=True)
NUMBERS = st.integers(0, 2**63 - 1)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    status = draw(st.sampled_from(RunStatus))
    ended = draw(INSTANTS) if status is not RunStatus.RUNNING else None
    days = sorted(draw(st.lists(DAYS, min_size=2, max_size=2)))
    window: dict[str, Any] = (
        dict(zip(("window_start", "window_end"), days, strict=True)) if draw(st.booleans()) else {}
    )
    return Run(
        draw(IDS),
        draw(TEXTS),
        draw(INSTANTS),
        ended,
        status,
        draw(NUMBERS),
        draw(NUMBERS),
        draw(NUMBERS),
        **window,
        error_summary=draw(st.none() | TEXTS.filter(bool)),
        scope=draw(st.none() | TEXTS.filter(bool)),
        metrics_left=draw(st.none() | NUMBERS),
        lookback_weeks=draw(st.none() | NUMBERS),
        is_aborted=draw(st.none() | st.booleans()),
    )


DEFINITIONS = st.builds(
    MetricDefinition,
    metric_id=IDS,
    metric_family=TEXTS,
    product=TEXTS,
    subject=TEXTS,
    sdk=st.none() | TEXTS.filter(bool),
    source=TEXTS,
    unit=TEXTS,
    display_name=TEXTS,
    fallbacks=st.lists(IDS, max_size=3).map(tuple),
    created_at=INSTANTS,
)


def as_csv(table: pa.Table) -> bytes:
    """Return a table as the API writes it."""
    out = io.StringIO(newline="")
    cells = zip(*(map(plain_cell, column.to_pylist()) for column in table.columns), strict=True)
    csv.writer(out).writerows([table.column_names, *cells])
    return out.getvalue().encode()


def through_csv(spec: TableSpec[Row], rows: list[Row]) -> list[Row]:
    found = table_of(text_of(as_csv(spec.to_arrow(rows))))
    return rows_of_csv(found.header, found.rows, spec, NOON)


def through_parquet(spec: TableSpec[Row], rows: list[Row]) -> list[Row]:
    out = pa.BufferOutputStream()
    parquet.write_table(spec.to_arrow(rows), out)
    return rows_of_parquet(out.getvalue().to_pybytes(), spec, NOON)


@given(st.lists(runs(), min_size=1, max_size=3, unique_by=lambda run: run.ingestion_run_id))
def test_runs_are_the_same_after_an_export(rows: list[Run]) -> None:
    assert through_csv(HISTORY, rows) == rows
    assert through_parquet(HISTORY, rows) == rows


@given(st.lists(DEFINITIONS, min_size=1, max_size=3, unique_by=lambda metric: metric.metric_id))
def test_definitions_are_the_same_after_an_export(rows: list[MetricDefinition]) -> None:
    assert through_csv(METRICS, rows) == rows
    assert through_parquet(METRICS, rows) == rows


def test_an_export_of_an_earlier_version_lacks_columns() -> None:
    run = Run("r", "weekly_refresh", NOON)
    table = HISTORY.to_arrow([replace(run, is_aborted=True)]).drop_columns(["is_aborted", "loaded_by"])
    out = pa.BufferOutputStream()
    parquet.write_table(table, out)
    found: list[Any] = rows_of_parquet(out.getvalue().to_pybytes(), HISTORY, NOON)
    assert found == [run]


@given(TEXTS)
def test_the_apostrophes_before_formulas_are_taken_away_again(text: str) -> None:
    assert without_apostrophes(harmless(text)) == text
