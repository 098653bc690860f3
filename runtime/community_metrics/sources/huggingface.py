"""Models and data sets of Hugging Face: downloads of 30 days as read on a day, and likes at an instant.

`downloads` counts requests of a few files of each repository, mostly `config.json`, and not people. It has
been 0 for two weeks where it was large before, and a 0 of that kind looks like any other, so none is stored.
`downloadsAllTime` is never read: it has been falling since June 2026. Past values cannot be requested.
"""

from __future__ import annotations

import re
from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from community_metrics.errors import SourceDenied, UnknownSubject
from community_metrics.model import LevelBreak, SourceWindow
from community_metrics.periods import last_completed_day
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import HUGGING_FACE
from community_metrics.sources.client.replies import CHECK_SUBJECT, shape_error
from community_metrics.sources.schemas import Count, ResponseModel
from community_metrics.sources.snapshots import level, rolling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.client.client import ParsedReply, RegistryClient

_NAME = r"[a-z0-9_](?:[a-z0-9._-]{0,94}[a-z0-9_])?"
_OTHER_PAGES = r"(?!(?:datasets|spaces|models|docs|papers|collections|blog)/)"
_MODEL = re.compile(rf"{_OTHER_PAGES}{_NAME}/{_NAME}", re.IGNORECASE | re.ASCII)
_DATA_SET = re.compile(rf"datasets/{_OTHER_PAGES}{_NAME}/{_NAME}", re.IGNORECASE | re.ASCII)
_DATA_SETS = "datasets/"


class _Identity(ResponseModel):
    id: str


class _Downloads(_Identity):
    downloads: Count


class _Likes(_Identity):
    likes: Count


B = TypeVar("B", bound=_Identity)


class _HuggingFace:
    """What both series have in common."""

    name: str
    host = HUGGING_FACE.key
    sdk: str | None = None
    retention_days: int | None = 0
    returns_full_history = True

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: `owner/name` or `datasets/owner/name`."""
        faults = [f"option {name!r} is unknown; {self.name} has none" for name in options]
        if not (_MODEL.fullmatch(subject) or _DATA_SET.fullmatch(subject)):
            faults.append(
                f"{subject!r} is not a model or data set; write owner/name, or datasets/owner/name for a "
                "data set"
            )
        return faults


class HuggingFaceDownloads(_HuggingFace):
    """The downloads of the last 30 days. No options."""

    name = "huggingface"
    window = SourceWindow.THIRTY_DAYS
    family = "downloads_30d"
    level_breaks = (
        LevelBreak(
            date(2024, 9, 1), "since about that day data sets are counted in another way", "datasets/"
        ),
    )

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request; its 30 days end with the last completed UTC day."""

        async def fetch_one(request: FetchRequest) -> FetchResult:
            parsed, notes = await _read(request, client, self.name, "downloads", _Downloads)
            last_day = last_completed_day(parsed.at)
            found = rolling(request, parsed.body.downloads, self.window, last_day, parsed.reply)
            return FetchResult(request.metric_id, found.observations, notes=(*notes, *found.notes))

        async for result in each(requests, fetch_one):
            yield result


class HuggingFaceLikes(_HuggingFace):
    """The count of likes now; it may fall. No options."""

    name = "huggingface-likes"
    window = SourceWindow.INSTANT
    family = "likes"

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request."""

        async def fetch_one(request: FetchRequest) -> FetchResult:
            parsed, notes = await _read(request, client, self.name, "likes", _Likes)
            found = level(request, parsed.body.likes, parsed.reply)
            return FetchResult(request.metric_id, found.observations, notes=notes)

        async for result in each(requests, fetch_one):
            yield result


async def _read(
    request: FetchRequest, client: RegistryClient, source: str, field: str, model: type[B]
) -> tuple[ParsedReply[B], tuple[str, ...]]:
    """Return the response about the subject, and a note where it has moved."""
    subject = request.subject
    is_data_set = subject.startswith(_DATA_SETS)
    path = f"/api/{quote(subject) if is_data_set else f'models/{quote(subject)}'}"
    try:
        parsed = await client.get_json(
            HUGGING_FACE, path, model, source=source, subject=subject, params={"expand[]": field}
        )
    except SourceDenied as error:
        if error.http_status != HTTPStatus.UNAUTHORIZED:
            raise
        # without a token it answers 401 for a name that it does not have: the name may be a private one
        raise UnknownSubject(
            HUGGING_FACE.unknown_hint,
            source=source,
            subject=subject,
            url=error.url,
            http_status=error.http_status,
            fix=CHECK_SUBJECT,
            attempts=error.attempts,
        ) from None
    name, wanted = parsed.body.id, subject.removeprefix(_DATA_SETS)
    if name.lower() == wanted.lower():
        return parsed, ()
    if parsed.reply.path == path:
        raise shape_error(parsed.reply, f"id is {name!r}")
    now = f"{_DATA_SETS if is_data_set else ''}{name}"
    return parsed, (f"{subject} is now {now}; write the new name in the catalogue",)
