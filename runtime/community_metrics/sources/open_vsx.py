"""Downloads of an extension from Open VSX: the total of all its versions at the instant of the response.

Open VSX serves VSCodium, Cursor and other editors; VS Code itself uses Microsoft's marketplace. An extension
without a count is an error, because nothing says that it is 0.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from community_metrics.errors import UnknownSubject
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import OPEN_VSX
from community_metrics.sources.client.replies import CHECK_SUBJECT, shape_error
from community_metrics.sources.schemas import Count, ResponseModel
from community_metrics.sources.snapshots import counter, require_named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.client.client import RegistryClient

_EXTENSION = re.compile(r"[\w+$~-]{1,255}/[\w+$~-]{1,255}", re.ASCII)


class _Extension(ResponseModel):
    namespace: str = ""
    name: str = ""
    downloadCount: Count | None = None  # noqa: N815  the registry's spelling
    error: str | None = None


class OpenVsx:
    """Total downloads of an extension. No options."""

    name = "open-vsx"
    host = OPEN_VSX.key
    window = SourceWindow.INSTANT
    kind = ValueKind.COUNTER
    family = "downloads_total"
    sdk: str | None = None
    retention_days: int | None = 0
    returns_full_history = True

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: `namespace/name`; options: none."""
        faults = [f"option {name!r} is unknown; open-vsx has none" for name in options]
        if not _EXTENSION.fullmatch(subject):
            faults.append(f"{subject!r} is not an extension; write namespace/name, as redhat/java")
        return faults

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request."""

        async def fetch_one(request: FetchRequest) -> FetchResult:
            path = f"/api/{request.subject}"
            parsed = await client.get_json(
                OPEN_VSX, path, _Extension, source=self.name, subject=request.subject
            )
            body, reply = parsed.body, parsed.reply
            if body.error is not None:  # with status 200 as well
                raise reply.error(UnknownSubject, body.error[:200], fix=CHECK_SUBJECT)
            require_named(request, f"{body.namespace}/{body.name}", reply)
            if body.downloadCount is None:
                raise shape_error(reply, "downloadCount is missing")
            return counter(request, body.downloadCount, reply)

        async for result in each(requests, fetch_one):
            yield result
