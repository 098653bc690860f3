"""Downloads of a conda package from anaconda.org: the sum over its files, at the instant of the response.

A file that its channel removes takes its downloads with it, which is a reset of the counter. The sum falls,
or it grows by too little; so each reading is stored with what identifies its files. Since March 2024 files in
the format `.conda` are counted too. Past totals cannot be requested.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from community_metrics.model import LevelBreak, SourceWindow, ValueKind
from community_metrics.periods import today
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import ANACONDA
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.parts import CountedParts, Part
from community_metrics.sources.schemas import Count, ResponseModel
from community_metrics.sources.snapshots import counter, left_open

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.client.client import RegistryClient

_PACKAGE = re.compile(r"[a-z0-9_][a-z0-9._-]*/[a-z0-9_][a-z0-9._-]*", re.ASCII)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _File(ResponseModel):
    ndownloads: Count
    basename: str = ""
    upload_time: str = ""


class _Package(ResponseModel):
    name: str
    files: tuple[_File, ...]


class CondaDownloads:
    """The downloads of all files of a package until now. No options."""

    name = "conda"
    host = ANACONDA.key
    window = SourceWindow.INSTANT
    kind = ValueKind.COUNTER
    family = "downloads_total"
    sdk: str | None = None
    retention_days: int | None = 0
    returns_full_history = True
    level_breaks = (
        LevelBreak(date(2024, 3, 1), "since about that day files in the format .conda count too"),
    )

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: `channel/package`; options: none."""
        faults = [f"option {name!r} is unknown; conda has none" for name in options]
        if not _PACKAGE.fullmatch(subject):
            faults.append(
                f"{subject!r} is not a conda package; write channel/package in lower case, such as "
                "conda-forge/lancedb"
            )
        return faults

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request."""
        async for result in each(requests, lambda request: _read(request, client)):
            yield result


async def _read(request: FetchRequest, client: RegistryClient) -> FetchResult:
    path = f"/package/{request.subject}"
    parsed = await client.get_json(
        ANACONDA, path, _Package, source=CondaDownloads.name, subject=request.subject
    )
    body, reply = parsed.body, parsed.reply
    if body.name != request.subject.partition("/")[2]:
        raise shape_error(reply, f"name is {body.name!r}")
    if not body.files:
        return left_open(request, today(reply.at), "the package has no files, so nothing states a total")
    result = counter(request, sum(file.ndownloads for file in body.files), reply)
    return _with_files(result, request, body.files)


def _with_files(result: FetchResult, request: FetchRequest, files: Sequence[_File]) -> FetchResult:
    """Return the result with the files that it counts, and a reset if one of the last reading is gone."""
    parts = {_part(file) for file in files}
    if None in parts or len(parts) < len(files):  # the answer does not tell its files apart
        return result
    present = {part for part in parts if part is not None}
    before = CountedParts.of_last_reading(request)
    is_reset = before is not None and not before.are_among(present)
    noted = CountedParts.of(present).noted_in(result, is_reset=is_reset)
    note = "files were removed or replaced since the last reading, or older ones added: the total was reset"
    return replace(noted, notes=(*noted.notes, note)) if is_reset else noted


def _part(file: _File) -> Part | None:
    """Return the file, ordered by its upload: one that is uploaded again under its name is another one."""
    try:
        uploaded_at = datetime.fromisoformat(file.upload_time)
    except ValueError:
        return None
    if uploaded_at.tzinfo is None or not file.basename:
        return None
    return Part((uploaded_at - _EPOCH) // timedelta(microseconds=1), file.basename)
