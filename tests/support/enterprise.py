"""A stand-in for LanceDB Enterprise: the wire protocol of the lancedb 0.40 remote client, served on loopback.

API keys, databases kept apart, pages, stale reads, and faults on demand, among them the reply that is lost
after the write took effect. It serves the unmodified client; what it cannot do answers 501.

Stand-alone: `python -m tests.support.enterprise --port 8080 --root DIR --read-key R --write-key W`.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.support.enterprise_tables import BadRequestError, StoredDatabase, UnknownTableError

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

READ_KEY = "read-key-of-the-tests"
WRITE_KEY = "write-key-of-the-tests"
WRITES = {"create", "insert", "merge_insert", "delete", "create_index", "add_columns", "drop"}
PAGE = 10
"""Tables in one page of a listing where the client asks for no number."""


@dataclass
class Fault:
    """Something that goes wrong the next `times` times with requests whose path matches the glob `path`.

    `delay_s` first; then, with `after_effect`, the request is carried out; then the reply is `status`, or the
    connection is closed in the middle of it (`hangs_up`). Without `status` and `hangs_up` it only delays.
    """

    path: str = "*"
    status: int | None = None
    times: int = 1
    after_effect: bool = False
    hangs_up: bool = False
    delay_s: float = 0.0
    body: str = "a fault on purpose"


@dataclass(frozen=True)
class Logged:
    """One request as it came in, and the status it got."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    status: int


@dataclass
class Enterprise:
    """The service: give it faults, read its log. `root` holds a folder for each database."""

    root: Path
    read_key: str = READ_KEY
    write_key: str = WRITE_KEY
    keeps_last_on_only: bool = False
    """The fault of a real proxy: of a repeated `on` parameter only the last one arrives."""
    faults: list[Fault] = field(default_factory=list)
    log: list[Logged] = field(default_factory=list)
    url: str = ""
    _databases: dict[str, StoredDatabase] = field(default_factory=dict)

    def requests(self, operation: str) -> list[Logged]:
        """Return the requests for one operation, such as `merge_insert`, in order."""
        return [entry for entry in self.log if entry.path.rstrip("/").endswith(f"/{operation}")]

    def app(self) -> Starlette:
        """Return the ASGI application."""
        table = "/v1/table/{name}"
        return Starlette(
            routes=[
                Route("/v1/table/", self._answer),
                Route("/v1/namespace/$/table/list", self._answer),
                Route(table + "/{operation}/", self._answer, methods=["POST"]),
                Route(table + "/index/list/", self._answer, methods=["POST"]),
                Route(table + "/index/{index}/stats/", self._answer, methods=["POST"]),
            ]
        )

    async def _answer(self, request: Request) -> Response:
        fault = self._next_fault(request.url.path)
        if fault:
            await asyncio.sleep(fault.delay_s)
        is_carried_out = fault is None or fault.after_effect or not (fault.status or fault.hangs_up)
        response = await self._carried_out(request) if is_carried_out else Response()
        if fault and fault.hangs_up:
            response = Response(b"", headers={"content-length": "1000"})
        elif fault and fault.status:
            response = PlainTextResponse(fault.body, fault.status)
        path, query = request.url.path, request.url.query
        self.log.append(Logged(request.method, path, query, dict(request.headers), response.status_code))
        return response

    def _next_fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fnmatch(path, fault.path):
                fault.times -= 1
                return fault
        return None

    async def _carried_out(self, request: Request) -> Response:
        refusal = self._refused(request)
        if refusal:
            return refusal
        try:
            return await self._served(request, self._database(request))
        except UnknownTableError as error:
            return PlainTextResponse(f"Table '{error}' not found", 404)
        except (BadRequestError, ValueError, RuntimeError) as error:
            return PlainTextResponse(str(error), 400)

    def _refused(self, request: Request) -> Response | None:
        key = request.headers.get("x-api-key")
        if key not in {self.read_key, self.write_key}:
            return PlainTextResponse("unknown API key", 401)
        if request.path_params.get("operation") in WRITES and key != self.write_key:
            return PlainTextResponse("this API key may only read", 403)
        return None

    def _database(self, request: Request) -> StoredDatabase:
        name = request.headers["x-lancedb-database"]
        if name not in self._databases:
            self._databases[name] = StoredDatabase(
                self.root / name, keeps_last_on_only=self.keeps_last_on_only
            )
        return self._databases[name]

    async def _served(self, request: Request, database: StoredDatabase) -> Response:
        if request.method == "GET":
            return JSONResponse(_page(await database.names(), request))
        name = request.path_params["name"]
        operation = request.path_params.get("operation")
        if operation in WRITES:
            return JSONResponse(await self._written(request, database, name, operation))
        return await self._read(request, database, name, operation)

    async def _written(self, request: Request, database: StoredDatabase, name: str, operation: str) -> Any:
        if operation == "drop":
            return await database.drop(name)
        if operation == "delete":
            return await database.delete(name, (await request.json())["predicate"])
        if operation == "create_index":
            return await database.create_index(name, await request.json())
        return await self._written_rows(request, database, name, operation)

    async def _written_rows(
        self, request: Request, database: StoredDatabase, name: str, operation: str
    ) -> Any:
        sent = await _arrow(request)
        if operation == "create":
            return await database.create(name, sent, request.query_params.get("mode", "create"))
        if operation == "insert":
            return await database.insert(name, sent)
        if operation == "merge_insert":
            return await database.merge_insert(name, sent, request.query_params)
        return await database.add_columns(name, sent.schema)  # a stream without rows: the new columns

    async def _read(
        self, request: Request, database: StoredDatabase, name: str, operation: str | None
    ) -> Response:
        body = await request.json() if await request.body() else {}
        stored = await database.table(name)
        table = await stored.read_at(request.headers, body.get("version"))
        version = {"x-lancedb-version": str(await table.version())}
        if index := request.path_params.get("index"):
            return JSONResponse(await database.index_stats(table, index), headers=version)
        if request.url.path.endswith("/index/list/"):
            return JSONResponse(await database.list_indices(table), headers=version)
        match operation:
            case "describe":
                return JSONResponse(await database.describe(name, table), headers=version)
            case "count_rows":
                return JSONResponse(await table.count_rows(body.get("predicate")), headers=version)
            case "query":
                return _arrow_file(await database.query(table, body), version)
        return PlainTextResponse(f"{operation} is not in the stand-in", 501)


def _page(names: list[str], request: Request) -> dict[str, Any]:
    limit = int(request.query_params.get("limit") or PAGE)
    after = request.query_params.get("page_token") or ""
    rest = [name for name in names if name > after]
    return {"tables": rest[:limit], "page_token": rest[limit - 1] if len(rest) > limit else None}


async def _arrow(request: Request) -> pa.Table:
    with pa.ipc.open_stream(await request.body()) as reader:
        return reader.read_all()


def _arrow_file(table: pa.Table, headers: dict[str, str]) -> Response:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return Response(sink.getvalue(), media_type="application/vnd.apache.arrow.file", headers=headers)


@contextmanager
def serving(
    enterprise: Enterprise,
    port: int = 0,
    listening: socket.socket | None = None,
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[Enterprise]:
    """Serve it on loopback, or on a listening socket, from a thread of its own; `url` says where.

    `certificate`, a certificate and its key, makes it HTTPS.
    """
    chain, key = certificate or (None, None)
    config = uvicorn.Config(
        enterprise.app(),
        host="127.0.0.1",
        port=port,
        log_level="critical",
        lifespan="off",
        ssl_certfile=chain,
        ssl_keyfile=key,
    )
    server = uvicorn.Server(config)
    sockets = None if listening is None else [listening]
    thread = threading.Thread(target=server.run, args=(sockets,), name="enterprise", daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError(f"port {port} cannot be served")
        time.sleep(0.01)
    host, bound_port = server.servers[0].sockets[0].getsockname()
    enterprise.url = f"{'https' if certificate else 'http'}://{host}:{bound_port}"
    try:
        yield enterprise
    finally:
        server.should_exit = True
        thread.join()


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="A stand-in for LanceDB Enterprise on loopback.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--root", type=Path, required=True, help="folder of the databases")
    parser.add_argument("--read-key", default=READ_KEY)
    parser.add_argument("--write-key", default=WRITE_KEY)
    options = parser.parse_args()
    enterprise = Enterprise(options.root, options.read_key, options.write_key)
    uvicorn.run(enterprise.app(), host="127.0.0.1", port=options.port, log_level="warning", lifespan="off")


if __name__ == "__main__":
    main()
