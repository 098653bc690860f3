"""Which repository has a name now: with a token one query for all names, else one request for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.errors import SourceError
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.github_graphql import Node, query_repositories
from community_metrics.sources.github_repository import REST_HEADERS
from community_metrics.sources.schemas import ResponseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.sources.base import FetchRequest
    from community_metrics.sources.client.client import RegistryClient


class Identity(ResponseModel):
    """The id of a repository, which it keeps, and its name, which may change."""

    id: int
    full_name: str


class Identities:
    """The repositories of one run's requests, each looked up once."""

    def __init__(self, requests: Sequence[FetchRequest], source: str, client: RegistryClient) -> None:
        self._subjects = dict.fromkeys(request.subject for request in requests)
        self._source = source
        self._client = client
        self._known: dict[str, Identity | SourceError] | None = None

    async def of(self, subject: str) -> Identity:
        """Return the repository that has the name now.

        Raises:
            SourceError: GitHub did not say.
        """
        if self._known is None:
            self._known = await self._queried()
        if subject not in self._known:
            self._known[subject] = await self._requested(subject)
        found = self._known[subject]
        if isinstance(found, SourceError):
            raise found
        return found

    async def _queried(self) -> dict[str, Identity | SourceError]:
        """Return what one query says; GraphQL may leave out an id, which is then requested."""
        found: dict[str, Identity | SourceError] = {}
        if self._client.has_token_for(GITHUB):
            fields = dict.fromkeys(self._subjects, "")
            async for subject, answer in query_repositories(fields, Node, self._source, self._client):
                if isinstance(answer, SourceError):
                    found[subject] = answer
                elif answer.node.databaseId is not None:
                    found[subject] = Identity(id=answer.node.databaseId, full_name=answer.node.nameWithOwner)
        return found

    async def _requested(self, subject: str) -> Identity | SourceError:
        path = f"/repos/{subject}"
        try:
            parsed = await self._client.get_json(
                GITHUB, path, Identity, source=self._source, subject=subject, headers=REST_HEADERS
            )
        except SourceError as error:
            return error
        return parsed.body
