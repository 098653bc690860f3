"""`/export/{table}.{csv|parquet}`: a whole table, streamed batch by batch, so that memory is bounded.

A few exports run at once. One whose client disconnects or stops reading ends, and frees its turn and memory.
"""

from __future__ import annotations

import asyncio
import csv
import io
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import structlog
from fastapi import APIRouter, Path, Request, Response
from starlette.responses import StreamingResponse

from community_metrics.api.clients import ClientStalled, unless_disconnected, unless_stalled
from community_metrics.api.memory import free_memory
from community_metrics.api.middleware.head import WITHOUT_BODY
from community_metrics.api.middleware.request_log import LOGGER
from community_metrics.api.middleware.state import request_state
from community_metrics.api.problems import documented
from community_metrics.api.services import services_of
from community_metrics.api.spreadsheet import plain_cell
from community_metrics.views.rows import scan_table

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    import pyarrow as pa
    from starlette.types import Receive, Scope, Send

    from community_metrics.api.admission import Admission

_log = structlog.get_logger(LOGGER)
router = APIRouter(tags=["export"])
Table = Annotated[Literal["stats", "metrics", "history"], Path(description="Which table.")]
FileFormat = Annotated[Literal["csv", "parquet"], Path(description="Form of the file.")]
_CSV_ROWS: Final = 1_000
"""Rows in one piece of CSV: as Python objects they take fifty times the memory of Arrow's columns."""
_MEDIA_TYPES: Final = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}


@router.get(
    "/export/{table}.{file_format}",
    response_class=Response,
    responses={
        200: {
            "description": "The whole table, in no promised order.",
            "content": dict.fromkeys(_MEDIA_TYPES.values(), _BINARY),
        },
        **documented(401, 422, 500, 503),
    },
    operation_id="export",
)
async def export(request: Request, table: Table, file_format: FileFormat) -> Response:
    """Stream a table with every column, as stored. In CSV, text like a formula begins with an apostrophe."""
    headers = {
        "content-disposition": f'attachment; filename="{table}.{file_format}"',
        "cache-control": "private, no-store",
    }
    media_type = _MEDIA_TYPES[file_format]
    services = services_of(request)
    database = services.database
    database.load_client()
    if request.scope.get(WITHOUT_BODY):
        async with asyncio.timeout(database.read_timeout_s):
            await database.reader.has_rows(table)  # HEAD returns 503 where GET would
        return StreamingResponse(iter(()), media_type=media_type, headers=headers)
    chunks = _csv_chunks if file_format == "csv" else _parquet_chunks
    pieces = timely(chunks(*scan_table(database.reader, table)), database.read_timeout_s)
    admitted = _in_turn(services.exports, pieces)
    first = await anext(admitted)  # a failure here is still a 503; a later one breaks the stream
    return ExportResponse(first, admitted, services.stall_s, media_type=media_type, headers=headers)


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
            try:
                await unless_disconnected(receive, self.stream_response(unless_stalled(send, self._stall_s)))
            except ClientStalled:
                _log.warning(
                    "export aborted: the client stopped reading",
                    request_id=request_state(scope).request_id,
                    path=scope["path"],
                    stall_s=self._stall_s,
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


async def timely(pieces: AsyncGenerator[bytes, None], timeout_s: float) -> AsyncGenerator[bytes, None]:
    """Yield the pieces, each read within the time limit; the time that the caller takes does not count.

    Raises:
        TimeoutError: the next piece was not read in time.
    """
    async with aclosing(pieces):
        while True:
            try:
                async with asyncio.timeout(timeout_s):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            yield piece


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _csv_chunks(
    schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch, None]
) -> AsyncGenerator[bytes, None]:
    header = _csv_text([schema.names])
    async with aclosing(batches):
        async for batch in batches:
            for start in range(0, batch.num_rows, _CSV_ROWS):
                columns = batch.slice(start, _CSV_ROWS).columns
                yield header + _csv_text(
                    zip(*(map(plain_cell, each.to_pylist()) for each in columns), strict=True)
                )
                header = b""
    if header:
        yield header


def _csv_text(rows: Any) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


async def _parquet_chunks(
    schema: pa.Schema, batches: AsyncGenerator[pa.RecordBatch, None]
) -> AsyncGenerator[bytes, None]:
    from pyarrow import parquet, system_memory_pool  # noqa: PLC0415  only this route needs it

    sink = _Sink()
    pool = system_memory_pool()  # the default one keeps 10 MB
    with parquet.ParquetWriter(sink, schema, compression="zstd", memory_pool=pool) as writer:
        async with aclosing(batches):
            async for batch in batches:
                writer.write_batch(batch)
                yield sink.drained()
    yield sink.drained()


class _Sink(io.RawIOBase):
    """A file that is read while it is written: it holds no more than one batch."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        self._written += data
        self._position += len(data)
        return len(data)

    def drained(self) -> bytes:
        chunk = bytes(self._written)
        self._written.clear()
        return chunk
