from __future__ import annotations

import pytest

from community_metrics.storage.schemas import LEASES, TABLES, AnyTable, table_named


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
