"""Stars of GitHub repositories, read as they stand at the instant of the answer. They may fall.

Without a token each repository is one REST request; with one, up to a hundred are one GraphQL query. A
reading cannot be had for a moment in the past, so its day is the UTC day of the answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from community_metrics.errors import (
    SourceDenied,
    SourceError,
    TransientSourceError,
    UnknownSubject,
)
from community_metrics.model import Observation, SourceWindow
from community_metrics.periods import today
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.client.replies import Reply, limited, parse_part, shape_error
from community_metrics.sources.github_repository import (
    REST_HEADERS,
    rename_notes,
    repository_faults,
    require_same_repository,
    source_ref,
)
from community_metrics.sources.schemas import Count, Shape

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from community_metrics.sources.client.client import Answer, RegistryClient

_BATCH = 100


class _Repository(Shape):
    id: int
    full_name: str
    stargazers_count: Count


class _Node(Shape):
    databaseId: int | None = None  # noqa: N815  GraphQL's spelling
    nameWithOwner: str  # noqa: N815
    stargazerCount: Count  # noqa: N815


class _GraphQLError(Shape):
    type: str | None = None
    path: tuple[str | int, ...] = ()
    message: str = ""


class _GraphQLAnswer(Shape):
    data: dict[str, Any] | None = None
    errors: tuple[_GraphQLError, ...] = ()


class GitHubStars:
    """The count of stars now. No options."""

    name = "github"
    host = GITHUB.key
    window = SourceWindow.INSTANT
    family = "stars"
    sdk: str | None = None
    retention_days: int | None = 0
    answers_whole = True
    proves_subject = True  # a repository's number outlives its name

    def faults(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with a catalogue entry; subject: `owner/name`; options: none."""
        return repository_faults(self.name, subject, options)

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request."""
        if not client.has_token_for(GITHUB):

            async def fetch_one(request: FetchRequest) -> FetchResult:
                return await _read(request, client)

            async for result in each(requests, fetch_one):
                yield result
            return
        for start in range(0, len(requests), _BATCH):
            for result in await _read_batch(requests[start : start + _BATCH], client):
                yield result


async def _read(request: FetchRequest, client: RegistryClient) -> FetchResult:
    path, about = f"/repos/{request.subject}", f"github {request.subject}"
    answer = await client.get_json(GITHUB, path, _Repository, about=about, headers=REST_HEADERS)
    return _reading(
        request,
        stars=answer.body.stargazers_count,
        full_name=answer.body.full_name,
        repository_id=answer.body.id,
        url=f"{GITHUB.public_origin}{path}",
        at=answer.at,
    )


async def _read_batch(requests: Sequence[FetchRequest], client: RegistryClient) -> list[FetchResult]:
    about = f"github {', '.join(request.subject for request in requests)}"
    try:
        answer = await client.post_json(
            GITHUB,
            "/graphql",
            _GraphQLAnswer,
            about=about,
            body={"query": _query(requests)},
            lane="graphql",
            refuse=_graphql_refusal,
        )
    except SourceError as error:
        return [FetchResult(request.metric_id, error=error) for request in requests]
    return [await _from_batch(request, f"r{index}", answer, client) for index, request in enumerate(requests)]


def _query(requests: Sequence[FetchRequest]) -> str:
    fields = "{databaseId nameWithOwner stargazerCount}"  # not stargazers{totalCount}: that one was closed
    parts = []
    for index, request in enumerate(requests):
        owner, _, name = request.subject.partition("/")
        parts.append(f"r{index}: repository(owner:{json.dumps(owner)},name:{json.dumps(name)}){fields}")
    return f"query{{ {' '.join(parts)} rateLimit{{cost remaining resetAt}} }}"


def _graphql_refusal(body: _GraphQLAnswer, reply: Reply) -> SourceError | None:
    """Find what GraphQL reports with status 200: a limit, or a query that was not carried out at all."""
    if not body.errors:
        return None
    answered = any(value is not None for alias, value in (body.data or {}).items() if alias != "rateLimit")
    exhausted = reply.headers.get("x-ratelimit-remaining") == "0" and not answered
    if exhausted or any(error.type == "RATE_LIMITED" for error in body.errors):
        return limited(reply)
    if body.data is None:
        return TransientSourceError(f"{reply.about}: {reply.public_url} answered errors without data")
    return None


async def _from_batch(
    request: FetchRequest, alias: str, answer: Answer[_GraphQLAnswer], client: RegistryClient
) -> FetchResult:
    raw = (answer.body.data or {}).get(alias)
    try:
        if raw is None:
            raise _alias_error(request, alias, answer)
        node = parse_part(answer.reply, f"data.{alias}", raw, _Node)
        if node.databaseId is None:  # GraphQL may leave it out, REST states it always
            return await _read(request, client)
        return _reading(
            request,
            stars=node.stargazerCount,
            full_name=node.nameWithOwner,
            repository_id=node.databaseId,
            url=f"{GITHUB.public_origin}/graphql",
            at=answer.at,
        )
    except SourceError as error:
        return FetchResult(request.metric_id, error=error)


def _alias_error(request: FetchRequest, alias: str, answer: Answer[_GraphQLAnswer]) -> SourceError:
    said = next((error for error in answer.body.errors if error.path[:1] == (alias,)), None)
    about = f"github {request.subject}"
    if said is None:
        return shape_error(answer.reply, f"data.{alias} is missing without an error")
    if said.type == "NOT_FOUND":
        return UnknownSubject(f"{about}: {GITHUB.unknown_hint}. Correct the subject in the catalogue.")
    if said.type == "FORBIDDEN":
        return SourceDenied(f"{about}: the token lacks the right to read it; check CM_GITHUB_TOKEN")
    return TransientSourceError(f"{about}: GraphQL answered {said.type or 'an error'}: {said.message[:200]}")


def _reading(
    request: FetchRequest, *, stars: int, full_name: str, repository_id: int, url: str, at: datetime
) -> FetchResult:
    require_same_repository(request, repository_id)
    ref = source_ref(url, repository_id)
    day = today(at)
    reading = Observation(request.metric_id, day, day, stars, SourceWindow.INSTANT, at, ref)
    return FetchResult(request.metric_id, (reading,), notes=rename_notes(request, full_name))
