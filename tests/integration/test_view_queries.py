"""How much a view reads: the number of queries does not grow with the metrics, nor the rows with one gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.catalog import load_catalog
from community_metrics.catalog.goals import Goal
from community_metrics.config import Settings
from community_metrics.model import Observation, Provenance, SourceWindow
from community_metrics.periods import Grain, days_between, last_completed_day, midnight
from community_metrics.storage import LanceDBStore
from community_metrics.storage.reader import LanceDBReader
from community_metrics.views.dashboard import read_dashboard
from community_metrics.views.digest import DigestScope
from community_metrics.views.digests import made_digest
from community_metrics.views.goals import load_goals
from community_metrics.views.insights import read_insights
from community_metrics.views.overview import read_overview
from community_metrics.views.report import load_report
from community_metrics.views.status import load_status
from tests.support.clock import NOON
from tests.support.digests import WEEK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from community_metrics.catalog import Catalog
    from community_metrics.views.dashboard import ProductView

METRIC = """
[[metric]]
id = "{id}"
source = "{source}"
subject = "{subject}"
window = "{window}"
display_name = "{id}"
"""
LAST = last_completed_day(NOON)
GOAL = Goal.model_validate({"product": "p", "value": 1_000_000, "date": LAST})


class CountingReader(LanceDBReader):
    """Counts its queries, and the rows of `stats` that they return."""

    queries = 0
    rows = 0

    async def _select(self, query: Any) -> Any:
        self.queries += 1
        return await super()._select(query)

    async def _batches(self, spec: Any, columns: Any, where: Any) -> Any:
        self.queries += 1
        async for batch in super()._batches(spec, columns, where):
            self.rows += batch.num_rows if spec.name == "stats" else 0
            yield batch


def catalog_of(path: Path, packages: int) -> Catalog:
    """A product with packages that count by the day, and a repository for each."""
    text = '[[product]]\nid = "p"\nname = "P"\n'
    for number in range(packages):
        name = f"package-{number}"
        text += METRIC.format(id=f"downloads:p:{name}", source="pypistats", subject=name, window="1d")
        text += METRIC.format(id=f"stars:p:{name}", source="github", subject=f"o/{name}", window="instant")
    path.write_text(text, encoding="utf-8")
    return load_catalog(path)


def observed(metric_id: str, day: date) -> Observation:
    window = SourceWindow.INSTANT if metric_id.startswith("stars") else SourceWindow.DAY
    at = midnight(day) + timedelta(hours=22)
    return Observation(metric_id, day, day, 7, window, at, "https://registry.example/downloads")


async def filled(folder: Path, catalog: Catalog, days: dict[str, list[date]]) -> CountingReader:
    settings = Settings(_env_file=None, db_path=str(folder / "db"))
    async with LanceDBStore.open(settings) as store:
        await store.create_tables()
        await store.upsert_metrics([metric.definition(NOON) for metric in catalog.metrics])
        rows = [observed(metric_id, day) for metric_id, own in days.items() for day in own]
        await store.upsert_observations(rows, provenance=Provenance.API, run_id="run-1", now=NOON)
    return CountingReader.open(settings)


def last_days(count: int, *, until: date = LAST) -> list[date]:
    return list(days_between(until - timedelta(days=count - 1), until))


@pytest.mark.parametrize(
    "load",
    [
        lambda reader, catalog: read_dashboard(
            reader, catalog, NOON, grain=Grain.WEEK, count=4, max_points=10_000
        ),
        lambda reader, catalog: read_dashboard(
            reader,
            catalog,
            NOON,
            grain=Grain.DAY,
            count=4,
            metric_ids=["downloads:p:package-0"],
            max_points=10_000,
        ),
        lambda reader, catalog: load_report(reader, catalog, NOON, weeks=4),
        lambda reader, catalog: load_status(reader, catalog, NOON),
        lambda reader, catalog: read_insights(reader, catalog, NOON),
        lambda reader, catalog: load_goals(reader, replace(catalog, goals=(GOAL,)), NOON),
        lambda reader, catalog: read_overview(reader, catalog, NOON),
        lambda reader, catalog: made_digest(reader, catalog, NOON, scope=DigestScope(WEEK)),
    ],
    ids=[
        "dashboard",
        "dashboard of one metric",
        "report",
        "status",
        "insights",
        "goals",
        "overview",
        "digest",
    ],
)
async def test_a_view_of_many_metrics_takes_as_many_queries_as_one_of_few(
    tmp_path: Path, load: Callable[[LanceDBReader, Catalog], Awaitable[object]]
) -> None:
    queries = []
    for packages in (2, 20):
        folder = tmp_path / str(packages)
        folder.mkdir()
        catalog = catalog_of(folder / "catalog.toml", packages)
        # half of the metrics were last read long ago, which takes further queries
        days = {
            metric.metric_id: last_days(5, until=LAST - (number % 2) * timedelta(days=500))
            for number, metric in enumerate(catalog.metrics)
        }
        async with await filled(folder, catalog, days) as reader:
            await load(reader, catalog)
            queries.append(reader.queries)
    assert queries[0] == queries[1] > 0


async def product_beside_one_metric(reader: LanceDBReader, catalog: Catalog) -> ProductView:
    """Return the product in a dashboard that is narrowed to its first package."""
    ids = ["downloads:p:package-0"]
    read = await read_dashboard(
        reader, catalog, NOON, grain=Grain.WEEK, count=4, metric_ids=ids, max_points=10_000
    )
    (product,) = read.build().products
    return product


async def test_a_package_that_was_never_read_makes_no_request_read_a_year_of_its_product(
    tmp_path: Path,
) -> None:
    catalog = catalog_of(tmp_path / "catalog.toml", 10)
    days = {f"downloads:p:package-{number}": last_days(400) for number in range(9)}
    async with await filled(tmp_path, catalog, days) as reader:
        product = await product_beside_one_metric(reader, catalog)
    assert product.downloads is not None
    assert (product.downloads.value, product.downloads.waits_for) == (None, ("downloads:p:package-9",))
    assert reader.rows <= 400 + 8 * 60 + 10 * 12


async def test_a_total_that_ends_long_ago_reads_the_rest_of_its_product(tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path / "catalog.toml", 3)
    last_common = LAST - timedelta(days=100)
    days = {
        f"downloads:p:package-{number}": [
            # lately each package has every third day, and no two of them the same
            day
            for day in last_days(300)
            if day <= last_common or day.toordinal() % 3 == number
        ]
        for number in range(3)
    }
    async with await filled(tmp_path, catalog, days) as reader:
        product = await product_beside_one_metric(reader, catalog)
    assert product.downloads is not None
    assert (product.downloads.period_end, product.downloads.value) == (last_common, 3 * 30 * 7)
