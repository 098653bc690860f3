from __future__ import annotations

import pytest

from community_metrics.storage.schemas import LEASES, TABLES, AnyTable, table_named

STORED = {
    "metrics": (
        "metric_id string, metric_family string, product string, subject string, sdk string?, source "
        "string, value_kind string, unit string, source_window string, fallbacks list<item: string>, "
        "display_name string, is_active bool, created_at timestamp[us, tz=UTC], visibility string?"
    ),
    "stats": (
        "stat_key string, metric_id string, period_start date32[day], period_end date32[day], value "
        "int64, status string, provenance string, source_window string, observed_at timestamp[us, "
        "tz=UTC], first_value int64, revision int32, revised_at timestamp[us, tz=UTC]?, ingestion_run_id "
        "string, source_ref string, is_reset bool?, mark string?, subject_id int64?, newest_part int64?, "
        "parts_digest string?"
    ),
    "history": (
        "ingestion_run_id string, job_name string, started_at timestamp[us, tz=UTC], finished_at "
        "timestamp[us, tz=UTC]?, status string, rows_inserted int64, rows_updated int64, rows_unchanged "
        "int64, window_start date32[day]?, window_end date32[day]?, error_summary string?, scope string?, "
        "metrics_left int64?, lookback_weeks int64?, is_aborted bool?, loaded_by string?"
    ),
    "run_outcomes": (
        "outcome_key string, run_id string, metric_id string, status string, error_class string?, message "
        "string?, url string?, observations int64, last_day date32[day]?"
    ),
    "last_reads": (
        "metric_id string, turn_at timestamp[us, tz=UTC], read_at timestamp[us, tz=UTC]?, run_id string"
    ),
    "raw_answers": (
        "answers_key string, run_id string, source string, request_group int64, part int64, provenance "
        "string, stored_at timestamp[us, tz=UTC], content binary"
    ),
    "leases": (
        "resource string, run_id string, host string, pid int64, heartbeat_at timestamp[us, tz=UTC], "
        "expires_at timestamp[us, tz=UTC]"
    ),
    "traffic_items": (
        "item_key string, metric_id string, day date32[day], names list<item: string>, titles list<item: "
        "string>, counts list<item: int64>, uniques list<item: int64>, observed_at timestamp[us, tz=UTC], "
        "source_ref string, ingestion_run_id string"
    ),
    "events": (
        "event_id string, day date32[day], happened_at timestamp[us, tz=UTC]?, kind string, title string, "
        "product string?, url string?, origin string, metric_id string?, visibility string, author string?, "
        "recorded_at timestamp[us, tz=UTC], ingestion_run_id string, removed_at timestamp[us, tz=UTC]?, "
        "removed_by string?"
    ),
    "digests": (
        "digest_id string, grain string, period string, period_start date32[day], period_end date32[day], "
        "products list<item: string>, visibility string, edition int64, is_complete bool, title string, "
        "made_at timestamp[us, tz=UTC], metric_ids list<item: string>, origins list<item: string>, "
        "content string, ingestion_run_id string"
    ),
    "deliveries": (
        "delivery_key string, delivery_id string, grain string, period string, digest_id string, state "
        "string, attempts int64, first_attempt_at timestamp[us, tz=UTC], last_attempt_at timestamp[us, "
        "tz=UTC], next_attempt_at timestamp[us, tz=UTC]?, error_class string?, message string?, "
        "ingestion_run_id string"
    ),
    "witness": (
        "witness_key string, metric_id string, day date32[day], witness string, value int64, observed_at "
        "timestamp[us, tz=UTC], source_ref string, ingestion_run_id string"
    ),
}
"""The columns of existing databases; `?` marks one that may be null."""


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_the_stored_columns_do_not_change_with_a_dataclass(spec: AnyTable) -> None:
    columns = [f"{column.name} {column.type}{'?' if column.nullable else ''}" for column in spec.schema]
    assert ", ".join(columns) == STORED[spec.name]


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_the_key_is_one_marked_column_that_is_never_null(spec: AnyTable) -> None:
    marked = [field.name for field in spec.schema if field.metadata]
    assert marked == [spec.key]
    assert not spec.schema.field(spec.key).nullable
    assert spec.schema.field(spec.key).metadata == {b"lance-schema:unenforced-primary-key": b"true"}


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_no_key_is_indexed(spec: AnyTable) -> None:
    assert spec.key not in spec.indexed


@pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.name)
def test_every_field_of_a_row_has_a_column(spec: AnyTable) -> None:
    assert set(spec.columns) | {spec.key} == set(spec.schema.names)


def test_the_table_of_the_lease_has_no_column_that_a_job_adds_under_the_lease() -> None:
    assert not [column.name for column in LEASES.schema if column.nullable]


def test_tables_are_found_by_name() -> None:
    assert [table_named(spec.name) for spec in TABLES] == list(TABLES)
