"""`/export/{table}.{csv|parquet}`: a whole table, read batch by batch, so that memory is bounded.

A few exports are read at once. One whose client disconnects or stops reading ends, and frees its turn and
memory. CSV is streamed; Parquet is sent from a file, so that it has a length and parts.
"""

from __future__ import annotations

import asyncio
import csv
import io
from contextlib import aclosing, contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import structlog
from fastapi import APIRouter, Path, Request, Response
from starlette.datastructures import Headers
from starlette.responses import FileResponse, StreamingResponse

from community_metrics.api import params  # noqa: TC001  FastAPI reads it at run time
from community_metrics.api.clients import ClientStalled, unless_disconnected, unless_stalled
from community_metrics.api.context import PARQUET, now_of, viewer_of
from community_metrics.api.memory import free_memory
from community_metrics.api.middleware.head import WITHOUT_BODY
from community_metrics.api.middleware.request_log import LOGGER
from community_metrics.api.middleware.state import request_state
from community_metrics.api.problems import Problem, documented, invalid
from community_metrics.api.services import services_of
from community_metrics.api.spreadsheet import BYTE_ORDER_MARK, file_name, plain_cell
from community_metrics.api.timely import timely
from community_metrics.views.rows import has_sample_data, scan_table

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping

    import pyarrow as pa
    from starlette.types import Message, Receive, Scope, Send

    from community_metrics.api.admission import Admission
    from community_metrics.api.export_files import ExportFile
    from community_metrics.api.services import Services
    from community_metrics.storage.reader import LanceDBReader

_log = structlog.get_logger(LOGGER)
router = APIRouter(tags=["export"])
Table = Annotated[Literal["stats", "metrics", "history"], Path(description="Which table.")]
FileFormat = Annotated[Literal["csv", "parquet"], Path(description="Form of the file.")]
_CSV_ROWS: Final = 1_000
"""Rows in one piece of CSV: as Python objects they take fifty times the memory of Arrow's columns."""
_CSV: Final = "text/csv"
_BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/export/{table}.{file_format}",
    response_class=Response,
    responses={
        200: {
            "description": "The whole table, in no promised order.",
            "content": dict.fromkeys((_CSV, PARQUET), _BINARY),
        },
        206: {"description": "The parts of a Parquet file in `Range`.", "content": {PARQUET: _BINARY}},
        **documented(400, 401, 416, 422, 500, 503),
    },
    operation_id="export",
)
async def export(
    request: Request, table: Table, file_format: FileFormat, *, excel: params.Excel = False
) -> Response:
    """Return a table with every column, as stored, and `stats` with the unit and the kind of each value.

    In CSV, text like a formula begins with an apostrophe.

    Parquet has `Content-Length`, and parts of it can be read with `Range`.
    """
    if excel and file_format != "csv":
        raise invalid("excel", "is for CSV alone. Fix: remove it")
    services, viewer = services_of(request), viewer_of(request.scope)
    services.database.load_client()

    def seen(reader: LanceDBReader) -> LanceDBReader:
        return services.seen_by(viewer, reader)[0]

    if file_format == "parquet":
        writing = services.files.parquet(table, now_of(request.scope), viewer, seen)
        file = await unless_disconnected(request.receive, writing)
        if file is None:
            return Response()  # the client is gone
        return ParquetResponse(file, services.stall_s, _headers(f"{table}.parquet", is_sample=file.is_sample))
    reader = seen(services.database.reader)
    async with asyncio.timeout(services.database.read_timeout_s):
        is_sample = await has_sample_data(reader)
    headers = _headers(f"{table}.csv", is_sample=is_sample)
    if request.scope.get(WITHOUT_BODY):
        async with asyncio.timeout(services.database.read_timeout_s):
            await reader.has_rows(table)  # where storage fails, HEAD is a 503 like GET
        # a first piece of a longer body, so that it has the headers of a compressed GET
        return StreamingResponse(iter((b"",)), media_type=_CSV, headers=headers)
    batches = scan_table(reader, table, is_sample=is_sample)
    return await _streamed(services, *batches, excel=excel, headers=headers)


def _headers(name: str, *, is_sample: bool) -> dict[str, str]:
    return {
        "content-disposition": f'attachment; filename="{file_name(name, is_sample=is_sample)}"',
        "cache-control": "private, no-store",
    }


async def _streamed(
    services: Services,
    schema: pa.Schema,
    batches: AsyncGenerator[pa.RecordBatch, None],
    *,
    excel: bool,
    headers: Mapping[str, str],
) -> ExportResponse:
    pieces = timely(_csv_chunks(schema, batches, excel=excel), services.database.read_timeout_s)
    admitted = _in_turn(services.exports, pieces)
    first = await anext(admitted)  # a failure here is still a 503; a later one breaks the stream
    return ExportResponse(first, admitted, services.stall_s, media_type=_CSV, headers=headers)


class ParquetResponse(FileResponse):
    """A file, or its parts in the header `Range`; aborted when its client reads nothing for `stall_s` s."""

    def __init__(self, file: ExportFile, stall_s: float, headers: Mapping[str, str]) -> None:
        super().__init__(file.path, headers={**headers, "etag": file.etag}, media_type=PARQUET)
        self._file = file  # it exists for as long as this response does
        self._stall_s = stall_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file or its parts, or a problem for a range that it does not have."""
        if WITHOUT_BODY in scope:
            scope = {**scope, "method": "HEAD"}  # so that the file is not read
        rejection: Problem | None = None

        async def send_or_reject(message: Message) -> None:
            nonlocal rejection
            if rejection is None and message["type"] == "http.response.start":
                rejection = _range_problem(message["status"], Headers(raw=message["headers"]))
                if rejection is not None:
                    await rejection.response(scope["path"])(scope, receive, send)
            if rejection is None:
                await send(message)

        with aborting_stalled(scope, self._stall_s):
            await super().__call__(scope, receive, unless_stalled(send_or_reject, self._stall_s))


def _range_problem(status: int, headers: Headers) -> Problem | None:
    """Return the problem in place of Starlette's own response in plain text."""
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        unsatisfied = {"content-range": headers["content-range"]}
        return Problem(
            "no-such-range", "The file is shorter. Its length is in Content-Range.", headers=unsatisfied
        )
    if status == HTTPStatus.BAD_REQUEST:
        return Problem(
            "bad-request", "Range is malformed. Fix: send it like `bytes=0-1023`, or leave it out."
        )
    return None


class ExportResponse(StreamingResponse):
    """A streamed file, aborted when its client reads nothing for `stall_s` seconds."""

    def __init__(
        self,
        first: bytes,
        rest: AsyncGenerator[bytes, None],
        stall_s: float,
        *,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(_joined(first, rest), media_type=media_type, headers=headers)
        self._rest = rest
        self._stall_s = stall_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, or end early if the client is gone or stalled; the server then disconnects it."""
        async with aclosing(self._rest):
            with aborting_stalled(scope, self._stall_s):
                await unless_disconnected(receive, self.stream_response(unless_stalled(send, self._stall_s)))


@contextmanager
def aborting_stalled(scope: Scope, stall_s: float) -> Iterator[None]:
    """Log a client that stopped reading; the server then disconnects it, since its response is incomplete."""
    try:
        yield
    except ClientStalled:
        _log.warning(
            "response aborted: the client stopped reading",
            request_id=request_state(scope).request_id,
            path=scope["path"],
            stall_s=stall_s,
        )


async def _in_turn(turns: Admission, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the pieces within a turn.

    Raises:
        Busy: no turn is free.
    """
    async with turns.turn():
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    yield piece
        finally:
            free_memory()


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _csv_chunks(
    schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch, None], *, excel: bool
) -> AsyncGenerator[bytes, None]:
    header = (BYTE_ORDER_MARK if excel else "").encode() + _csv_text([schema.names])
    async with aclosing(batches):
        async for batch in batches:
            for start in range(0, batch.num_rows, _CSV_ROWS):
                # 10 ms of work: in a thread, other requests need not wait for it
                yield header + await asyncio.to_thread(_csv_rows, batch.slice(start, _CSV_ROWS))
                header = b""
    if header:
        yield header


def _csv_rows(batch: pa.RecordBatch) -> bytes:
    return _csv_text(zip(*(map(plain_cell, each.to_pylist()) for each in batch.columns), strict=True))


def _csv_text(rows: Any) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
