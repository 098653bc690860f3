"""The ten places that GitHub lists of the trailing 14 days of a repository's traffic, without dates.

The list is of the instant of the response, and yesterday's cannot be requested. A place that drops out of it
is unknown, not 0. The value of the metric is the number of listed places; the places are a set of that day.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from community_metrics.model import SourceWindow, TrafficSet, Visibility
from community_metrics.periods import today
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.github_identity import Identities
from community_metrics.sources.github_repository import RepositorySource, reading
from community_metrics.sources.github_rights import read_traffic, require_token
from community_metrics.sources.schemas import Count, ResponseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from community_metrics.sources.client.client import RegistryClient
    from community_metrics.sources.client.replies import Reply


class Place(ResponseModel, ABC):
    """One place of a list, and how often it was visited, by how many people."""

    count: Count
    uniques: Count

    @property
    @abstractmethod
    def name(self) -> str:
        """What is listed."""


P = TypeVar("P", bound=Place)


class PopularPlaces(RepositorySource, Generic[P]):
    """A source of such a list. No options."""

    window = SourceWindow.INSTANT
    retention_days: int | None = 0
    returns_full_history = True
    visibility = Visibility.TEAM
    family: str
    path: str
    model: type[tuple[P, ...]]

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading, with the places that it counts, for each request."""
        identities = Identities(requests, self.name, client)

        async def fetch_one(request: FetchRequest) -> FetchResult:
            require_token(request.subject, self.name, client)
            repository = await identities.of(request.subject)
            parsed = await read_traffic(request.subject, self.path, self.model, self.name, client)
            url = f"{GITHUB.public_origin}/repos/{request.subject}/traffic/{self.path}"
            result = reading(
                request,
                len(parsed.body),
                full_name=repository.full_name,
                repository_id=repository.id,
                url=url,
                reply=parsed.reply,
            )
            listed = _as_set(request, parsed.body, url, parsed.reply)
            return replace(result, items=(listed,))

        async for result in each(requests, fetch_one):
            yield result


def _as_set(request: FetchRequest, places: Sequence[Place], ref: str, reply: Reply) -> TrafficSet:
    return TrafficSet(
        metric_id=request.metric_id,
        day=today(reply.at),
        names=tuple(place.name for place in places),
        titles=(),
        counts=tuple(place.count for place in places),
        uniques=tuple(place.uniques for place in places),
        observed_at=reply.at,
        source_ref=ref,
    )
