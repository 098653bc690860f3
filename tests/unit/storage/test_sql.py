from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from community_metrics.storage import sql


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "'plain'"),
        ("it's", "'it''s'"),
        ("x' OR '1'='1", "'x'' OR ''1''=''1'"),
        (7, "7"),
        (date(2026, 1, 5), "date '2026-01-05'"),
        (datetime(2026, 1, 5, 6, 7, 8, 9, tzinfo=UTC), "timestamp '2026-01-05T06:07:08.000009Z'"),
        (
            datetime(2026, 1, 5, 1, tzinfo=timezone(timedelta(hours=2))),
            "timestamp '2026-01-04T23:00:00.000000Z'",
        ),
    ],
)
def test_a_value_is_written_by_its_type(value: str | int | date | datetime, text: str) -> None:
    assert sql.literal(value) == text


def test_equal_filters_have_equal_texts() -> None:
    assert sql.one_of("metric_id", ["b", "a", "b"]) == "metric_id IN ('a', 'b')"


def test_open_ends_are_left_out() -> None:
    day = date(2026, 1, 5)
    assert sql.between("period_end", day, None) == "(period_end >= date '2026-01-05')"
    assert sql.between("period_end", None, None) is None


def test_conditions_are_in_parentheses_so_that_or_binds_first() -> None:
    assert sql.all_of(sql.any_of(["a = 1", "b = 2"]), None, "c = 3") == "((a = 1) OR (b = 2)) AND (c = 3)"
    assert sql.all_of(None) is None


def test_a_column_that_a_table_lacks_is_null_in_a_condition_and_text_stays() -> None:
    condition = sql.all_of("scope IS NULL", sql.equals("job_name", "it's scope"), "scope_id > 1")
    assert sql.with_nulls(str(condition), {"scope"}) == (
        "(NULL IS NULL) AND (job_name = 'it''s scope') AND (scope_id > 1)"
    )
