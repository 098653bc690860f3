"""Releases of what metrics count, where the answer that has the downloads does not state them.

GitHub's come from its API. Those on PyPI and npm come from deps.dev, which lists when each version was
published, or from the registry of the packages itself where a setting names its origin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from pydantic import Field

from community_metrics.errors import UnknownSubject
from community_metrics.sources.base import FetchRequest, FetchResult, OneByOne
from community_metrics.sources.client.hosts import DEPS_DEV, GITHUB, package_index
from community_metrics.sources.found import found_event, instant_of, release_kind
from community_metrics.sources.github_releases import release_events, release_pages
from community_metrics.sources.schemas import ResponseModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from community_metrics.model import FoundEvent
    from community_metrics.sources.client.client import RegistryClient

T = TypeVar("T", bound=ResponseModel)


class GitHubReleaseEvents(OneByOne):
    """The releases of repositories, whether or not their downloads are counted."""

    name = "github-release-events"  # not the source of stars, whose answers are kept
    host = GITHUB.key

    async def read(self, request: FetchRequest, client: RegistryClient) -> FetchResult:
        """Return the releases; after the first reading only the newest pages are read."""
        pages = await release_pages(
            request.subject, request.subject, client, source=self.name, since=request.since
        )
        return FetchResult(request.metric_id, events=release_events(request, pages))


class _VersionKey(ResponseModel):
    version: str


class _KnownVersion(ResponseModel):
    # https://docs.deps.dev/api/v3/: it is absent where deps.dev does not know it
    published_at: str | None = Field(None, alias="publishedAt")
    version_key: _VersionKey = Field(alias="versionKey")


class _KnownPackage(ResponseModel):
    versions: tuple[_KnownVersion, ...]


class _File(ResponseModel):
    upload_time_iso_8601: str


class _Project(ResponseModel):
    releases: dict[str, tuple[_File, ...]]


class PyPiReleases(OneByOne):
    """The releases of Python packages: a version exists since its first file was uploaded."""

    name = "pypi"
    host = "pypi"

    async def read(self, request: FetchRequest, client: RegistryClient) -> FetchResult:
        """Return the versions with a file: of one without nobody knows when it was uploaded."""
        origin = client.given_origin(self.name)
        if origin is None:
            return await _known_releases("PyPI", self.name, request, client)
        path = f"/pypi/{quote(request.subject, safe='')}/json"
        project = await _answer(self.name, origin, path, _Project, request, client)
        uploads = {
            version: min(file.upload_time_iso_8601 for file in files)
            for version, files in project.releases.items()
            if files
        }
        return _result(request, "PyPI", "pypi", uploads)


class _Package(ResponseModel):
    time: dict[str, str]


class NpmReleases(OneByOne):
    """The releases of npm packages."""

    name = "npm-registry"
    host = "npm-registry"

    async def read(self, request: FetchRequest, client: RegistryClient) -> FetchResult:
        """Return the versions, without the instants that are about the package as a whole."""
        origin = client.given_origin(self.name)
        if origin is None:
            return await _known_releases("npm", self.name, request, client)
        path = f"/{quote(request.subject, safe='@')}"
        package = await _answer(self.name, origin, path, _Package, request, client)
        about_package = {"created", "modified", "unpublished"}
        published = {version: at for version, at in package.time.items() if version not in about_package}
        return _result(request, "npm", "npm", published)


async def _known_releases(
    registry: str, key: str, request: FetchRequest, client: RegistryClient
) -> FetchResult:
    """Return the versions that deps.dev knows; a package that it does not know may be too new for it."""
    path = f"/v3/systems/{registry.lower()}/packages/{quote(request.subject, safe='')}"
    try:
        known = await client.get_json(DEPS_DEV, path, _KnownPackage, source=key, subject=request.subject)
    except UnknownSubject:
        return FetchResult(request.metric_id, notes=("deps.dev does not know this package, or not yet",))
    published = {one.version_key.version: one.published_at for one in known.body.versions if one.published_at}
    return _result(request, registry, key, published)


async def _answer(  # noqa: PLR0917
    key: str, origin: str, path: str, model: type[T], request: FetchRequest, client: RegistryClient
) -> T:
    """Return what the registry at `origin` says of a package."""
    index = package_index(key, origin)
    return (await client.get_json(index, path, model, source=key, subject=request.subject)).body


def _result(request: FetchRequest, registry: str, key: str, published: Mapping[str, str]) -> FetchResult:
    events = tuple(_versions(registry, key, request.subject, published))
    return FetchResult(request.metric_id, events=events)


def _versions(registry: str, key: str, package: str, published: Mapping[str, str]) -> Iterator[FoundEvent]:
    for version, text in published.items():
        at = instant_of(text)
        if at is not None:
            event = found_event(
                f"{key}:{package}@{version}",
                release_kind(version),
                at,
                f"{package} {version} ({registry})",
                None,  # no answer states a page of the version
            )
            if event is not None:
                yield event
