"""What GitHub's API says of an owner: its repositories, their files, and the text of one file."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import quote

from pydantic import Field

from community_metrics.errors import ConfigurationError, SourceError, SourceRateLimited, UnknownSubject
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.github_repository import REST_HEADERS
from community_metrics.sources.schemas import Count, ResponseModel

if TYPE_CHECKING:
    from community_metrics.sources.client.client import RegistryClient

SOURCE: Final = "github"
_A_PAGE: Final = 100
_MORE_REQUESTS: Final = "set CM_GITHUB_TOKEN, which raises the limit from 60 to 5,000 requests an hour"


class _Owner(ResponseModel):
    login: str
    type: str


class Repository(ResponseModel):
    """A repository as a list has it; `full_name` is `owner/name` as GitHub writes it."""

    name: Annotated[str, Field(pattern=r"^[\w.-]{1,100}$")]  # both are printed as parts of a command
    full_name: Annotated[str, Field(pattern=r"^[\w-]+/[\w.-]{1,100}$")]
    owner: _Owner
    fork: bool
    archived: bool
    disabled: bool = False
    default_branch: str
    stargazers_count: Count


class TreeEntry(ResponseModel):
    """A file, folder, link or submodule; `size` is in bytes, of files only."""

    path: str
    type: str
    mode: str
    sha: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")]  # it becomes a part of an address
    size: Count | None = None


class Tree(ResponseModel):
    """The files of a branch; `truncated`: GitHub lists only a part of them."""

    tree: tuple[TreeEntry, ...]
    truncated: bool


class _Blob(ResponseModel):
    content: str
    encoding: Literal["base64"]


@dataclass(frozen=True, slots=True)
class Listing:
    """The public repositories of an owner; `stopped` is the error that ended the list before its end."""

    repositories: tuple[Repository, ...]
    stopped: SourceError | None = None


async def list_repositories(owner: str, client: RegistryClient) -> Listing:
    """Return the public repositories of an organisation or a person, in pages of 100.

    Raises:
        ConfigurationError: GitHub has no such owner.
        SourceError: not even the first page could be read.
    """
    found: list[Repository] = []
    for page in count(1):
        try:
            parsed = await client.get_json(
                GITHUB,
                f"/users/{quote(owner, safe='')}/repos",  # of organisations too, and never what is private
                tuple[Repository, ...],
                source=SOURCE,
                subject=owner,
                params={"type": "owner", "sort": "full_name", "per_page": _A_PAGE, "page": page},
                headers=REST_HEADERS,
            )
        except UnknownSubject as error:
            raise ConfigurationError(
                f"GitHub has no organisation or user {owner!r}. Fix: check the spelling of github:{owner}"
            ) from error
        except SourceError as error:
            if not found:
                raise with_token_fix(error, client) from None
            return Listing(tuple(found), with_token_fix(error, client))
        found += parsed.body
        if 'rel="next"' not in parsed.reply.headers.get("link", ""):
            break
    return Listing(tuple(found))


async def read_tree(repository: Repository, client: RegistryClient) -> Tree:
    """Return the files of the default branch.

    Raises:
        SourceError: GitHub did not say.
    """
    path = f"{_path(repository)}/git/trees/{quote(repository.default_branch, safe='')}"
    parsed = await client.get_json(
        GITHUB,
        path,
        Tree,
        source=SOURCE,
        subject=repository.full_name,
        params={"recursive": 1},
        headers=REST_HEADERS,
    )
    return parsed.body


async def read_file(repository: Repository, entry: TreeEntry, client: RegistryClient) -> str | None:
    """Return the text of a file; None if it is no UTF-8 text.

    Raises:
        SourceError: GitHub did not return it.
    """
    parsed = await client.get_json(
        GITHUB,
        f"{_path(repository)}/git/blobs/{entry.sha}",
        _Blob,
        source=SOURCE,
        subject=repository.full_name,
        headers=REST_HEADERS,
    )
    try:
        return base64.b64decode(parsed.body.content).decode("utf-8-sig")
    except ValueError:  # no base64, or no UTF-8
        return None


def with_token_fix(error: SourceError, client: RegistryClient) -> SourceError:
    """Return the error of a limit with its fix, where requests carry no token."""
    if isinstance(error, SourceRateLimited) and not client.has_token_for(GITHUB):
        return replace(error, fix=_MORE_REQUESTS)
    return error


def _path(repository: Repository) -> str:
    return f"/repos/{quote(repository.full_name)}"
