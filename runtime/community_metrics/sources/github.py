"""Stars of GitHub repositories at the instant of the response. They may fall.

Without a token each repository is one REST request; with one, up to a hundred are one GraphQL query. Past
readings cannot be requested, so the day of a reading is the UTC day of the response.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from community_metrics.errors import SourceDenied, SourceError, TransientSourceError, UnknownSubject
from community_metrics.model import Observation, SourceWindow
from community_metrics.periods import today
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.client.replies import CHECK_SUBJECT, Reply, limited, parse_part, shape_error
from community_metrics.sources.github_repository import (
    REST_HEADERS,
    RepositorySource,
    rename_notes,
    require_same_repository,
    source_ref,
)
from community_metrics.sources.schemas import Count, ResponseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from community_metrics.sources.client.client import ParsedReply, RegistryClient

_BATCH = 100
_LIMITS = frozenset(("RATE_LIMITED", "RATE_LIMIT"))  # documented is the first; GitHub sends both


class _Repository(ResponseModel):
    id: int
    full_name: str
    stargazers_count: Count


class _Node(ResponseModel):
    databaseId: int | None = None  # noqa: N815  GraphQL's spelling
    nameWithOwner: str  # noqa: N815
    stargazerCount: Count  # noqa: N815


class _GraphQLError(ResponseModel):
    type: str | None = None
    path: tuple[str | int, ...] = ()
    message: str = ""


class _GraphQLBody(ResponseModel):
    data: dict[str, Any] | None = None
    errors: tuple[_GraphQLError, ...] = ()


class GitHubStars(RepositorySource):
    """The count of stars now. No options."""

    name = "github"
    window = SourceWindow.INSTANT
    family = "stars"
    retention_days: int | None = 0
    returns_full_history = True

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request."""
        if not client.has_token_for(GITHUB):
            async for result in each(requests, lambda request: _read(request, client)):
                yield result
            return
        for start in range(0, len(requests), _BATCH):
            for result in await _read_batch(requests[start : start + _BATCH], client):
                yield result


async def _read(request: FetchRequest, client: RegistryClient) -> FetchResult:
    path = f"/repos/{request.subject}"
    parsed = await client.get_json(
        GITHUB, path, _Repository, source=GitHubStars.name, subject=request.subject, headers=REST_HEADERS
    )
    return _reading(
        request,
        stars=parsed.body.stargazers_count,
        full_name=parsed.body.full_name,
        repository_id=parsed.body.id,
        url=f"{GITHUB.public_origin}{path}",
        reply=parsed.reply,
    )


async def _read_batch(requests: Sequence[FetchRequest], client: RegistryClient) -> list[FetchResult]:
    try:
        parsed = await client.post_json(
            GITHUB,
            "/graphql",
            _GraphQLBody,
            source=GitHubStars.name,
            subject=", ".join(request.subject for request in requests),
            body={"query": _query(requests)},
            quota="graphql",
            refuse=_graphql_refusal,
        )
    except SourceError as error:
        return [FetchResult(each.metric_id, error=replace(error, subject=each.subject)) for each in requests]
    return [await _from_batch(request, f"r{index}", parsed, client) for index, request in enumerate(requests)]


def _query(requests: Sequence[FetchRequest]) -> str:
    fields = "{databaseId nameWithOwner stargazerCount}"  # not stargazers{totalCount}: that one was closed
    parts = []
    for index, request in enumerate(requests):
        owner, _, name = request.subject.partition("/")
        parts.append(f"r{index}: repository(owner:{json.dumps(owner)},name:{json.dumps(name)}){fields}")
    return f"query{{ {' '.join(parts)} rateLimit{{cost remaining resetAt}} }}"


def _graphql_refusal(body: _GraphQLBody, reply: Reply) -> SourceError | None:
    """Return the error that GraphQL reports with status 200: a limit, or a query that was not executed."""
    if not body.errors:
        return None
    answered = any(value is not None for alias, value in (body.data or {}).items() if alias != "rateLimit")
    exhausted = reply.headers.get("x-ratelimit-remaining") == "0" and not answered
    if exhausted or any(error.type in _LIMITS for error in body.errors):
        return limited(reply)
    if body.data is None:
        return reply.error(TransientSourceError, "GraphQL returned errors without data")
    return None


async def _from_batch(
    request: FetchRequest, alias: str, parsed: ParsedReply[_GraphQLBody], client: RegistryClient
) -> FetchResult:
    raw = (parsed.body.data or {}).get(alias)
    try:
        if raw is None:
            raise _alias_error(alias, parsed)
        node = parse_part(parsed.reply, f"data.{alias}", raw, _Node)
        if node.databaseId is None:  # GraphQL may omit it, REST never does
            return await _read(request, client)
        return _reading(
            request,
            stars=node.stargazerCount,
            full_name=node.nameWithOwner,
            repository_id=node.databaseId,
            url=f"{GITHUB.public_origin}/graphql",
            reply=parsed.reply,
        )
    except SourceError as error:
        return FetchResult(request.metric_id, error=replace(error, subject=request.subject))


def _alias_error(alias: str, parsed: ParsedReply[_GraphQLBody]) -> SourceError:
    reply = parsed.reply
    error = next((error for error in parsed.body.errors if error.path[:1] == (alias,)), None)
    if error is None:
        return shape_error(reply, f"data.{alias} is missing without an error")
    if error.type == "NOT_FOUND":
        return reply.error(UnknownSubject, GITHUB.unknown_hint, fix=CHECK_SUBJECT)
    if error.type == "FORBIDDEN":
        return reply.error(SourceDenied, "the token lacks the right to read it", fix="check CM_GITHUB_TOKEN")
    kind = error.type or "an error"
    return reply.error(TransientSourceError, f"GraphQL returned {kind}: {error.message[:200]}")


def _reading(
    request: FetchRequest, *, stars: int, full_name: str, repository_id: int, url: str, reply: Reply
) -> FetchResult:
    require_same_repository(request, repository_id, reply)
    ref = source_ref(url, repository_id)
    day = today(reply.at)
    reading = Observation(request.metric_id, day, day, stars, SourceWindow.INSTANT, reply.at, ref)
    return FetchResult(request.metric_id, (reading,), notes=rename_notes(request, full_name))
