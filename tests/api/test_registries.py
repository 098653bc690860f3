"""The totals of registries in the API: apart from products, beside a metric, and as the outage ledger."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.storage import LanceDBStore
from tests.support.api import LAST_DAY, PYTHON, STARS, days_of, python_value, write
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

PYPI = "registry:pypi:all"
FIRST = LAST_DAY - timedelta(weeks=12)
LOST, PARTIAL = LAST_DAY - timedelta(days=18), LAST_DAY - timedelta(days=11)
WHOLE = 10**9
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
async def api(folder: Place, serve: Serve) -> AsyncIterator[Api]:
    """The API over the known numbers, and a steady total of PyPI with a lost day and a partial one."""
    total = days_of(PYPI, FIRST, LAST_DAY, at=NOON + timedelta(days=3))
    async with LanceDBStore.open(folder.writing) as store:
        await store.upsert_metrics([one.definition(NOON) for one in load_catalog(None).registries])
        await write(
            store,
            [
                replace(row, value=WHOLE // 10 if row.period_end == PARTIAL else WHOLE)
                for row in total
                if row.period_end != LOST
            ],
        )
    async with serve(folder.reading) as served:
        yield served


async def test_the_total_of_a_registry_is_defined_with_its_family_and_belongs_to_no_product(api: Api) -> None:
    listed = {one["metric_id"]: one for one in (await api.get("definitions")).json()["metrics"]}
    assert (listed[PYPI]["metric_family"], listed[PYPI]["visibility"]) == ("registry", "public")
    for path in ("dashboard/weekly", "dashboard/daily", "status", "insights"):
        text = (await api.get(path)).text
        assert PYPI not in text, path
    assert (await api.get("dashboard/weekly?product=pypi")).status_code == 404


async def test_a_total_is_served_where_it_is_named(api: Api) -> None:
    body = (await api.get(f"series/{PYPI}?grain=day&from={LAST_DAY}&to={LAST_DAY}")).json()
    assert [point["value"] for point in body["points"]] == [WHOLE]
    shown = (await api.get(f"dashboard/weekly?metric_id={PYPI}")).json()
    assert [metric["metric_id"] for product in shown["products"] for metric in product["metrics"]] == [PYPI]


async def test_a_total_is_drawn_beside_its_packages_and_refused_in_a_sum_with_them(api: Api) -> None:
    both = f"chart.svg?metric_id={PYPI}&metric_id={PYTHON}"
    assert (await api.get(both)).status_code == 200
    refused = await api.get(f"{both}&total=true")
    assert (refused.status_code, refused.json()["type"].rpartition("#")[2]) == (422, "not-comparable")
    reason = "counts every package of its registry: beside it in a sum, each of them would count twice."
    assert refused.json()["detail"].endswith(f"{reason} Fix: request them one by one.")


async def test_a_metric_beside_its_registry_has_both_terms_over_the_days_that_both_have(api: Api) -> None:
    body = (await api.get(f"series/{PYTHON}/registry?grain=day&from={PARTIAL}&to={LAST_DAY}")).json()
    partial, *_, last = body["points"]
    own = python_value(LAST_DAY)
    assert (last["value"], last["registry_value"], last["days_present"]) == (own, WHOLE, 1)
    assert last["share_ppm"] == pytest.approx(own / 1000)
    assert (partial["value"], partial["registry_value"], partial["share_ppm"]) == (None, None, None)


async def test_the_csv_beside_a_registry_has_both_terms(api: Api) -> None:
    text = (await api.get(f"series/{PYTHON}/registry?format=csv&from=2026-11-09&to={LAST_DAY}")).text
    *_, last = csv.DictReader(io.StringIO(text))
    value, total = int(last["value"]), int(last["registry_value"])
    assert total == 7 * WHOLE
    assert float(last["share_ppm"]) == pytest.approx(value / total * 1e6)
    assert (last["metric_id"], last["registry_id"], last["complete"]) == (PYTHON, PYPI, "true")


async def test_a_metric_without_a_total_of_its_registry_is_refused(api: Api) -> None:
    answer = await api.get(f"series/{STARS}/registry")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "metric_id"


async def test_the_ledger_has_what_the_total_shows_and_when_it_was_seen(api: Api) -> None:
    body = (await api.get("outages")).json()
    assert body["registries"] == ["crates", "npm", "pypi"]
    found = {one["day"]: one for one in body["outages"]}
    assert {day: one["kind"] for day, one in found.items()} == {
        str(LOST): "not_counted",
        str(PARTIAL): "partial",
    }
    assert found[str(PARTIAL)]["share"] == pytest.approx(0.1)
    assert {one["seen_at"] for one in found.values()} == {"2026-11-26T12:00:00Z"}


async def test_the_ledger_as_csv_and_as_atom_is_the_same_ledger(api: Api) -> None:
    ids = [one["outage_id"] for one in (await api.get("outages")).json()["outages"]]
    rows = csv.DictReader(io.StringIO((await api.get("outages?format=csv")).text))
    assert [row["outage_id"] for row in rows] == ids
    answer = await api.get("outages?format=atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    entries = ET.fromstring(answer.content).findall(f"{ATOM}entry")  # noqa: S314  our own feed
    names = [entry.findtext(f"{ATOM}id", "") for entry in entries]
    assert [name.partition("/outages/")[2].replace("/", "|") for name in names] == ids
    assert all(name.startswith("tag:github.com,2026:") for name in names)


async def test_an_entry_of_the_feed_leads_to_the_value_of_its_day(api: Api) -> None:
    feed = ET.fromstring((await api.get("outages?format=atom")).content)  # noqa: S314  as above
    for link in feed.iterfind(f"{ATOM}entry/{ATOM}link"):
        answer = await api.get(link.attrib["href"].removeprefix("/api/v1/"))
        assert answer.status_code == 200


async def test_without_a_stored_total_the_ledger_is_empty_and_so_is_its_feed(local_api: Api) -> None:
    body = (await local_api.get("outages")).json()
    assert (body["registries"], body["outages"]) == ([], [])
    assert (await local_api.get("outages?format=csv")).text.startswith(
        "outage_id,metric_id,registry,day,kind"
    )
    feed = ET.fromstring((await local_api.get("outages?format=atom")).content)  # noqa: S314  as above
    assert feed.find(f"{ATOM}entry") is None
    assert feed.findtext(f"{ATOM}updated")
