"""Stars of GitHub repositories at the instant of the response. They may fall.

Without a token each repository is one REST request; with one, up to a hundred are one GraphQL query. Past
readings cannot be requested, so the day of a reading is the UTC day of the response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.errors import SourceError
from community_metrics.model import SourceWindow
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.github_graphql import URL, Node, query_repositories
from community_metrics.sources.github_repository import REST_HEADERS, RepositorySource, reading
from community_metrics.sources.schemas import Count, ResponseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from community_metrics.sources.client.client import RegistryClient
    from community_metrics.sources.github_graphql import Answer


class _Repository(ResponseModel):
    id: int
    full_name: str
    stargazers_count: Count


class _Stars(Node):
    stargazerCount: Count  # noqa: N815  GraphQL's spelling


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
        answers: dict[str, Answer[_Stars] | SourceError] = {}
        if client.has_token_for(GITHUB):
            # not stargazers{totalCount}: that one was closed
            fields = {request.subject: "stargazerCount" for request in requests}
            answers = {
                subject: answer
                async for subject, answer in query_repositories(fields, _Stars, self.name, client)
            }

        async def fetch_one(request: FetchRequest) -> FetchResult:
            answer = answers.get(request.subject)
            if isinstance(answer, SourceError):
                raise answer
            if answer is None or answer.node.databaseId is None:  # GraphQL may omit it, REST never does
                return await _read(request, client)
            node = answer.node
            return reading(
                request,
                node.stargazerCount,
                full_name=node.nameWithOwner,
                repository_id=answer.node.databaseId,
                url=URL,
                reply=answer.reply,
            )

        async for result in each(requests, fetch_one):
            yield result


async def _read(request: FetchRequest, client: RegistryClient) -> FetchResult:
    path = f"/repos/{request.subject}"
    parsed = await client.get_json(
        GITHUB, path, _Repository, source=GitHubStars.name, subject=request.subject, headers=REST_HEADERS
    )
    return reading(
        request,
        parsed.body.stargazers_count,
        full_name=parsed.body.full_name,
        repository_id=parsed.body.id,
        url=f"{GITHUB.public_origin}{path}",
        reply=parsed.reply,
    )
