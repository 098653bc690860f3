"""Metrics with `visibility = "team"`: without an accepted token no route shows one, or that there is one.

Two databases differ only in the metrics of the team. What everybody gets must be equal from both, for every
route, and with a token each of the team's metrics must be there.
"""

from __future__ import annotations

import asyncio
import io
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from pyarrow import parquet

from community_metrics.api.app import create_app
from community_metrics.api.middleware.compression import CompressionMiddleware
from community_metrics.api.middleware.tokens import token_hash
from community_metrics.catalog import load_catalog
from community_metrics.catalog.catalog import PACKAGED_CATALOG
from community_metrics.model import (
    LastRead,
    MetricDefinition,
    Provenance,
    RawAnswers,
    RunOutcome,
    RunStatus,
    SourceWindow,
    TrafficSet,
    ValueKind,
    Visibility,
    Witness,
    WitnessedDay,
)
from community_metrics.model.digest_content import GoalLine
from community_metrics.series.failures import error_summary, grouped_failures, run_status
from community_metrics.storage import LanceDBStore
from community_metrics.storage.reader import LanceDBReader
from community_metrics.storage.schemas import RAW_ANSWERS
from community_metrics.views.public import seen_by
from tests.support import api as support
from tests.support import rows
from tests.support.api import FALLBACK, PYTHON, RUST, STARS, days_of, observed, write
from tests.support.clock import NOON, FakeClock
from tests.support.digests import a_stored_digest, digest_of
from tests.support.events import note, release

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

    from community_metrics.config import Settings
    from community_metrics.model import Observation, Run
    from tests.support.api import Place

IN_TOTAL, STAND_IN, ALONE = "downloads:lance:umbra", "downloads_30d:lance:umbra", "stars:umbraproduct:github"
EVENT_IDS = ("crates:umbra@1", "note:umbra")
TEAM_IDS = (IN_TOTAL, STAND_IN, ALONE)
WORDS = ("umbra", "7770001", "7770009", "8880002", "9990003", "6660004")
"""Every id, subject, name and source of the team's metrics has the first, and their values are the others."""
KEPT: Final = RawAnswers("r1", "umbra", 0, 0, Provenance.API, NOON, b"umbra 7770001")
DISPUTED: Final = WitnessedDay(
    IN_TOTAL, date(2026, 11, 18), Witness.CLICKPY, 6_660_004, NOON, "https://umbra.example/", "r1"
)
TOKEN: Final = "cmt_of-the-team"
ACCEPTED, WRONG = {"authorization": f"Bearer {TOKEN}"}, {"authorization": "Bearer cmt_withdrawn"}
VERSIONS = re.compile(rb'"versions":\{[^}]*\}')
"""Counts every write to a table, no matter who may see the rows."""

PUBLIC_DIGEST = a_stored_digest(content=digest_of({}).model_dump_json())
OF_TEAM = digest_of({}).model_copy(update={"first_line": "umbra 7770001"}).model_dump_json()
TEAM_DIGESTS = (
    a_stored_digest(digest_id="2026-W47-team", title="umbra", visibility=Visibility.TEAM, content=OF_TEAM),
    a_stored_digest(digest_id="2026-W46", title="umbra", metric_ids=(IN_TOTAL,), content=OF_TEAM),
)
"""One that was made for the team, and one of a metric that was public then."""
DIGESTS = (PUBLIC_DIGEST, *TEAM_DIGESTS)
METRIC_PATHS = [IN_TOTAL, STAND_IN, ALONE, RUST, "downloads:lance:nothing"]
TABLES = ("stats", "metrics", "history")
FILTERS = ["", "?product=umbraproduct", f"?metric_id={IN_TOTAL}", f"?metric_id={ALONE}&product=lance"]
CASES: Final[Mapping[str, Sequence[str]]] = {
    "health": ["health"],
    "ready": ["ready"],
    "definitions": ["definitions"],
    "status": ["status"],
    "weeklyDashboard": [f"dashboard/weekly{query}" for query in FILTERS],
    "dailyDashboard": [f"dashboard/daily{query}" for query in FILTERS],
    "monthlyDashboard": [f"dashboard/monthly{query}" for query in FILTERS],
    "series": [
        f"series/{name}?{query}"
        for name in METRIC_PATHS
        for query in ("grain=day", "grain=week", "grain=month", "format=csv", "format=csv&excel=true")
    ],
    "seriesBesideRegistry": [
        f"series/{name}/registry{query}" for name in METRIC_PATHS for query in ("?grain=day", "?format=csv")
    ],
    "outages": ["outages", "outages?format=csv", "outages?format=atom"],
    "digests": ["digests", "digests?format=atom"],
    "digest": [f"digests/{one.digest_id}.{form}" for one in DIGESTS for form in ("html", "md", "json")],
    "history": ["history", "history?limit=1", "history?status=partial", "history?status=success&limit=2"],
    "restatements": [
        "restatements",
        "restatements?limit=1",
        "restatements?format=atom",
        f"restatements?metric_id={IN_TOTAL}",
    ],
    "overview": ["overview", "overview?week=2026-W47", "overview?week=2026-W40"],
    "insights": ["insights", "insights?week=2026-W47", "insights?month=2026-10", "insights?format=atom"],
    "goals": ["goals"],
    "beforeAfter": [
        *(f"before-after?metric_id={name}&day=2026-10-14" for name in METRIC_PATHS),
        f"before-after?metric_id={IN_TOTAL}&day=2026-11-23",
        *(f"before-after?metric_id={name}&event_id={one}" for name in (RUST, ALONE) for one in EVENT_IDS),
        "before-after",
    ],
    "compare": [
        *(f"compare?metric_id={RUST}&metric_id={name}" for name in METRIC_PATHS),
        "compare",
    ],
    "comparable": ["compare/parts"],
    "events": [
        "events",
        *(f"events?product={name}" for name in ("lance", "umbraproduct", "nothing")),
        "events?from=2026-11-01&to=2026-11-23",
        "events?from=2026-11-23&to=2026-11-01",
    ],
    "trafficItems": [
        *(f"traffic-items?metric_id={name}" for name in METRIC_PATHS),
        f"traffic-items?metric_id={ALONE}&since=2026-11-01&until=2026-11-23",
        f"traffic-items?metric_id={STARS}&since=2026-11-23&until=2026-11-01",
        "traffic-items",
    ],
    "export": [
        *(f"export/{table}.{form}" for table in TABLES for form in ("csv", "csv?excel=true", "parquet")),
    ],
    "metrics": ["metrics"],
    "badge": [f"badge/{name}.svg" for name in METRIC_PATHS],
    "sparkline": [f"sparkline/{name}.svg" for name in METRIC_PATHS],
    "preview": ["preview", "preview?product=lance", "preview?product=umbraproduct", "preview?week=2026-W47"],
    "previewPage": ["preview.html", "preview.html?product=umbraproduct"],
    "previewImage": ["preview.png?product=lance", "preview.png?product=umbraproduct"],
    "endpointBadge": [f"badge/{name}.json" for name in METRIC_PATHS],
    "chart": [f"chart/{name}.svg{query}" for name in METRIC_PATHS for query in ("", "?range=all&by=month")],
    "charts": [
        "chart.svg?product=lance",
        "chart.svg?product=umbraproduct",
        "chart.svg?family=stars&total=true",
        "chart.svg?product=lance&total=true",
        "chart.svg?product=lance&total=true&range=all",
        "chart.svg?family=umbra",
        *(f"chart.svg?metric_id={name}&metric_id={RUST}" for name in METRIC_PATHS),
    ],
}
"""The paths that a test requests of each route, by its `operationId`."""
OTHERS = [
    "docs",
    "openapi.json",
    "nothing",
    "status?umbr=1",
    "dashboard/weekly?metric_id=downloads:lance:umbr",
]
"""What no route of the OpenAPI file is asked with: pages, misspelt names."""
MATRIX = [*(pytest.param(paths, id=name) for name, paths in CASES.items()), pytest.param(OTHERS, id="others")]
SHOWING = [
    *("definitions", "status", "dashboard/weekly", "dashboard/daily", "dashboard/monthly", "history"),
    *("events", "events?product=umbraproduct", "metrics", "compare/parts"),
    *("digests", "digests?format=atom", "digests/2026-W47-team.html", "digests/2026-W46.md"),
    f"traffic-items?metric_id={ALONE}",
    *(
        "restatements",
        "restatements?format=atom",
        *(f"export/{table}.{form}" for table in TABLES for form in ("csv", "parquet")),
    ),
    *(f"{route}/{name}{end}" for route, end in (("series", ""), ("badge", ".svg")) for name in TEAM_IDS),
    *(f"badge/{name}.json" for name in (IN_TOTAL, ALONE)),
    *(f"chart/{name}.svg?range=all" for name in (IN_TOTAL, ALONE)),
    f"chart.svg?metric_id={IN_TOTAL}",
]
"""Paths whose body names a metric of the team, for who may see it."""


EVENTS = (
    release(EVENT_IDS[0], NOON - timedelta(days=40), title="umbra 1", metric_id=IN_TOTAL),
    note(EVENT_IDS[1], NOON - timedelta(days=40), title="umbra note", visibility=Visibility.TEAM),
)
"""What only the team may see: stated by a metric of the team, or noted for the team."""
TEAM_LIST = TrafficSet(
    ALONE, date(2026, 11, 22), ("umbra.example",), (), (7_770_001,), (8,), NOON, "https://registry.example/x"
)


PUBLIC_EVENTS = [release(metric_id=PYTHON), note(), release("crates:other@1", product=None)]
TEAM_EVENTS = [
    *EVENTS,
    release("umbra:1", title="umbra 1", metric_id=IN_TOTAL),
    release("umbra:2", title="umbra 2", product="umbraproduct"),
    release("umbra:3", title="umbra 3", visibility=Visibility.TEAM),
    note("note:umbra", title="umbra", visibility=Visibility.TEAM),
    note("note:umbra-2", author="umbra", product="umbraproduct"),
]
"""Events of a metric, a product, a feed and people, each of which only the team may see."""


def team_metrics() -> list[MetricDefinition]:
    made = MetricDefinition(
        metric_id=IN_TOTAL,
        metric_family="downloads",
        product="lance",
        subject="umbra-package",
        sdk=None,
        source="npm",
        value_kind=ValueKind.FLOW,
        unit="downloads",
        source_window=SourceWindow.DAY,
        fallbacks=(),
        display_name="Umbra",
        is_active=True,
        created_at=NOON,
        visibility=Visibility.TEAM,
    )
    wide: dict[str, Any] = {"value_kind": ValueKind.ROLLING, "source_window": SourceWindow.THIRTY_DAYS}
    level: dict[str, Any] = {
        "value_kind": ValueKind.LEVEL,
        "source_window": SourceWindow.INSTANT,
        "unit": "stars",
    }
    product: dict[str, Any] = {"metric_family": "stars", "product": "umbraproduct", "source": "umbrasource"}
    return [
        made,
        replace(made, metric_id=STAND_IN, metric_family="downloads_30d", **wide),
        replace(made, metric_id=ALONE, subject="umbra-org/repo", **level, **product),
    ]


def team_numbers() -> Iterator[Observation]:
    for one in days_of(IN_TOTAL, date(2026, 1, 5)):
        yield replace(one, value=7_770_001)
    window = (date(2025, 7, 20), date(2025, 8, 18), 8_880_002)
    yield observed(STAND_IN, *window, SourceWindow.THIRTY_DAYS, NOON - timedelta(days=4))
    for day in (date(2026, 11, 15), date(2026, 11, 22)):
        yield observed(ALONE, day, day, 9_990_003, SourceWindow.INSTANT, NOON)


def closed(run: Run, outcomes: list[RunOutcome]) -> tuple[Run, list[RunOutcome]]:
    """Return a run that is closed as `runs.execute` closes it."""
    summary = error_summary(grouped_failures(outcomes))
    return replace(run, status=run_status(outcomes), error_summary=summary, is_aborted=False), outcomes


def runs_of(*, with_team: bool) -> Iterator[tuple[Run, list[RunOutcome]]]:
    """Yield runs as they are with and without the team's metrics; the last two differ in every way."""
    fetched, named = rows.fetched, "umbra-package is gone"
    failed = [rows.failed("r1", IN_TOTAL, named, url="https://r.example/umbra-package")] if with_team else []
    failed += [rows.failed("r1", "feed/umbra", "umbra returned 404")] if with_team else []
    run = rows.run(NOON - timedelta(hours=1), run_id="r1")
    span: dict[str, Any] = {"window_start": date(2026, 5, 5)} if with_team else {}
    yield closed(replace(run, **span), [fetched("r1", PYTHON), *failed])
    one = [rows.failed("r2", RUST, "crates.io returned 503")]
    both = [*one, fetched("r2", IN_TOTAL)] if with_team else one
    yield closed(rows.run(NOON - timedelta(minutes=50), run_id="r2"), both)
    run = rows.run(NOON - timedelta(minutes=40), run_id="r3")
    scope = "stars:lance:*,*umbra*" if with_team else "stars:lance:*"
    outcomes = [fetched("r3", STARS), *([fetched("r3", ALONE)] if with_team else [])]
    yield closed(replace(run, scope=scope), outcomes)
    if with_team:
        run = replace(rows.run(NOON - timedelta(minutes=30), run_id="r4"), scope="stars:umbraproduct:*")
        yield closed(run, [fetched("r4", ALONE)])
    for at, (job, scope) in enumerate(WRITTEN[: None if with_team else 2]):
        yield closed(written(job, scope, at), [])


WRITTEN = (("event", "note:1"), ("digest", "2026-W47"), ("event", "note:umbra"), ("digest", "2026-W47-team"))
"""What people recorded, by job and row: the first two are for everybody."""


def written(job: str, scope: str, at: int = 0) -> Run:
    """Return the run in which a person wrote a row."""
    run = rows.run(NOON - timedelta(minutes=20 - at), run_id=f"r5-{at}")
    return replace(run, job_name=job, scope=scope, window_start=None, window_end=None)


async def fill(place: Place, *, with_team: bool) -> None:
    await support.fill(place.writing)
    async with LanceDBStore.open(place.writing) as store:
        if with_team:
            stored = {metric.metric_id: metric for metric in await store.metrics()}
            rust = replace(stored[RUST], fallbacks=(*stored[RUST].fallbacks, STAND_IN))
            await store.upsert_metrics([*team_metrics(), rust])
            await write(store, team_numbers())
            day = date(2026, 11, 10)
            await write(store, [observed(IN_TOTAL, day, day, 7_770_009, SourceWindow.DAY, NOON)])
            await store.upsert_traffic([TEAM_LIST], run_id="r4")
            await store.record_answers([KEPT])
            await store.record_witnessed([DISPUTED])
            await store.upsert_events(TEAM_EVENTS)
            for digest in TEAM_DIGESTS:
                await store.write_digest(digest)
            await store.record_reads([LastRead("feed/umbra", NOON, NOON, "r1")])
        await store.upsert_events(PUBLIC_EVENTS)
        await store.write_digest(PUBLIC_DIGEST)
        for run, outcomes in runs_of(with_team=with_team):
            await store.record_outcomes(outcomes)
            await store.record_run(run)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Place]:
    """A database with the team's metrics, and one that never had any."""
    made = [support.local_place(tmp_path_factory.mktemp(name)) for name in ("team", "none")]
    for place, with_team in zip(made, (True, False), strict=True):
        asyncio.run(fill(place, with_team=with_team))
    return made[0], made[1]


def guarded(settings: Settings, **changes: Any) -> Settings:
    """Return settings under which a token is accepted and everybody may read the rest."""
    given = {"api_token_hashes": (token_hash(TOKEN),), "public_read": True, **changes}
    return settings.model_copy(update=given)


@dataclass(frozen=True)
class Client:
    """A client of the API behind the compression of `serve`."""

    http: httpx.AsyncClient

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return await self.http.get(path, headers={"x-request-id": "a-1", **(headers or {})})

    async def head(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return await self.http.head(path, headers={"x-request-id": "a-1", **(headers or {})})


@asynccontextmanager
async def client_of(settings: Settings) -> AsyncIterator[Client]:
    app = create_app(settings, clock=FakeClock())
    transport = httpx.ASGITransport(CompressionMiddleware(app))
    async with (
        app.routes.router.lifespan_context(app.routes),
        httpx.AsyncClient(transport=transport, base_url="http://api.test/api/v1/") as http,
    ):
        yield Client(http)


@pytest.fixture
async def clients(places: tuple[Place, Place]) -> AsyncIterator[tuple[Client, Client]]:
    """Clients of the two databases, under settings with public reading and a token."""
    team, none = (guarded(place.reading) for place in places)
    async with client_of(team) as one, client_of(none) as other:
        yield one, other


def content(path: str, response: httpx.Response) -> object:
    """Return what a body says: rows have no promised order, and versions of tables count all writes."""
    if ".parquet" in path and response.status_code == 200 and response.content:
        table = parquet.read_table(io.BytesIO(response.content))
        return table.schema, sorted(map(repr, table.to_pylist()))
    body = VERSIONS.sub(b"", response.content)
    return sorted(body.splitlines()) if path.startswith("export/") else body


def told(path: str, response: httpx.Response) -> str:
    """Return everything that a response says, as text."""
    return f"{response.headers} {response.content.decode('latin-1')} {content(path, response)}"


def words_in(path: str, response: httpx.Response) -> list[str]:
    """Return the words of the team's metrics in a response, but those that the request itself has."""
    text = told(path, response).lower()
    return [word for word in WORDS if word in text and word not in path]


def kind_of(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that must not differ; the tag is a hash of the body with its versions.

    Nor is the second compared in which each of the two wrote its file.
    """
    varying = {"etag", "content-length", "content-range", "last-modified"}
    return {name: value for name, value in headers.items() if name not in varying}


def test_every_route_has_a_case(places: tuple[Place, Place]) -> None:
    operations = create_app(places[0].reading).routes.openapi()["paths"].values()
    assert {methods["get"]["operationId"] for methods in operations} == set(CASES)


@pytest.mark.parametrize("paths", MATRIX)
async def test_without_a_token_a_response_is_the_one_of_a_database_without_the_metrics(
    clients: tuple[Client, Client], paths: Sequence[str]
) -> None:
    for path in paths:
        warmed = await clients[0].get(path, ACCEPTED)  # in memory for the team, and for nobody else
        tag = warmed.headers.get("etag", '"x"')
        first = [await client.get(path) for client in clients]
        again = [await client.get(path, {"accept-encoding": "identity"}) for client in clients]
        conditional = [await client.get(path, {"if-none-match": tag}) for client in clients]
        heads = [await client.head(path) for client in clients]
        for one, other in (first, again, conditional, heads):
            assert (one.status_code, kind_of(one.headers)) == (other.status_code, kind_of(other.headers)), (
                path
            )
            assert words_in(path, one) == [], path
        for one, other in (first, again):
            assert content(path, one) == content(path, other), path
            assert path == "health" or "authorization" in one.headers["vary"].lower(), path


async def test_with_a_token_the_metrics_are_there_and_no_cache_may_keep_them(
    clients: tuple[Client, Client],
) -> None:
    for path in SHOWING:
        await require_shown(clients[0], path)


async def test_a_disputed_day_of_a_metric_of_the_team_is_told_only_to_the_team(
    clients: tuple[Client, Client],
) -> None:
    series = f"series/{IN_TOTAL}?from=2026-11-16&to=2026-11-22&grain=day"
    for path in ("dashboard/daily", "status", "insights?week=2026-W47", series, f"{series}&format=csv"):
        shown, kept = [(await clients[0].get(path, headers)).text for headers in ({}, ACCEPTED)]
        assert ("6660004" in shown, "6660004" in kept) == (False, True), path


async def require_shown(team: Client, path: str) -> None:
    for _ in range(2):
        response = await team.get(path, ACCEPTED)
        assert response.status_code == 200, path
        assert any(word in told(path, response).lower() for word in WORDS), path
        assert response.headers["cache-control"] == "private, no-store", path
    if "etag" in response.headers:
        known = await team.get(path, {**ACCEPTED, "if-none-match": response.headers["etag"]})
        is_file = ".parquet" in path
        assert (known.status_code, known.headers["cache-control"]) == (
            200 if is_file else 304,
            "private, no-store",
        )
    assert (await team.head(path, ACCEPTED)).status_code == 200


async def test_a_metric_of_the_team_is_beside_its_registry_only_with_a_token(tmp_path: Path) -> None:
    """A registry belongs to an entry of the catalogue, which the metrics of the other tests do not have."""
    place, file = support.local_place(tmp_path), tmp_path / "catalog.toml"
    fields = {"id": IN_TOTAL, "source": "npm", "subject": "umbra-package", "window": "1d"}
    fields |= {"display_name": "Umbra", "visibility": "team"}
    entry = "\n".join(["[[metric]]", *(f'{name} = "{value}"' for name, value in fields.items())])
    file.write_bytes(PACKAGED_CATALOG.read_bytes() + b"\n" + entry.encode())
    catalog = load_catalog(file)
    await support.fill(place.writing)
    async with LanceDBStore.open(place.writing) as store:
        await store.upsert_metrics([one.definition(NOON) for one in catalog.defined])
        await write(store, days_of(catalog.registry_ids[IN_TOTAL]))
        await write(store, [replace(one, value=7_770_001) for one in days_of(IN_TOTAL)])
    async with client_of(guarded(place.reading.model_copy(update={"catalog": file}))) as client:
        for path in (f"series/{IN_TOTAL}/registry", f"series/{IN_TOTAL}/registry?format=csv"):
            await require_shown(client, path)
            assert "7770001" in (await client.get(path, ACCEPTED)).text
            for headers in ({}, WRONG):
                kept = await client.get(path, headers)
                assert kept.status_code in {401, 404}, path
                assert "7770001" not in kept.text


@pytest.mark.parametrize(("visibility", "is_shown"), [("team", False), ("public", True)])
async def test_a_feed_of_the_team_is_named_by_no_run_even_where_no_metric_is_the_teams(
    tmp_path: Path, visibility: str, is_shown: bool
) -> None:
    place, file = support.local_place(tmp_path), tmp_path / "catalog.toml"
    feed = f'[[feed]]\nid = "umbra"\nurl = "https://umbra.example/x"\nvisibility = "{visibility}"\n'
    file.write_bytes(PACKAGED_CATALOG.read_bytes() + b"\n" + feed.encode())
    await support.fill(place.writing)
    async with LanceDBStore.open(place.writing) as store:
        run = rows.run(NOON - timedelta(minutes=5), run_id="r1")
        run, outcomes = closed(run, [rows.fetched("r1", PYTHON), rows.failed("r1", "feed/umbra", "gone")])
        await store.record_outcomes(outcomes)
        await store.record_run(run)
        await store.upsert_events([release("feed/umbra:1", origin="feed:umbra", title="umbra")])
    async with client_of(place.reading.model_copy(update={"catalog": file})) as client:
        for path in ("history", "status", "export/history.csv", "events"):
            response = await client.get(path)
            assert response.status_code == 200, path
            assert ("umbra" in told(path, response)) is is_shown, path


async def test_what_was_recorded_for_the_team_is_named_by_no_run_even_where_nobody_has_a_token(
    tmp_path: Path,
) -> None:
    place = support.local_place(tmp_path)
    await support.fill(place.writing)
    async with LanceDBStore.open(place.writing) as store:
        await store.upsert_events([note(), note("note:umbra", title="umbra", visibility=Visibility.TEAM)])
        for digest in (PUBLIC_DIGEST, TEAM_DIGESTS[0]):
            await store.write_digest(digest)
        for at, (job, scope) in enumerate(WRITTEN):
            await store.record_run(written(job, scope, at))
    async with client_of(place.reading) as client:
        for path in ("history", "status", "export/history.csv"):
            text = (await client.get(path)).text
            shown = [at for at in range(len(WRITTEN)) if f"r5-{at}" in text]
            assert (shown, "umbra" in text) == ([0, 1], False), path


@pytest.mark.parametrize(("visibility", "is_shown"), [("team", False), ("public", True)])
async def test_a_digest_is_hidden_once_a_goal_that_it_names_is_the_teams(
    tmp_path: Path, visibility: str, is_shown: bool
) -> None:
    place, file = support.local_place(tmp_path), tmp_path / "catalog.toml"
    goal = f'[[goal]]\nmetric = "{STARS}"\nvalue = 7770001\ndate = 2027-01-01\nvisibility = "{visibility}"\n'
    file.write_bytes(PACKAGED_CATALOG.read_bytes() + b"\n" + goal.encode())
    line = GoalLine(
        name="Umbra stars",
        product="lance",
        metric_ids=(STARS,),
        progress="behind",
        sentence="umbra",
        rule="goal",
        link="/api/v1/goals",
    )
    naming = digest_of({}).model_copy(update={"goals": (line,)}).model_dump_json()
    await support.fill(place.writing)
    async with LanceDBStore.open(place.writing) as store:
        await store.write_digest(a_stored_digest(title="umbra", content=naming))
        await store.write_digest(a_stored_digest(digest_id="2026-W46", period="2026-W46"))
        await store.record_run(written("digest", "2026-W47"))
    async with client_of(guarded(place.reading, catalog=file)) as client:
        listed = [one["digest_id"] for one in (await client.get("digests")).json()["digests"]]
        assert ("2026-W47" in listed, "2026-W46" in listed) == (is_shown, True)
        assert (await client.get("digests/2026-W47.json")).status_code == (200 if is_shown else 404)
        assert ("r5-0" in (await client.get("history")).text) is is_shown
        assert (await client.get("digests/2026-W47.json", ACCEPTED)).status_code == 200


@pytest.mark.parametrize("paths", MATRIX[1:])
async def test_a_wrong_token_gets_nothing(clients: tuple[Client, Client], paths: Sequence[str]) -> None:
    team, _ = clients
    for path in paths:
        await team.get(path, ACCEPTED)
        for response in (await team.get(path, WRONG), await team.head(path, WRONG)):
            assert (response.status_code, words_in(path, response)) == (401, []), path


async def test_lists_of_places_are_returned_by_day_of_reading(clients: tuple[Client, Client]) -> None:
    path = f"traffic-items?metric_id={ALONE}"
    lists = {
        query: (await clients[0].get(f"{path}{query}", ACCEPTED)).json()["lists"]
        for query in ("", "&since=2026-11-22", "&until=2026-11-21", "&since=2026-11-23")
    }
    place = {"name": "umbra.example", "title": None, "count": 7_770_001, "uniques": 8}
    (newest,) = lists[""]
    assert (newest["day"], newest["places"]) == ("2026-11-22", [place])
    assert lists["&since=2026-11-22"] == [newest]
    assert lists["&until=2026-11-21"] == lists["&since=2026-11-23"] == []


async def test_only_the_body_of_lists_has_the_version_of_their_table(clients: tuple[Client, Client]) -> None:
    paths = (f"traffic-items?metric_id={ALONE}", "status")
    lists, other = [(await clients[0].get(path, ACCEPTED)).json()["freshness"]["versions"] for path in paths]
    assert lists["traffic_items"] > 0
    assert other.keys() == lists.keys() - {"traffic_items"}


@pytest.mark.parametrize("table", TABLES)
async def test_parts_of_a_file_come_from_the_file_of_their_viewer(
    clients: tuple[Client, Client], table: str
) -> None:
    team, _ = clients
    path, part = f"export/{table}.parquet", {"range": "bytes=4-"}
    kept = await team.get(path, {**ACCEPTED, **part})
    shown = await team.get(path, part)
    whole = await team.get(path)
    assert (kept.status_code, shown.status_code) == (206, 206)
    assert shown.content == whole.content[4:] != kept.content
    assert words_in(path, shown) == []
    stale_tag = {**part, "if-range": kept.headers["etag"]}
    assert (await team.get(path, stale_tag)).content == whole.content


async def test_where_nobody_has_a_token_nobody_sees_the_metrics(places: tuple[Place, Place]) -> None:
    async with client_of(places[0].reading) as client:
        for path in (path for paths in CASES.values() for path in paths):
            for headers in ({}, ACCEPTED):
                assert words_in(path, await client.get(path, headers)) == [], path


async def test_where_reading_needs_a_token_there_is_nothing_without_one(places: tuple[Place, Place]) -> None:
    async with client_of(guarded(places[0].reading, public_read=None)) as client:
        for path in ("status", "definitions", "export/metrics.csv", f"series/{PYTHON}"):
            assert (await client.get(path)).status_code == 401
            assert (await client.get(path, ACCEPTED)).status_code == 200


async def test_totals_and_estimates_of_everybody_are_without_the_metrics(
    clients: tuple[Client, Client],
) -> None:
    team, _ = clients
    shown, kept = [
        (await team.get("dashboard/weekly", headers)).json()["products"] for headers in ({}, ACCEPTED)
    ]
    names = [{product["product"] for product in products} for products in (shown, kept)]
    assert names[1] - names[0] == {"umbraproduct"}
    of_everybody, of_team = (
        next(each for each in products if each["product"] == "lance")["downloads_30d"]
        for products in (shown, kept)
    )
    assert set(of_team["metric_ids"]) - set(of_everybody["metric_ids"]) == {IN_TOTAL}
    path = f"series/{RUST}?from=2025-07-28"  # a stored window counts as a day, its last, for the default
    points = [(await team.get(path, headers)).json()["points"] for headers in ({}, ACCEPTED)]
    assert [any(point["estimated"] for point in each) for each in points] == [False, True]


async def test_a_run_in_which_only_the_team_failed_is_a_success_for_everybody(
    clients: tuple[Client, Client],
) -> None:
    team, _ = clients
    states = []
    for headers in ({}, ACCEPTED):
        runs = (await team.get("history", headers)).json()["runs"]
        states.append({run["run_id"]: (run["state"], run["scope"], run["rows_inserted"]) for run in runs})
    everybody, kept = states
    assert everybody["r1"] == ("success", None, None)
    assert kept["r1"] == ("partial", None, 35)
    assert everybody["r2"][0] == "failed"
    assert kept["r2"][0] == "partial"
    assert everybody["r3"][1] == "stars:lance:*"
    assert kept["r4"][1] == "stars:umbraproduct:*"
    assert "r4" not in everybody


@pytest.mark.parametrize(
    ("status", "is_aborted", "state"),
    [
        (RunStatus.FAILED, True, "failed"),
        (RunStatus.FAILED, None, "failed"),  # a run of an earlier version
        (RunStatus.FAILED, False, "success"),
        (RunStatus.PARTIAL, False, "success"),
        (RunStatus.PARTIAL, None, "success"),  # no run was partial for another reason than its metrics
    ],
)
async def test_the_state_of_a_run_follows_from_public_metrics_unless_it_was_aborted(
    tmp_path: Path, status: RunStatus, is_aborted: bool | None, state: str
) -> None:
    place = support.local_place(tmp_path)
    await fill(place, with_team=True)
    async with LanceDBStore.open(place.writing) as store:
        run = rows.run(NOON - timedelta(minutes=5), status, run_id="r5", error_summary="as another version")
        await store.record_outcomes([rows.failed("r5", IN_TOTAL, "gone")])
        await store.record_run(replace(run, is_aborted=is_aborted))
    async with client_of(place.reading) as client:
        (newest, *_) = (await client.get("history")).json()["runs"]
    assert (newest["run_id"], newest["state"], newest["error_summary"]) == ("r5", state, None)


async def test_a_message_that_names_what_is_kept_is_withheld_from_a_public_metric(tmp_path: Path) -> None:
    place = support.local_place(tmp_path)
    await fill(place, with_team=True)
    message = "GitHub did not return lance-format/lance, Umbra-Org/repo"
    async with LanceDBStore.open(place.writing) as store:
        failed = rows.failed("r6", STARS, message, url="https://r.example/graphql?umbra-org/repo")
        run, outcomes = closed(rows.run(NOON - timedelta(minutes=5), run_id="r6"), [failed])
        await store.record_outcomes(outcomes)
        await store.record_run(run)
    async with client_of(place.reading) as client:
        status = (await client.get("status")).json()
    (failure,) = [one for one in status["failures"] if STARS in one["metric_ids"]]
    assert (failure["cause"], failure["url"]) == ("The message names what only the team may see.", None)


async def test_without_tokens_and_metrics_of_the_team_counts_of_rows_are_shown(
    places: tuple[Place, Place],
) -> None:
    async with client_of(places[1].reading) as client:
        for path in ("history", "status"):
            runs = {run["run_id"]: run for run in (await client.get(path)).json()["runs"]}
            assert runs["r1"]["rows_inserted"] == 35
            assert (runs["r1"]["window_start"], runs["r1"]["window_end"]) == ("2026-10-19", "2026-11-22")
        text = (await client.get("export/history.csv")).text
        assert ",35," in next(line for line in text.splitlines() if line.startswith("r1,"))


@pytest.mark.parametrize("has_team", [False, True])
async def test_a_loaded_run_tells_everybody_nothing_of_the_metrics_of_another_place(
    tmp_path: Path, has_team: bool
) -> None:
    place = support.local_place(tmp_path)
    await fill(place, with_team=has_team)
    whole = rows.run(NOON - timedelta(minutes=9), RunStatus.PARTIAL, run_id="far", error_summary="no umbra2")
    noted = rows.run(NOON - timedelta(minutes=8), run_id="note", job_name="event")
    async with LanceDBStore.open(place.writing) as store:
        every = [replace(whole, scope="downloads:umbra2:*"), replace(noted, scope="note:umbra2")]
        await store.insert_runs([replace(run, loaded_by="import-1") for run in every])
    async with client_of(guarded(place.reading) if has_team else place.reading) as client:
        for path in ("history", "status", "export/history.csv"):
            assert "umbra2" not in (await client.get(path)).text
        shown = (await client.get("history")).json()["runs"][:2]
        told = ("run_id", "state", "scope", "error_summary", "rows_inserted", "window_end")
        assert [tuple(run[name] for name in told) for run in shown] == [
            ("note", "success", None, None, None, None),
            ("far", "partial", None, None, None, None),
        ]
        assert "far,weekly_refresh,2026-11-23" in (await client.get("export/history.csv")).text
        if has_team:
            assert "downloads:umbra2:*" in (await client.get("history", ACCEPTED)).text


async def test_what_storage_keeps_for_the_team_stays_hidden_where_the_catalogue_shows_it(
    tmp_path: Path,
) -> None:
    place = support.local_place(tmp_path)
    await support.fill(place.writing)
    async with LanceDBStore.open(place.writing) as store:
        (rust,) = [metric for metric in await store.metrics() if metric.metric_id == RUST]
        await store.upsert_metrics([replace(rust, visibility=Visibility.TEAM)])
    async with client_of(guarded(place.reading)) as client:
        assert (await client.get(f"series/{RUST}")).status_code == 404
        for path in ("definitions", "status", "dashboard/weekly", "export/stats.csv"):
            assert RUST not in (await client.get(path)).text
            assert RUST in (await client.get(path, ACCEPTED)).text


async def test_a_metric_of_the_team_that_is_defined_during_an_export_is_not_in_it(tmp_path: Path) -> None:
    place = support.local_place(tmp_path)
    await support.fill(place.writing)
    async with LanceDBReader.open(place.reading, consistency_s=0.0) as reader:
        public, _ = seen_by(Visibility.PUBLIC, reader, load_catalog(None), has_team=True)
        assert await public.metrics()  # the definitions are read before the run stores the metric
        async with LanceDBStore.open(place.writing) as store:
            await store.upsert_metrics(team_metrics())
            await write(store, team_numbers())
        names = {name async for batch in public.scan("stats") for name in batch["metric_id"].to_pylist()}
        stored = {metric.metric_id for metric in await reader.metrics()}
    assert PYTHON in names
    assert set(TEAM_IDS) <= stored
    assert not names & set(TEAM_IDS)


async def test_kept_answers_are_in_no_route_and_read_as_empty_for_everybody(
    places: tuple[Place, Place], clients: tuple[Client, Client]
) -> None:
    catalog = load_catalog(places[0].reading.catalog)
    async with LanceDBStore.open(places[0].reading) as reader:
        assert [batch.num_rows async for batch in reader.scan(RAW_ANSWERS.name)] == [1]
        for has_team in (True, False):
            public, _ = seen_by(Visibility.PUBLIC, reader, catalog, has_team=has_team)
            assert [row async for batch in public.scan(RAW_ANSWERS.name) for row in batch.to_pylist()] == []
            assert await public.answers(NOON - timedelta(days=1), NOON + timedelta(days=1)) == []
    for headers in ({}, ACCEPTED):
        for kind in ("csv", "parquet"):
            path = f"export/{RAW_ANSWERS.name}.{kind}"
            assert (await clients[0].get(path, headers)).status_code in {404, 422}


async def test_the_catalogue_hides_a_metric_before_the_next_run_stores_it(
    places: tuple[Place, Place], tmp_path: Path
) -> None:
    text = PACKAGED_CATALOG.read_text(encoding="utf-8")
    file = tmp_path / "catalog.toml"
    file.write_text(text.replace(f'id = "{RUST}"', f'id = "{RUST}"\nvisibility = "team"'), encoding="utf-8")
    assert load_catalog(file).metric(RUST).visibility is Visibility.TEAM
    async with client_of(guarded(places[1].reading, catalog=file)) as client:
        for path, missing in (
            (f"series/{RUST}", 404),
            (f"series/{PYTHON}", 200),
            (f"series/{FALLBACK}", 200),
        ):
            assert (await client.get(path)).status_code == missing
        for path in ("definitions", "status", "dashboard/weekly", "export/stats.csv"):
            assert RUST not in (await client.get(path)).text
            assert RUST in (await client.get(path, ACCEPTED)).text
