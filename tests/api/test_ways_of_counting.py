"""Sums of series that are counted in two ways: none has one, in a picture or in a table."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.periods import Grain, period_of
from community_metrics.sources.crates_counting import CARGO_ONLY
from community_metrics.storage import LanceDBStore
from community_metrics.views.preview import chart_request
from community_metrics.views.selection import StoredMetrics
from tests.support import api as support
from tests.support import rows
from tests.support.api import PYTHON, RUST, days_of, python_value, write
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from community_metrics.periods import Period
    from tests.support.api import Api

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

MIRRORED = "downloads:other:mirrored"
NODE = "downloads:other:nodejs"
CATALOG = "".join(
    f"""
[[product]]
id = "{product}"
name = "{product.title()}"
"""
    for product in ("lance", "other")
) + "".join(
    f"""
[[metric]]
id = "{metric_id}"
display_name = "{name}"
window = "1d"
source = "{source}"
subject = "{subject}"
{more}
"""
    for metric_id, name, source, subject, more in (
        (PYTHON, "Plain", "pypistats", "pylance", ""),
        (RUST, "Rust", "crates", "lance", ""),
        (MIRRORED, "Mirrored", "pypistats", "pylance", "options = { mirrors = true }\nwatch = true"),
        (NODE, "Node", "npm", "other", ""),
    )
)
CHANGED = CARGO_ONLY.day


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    file = tmp_path / "catalog.toml"
    file.write_text(CATALOG, encoding="utf-8")
    return file


@pytest.fixture
async def counted(tmp_path: Path, catalog: Path, serve: Serve) -> AsyncIterator[Api]:
    """Two products: one counts a package without mirrors, the other one watches its count with mirrors."""
    place = support.local_place(tmp_path)
    async with LanceDBStore.open(place.writing) as store:
        await store.create_tables()
        await store.upsert_metrics([metric.definition(NOON) for metric in load_catalog(catalog).metrics])
        for plus, name in enumerate((PYTHON, RUST, MIRRORED, NODE)):
            await write(store, days_of(name, plus=1_000 * plus))
        await store.record_run(rows.run(NOON, run_id="good"))
    async with serve(place.reading.model_copy(update={"catalog": catalog})) as api:
        yield api


def week_of(*extra: int) -> int:
    """Return the sum of the last week over series that have so much more a day than Python's."""
    first = date(2026, 11, 16)
    return sum(python_value(first + timedelta(days=at)) + plus for at in range(7) for plus in extra)


async def test_a_watched_variant_is_in_no_total_of_any_product(counted: Api) -> None:
    body = (await counted.get("overview")).json()
    totals = {one["product"]: one["total"]["value"] for one in body["products"]}
    assert totals == {"lance": week_of(0, 1_000), "other": week_of(3_000)}
    assert body["headline"]["numbers"]["total"] == week_of(0, 1_000, 3_000)
    assert "Sum of Plain, Rust, Node" in (await counted.get("chart.svg?total=true")).text


async def test_a_chart_of_two_ways_of_counting_has_no_total(counted: Api) -> None:
    refused = await counted.get(f"chart.svg?metric_id={PYTHON}&metric_id={MIRRORED}&total=true")
    assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (422, "not-comparable")
    assert "Mirrored and Plain are counted in two ways" in refused.json()["detail"]


async def test_a_total_does_not_cross_a_change_of_counting(counted: Api) -> None:
    both = f"chart.svg?metric_id={PYTHON}&metric_id={RUST}&total=true"
    refused = await counted.get(f"{both}&range=all")
    assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (422, "not-comparable")
    assert f"Choose days from {CHANGED} on." in refused.json()["detail"]
    assert (await counted.get(f"{both}&range={CHANGED}..2026-11-22")).status_code == 200


@pytest.mark.parametrize(
    ("week", "first"),
    [
        (period_of(date(2026, 11, 16), Grain.WEEK), date(2025, 11, 24)),
        (period_of(date(2026, 3, 2), Grain.WEEK), CHANGED),
        (period_of(CHANGED, Grain.WEEK), CHANGED),
    ],
)
def test_the_picture_of_a_link_begins_after_a_change_of_counting(
    catalog: Path, week: Period, first: date
) -> None:
    known = load_catalog(catalog)
    stored = StoredMetrics([metric.definition(NOON) for metric in known.metrics], known)
    request = chart_request(stored, week, None)
    assert request is not None
    assert request.span.first == first
