"""`/metrics`: the numbers of the API as samples; what is not complete or not known has none."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from asyncio.subprocess import PIPE, STDOUT
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_format

from community_metrics.storage import LanceDBStore
from tests.support.api import FALLBACK, PYTHON, RUST, STARS, days_of, refresh
from tests.support.clock import NOON, FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

OPENMETRICS = {"accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2,*/*;q=0.1"}
GRAFANA = Path(__file__).parents[2] / "docs/grafana/prometheus.json"
PROMTOOL = shutil.which("promtool")
OWNERS = ("metric_id", "product", "source")


def texts_of(item: Any) -> Iterator[str]:
    """Yield every query of a dashboard of Grafana."""
    if isinstance(item, dict):
        yield from (item[name] for name in ("expr", "definition") if name in item)
    for one in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
        yield from texts_of(one)


def samples_of(text: str) -> dict[tuple[str, str], float]:
    """Return the values by sample name, and by metric, product or source."""
    found = {}
    for family in openmetrics(text):  # type: ignore[no-untyped-call]  # it has no types
        for sample in family.samples:
            own = next(
                (sample.labels[name] for name in ("metric_id", "product", "source") if name in sample.labels),
                "",
            )
            found[sample.name, own] = sample.value
    return found


async def samples(api: Api) -> dict[tuple[str, str], float]:
    answer = await api.get("metrics", headers=OPENMETRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    return samples_of(answer.text)


async def test_the_samples_are_the_numbers_of_the_dashboard(api: Api) -> None:
    found = await samples(api)
    dashboard = (await api.get("dashboard/weekly?weeks=1")).json()
    metrics = {one["metric_id"]: one for product in dashboard["products"] for one in product["metrics"]}
    totals = {one["product"]: one["downloads_30d"] for one in dashboard["products"]}
    for name in (PYTHON, RUST):
        assert found["community_metrics_week_downloads", name] == metrics[name]["points"]["value"][0] > 0
    reading = metrics[STARS]["latest_reading"]
    assert found["community_metrics_level_stars", STARS] == reading["value"]
    read_at = datetime.fromtimestamp(found["community_metrics_reading_timestamp_seconds", STARS], UTC)
    assert read_at == datetime.fromisoformat(reading["observed_at"])
    assert totals["lance"]["missing_days"]
    assert ("community_metrics_product_30d_downloads", "lance") not in found
    known = {name for sample, name in found if sample == "community_metrics_metric_info"}
    assert known == metrics.keys()


async def test_what_is_not_complete_is_absent_and_never_0(local_api: Api) -> None:
    local_api.clock.advance(7 * 86_400)  # of the week that is now the last, nothing was read
    found = await samples(local_api)
    assert not [name for name in found if name[0] == "community_metrics_week_downloads"]
    assert found["community_metrics_week_known_ratio", PYTHON] == 0
    assert found["community_metrics_level_stars", STARS] > 0
    local_api.clock.advance(4 * 86_400)  # the newest reading of stars is 11 days old
    assert ("community_metrics_level_stars", STARS) not in await samples(local_api)
    assert FALLBACK not in {name for _, name in found}  # it stands in for another, and is estimated


async def test_a_week_with_6_of_7_days_has_its_part_and_no_value(folder: Place, serve: Serve) -> None:
    clock = FakeClock(NOON + timedelta(days=7))
    async with LanceDBStore.open(folder.writing) as store:
        six = days_of(PYTHON, NOON.date(), (NOON + timedelta(days=5)).date())
        await refresh(store, six, at=clock.now())
    async with serve(folder.reading, clock=clock) as api:
        found = await samples(api)
    assert found["community_metrics_week_known_ratio", PYTHON] == 6 / 7
    assert ("community_metrics_week_downloads", PYTHON) not in found


async def test_accept_selects_the_format_and_the_cache_keeps_both(local_api: Api) -> None:
    for headers, kind in (({}, "text/plain; version=0.0.4"), (OPENMETRICS, "application/openmetrics-text")):
        for outcome in ("miss", "hit"):
            answer = await local_api.get("metrics", headers=headers)
            assert answer.headers["content-type"].startswith(kind)
            assert outcome in answer.headers["cache-status"]
            assert "Accept" in answer.headers["vary"]
        assert answer.text.endswith("# EOF\n") is bool(headers)
    plain = await local_api.get("metrics")
    assert {one.name for one in text_format(plain.text)} >= {"community_metrics_week_downloads"}


async def test_the_address_where_prometheus_looks_leads_to_it(local_api: Api) -> None:
    answer = await local_api.client.get("/metrics", headers=OPENMETRICS, follow_redirects=True)
    assert (answer.status_code, answer.url.path) == (200, "/api/v1/metrics")


async def test_the_grafana_dashboard_asks_only_for_samples_that_are_there(local_api: Api) -> None:
    dashboard = json.loads(GRAFANA.read_text(encoding="utf-8"))
    asked = {name for text in texts_of(dashboard) for name in re.findall(r"community_metrics_\w+", text)}
    given = {name for name, _ in await samples(local_api)}
    # the known numbers lack a day of each product's 30: `test_demo` has the sum
    assert asked - {"community_metrics_product_30d_downloads"} < given
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(places)
    assert all(place["x"] + place["w"] <= 24 for place in places)


async def test_the_page_names_every_sample(local_api: Api) -> None:
    page = (GRAFANA.parents[1] / "recipes.md").read_text(encoding="utf-8")
    for name in {name for name, _ in await samples(local_api)}:
        unit = name.rpartition("_")[2]
        assert f"`{name}`" in page or name.replace(unit, "<unit>") in page, name


@pytest.mark.skipif(
    PROMTOOL is None and os.environ.get("CI") != "true", reason="promtool is missing: `make promtool`"
)
async def test_promtool_has_nothing_to_say(local_api: Api) -> None:
    assert PROMTOOL is not None, "promtool is missing. Fix: `make promtool`"
    text = (await local_api.get("metrics")).content
    process = await asyncio.create_subprocess_exec(
        *(PROMTOOL, "check", "metrics"), stdin=PIPE, stdout=PIPE, stderr=STDOUT
    )
    printed, _ = await process.communicate(text)
    assert (process.returncode, printed) == (0, b"")
