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
from community_metrics.sources.github_graphql import URL, Node, answers_by_repository
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
        # not stargazers{totalCount}: that one was closed
        fields = {request.subject: "stargazerCount" for request in requests}
        async for of_repository, answer in answers_by_repository(requests, fields, _Stars, self.name, client):

            async def fetch_one(
                request: FetchRequest, answer: Answer[_Stars] | SourceError | None = answer
            ) -> FetchResult:
                if isinstance(answer, SourceError):
                    raise answer
                if answer is None or answer.node.databaseId is None:  # GraphQL may omit it, REST never does
                    return await _read(request, client)
                return _from_node(request, answer, answer.node.databaseId)

            async for result in each(of_repository, fetch_one):
                yield result


def _from_node(request: FetchRequest, answer: Answer[_Stars], repository_id: int) -> FetchResult:
    return reading(
        request,
        answer.node.stargazerCount,
        full_name=answer.node.nameWithOwner,
        repository_id=repository_id,
        url=URL,
        reply=answer.reply,
    )


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
