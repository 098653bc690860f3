"""Downloads of a .NET package from NuGet: the total of all its versions at the instant of the response.

NuGet's index names the host of its search, and the search states the total. It is refreshed irregularly, so
the same total on many days is what NuGet says. An unknown or unlisted package is a search without a hit.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import Field

from community_metrics.errors import TerminalSourceError, UnknownSubject
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import NUGET, NUGET_SEARCH
from community_metrics.sources.client.replies import CHECK_SUBJECT, shape_error
from community_metrics.sources.schemas import Count, ResponseModel
from community_metrics.sources.snapshots import counter, require_named

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.client.client import ParsedReply, RegistryClient
    from community_metrics.sources.client.hosts import RegistryHost
    from community_metrics.sources.client.replies import Reply

T = TypeVar("T")

_PACKAGE_ID = re.compile(r"(?=.{1,100}$)\w+(?:[.-]\w+)*")
_INDEX_PATH = "/v3/index.json"
_SEARCH = "SearchQueryService"
_SEARCH_HOSTS = ".nuget.org"


class _Resource(ResponseModel):
    address: str = Field(alias="@id")
    type: str = Field(alias="@type")


class _Index(ResponseModel):
    resources: tuple[_Resource, ...]


class _Hit(ResponseModel):
    id: str
    totalDownloads: Count  # noqa: N815  the registry's spelling


class _Hits(ResponseModel):
    data: tuple[_Hit, ...]


class NuGet:
    """Total downloads of a package. No options."""

    name = "nuget"
    host = NUGET.key
    window = SourceWindow.INSTANT
    kind = ValueKind.COUNTER
    family = "downloads_total"
    sdk: str | None = "dotnet"
    retention_days: int | None = 0
    returns_full_history = True

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: a package's id; options: none."""
        faults = [f"option {name!r} is unknown; nuget has none" for name in options]
        if not _PACKAGE_ID.fullmatch(subject):
            faults.append(f"{subject!r} is not the id of a NuGet package such as Newtonsoft.Json")
        return faults

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request; the index is read once."""
        search: tuple[RegistryHost, str] | None = None

        async def fetch_one(request: FetchRequest) -> FetchResult:
            nonlocal search
            search = search or await _search_of(request, client)
            return await _total(request, client, *search)

        async for result in each(requests, fetch_one):
            yield result


async def _search_of(request: FetchRequest, client: RegistryClient) -> tuple[RegistryHost, str]:
    """Return host and path of the search that the index names."""
    parsed = await _get(client, NUGET, _INDEX_PATH, _Index, request=request)
    found = (each.address for each in parsed.body.resources if each.type.partition("/")[0] == _SEARCH)
    address = next(found, None)
    if address is None:
        raise shape_error(parsed.reply, f"resources: there is no {_SEARCH}")
    parts = _checked(address, parsed.reply)
    return replace(NUGET_SEARCH, public_origin=f"https://{parts.netloc}"), parts.path


def _checked(address: str, reply: Reply) -> SplitResult:
    """Return the parts of the search's address, which must be an encrypted one of NuGet's own."""
    try:
        parts = urlsplit(address)
    except ValueError:  # https://[half-an-address
        parts = SplitResult("", "", "", "", "")
    is_own = parts.scheme == "https" and parts.netloc == parts.hostname and not parts.query
    if not is_own or not parts.netloc.endswith(_SEARCH_HOSTS):
        what = f"resources: the {_SEARCH} is at {address[:80]!r}, not at https://….nuget.org/…"
        raise shape_error(reply, what)
    return parts


async def _total(request: FetchRequest, client: RegistryClient, host: RegistryHost, path: str) -> FetchResult:
    params: Mapping[str, str | int] = {
        "q": f"packageid:{request.subject}",
        "take": 1,
        "prerelease": "true",
        "semVerLevel": "2.0.0",  # without it a package that has only such versions is not found
    }
    parsed = await _get(client, host, path, _Hits, request=request, params=params)
    if not parsed.body.data:
        raise parsed.reply.error(UnknownSubject, "no listed package of that id", fix=CHECK_SUBJECT)
    (hit, *_) = parsed.body.data
    require_named(request, hit.id, parsed.reply)
    return counter(request, hit.totalDownloads, parsed.reply)


async def _get(
    client: RegistryClient,
    host: RegistryHost,
    path: str,
    model: type[T],
    *,
    request: FetchRequest,
    params: Mapping[str, str | int] | None = None,
) -> ParsedReply[T]:
    """Return a response; a 404 is a fault of NuGet's address, never of the package."""
    try:
        return await client.get_json(
            host, path, model, source=NuGet.name, subject=request.subject, params=params
        )
    except UnknownSubject as error:
        raise TerminalSourceError(
            error.detail,
            source=error.source,
            subject=error.subject,
            url=error.url,
            http_status=error.http_status,
            fix="update community-metrics, if NuGet has moved",
        ) from None
