"""Forks, watchers, open issues and open pull requests of repositories at the instant of the response.

With a token, one query reads up to a hundred repositories. Without one, each repository is a REST request
whose names mislead: `watchers_count` is stars, and `open_issues_count` counts pull requests too. These are
then counted by the number of pages of their list, and issues are the rest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ConfigDict, RootModel

from community_metrics.errors import SourceError, TransientSourceError
from community_metrics.model import SourceWindow
from community_metrics.sources.base import FetchRequest, FetchResult, each
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.client.replies import shape_error
from community_metrics.sources.github_graphql import URL, Node, answers_by_repository
from community_metrics.sources.github_repository import REST_HEADERS, RepositorySource, reading
from community_metrics.sources.schemas import Count, ResponseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from community_metrics.sources.client.client import ParsedReply, RegistryClient
    from community_metrics.sources.github_graphql import Answer

_FORKS, _WATCHERS, _ISSUES, _PULLS = "forks", "watchers", "open_issues", "open_pull_requests"
_ASKED = {
    _FORKS: "forkCount",
    _WATCHERS: "watchers{totalCount}",
    _ISSUES: "issues(states:OPEN){totalCount}",
    _PULLS: "pullRequests(states:OPEN){totalCount}",
}
_LAST_PAGE = re.compile(r'<[^>]*[?&]page=(\d{1,12})[^>]*>\s*;\s*rel="last"', re.ASCII)


class _Total(ResponseModel):
    totalCount: Count  # noqa: N815  GraphQL's spelling


class _Levels(Node):
    forkCount: Count | None = None  # noqa: N815
    watchers: _Total | None = None
    issues: _Total | None = None
    pullRequests: _Total | None = None  # noqa: N815

    def value(self, count: str) -> int | None:
        """Return one of the counts; None where the response lacks it."""
        if count == _FORKS:
            return self.forkCount
        total = {_WATCHERS: self.watchers, _ISSUES: self.issues, _PULLS: self.pullRequests}[count]
        return None if total is None else total.totalCount


class _Repository(ResponseModel):
    id: int
    full_name: str
    forks_count: Count
    subscribers_count: Count
    open_issues_count: Count


class _Pull(ResponseModel):
    number: int


class _Pulls(RootModel[tuple[_Pull, ...]]):
    model_config = ConfigDict(strict=True, frozen=True)


class GitHubLevels(RepositorySource):
    """Levels of a repository; the option `count` chooses one."""

    name = "github-repo"
    window = SourceWindow.INSTANT
    family = _FORKS
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {count: {"count": count} for count in _ASKED}
    retention_days: int | None = 0
    returns_full_history = True

    def unit(self, options: Mapping[str, Any]) -> str | None:
        """Return what is counted: `open pull requests`."""
        count = options.get("count")
        return count.replace("_", " ") if isinstance(count, str) and count in _ASKED else None

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one reading for each request; metrics of one repository share its responses."""
        rest = _RestLevels(client)
        async for of_repository, answer in answers_by_repository(
            requests, _fields(requests), _Levels, self.name, client
        ):

            async def fetch_one(
                request: FetchRequest, answer: Answer[_Levels] | SourceError | None = answer
            ) -> FetchResult:
                if isinstance(answer, SourceError):
                    raise answer
                if answer is None or answer.node.databaseId is None:  # GraphQL may omit it, REST never does
                    return await rest.reading(request)
                return _from_node(request, answer, answer.node.databaseId)

            async for result in each(of_repository, fetch_one):
                yield result


def _fields(requests: Sequence[FetchRequest]) -> dict[str, str]:
    """Return what to ask of each repository: a token may lack the right to one count and not to another."""
    counts: dict[str, dict[str, None]] = {}
    for request in requests:
        counts.setdefault(request.subject, {})[_ASKED[request.options["count"]]] = None
    return {subject: " ".join(asked) for subject, asked in counts.items()}


def _from_node(request: FetchRequest, answer: Answer[_Levels], repository_id: int) -> FetchResult:
    count = request.options["count"]
    value = answer.node.value(count)
    if value is None:
        raise shape_error(answer.reply, f"{_ASKED[count]} of {request.subject} is missing")
    name = answer.node.nameWithOwner
    return reading(request, value, full_name=name, repository_id=repository_id, url=URL, reply=answer.reply)


class _RestLevels:
    """The REST responses of one run, each requested once."""

    def __init__(self, client: RegistryClient) -> None:
        self._client = client
        self._repositories: dict[str, ParsedReply[_Repository] | SourceError] = {}
        self._pulls: dict[str, ParsedReply[_Pulls] | SourceError] = {}

    async def reading(self, request: FetchRequest) -> FetchResult:
        """Return the count that the request chooses.

        Raises:
            SourceError: it was not returned, or the two responses that it is made of contradict each other.
        """
        path, count = f"/repos/{request.subject}", request.options["count"]
        parsed = await self._once(self._repositories, request, path, _Repository, {})
        body, value = parsed.body, 0
        if count in {_FORKS, _WATCHERS}:
            value = body.forks_count if count == _FORKS else body.subscribers_count
        else:
            params: dict[str, str | int] = {"state": "open", "per_page": 1}
            pulls = await self._once(self._pulls, request, f"{path}/pulls", _Pulls, params)
            value = _number_of(pulls)
            if count == _ISSUES:
                value = body.open_issues_count - value
            if value < 0:
                detail = (
                    f"{value} open issues: the list of pull requests is longer than issues and pulls together"
                )
                raise pulls.reply.error(TransientSourceError, detail)
        return reading(
            request,
            value,
            full_name=body.full_name,
            repository_id=body.id,
            url=f"{GITHUB.public_origin}{path}",
            reply=parsed.reply,
        )

    async def _once(
        self,
        read: dict[str, ParsedReply[Any] | SourceError],
        request: FetchRequest,
        path: str,
        model: type[Any],
        params: Mapping[str, str | int],
    ) -> ParsedReply[Any]:
        if request.subject not in read:
            try:
                read[request.subject] = await self._client.get_json(
                    GITHUB,
                    path,
                    model,
                    source=GitHubLevels.name,
                    subject=request.subject,
                    params=params,
                    headers=REST_HEADERS,
                )
            except SourceError as error:
                read[request.subject] = error
        found = read[request.subject]
        if isinstance(found, SourceError):
            raise found
        return found


def _number_of(pulls: ParsedReply[_Pulls]) -> int:
    """Return the length of a list that was requested with one entry a page."""
    link = pulls.reply.headers.get("link", "")
    if last := _LAST_PAGE.search(link):
        return int(last[1])
    if 'rel="next"' in link or len(pulls.body.root) > 1:
        raise shape_error(pulls.reply, "the list of open pull requests does not state its last page")
    return len(pulls.body.root)
