"""Reads the repositories of an owner in turn, the most starred first, and keeps what was found."""

from __future__ import annotations

import re
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from community_metrics.catalog.rules import identity
from community_metrics.discovery.github import list_repositories, read_file, read_tree, with_token_fix
from community_metrics.discovery.images import read_workflow
from community_metrics.discovery.manifests import select_files
from community_metrics.discovery.model import (
    Discovery,
    Evidence,
    Found,
    NotProposed,
    Proposal,
    Refused,
    Unread,
)
from community_metrics.errors import ConfigurationError, SourceError, SourceRateLimited, SourceUnreachable
from community_metrics.sources.base import first_options, subject_faults
from community_metrics.suggestions import suggestion
from community_metrics.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from community_metrics.discovery.github import Listing, Repository
    from community_metrics.sources import Source
    from community_metrics.sources.client.client import RegistryClient

_LONGEST: Final = 300
_TEMPLATE: Final = re.compile(r"[{}<>$%#]|^__.*__$|^@[^/]*@$")
_NOT_IN_A_PRODUCT: Final = re.compile(r"[^a-z0-9._-]+")


async def discover(
    owner: str,
    client: RegistryClient,
    sources: Mapping[str, Source],
    *,
    only: Sequence[str] = (),
    limit: int,
    say: Callable[[str], None] = lambda _line: None,
) -> Discovery:
    """Return what an owner publishes: `only` these repositories, at most `limit`, most starred first.

    A limit of GitHub, or no response, ends the reading: what was found until then is returned, with what was
    not read. `say` receives a line for each repository.

    Raises:
        ConfigurationError: GitHub has no such owner, or the owner no such repository.
        SourceError: the list of repositories could not be read.
    """
    listing = await list_repositories(owner, client)
    wanted = _wanted(listing, only, owner)
    left_out = {one.name for one in wanted if one.fork or one.archived or one.disabled}
    readable = [one for one in wanted if one.name not in left_out]
    reading = _Reading(client, sources)
    await reading.run(readable[:limit], say)
    beyond = f"it is beyond the {limit} most starred ones; --limit reads more"
    reading.unread += [Unread(one.full_name, beyond) for one in readable[limit:]]
    return _discovery(owner, listing, wanted, reading)


def _discovery(owner: str, listing: Listing, wanted: Sequence[Repository], reading: _Reading) -> Discovery:
    """Return what was found; every repository that was left out is named once."""
    stopped = reading.stopped or (listing.stopped.message if listing.stopped else "")
    return Discovery(
        owner=wanted[0].owner.login if wanted else owner,
        is_organisation=wanted[0].owner.type == "Organization" if wanted else None,
        listed=len(listing.repositories),
        proposals=reading.proposals(),
        not_proposed=tuple(reading.not_proposed),
        unread=tuple(reading.unread),
        forks=_names(one for one in wanted if one.fork),
        archived=_names(one for one in wanted if one.archived and not one.fork),
        disabled=_names(one for one in wanted if one.disabled and not one.fork and not one.archived),
        stopped=stopped or None,
        read=tuple(reading.read),
    )


def _names(repositories: Iterable[Repository]) -> tuple[str, ...]:
    return tuple(one.name for one in repositories)


def _wanted(listing: Listing, only: Sequence[str], owner: str) -> list[Repository]:
    """Return the repositories to look at, the most starred first."""
    by_name = {one.name.lower(): one for one in listing.repositories}
    if unknown := [name for name in only if name.lower() not in by_name]:
        raise ConfigurationError(
            f"github:{owner} has no public repository of this name:",
            [f"{name}; {suggestion(name, [one.name for one in by_name.values()])}" for name in unknown],
        )
    chosen = [by_name[name.lower()] for name in only] or listing.repositories
    return sorted(chosen, key=lambda one: (-one.stargazers_count, one.full_name.lower()))


class _Reading:
    """What has been found so far."""

    def __init__(self, client: RegistryClient, sources: Mapping[str, Source]) -> None:
        self._client = client
        self._sources = sources
        self._found: dict[object, list[tuple[Found, Repository, Evidence]]] = {}
        self.not_proposed: list[NotProposed] = []
        self.unread: list[Unread] = []
        self.read: list[str] = []
        self.stopped = ""

    async def run(self, repositories: Sequence[Repository], say: Callable[[str], None]) -> None:
        """Read the repositories in order, until GitHub takes no more requests."""
        for position, repository in enumerate(repositories):
            say(f"Reading {repository.full_name} ({position + 1} of {len(repositories)}).")
            try:
                await self._read(repository)
            except (SourceRateLimited, SourceUnreachable) as error:
                self.stopped = with_token_fix(error, self._client).message
                self.unread.append(Unread(repository.full_name, "it was read in part, or not at all"))
                self.unread += [Unread(one.full_name, "not read") for one in repositories[position + 1 :]]
                return
            except SourceError as error:
                self.unread.append(Unread(repository.full_name, _reason(error)))
            else:
                self.read.append(repository.full_name)

    async def _read(self, repository: Repository) -> None:
        tree = await read_tree(repository, self._client)
        self._note(repository, Found("github", repository.full_name, None), None)
        selection = select_files(tree, repository.owner.login)
        for path, reason in selection.not_read:
            self._note(repository, Refused(reason), path or None)
        names_image = False
        for entry, reader in selection.to_read:
            text = await read_file(repository, entry, self._client)
            said = [Refused("it is not UTF-8 text")] if text is None else reader(entry.path, text)
            names_image |= reader is read_workflow and any(one.subject for one in said)
            for one in said:
                self._note(repository, one, entry.path)
        if selection.dockerfile and not names_image:
            reason = "a Dockerfile does not name its image, and no workflow that was read pushes one"
            self._note(repository, Refused(reason), selection.dockerfile)

    def _note(self, repository: Repository, one: Found | Refused, path: str | None) -> None:
        evidence = Evidence(repository.full_name, repository.default_branch, path, one.line)
        if isinstance(one, Found):
            if not (reason := self._fault(one)):
                counted = identity(one.source, one.subject, {})  # two spellings may be one package
                self._found.setdefault(counted, []).append((one, repository, evidence))
                return
            one = Refused(reason, one.subject, one.line)
        subject = None if one.subject is None else _short(one.subject)
        self.not_proposed.append(NotProposed(evidence, _short(one.reason), subject))

    def _fault(self, one: Found) -> str:
        """Return why a name cannot be counted; nothing if it can."""
        if _TEMPLATE.search(one.subject):
            return "its name is a template"
        source = self._sources[one.source]
        return "; ".join(subject_faults(source, one.subject, first_options(source)))

    def proposals(self) -> tuple[Proposal, ...]:
        """Return each name once, for the first repository that states it, by product."""
        found = [
            Proposal(one.source, one.subject, *_product(repository), tuple(place for *_, place in places))
            for places in self._found.values()
            for one, repository, _ in places[:1]
        ]
        order = {product: place for place, product in enumerate(dict.fromkeys(one.product for one in found))}
        return tuple(sorted(found, key=lambda one: order[one.product]))


def _product(repository: Repository) -> tuple[str, str]:
    """Return the id and the name of the product that a repository becomes."""
    product = _NOT_IN_A_PRODUCT.sub("-", repository.name.lower()).strip("._-")
    return product or "repository", repository.name


def _short(text: str) -> str:
    """Return a text of a file as one printable line; a name may be as long as the file."""
    line = one_line(text[:_LONGEST])
    return line if len(text) <= _LONGEST else f"{line}…"


def _reason(error: SourceError) -> str:
    if error.http_status == HTTPStatus.CONFLICT:  # what GitHub answers for a repository without a commit
        return "it is empty"
    return replace(error, fix=None).message  # its fix is for a metric of a catalogue
