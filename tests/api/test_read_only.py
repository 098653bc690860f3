"""The API and the tools of MCP cannot write: they name no write, and storage receives only reads."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lancedb import AsyncConnection
from lancedb.table import AsyncTable

import community_metrics
from community_metrics.api.cache.database import ReadDatabase
from community_metrics.mcp_server.reading import Readings
from community_metrics.mcp_server.tools import Tools
from community_metrics.model import Visibility
from community_metrics.storage import LanceDBReader, LanceDBStore
from tests.support.api import PYTHON
from tests.support.clock import FakeClock
from tests.support.enterprise import READ_KEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.support.api import Api, Place
    from tests.support.enterprise import Enterprise

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

PACKAGE = Path(community_metrics.__file__).parent
API_MODULES = sorted(
    module for folder in ("api", "mcp_server", "views") for module in (PACKAGE / folder).rglob("*.py")
)
WRITES = {name for name in dir(LanceDBStore) if not name.startswith("_")} - set(dir(LanceDBReader))
LANCEDB_READS = {
    *("checkout", "checkout_latest", "close", "count_rows", "get_read_consistency_interval", "head"),
    *(
        "index_stats",
        "is_open",
        "list_indices",
        "list_tables",
        "list_versions",
        "name",
        "open_table",
        "query",
    ),
    *("schema", "search", "stats", "table_names", "take_offsets", "take_row_ids", "to_arrow", "to_pandas"),
    *("uri", "vector_search", "version"),
}
LANCEDB_WRITES = {
    name for kind in (AsyncTable, AsyncConnection) for name in dir(kind) if not name.startswith("_")
} - LANCEDB_READS
"""What LanceDB's handles can do besides reading; an unknown method of a later version counts as a write."""
OF_COLLECTIONS = LANCEDB_WRITES & {name for kind in (set, dict, list, bytearray) for name in dir(kind)}
HANDLES = {"_database", "connection", "open_table"}
"""Attributes that lead from a reader to a handle of LanceDB, which can write."""
EVERY_ROUTE = [
    "health",
    "ready",
    "status",
    "definitions",
    "dashboard/weekly",
    "dashboard/daily",
    "dashboard/monthly",
    f"series/{PYTHON}",
    "history",
    "restatements",
    "insights",
    "goals",
    f"before-after?metric_id={PYTHON}&day=2026-10-14",
    f"compare?metric_id={PYTHON}",
    "compare/parts",
    "overview",
    "digests",
    "export/stats.csv",
    "export/metrics.parquet",
    f"badge/{PYTHON}.svg",
    f"sparkline/{PYTHON}.svg",
    f"badge/{PYTHON}.json",
    f"chart/{PYTHON}.svg",
    "chart.svg?product=lance",
    "preview",
    "preview.html",
    "preview.png",
]


def reachable(start: list[Path]) -> set[Path]:
    """Return our modules that the API imports, directly or indirectly, at import time or later."""
    seen: set[Path] = set()
    waiting = list(start)
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += imported_by(module)
    return seen


def imported_by(module: Path) -> list[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    found = [
        PACKAGE.joinpath(*name.split(".")[1:]) for name in names if name.startswith("community_metrics.")
    ]
    return [path.with_suffix(".py") for path in found if path.with_suffix(".py").exists()]


def writes_in(source: str) -> set[str]:
    """Return the writes of our store or of LanceDB that a module names.

    A name that collections have too, as in `seen.add(x)`, is a write only if its result is used: a call whose
    result is ignored would be a coroutine that never runs.
    """
    nodes = list(ast.walk(ast.parse(source)))
    calls = [node.value for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    alone = {id(call.func) for call in calls}
    named = [node for node in nodes if isinstance(node, ast.Attribute)]
    return {node.attr for node in named if node.attr not in OF_COLLECTIONS or id(node) not in alone} & (
        WRITES | LANCEDB_WRITES
    )


def handles_in(source: str) -> set[str]:
    """Return the ways to a handle of LanceDB that a module names, as attributes or as strings for `getattr`.

    `self._database` is none of them: it is the `ReadDatabase` of the watch.
    """
    nodes = list(ast.walk(ast.parse(source)))
    attributes = {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and not (node.attr == "_database" and isinstance(node.value, ast.Name) and node.value.id == "self")
    }
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return (attributes | texts) & HANDLES


def names_of(module: Path) -> set[str]:
    """Return every name that a module mentions, imports or reads from another."""
    tree = ast.parse(module.read_text())
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return (
        names
        | {alias.name for node in imports for alias in node.names}
        | {node.module or "" for node in imports}
    )


@pytest.mark.parametrize("module", API_MODULES, ids=lambda path: path.name)
def test_no_module_of_the_api_imports_the_store(module: Path) -> None:
    # the package exports the store beside the reader, so the API imports the reader from its own module
    forbidden = {"LanceDBStore", "community_metrics.storage", "community_metrics.storage.lancedb_store"}
    assert not names_of(module) & (forbidden | {"lancedb"})


def test_the_reader_has_no_way_to_write() -> None:
    assert {"upsert_observations", "record_run", "drop_tables", "acquire_lease"} <= WRITES
    assert not WRITES & set(dir(LanceDBReader))


def test_no_module_of_the_api_imports_the_store_indirectly() -> None:
    names = {path.relative_to(PACKAGE).as_posix() for path in reachable(API_MODULES)}
    assert "storage/reader.py" in names
    assert not {name for name in names if name.startswith("jobs/")}
    assert not {"storage/lancedb_store.py", "storage/leases.py", "storage/duplicates.py"} & names


@pytest.mark.parametrize(
    "module", sorted(reachable(API_MODULES)), ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_no_module_that_the_api_imports_names_a_write(module: Path) -> None:
    assert not writes_in(module.read_text())


@pytest.mark.parametrize("module", API_MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_of_the_api_uses_a_handle_of_lancedb(module: Path) -> None:
    assert not handles_in(module.read_text())


def test_the_list_of_lancedb_writes_has_the_known_ones() -> None:
    assert {"add", "delete", "update", "add_columns", "alter_columns", "drop_columns"} <= LANCEDB_WRITES
    assert {"merge_insert", "create_table", "drop_table", "drop_all_tables", "optimize"} <= LANCEDB_WRITES


@pytest.mark.parametrize(
    ("mutation", "writes", "handles"),
    [
        (
            'await (await (await reader._database.connection()).open_table("stats")).delete("true")',
            {"delete"},
            HANDLES,
        ),
        ("await table.add(rows)", {"add"}, set()),
        ("pending = table.update(values)", {"update"}, set()),
        ("await asyncio.wait_for(table.add(rows), 3)", {"add"}, set()),
        ('getattr(reader, "_database")', set(), {"_database"}),
        ("await store.drop_tables()", {"drop_tables"}, set()),
        ("seen.add(name)", set(), set()),
    ],
)
def test_a_route_that_writes_would_be_seen(mutation: str, writes: set[str], handles: set[str]) -> None:
    mutated = (
        PACKAGE / "api" / "routes" / "status.py"
    ).read_text() + f"\nasync def mutation():\n    {mutation}\n"
    assert (writes_in(mutated), handles_in(mutated)) == (writes, handles)


def test_the_routes_get_a_reader_and_not_a_store(filled_local: Place) -> None:
    assert type(ReadDatabase(filled_local.reading).reader) is LanceDBReader


async def test_every_route_works_with_the_read_key_and_sends_only_reads(
    filled_enterprise: Place, enterprise: Enterprise, serve: Serve
) -> None:
    async with serve(filled_enterprise.reading) as api:
        responses = [await api.get(path) for path in EVERY_ROUTE]
    operations = {entry.path.rstrip("/").rsplit("/", 1)[-1] for entry in enterprise.log}
    assert {response.status_code for response in responses} == {200}
    assert operations == {"describe", "query"}
    assert {entry.headers["x-api-key"] for entry in enterprise.log} == {READ_KEY}


async def test_every_tool_works_with_the_read_key_and_sends_only_reads(
    filled_enterprise: Place, enterprise: Enterprise
) -> None:
    readings = Readings.of(filled_enterprise.reading, FakeClock())
    tools = Tools(readings, Visibility.TEAM)
    arguments: dict[str, dict[str, Any]] = {
        "series": {"metric_ids": [PYTHON], "total": True},
        "before_after": {"metric_id": PYTHON, "day": date(2026, 10, 14)},
        "explain_metric": {"metric_id": PYTHON},
    }
    for tool in tools.all:
        assert await tool(**arguments.get(tool.__name__, {}))
    await readings.database.close()
    operations = {entry.path.rstrip("/").rsplit("/", 1)[-1] for entry in enterprise.log}
    assert operations == {"describe", "query"}
    assert {entry.headers["x-api-key"] for entry in enterprise.log} == {READ_KEY}
