"""Whether the page of a package links back to the owner whose repository names it.

The package that a registry has under the name of a manifest may be somebody else's. deps.dev has the links
that its publisher gave to the registry. Anybody can give such a link, so it is evidence and no proof; that
there is none is a reason to look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pydantic import Field

from community_metrics.discovery.github_links import place_of
from community_metrics.errors import SourceError
from community_metrics.sources.client.hosts import DEPS_DEV
from community_metrics.sources.schemas import ResponseModel
from community_metrics.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from community_metrics.discovery.github_links import GitHubPlace
    from community_metrics.discovery.model import Proposal
    from community_metrics.sources.client.client import RegistryClient

_SYSTEMS: Final[Mapping[str, str]] = {
    "pypistats": "pypi",
    "npm": "npm",
    "crates": "cargo",
    "rubygems": "rubygems",
    "nuget": "nuget",
}
"""The registries that deps.dev knows, by source."""
_LONGEST: Final = 120
_REQUESTS: Final = 2
"""Requests for a package: its versions, and the links of one of them. One a second is sent."""


@dataclass(frozen=True, slots=True)
class BackLink:
    """Whether the page of a package links to the owner on GitHub, None where that is not known."""

    is_back: bool | None
    sentence: str


class _VersionKey(ResponseModel):
    version: str


class _Version(ResponseModel):
    version_key: _VersionKey = Field(alias="versionKey")
    is_default: bool = Field(False, alias="isDefault")


class _Package(ResponseModel):
    versions: tuple[_Version, ...]


class _Link(ResponseModel):
    url: str


class _Details(ResponseModel):
    # https://docs.deps.dev/api/v3/: the homepage, the repository and the issues, as the package states them
    links: tuple[_Link, ...] = ()


async def back_links(
    owner: str, proposals: Iterable[Proposal], client: RegistryClient, say: Callable[[str], None]
) -> dict[str, BackLink]:
    """Return by spec whether a package links back, of each whose registry deps.dev knows.

    `say` receives a line before the requests, with how long they take.
    """
    asked = [one for one in proposals if one.source in _SYSTEMS]
    if asked:
        packages, requests = counted(len(asked), "package"), _REQUESTS * len(asked)
        say(
            f"Asking deps.dev about links of {packages} to github.com/{owner}: {requests} requests, one a "
            f"second, about {requests} seconds …"
        )
    return {one.spec: await _back_link(owner, one, client) for one in asked}


async def _back_link(owner: str, one: Proposal, client: RegistryClient) -> BackLink:
    package = f"/v3/systems/{_SYSTEMS[one.source]}/packages/{quote(one.subject, safe='')}"
    try:
        known = await client.get_json(DEPS_DEV, package, _Package, source=one.source, subject=one.subject)
        version = _shown(known.body.versions)
        if version is None:
            return BackLink(None, "whether its page links back is not known: deps.dev lists no version")
        path = f"{package}/versions/{quote(version, safe='')}"
        details = await client.get_json(DEPS_DEV, path, _Details, source=one.source, subject=one.subject)
    except SourceError as error:
        return BackLink(None, f"whether its page links back is not known: deps.dev: {error.detail}")
    return _judged(owner, [link.url for link in details.body.links])


def _shown(versions: Sequence[_Version]) -> str | None:
    """Return the version that the page of a package shows: the default one, else the last of the list."""
    names = [one.version_key.version for one in versions if one.is_default] or [
        one.version_key.version for one in versions
    ]
    return names[-1] if names else None


def _judged(owner: str, urls: Sequence[str]) -> BackLink:
    found = [place for url in urls if (place := place_of(url)) is not None]
    own = [place for place in found if place.owner.casefold() == owner.casefold()]
    if own:
        return BackLink(True, f"its page links back to {_name(own[0])}")
    where = f"it links to {_name(found[0])}" if found else "it links to no repository on GitHub"
    return BackLink(False, f"its page does not link back ({where}): check that it is yours")


def _name(place: GitHubPlace) -> str:
    return one_line(place.name)[:_LONGEST]
