"""Traffic of a repository is shown only to who may administer it, or write to it."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

from community_metrics.errors import SourceDenied
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.github_repository import REST_HEADERS
from community_metrics.sources.schemas import ResponseModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.sources.client.client import ParsedReply, RegistryClient

T = TypeVar("T")

TRAFFIC_SOURCES: Final = frozenset(("github-traffic", "github-referrers", "github-paths"))
"""The names of the sources that need the right."""


class _AnyTraffic(ResponseModel):
    count: int


def fix_of(repository: str) -> str:
    """Return the right that the traffic of a repository needs, as what to do."""
    return (
        "set CM_GITHUB_TOKEN to a fine-grained token with Administration: read on "
        f"{repository}, or a classic token with `repo` scope and write access"
    )


def require_token(repository: str, source: str, client: RegistryClient) -> None:
    """Raise `SourceDenied` if there is no token: a request without one is refused for certain."""
    if not client.has_token_for(GITHUB):
        detail = "traffic is shown only to a token that may read it, and requests to GitHub have no token"
        raise SourceDenied(detail, source=source, subject=repository, fix=fix_of(repository))


async def read_traffic(
    repository: str,
    what: str,
    model: type[T],
    source: str,
    client: RegistryClient,
    *,
    params: Mapping[str, str | int] | None = None,
) -> ParsedReply[T]:
    """Return the response to `/repos/<repository>/traffic/<what>`.

    Raises:
        SourceDenied: there is no token, or it may not read the traffic; the fix names the right.
        SourceError: as `RegistryClient.get_json`.
    """
    require_token(repository, source, client)
    path = f"/repos/{repository}/traffic/{what}"
    try:
        return await client.get_json(
            GITHUB, path, model, source=source, subject=repository, params=params, headers=REST_HEADERS
        )
    except SourceDenied as error:
        if error.http_status != HTTPStatus.FORBIDDEN:  # a token that is invalid is another cause
            raise
        detail = "the token may not read the traffic of this repository"
        raise replace(error, detail=detail, fix=fix_of(repository)) from None


async def require_traffic_right(repository: str, client: RegistryClient) -> None:
    """Ask for the traffic of a repository.

    Raises:
        SourceDenied: there is no token, or it may not read the traffic; the fix names the right.
        SourceError: GitHub did not say.
    """
    await read_traffic(repository, "clones", _AnyTraffic, GITHUB.key, client, params={"per": "week"})
