"""Lance's own REST server behind a proxy that translates what the lancedb 0.40 client says differently.

The stand-in in `enterprise.py` was written by us; the server here was not, so it shows what we only believe
of the protocol. The proxy translates, and does itself only what the server cannot: it creates a table without
rows, in the server's folder, and it sorts.
"""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx
import lancedb
import pyarrow as pa
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

LANCE_TYPES: Final = {"utf8": "string", "date32": "date32:day", "timestamp": "timestamp:us:UTC"}
"""The names that the client expects for types that the server names like Arrow."""
_PASSED_ON: Final = ("content-type", "x-api-key")


@dataclass
class LanceServer:
    """The server of one folder, and the proxy in front of it at `url`."""

    root: Path
    upstream: str
    url: str = ""
    served: list[str] = field(default_factory=list)
    """The paths that the server itself answered, in order."""

    def app(self) -> Starlette:
        """Return the proxy."""
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        operation = request.url.path.rstrip("/").rsplit("/", 1)[-1]
        if operation == "create" and (created := await self._create(request, body)) is not None:
            return created
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        query: list[tuple[str, Any]] = [*request.query_params.multi_items()]
        if operation == "describe":
            query.append(("load_detailed_metadata", "true"))
        ordering: list[dict[str, Any]] = []
        most = 0
        if operation == "describe" or headers.get("content-type") == "application/json":
            asked = json.loads(body or b"{}")
            ordering, most = asked.pop("order_by", None) or [], asked.get("k", 0)
            body, headers["content-type"] = (
                _asked(operation, asked, ordered=bool(ordering)),
                "application/json",
            )
        self.served.append(request.url.path)
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            answer = await client.request(
                request.method,
                self.upstream + request.url.path.rstrip("/"),
                params=query,
                headers=headers,
                content=body,
            )
        content = answer.content
        if operation == "describe" and answer.is_success:
            content = _described(content)
        if ordering and answer.is_success:
            content = _ordered(content, ordering, most)
        return Response(content, answer.status_code, media_type=answer.headers.get("content-type"))

    async def _create(self, request: Request, body: bytes) -> Response | None:
        """Create a table without rows in the folder; the server refuses it."""
        with pa.ipc.open_stream(io.BytesIO(body)) as reader:
            rows = reader.read_all()
        if rows.num_rows:
            return None
        name = request.url.path.rstrip("/").split("/")[-2]
        connection = await lancedb.connect_async(self.root)
        try:
            exist_ok = request.query_params.get("mode") == "exist_ok"
            await connection.create_table(name, schema=rows.schema, exist_ok=exist_ok)
        except ValueError as error:
            return PlainTextResponse(str(error), 400)
        return Response(b"{}", media_type="application/json")


def _asked(operation: str, asked: dict[str, Any], *, ordered: bool) -> bytes:
    """Return the body as the server reads it; what the proxy sorts is asked for without a limit."""
    if asked.get("version", 0) is None:
        del asked["version"]
    if operation == "describe":
        asked["load_detailed_metadata"] = True
    if operation == "query":
        if asked.get("columns") is not None:
            asked["columns"] = {"column_names": asked["columns"]}
        asked["vector"] = {"single_vector": asked.get("vector", [])}
        if ordered:
            asked["k"] = 2**31 - 1
    return json.dumps(asked).encode()


def _ordered(content: bytes, ordering: list[dict[str, Any]], most: int) -> bytes:
    """Return the first rows in the order that was asked for; the server ignores it."""
    with pa.ipc.open_file(io.BytesIO(content)) as reader:
        rows = reader.read_all()
    keys = [(one["column_name"], "ascending" if one["ascending"] else "descending") for one in ordering]
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows.sort_by(keys).slice(0, most))
    return sink.getvalue()


def _described(content: bytes) -> bytes:
    """Return the description of a table with the names of types that the client reads."""
    answer = json.loads(content)
    _rename_types((answer.get("schema") or {}).get("fields", []))
    return json.dumps(answer).encode()


def _rename_types(columns: list[dict[str, Any]]) -> None:
    for column in columns:
        kind = column["type"]
        kind["type"] = LANCE_TYPES.get(kind["type"], kind["type"])
        _rename_types(kind.get("fields") or [])


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def serving(root: Path) -> Iterator[LanceServer]:
    """Serve the tables of a folder on loopback."""
    from lance.namespace import RestAdapter  # noqa: PLC0415  imports pylance, which most tests do not need

    root.mkdir(parents=True, exist_ok=True)
    options = {"root": str(root), "manifest_enabled": "false", "dir_listing_enabled": "true"}
    adapter: Any = RestAdapter("dir", options, host="127.0.0.1", port=_free_port())
    adapter.start()
    server = LanceServer(root, f"http://127.0.0.1:{adapter.port}")
    proxy = uvicorn.Server(
        uvicorn.Config(server.app(), host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    )
    thread = threading.Thread(target=proxy.run, name="lance-proxy", daemon=True)
    thread.start()
    while not proxy.started:
        time.sleep(0.01)
    server.url = f"http://127.0.0.1:{proxy.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        proxy.should_exit = True
        thread.join()
        adapter.stop()
