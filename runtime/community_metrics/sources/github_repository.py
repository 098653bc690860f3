"""What all GitHub series need of a repository: its name, its id, whether it is the same one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from community_metrics.errors import AnotherRepository
from community_metrics.model import Observation, SourceWindow
from community_metrics.periods import today
from community_metrics.sources.base import FetchResult
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.schemas import ResponseModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from community_metrics.sources.base import FetchRequest
    from community_metrics.sources.client.client import RegistryClient
    from community_metrics.sources.client.replies import Reply

REST_HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}

_REPOSITORY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38})/[a-z0-9._-]{1,100}", re.IGNORECASE | re.ASCII)


class _Identity(ResponseModel):
    id: int


class RepositorySource:
    """What all series of a repository have in common."""

    name: str
    host = GITHUB.key
    sdk: str | None = None
    variants: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """What the source counts, where it counts several things: the options of each, by family."""
    proves_subject = True  # a repository's number outlives its name

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: `owner/name`; options: those of `variants`."""
        faults = self._option_faults(options)
        if not _REPOSITORY.fullmatch(subject) or subject.endswith(("/.", "/..")):
            faults.append(f"{subject!r} is not a GitHub repository; write owner/name")
        return faults

    def _option_faults(self, options: Mapping[str, Any]) -> list[str]:
        known = {name: None for variant in self.variants.values() for name in variant}
        listed = f"has {' and '.join(known)}" if known else "has none"
        unknown = [
            f"option {name!r} is unknown; {self.name} {listed}" for name in options if name not in known
        ]
        chosen = _enabled(options)
        if unknown or not self.variants or chosen in map(_enabled, self.variants.values()):
            return unknown
        written = " or ".join(map(_as_toml, self.variants.values()))
        return [f"options choose what is counted; write options = {written}"]


def _enabled(options: Mapping[str, Any]) -> dict[str, str]:
    """Return options for a comparison: one that is off counts as left out, and 1 is not `true`."""
    return {name: repr(value) for name, value in options.items() if value is not False}


def _as_toml(options: Mapping[str, Any]) -> str:
    return f"{{ {', '.join(f'{name} = {json.dumps(value)}' for name, value in options.items())} }}"


async def read_repository_id(request: FetchRequest, client: RegistryClient, source: str) -> int:
    """Return the id of the repository that has the name now; costs one REST request."""
    path, subject = f"/repos/{request.subject}", request.subject
    parsed = await client.get_json(
        GITHUB, path, _Identity, source=source, subject=subject, headers=REST_HEADERS
    )
    return parsed.body.id


def require_same_repository(request: FetchRequest, repository_id: int, reply: Reply) -> None:
    """Raise unless the stored rows are known to be of this repository, if there are any.

    GitHub lets another person register a name that was renamed or deleted. For rows stored without an id,
    rows of other metrics of the same name, stored no later, prove it.

    Raises:
        AnotherRepository: the name belongs to another repository, or nothing proves that it does not.
    """
    if fault := _identity_fault(request, repository_id):
        detail, fix = fault
        raise reply.error(AnotherRepository, f"{detail}; nothing was stored", fix=fix)


def _identity_fault(request: FetchRequest, repository_id: int) -> tuple[str, str] | None:
    """Return what is wrong and its fix; None where the repository is the stored one."""
    own = request.stored_ids
    known = _known(own) or (_known(request.sibling_ids) if own else frozenset())
    if others := known - {repository_id}:
        former = ", ".join(map(str, sorted(others)))
        detail = f"the name now belongs to another repository (id {repository_id}, it was {former})"
        fix = "write the repository's new name in the catalogue, or a new metric id for the other one"
        return detail, fix
    if known:
        return None
    if subject := request.previous_subject:
        detail = f"the stored rows are of {subject}, and nothing shows that both are one repository"
        return detail, f"give the new one its own metric id in the catalogue, or restore {subject}"
    if own:
        detail = (
            f"the rows of {request.metric_id} are stored without the repository's number, so nothing shows "
            f"that they are of the repository that has this name now (id {repository_id})"
        )
        return detail, "give it a new metric id in the catalogue"
    return None


def _known(ids: Iterable[int | None]) -> frozenset[int]:
    return frozenset(one for one in ids if one is not None)


def rename_notes(request: FetchRequest, full_name: str) -> tuple[str, ...]:
    """Return a note for a repository that was renamed; its metric continues under its id."""
    if full_name.lower() == request.subject.lower():
        return ()
    return (f"{request.subject} is now {full_name}; write the new name in the catalogue",)


def reading(
    request: FetchRequest, value: int, *, full_name: str, repository_id: int, url: str, reply: Reply
) -> FetchResult:
    """Return a value of the instant of `reply`.

    Raises:
        AnotherRepository: the name belongs to another repository than the stored rows.
    """
    require_same_repository(request, repository_id, reply)
    day = today(reply.at)
    read = Observation(
        request.metric_id, day, day, value, SourceWindow.INSTANT, reply.at, url, subject_id=repository_id
    )
    return FetchResult(request.metric_id, (read,), notes=rename_notes(request, full_name))


def with_notes(result: FetchResult, notes: tuple[str, ...]) -> FetchResult:
    """Return a result with more notes for a person."""
    return replace(result, notes=(*result.notes, *notes))
