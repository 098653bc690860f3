"""Lists of places: which cannot exist, which no result may hold, and what holds for every stored one."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_metrics.errors import InvalidObservation
from community_metrics.model import MAX_VALUE, Observation, SourceWindow, StoredTrafficSet, TrafficSet
from community_metrics.periods import ONE_DAY
from community_metrics.runs.gather import unusable_list
from community_metrics.sources.base import FetchResult
from community_metrics.storage.integrity import Inspection
from community_metrics.storage.merge import replaces_set
from community_metrics.storage.schemas import TRAFFIC_ITEMS
from tests.support.clock import NOON

TODAY = NOON.date()
METRIC = "paths:lance:github"
URL = "https://registry.example/x"
GOOD = TrafficSet(METRIC, TODAY, ("/a", "/b"), ("A", "B"), (4, 2), (3, 1), NOON, URL)
READING = Observation(METRIC, TODAY, TODAY, 2, SourceWindow.INSTANT, NOON, URL)
STORED = StoredTrafficSet(**asdict(GOOD), ingestion_run_id="run-1")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"metric_id": "Paths"}, "metric_id"),
        ({"day": NOON}, "day"),
        ({"names": ("/a", None)}, "names"),
        ({"titles": ("A",)}, "titles"),
        ({"counts": (4,)}, "counts"),
        ({"counts": (4, -1)}, "counts"),
        ({"uniques": (3, True)}, "uniques"),
        ({"observed_at": NOON.replace(tzinfo=None)}, "observed_at"),
        ({"source_ref": ""}, "source_ref"),
    ],
)
def test_a_list_that_cannot_exist_cannot_be_made(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidObservation, match=METRIC if field != "metric_id" else "Paths") as error:
        replace(GOOD, **changed)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("listed", "fault"),
    [
        (GOOD, None),
        (replace(GOOD, metric_id="paths:lance:other"), "belongs to no observation"),
        (replace(GOOD, day=TODAY - ONE_DAY), "belongs to no observation"),
        ({"names": ()}, "not a TrafficSet"),
    ],
)
def test_a_result_holds_only_lists_of_its_own_readings(listed: Any, fault: str | None) -> None:
    found = unusable_list(FetchResult(METRIC, (READING,), items=(listed,)))
    assert (found is None) is (fault is None)
    assert (fault or "") in str(found)


def violations(**changed: Any) -> list[str]:
    """Return the rules that a row breaks after some of its columns were overwritten."""
    table: Any = TRAFFIC_ITEMS.to_arrow([STORED])
    for name, value in changed.items():
        at, kind = table.schema.get_field_index(name), TRAFFIC_ITEMS.schema.field(name).type
        table = table.set_column(at, pa.field(name, kind), pa.array([value], kind))
    inspection = Inspection(TRAFFIC_ITEMS)
    for batch in table.to_batches():
        inspection.check(batch)
    return list(inspection.found)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"counts": [4]}, "every place has its numbers"),
        ({"titles": ["A"]}, "every place has its numbers"),
        ({"item_key": f"{METRIC}|2026-11-01"}, "the key is metric_id and day"),
        ({"names": None}, "names is not null"),
    ],
)
def test_a_stored_list_that_breaks_a_rule_is_named(changed: dict[str, Any], rule: str) -> None:
    assert violations() == violations(titles=[]) == []
    assert violations(**changed) == [rule]


PLACES = st.lists(st.tuples(st.text(), st.text(), *[st.integers(0, MAX_VALUE)] * 2), max_size=10)


@given(PLACES, PLACES)
def test_a_list_is_replaced_exactly_if_another_one_was_read_no_earlier(first: Any, second: Any) -> None:
    old, new = (
        replace(STORED, names=names, titles=titles, counts=counts, uniques=uniques)
        for names, titles, counts, uniques in (
            tuple(zip(*places, strict=True)) or ((),) * 4 for places in (first, second)
        )
    )
    later = replace(new, observed_at=NOON + ONE_DAY, ingestion_run_id="run-2")
    assert replaces_set(later, old) is (first != second)
    assert not replaces_set(old, later)
