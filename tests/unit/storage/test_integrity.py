"""Each rule of a stored row: a row that breaks it is named, and a row that the program writes breaks none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from community_metrics.model import (
    Lease,
    Observation,
    Provenance,
    Run,
    RunStatus,
    SourceWindow,
    StatRow,
)
from community_metrics.storage.integrity import KEYS_SHOWN, Inspection
from community_metrics.storage.merge import plan
from community_metrics.storage.schemas import HISTORY, LEASES, RUN_OUTCOMES, STATS
from tests.support.clock import NOON
from tests.support.rows import failed, fetched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.storage.integrity import Violation
    from community_metrics.storage.schemas import AnyTable

LATER = NOON + timedelta(hours=25)
METRIC = "downloads:lance:python"
WINDOWS = {
    SourceWindow.DAY: (date(2026, 11, 20), date(2026, 11, 20)),
    SourceWindow.WEEK: (date(2026, 11, 9), date(2026, 11, 15)),
    SourceWindow.THIRTY_DAYS: (date(2026, 10, 2), date(2026, 10, 31)),
    SourceWindow.MONTH: (date(2024, 2, 1), date(2024, 2, 29)),
    SourceWindow.INSTANT: (date(2026, 11, 23), date(2026, 11, 23)),
}
RUN = Run("run-1", "weekly_refresh", NOON, NOON, RunStatus.SUCCESS, window_start=date(2026, 11, 1))


def written(window: SourceWindow = SourceWindow.DAY, *values: int) -> StatRow:
    """Return the row that the store has after it read these values, one a day."""
    start, end = WINDOWS[window]
    row: StatRow | None = None
    for number, value in enumerate(values or (7,)):
        at = NOON + timedelta(days=number)
        observation = Observation(METRIC, start, end, value, window, at, "https://x.example/a")
        existing = {} if row is None else {row.stat_key: row}
        merged = plan(existing, [observation], provenance=Provenance.API, run_id="run-1", now=at)
        [row] = [*merged.written, *merged.unchanged]
    assert row is not None
    return row


def violations(spec: AnyTable, rows: Sequence[Any], **changed: Any) -> list[Violation]:
    """Return the violations of the rows, after a column was overwritten in the stored file."""
    table: Any = spec.to_arrow(rows)
    for name, value in changed.items():
        kind = spec.schema.field(name).type
        at = table.schema.get_field_index(name)
        table = table.set_column(at, pa.field(name, kind), pa.array([value] * len(rows), kind))
    inspection = Inspection(spec)
    for batch in table.to_batches(max_chunksize=7):
        inspection.check(batch)
    return list(inspection.found.values())


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("values", [(7,), (7, 7), (7, 9), (7, 9, 7), (0, 5)])
def test_what_the_program_writes_keeps_every_rule(window: SourceWindow, values: tuple[int, ...]) -> None:
    assert violations(STATS, [written(window, *values)]) == []


def test_runs_outcomes_and_leases_of_the_program_keep_every_rule() -> None:
    open_run = Run("run-2", "weekly_refresh", NOON)
    assert violations(HISTORY, [RUN, open_run]) == []
    assert violations(RUN_OUTCOMES, [fetched("run-1", METRIC), failed("run-1", "a:b:c", "no")]) == []
    assert violations(LEASES, [Lease("database", "run-1", "host", 7, NOON, NOON)]) == []


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"value": 8}, "without a revision, value is first_value"),
        ({"value": -1, "first_value": -1}, "numbers are at least 0"),
        ({"revision": -1}, "numbers are at least 0"),
        ({"revised_at": NOON}, "without a revision, revised_at is null"),
        ({"stat_key": f"{METRIC}|2026-11-21"}, "the key is metric_id and period_end"),
        ({"metric_id": "Downloads", "stat_key": "Downloads|2026-11-20"}, "metric_id is an id"),
        ({"period_start": date(2026, 11, 19)}, "the period is one window"),
        ({"source_window": "7d"}, "the period is one window"),
        ({"source_window": "month"}, "the period is one window"),
        ({"source_window": "2d"}, "source_window is one of 1d, 7d, 30d, 90d, 365d, month, instant"),
        ({"status": "finul"}, "status is one of provisional, final"),
        ({"provenance": "apj"}, "provenance is one of sample, csv_seed, backfill, api, recomputed"),
        ({"source_ref": None}, "source_ref is not null"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named(changed: dict[str, Any], rule: str) -> None:
    [found] = violations(STATS, [written()], **changed)
    key = changed.get("stat_key", written().stat_key)
    assert (found.table, found.rule, found.count, found.keys) == ("stats", rule, 1, [key])


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"rows_updated": -1}, "numbers are at least 0"),
        ({"window_end": date(2026, 10, 1)}, "a window ends after its start"),
        ({"status": "running"}, "a run has an end unless it runs"),
        ({"finished_at": None}, "a run has an end unless it runs"),
        ({"status": "done"}, "status is one of running, success, partial, failed"),
    ],
)
def test_a_run_that_breaks_a_rule_is_named(changed: dict[str, Any], rule: str) -> None:
    [found] = violations(HISTORY, [RUN], **changed)
    assert (found.rule, found.keys) == (rule, ["run-1"])


def test_an_outcome_under_another_key_is_named() -> None:
    [found] = violations(RUN_OUTCOMES, [fetched("run-1", METRIC)], run_id="run-2")
    assert (found.rule, found.keys) == ("the key is run_id and metric_id", [f"run-1|{METRIC}"])


def test_of_many_rows_the_first_are_named_and_all_are_counted() -> None:
    rows = [replace(written(), metric_id=f"downloads:lance:m{number}") for number in range(50)]
    [found] = violations(STATS, rows, value=8)
    assert found.count == 50
    assert found.keys == [row.stat_key for row in rows[:KEYS_SHOWN]]
