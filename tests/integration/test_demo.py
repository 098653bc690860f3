"""The demo's database: marked on every route and file, and never mixed with real numbers."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import signal
import subprocess
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from pyarrow import parquet

from community_metrics.api.middleware.tokens import token_hash
from community_metrics.catalog import load_catalog
from community_metrics.config import given_settings
from community_metrics.demo.database import CATALOG, fill
from community_metrics.demo.goals import catalog_text
from community_metrics.errors import ConfigurationError, SeedFileError
from community_metrics.model import Provenance, RunStatus, Status
from community_metrics.periods import ONE_DAY, Grain, period_of, today
from community_metrics.runs.digests import record_digest
from community_metrics.runs.execute import execute
from community_metrics.runs.registry import (
    BootstrapTables,
    DailyRefresh,
    ImportFile,
    SeedFromCsv,
    UpdateAll,
    WeeklyRefresh,
)
from community_metrics.seed.imports import Choice, read_import
from community_metrics.storage import LanceDBReader
from community_metrics.text import MINUS
from community_metrics.views.digest import DigestScope
from community_metrics.views.digests import next_digest
from tests.support import api as support
from tests.support.clock import NOON, FakeClock
from tests.support.program import run_program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from community_metrics.config import Settings
    from community_metrics.model import StoredDigest
    from community_metrics.runs.job import Job
    from tests.support.api import Api

ROOT = Path(__file__).parents[2]
PYTHON, STARS, PULLS = "downloads:orchard:python", "stars:orchard:github", "pulls:harbor:docker"
MARK = "Sample data"
TOKEN = "cmt_of-the-team"
pytestmark = pytest.mark.timeout(240)
"""Two years of everything are stored once, by runs like real ones."""

ROUTES = {
    "definitions": ["definitions"],
    "status": ["status"],
    "weeklyDashboard": ["dashboard/weekly?weeks=4"],
    "dailyDashboard": ["dashboard/daily?days=3"],
    "monthlyDashboard": ["dashboard/monthly?months=2"],
    "series": [f"series/{PYTHON}", f"series/{PYTHON}?format=csv", f"series/{PULLS}?format=csv&grain=month"],
    "history": ["history"],
    "restatements": ["restatements"],
    "insights": ["insights"],
    "trafficItems": ["traffic-items?metric_id=referrers:orchard:github"],
    "export": [
        f"export/{table}.{kind}" for table in ("stats", "metrics", "history") for kind in ("csv", "parquet")
    ],
    "events": ["events"],
    "goals": ["goals"],
    "outages": ["outages"],
    "digests": ["digests"],
    "digest": [f"digests/2026-W47.{kind}" for kind in ("html", "md", "json")],
    "overview": ["overview"],
    "beforeAfter": [f"before-after?metric_id={PYTHON}&day=2026-11-04"],
    "compare": [f"compare?metric_id={PYTHON}&metric_id={STARS}"],
    "comparable": ["compare/parts"],
    "seriesBesideRegistry": [f"series/{PYTHON}/registry"],
    "metrics": ["metrics"],
    "badge": [f"badge/{PYTHON}.svg", f"badge/{STARS}.svg"],
    "sparkline": [f"sparkline/{PYTHON}.svg", f"sparkline/{STARS}.svg"],
    "endpointBadge": [f"badge/{PYTHON}.json", f"badge/{STARS}.json"],
    "chart": [f"chart/{PYTHON}.svg?range=all", f"chart/{STARS}.svg"],
    "preview": ["preview", "preview?product=orchard"],
    "previewPage": ["preview.html"],
    "previewImage": ["preview.png?product=orchard"],
    "charts": ["chart.svg?product=orchard", "chart.svg?family=stars&total=true"],
}
"""Paths of each route that shows numbers, by its `operationId`."""
WITHOUT_NUMBERS = {"health", "ready"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("demo")
    catalog = folder / "catalog.toml"
    catalog.write_text(catalog_text(CATALOG.read_text(), today(NOON)))
    settings = given_settings({"db_path": str(folder / "sample.lancedb"), "catalog": str(catalog)})
    asyncio.run(fill(settings, 1, NOON))
    asyncio.run(store_digest(settings))
    return settings


async def store_digest(settings: Settings) -> None:
    scope = DigestScope(period_of(date(2026, 11, 16), Grain.WEEK))

    async def make(reader: LanceDBReader, now: datetime) -> tuple[StoredDigest, bool]:
        return await next_digest(reader, load_catalog(CATALOG), now, scope=scope)

    await record_digest(settings, make, clock=FakeClock(NOON))


@pytest.fixture
async def api(demo: Settings) -> AsyncIterator[Api]:
    tokens = {"api_token_hashes": (token_hash(TOKEN),), "public_read": True}
    async for served in support.serving(demo.model_copy(update=tokens)):
        yield served


def is_marked(response: Any) -> bool:
    """Return whether a body says by itself that its numbers are invented."""
    kind = response.headers["content-type"].partition(";")[0]
    if kind == "application/json":
        body = response.json()
        badge = str(body.get("label", ""))
        return (
            badge.startswith(MARK)
            or body.get("freshness", {"sample": body.get("is_sample")})["sample"] is True
        )
    if kind in {"text/html", "text/markdown", "text/plain", "image/svg+xml"}:
        return MARK in response.text
    if kind == "image/png":  # the drawing of a chart, whose words `charts` has checked
        return bool(response.content.startswith(b"\x89PNG"))
    if 'filename="sample-data-' not in response.headers["content-disposition"]:
        return False
    if kind == "text/csv":
        header, *rows = csv.reader(io.StringIO(response.text))
        return header[-1] == "sample_data" and all(row[-1] == "true" for row in rows)
    return set(parquet.read_table(io.BytesIO(response.content)).column("sample_data").to_pylist()) == {True}


async def test_every_route_marks_sample_data(api: Api) -> None:
    document = (await api.get("openapi.json")).json()
    named = {method["operationId"] for path in document["paths"].values() for method in path.values()}
    assert named == ROUTES.keys() | WITHOUT_NUMBERS
    for path in (path for paths in ROUTES.values() for path in paths):
        accepted = {"authorization": f"Bearer {TOKEN}"} if path.startswith("traffic-items") else {}
        answer = await api.get(path, headers=accepted)
        assert answer.status_code == 200, answer.text
        assert is_marked(answer), path


async def test_samples_of_every_kind_are_valid_openmetrics(api: Api) -> None:
    text = (await api.get("metrics", headers={"accept": "application/openmetrics-text"})).text
    read = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]  # it has no types
    families = {family.name: family for family in read}
    kinds = {name.removeprefix("community_metrics_"): family.type for name, family in families.items()}
    assert (
        kinds.items()
        >= {
            "counter_pulls": "counter",
            "level_stars": "gauge",
            "week_downloads": "gauge",
            "week_pulls": "gauge",
            "product_30d_downloads": "gauge",
            "metric": "info",
        }.items()
    )
    assert families["community_metrics_sample_data"].samples[0].value == 1


async def test_real_numbers_are_not_marked(tmp_path: Path) -> None:
    place = support.local_place(tmp_path)
    await support.fill(place.writing)
    async for api in support.serving(place.reading):
        assert (await api.get("status")).json()["freshness"]["sample"] is False
        assert MARK not in (await api.get(f"badge/{support.PYTHON}.svg")).text
        for path in ("export/stats.csv", f"series/{support.PYTHON}?format=csv"):
            answer = await api.get(path)
            assert "sample" not in answer.headers["content-disposition"] + answer.text.splitlines()[0]


async def test_two_years_of_every_metric_are_stored_by_runs_of_every_end(demo: Settings) -> None:
    async with LanceDBReader.open(demo) as reader:
        runs = await reader.runs(limit=100)
        rows = await reader.stats([PYTHON])
        ends = await reader.ends([STARS])
    assert {run.status for run in runs} == {RunStatus.SUCCESS, RunStatus.PARTIAL, RunStatus.FAILED}
    assert runs[0].status is RunStatus.SUCCESS
    assert rows[-1].period_end == today(NOON) - ONE_DAY
    assert len(rows) == 730
    assert ends[STARS].newest.period_end == today(NOON)
    assert {row.provenance for row in rows} == {Provenance.SAMPLE}
    assert {row.status for row in rows[:-7]} == {Status.FINAL}
    assert sum(row.revision for row in rows) == 3


async def test_the_story_of_a_demo_is_told_by_the_rules(api: Api) -> None:
    last, before = [
        (await api.get(f"insights{query}")).json()["insights"] for query in ("", "?week=2026-W46")
    ]
    assert {"headline", "spike", "mover"} <= {one["kind"] for one in last}
    assert "milestone" in {one["kind"] for one in (*last, *before)}
    spikes = [one["sentence"] for one in (*last, *before) if one["kind"] == "spike"]
    assert any("Lantern" in one and "Unexplained" in one for one in spikes)
    assert any(
        "Copperline" in one and "With a release on the day or in the 2 days before (Copperline 4.0)" in one
        for one in spikes
    )
    movers = [one["sentence"] for one in last if one["kind"] == "mover"]
    assert any("Lantern" in one and "more (+" in one for one in movers)
    assert any("Spindle" in one and f"fewer ({MINUS}" in one for one in movers)


async def test_the_total_of_some_products_names_them(api: Api) -> None:
    body = (await api.get("insights?product=orchard&product=harbor")).json()
    sentences = [one["sentence"] for one in body["insights"] if one["kind"] == "headline"]
    assert [one.partition(":")[0] for one in sentences] == ["Orchard, Harbor", "Orchard", "Harbor"]


async def test_a_demo_has_events_with_origins_outages_and_goals_of_every_standing(api: Api) -> None:
    events = (await api.get("events")).json()
    assert {one["kind"] for one in events["events"]} == {"release", "post", "mention", "outage"}
    assert all(one["origin"] for one in events["events"])
    assert [(one["author"], one["product"]) for one in events["notes"]] == [("Robin Sample", "spindle")]
    outages = (await api.get("outages")).json()["outages"]
    assert {one["kind"] for one in outages} == {"not_counted", "low", "restated"}
    goals = (await api.get("goals")).json()["goals"]
    assert {one["progress"] for one in goals} == {"on_track", "behind", "reached"}
    release = next(one for one in events["events"] if one["title"] == "Orchard 2.3")
    compared = await api.get(f"before-after?metric_id={PYTHON}&event_id={release['event_id']}")
    assert compared.json()["fraction"] > 0.05


async def test_a_chart_of_a_demo_has_its_launches_as_marks(api: Api) -> None:
    chart = (await api.get(f"chart/{PYTHON}.svg")).text
    assert "Orchard 2.0" in chart
    assert "Sample data: every number is invented." in chart


def real_jobs(folder: Path) -> list[Job]:
    """Return each job that would write real numbers."""
    file = folder / "mine.csv"
    file.write_text("category,date,downloads\nwithout_mirrors,2024-05-03,10\n")
    imported = ImportFile(file, metric=PYTHON)
    return [WeeklyRefresh(), DailyRefresh(), UpdateAll(), SeedFromCsv(), BootstrapTables(), imported]


@pytest.mark.parametrize("at", range(6))
async def test_no_job_stores_real_numbers_in_a_demo(demo: Settings, tmp_path: Path, at: int) -> None:
    job = real_jobs(tmp_path)[at]
    async with LanceDBReader.open(demo) as reader:
        before = (await reader.table_versions())["stats"]
        for dry_run in (True, False):
            with pytest.raises(ConfigurationError, match=r"holds the sample data .* Fix: set CM_DB_PATH"):
                await execute(job, demo, clock=FakeClock(), dry_run=dry_run)
        assert (await reader.table_versions())["stats"] == before


async def test_a_demo_refuses_a_database_of_real_numbers(tmp_path: Path) -> None:
    place = support.local_place(tmp_path)
    await support.fill(place.writing)
    settings = place.writing.model_copy(update={"catalog": CATALOG})
    with pytest.raises(ConfigurationError, match=r"holds real numbers.* Fix: run `community-metrics demo`"):
        await fill(settings, 1, NOON)
    async with LanceDBReader.open(settings) as reader:
        assert not await reader.holds_values(sample=True)


async def test_a_file_of_a_demo_is_not_imported(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "renamed.csv"
    catalog = load_catalog(CATALOG)
    for path in ("export/stats.csv", f"series/{PYTHON}?format=csv&grain=day"):
        file.write_text((await api.get(path)).text, encoding="utf-8")
        with pytest.raises(SeedFileError, match="is sample data of a demo"):
            read_import(file, Choice(metric_id=PYTHON), catalog, NOON)


def program(*words: str, settings: Settings) -> str:
    """Return what a command prints about the demo's database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CM_")}
    places = {"CM_DB_PATH": settings.db_path, "CM_CATALOG": str(settings.catalog), "COLUMNS": "100"}
    done = run_program(words, ROOT, kept | places, timeout_s=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", ["report", "status", "insights"])
def test_the_terminal_marks_sample_data(demo: Settings, command: str) -> None:
    assert program(command, settings=demo).startswith(f"! {MARK}: every number is invented")


def test_make_demo_serves_the_page_of_sample_data_and_leaves_nothing_behind(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CM_")}
    # a real database is not touched, and settings that cannot be used do not matter
    real = {"CM_STORAGE_MODE": "enterprise", "CM_LANCEDB_URI": "db://real"}
    environment = kept | real | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        ["make", "demo", "PORT=0"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    try:
        line = next(line for line in process.stderr if line.startswith("The read API is at "))
        assert list(tmp_path.glob("community-metrics-demo-*"))
        address = line.split()[5].removesuffix("/docs;")
        assert httpx.get(f"{address}/history?limit=1").json()["freshness"]["sample"] is True
        page = httpx.get(address.removesuffix("/api/v1") + "/")
        assert '<div id="' in page.text
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)
    assert not list(tmp_path.glob("community-metrics-demo-*"))
