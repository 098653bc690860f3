"""What both GitHub series need of a repository: its name, its id, whether it is the same one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from community_metrics.errors import TerminalSourceError
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.schemas import ResponseModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from community_metrics.sources.base import FetchRequest
    from community_metrics.sources.client.client import RegistryClient
    from community_metrics.sources.client.replies import Reply

REST_HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}

_REPOSITORY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38})/[a-z0-9._-]{1,100}", re.IGNORECASE | re.ASCII)
_ID_MARK = "#id="


class _Identity(ResponseModel):
    id: int


class RepositorySource:
    """What both series have in common."""

    name: str
    host = GITHUB.key
    sdk: str | None = None
    proves_subject = True  # a repository's number outlives its name

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry; subject: `owner/name`; options: none."""
        faults = [f"option {name!r} is unknown; {self.name} has none" for name in options]
        if not _REPOSITORY.fullmatch(subject) or subject.endswith(("/.", "/..")):
            faults.append(f"{subject!r} is not a GitHub repository; write owner/name")
        return faults


def source_ref(url: str, repository_id: int) -> str:
    """Return the origin of a value, with the repository's id at its end."""
    return f"{url}{_ID_MARK}{repository_id}"


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
        TerminalSourceError: the name belongs to another repository, or nothing proves that it does not.
    """
    if fault := _identity_fault(request, repository_id):
        detail, fix = fault
        raise reply.error(TerminalSourceError, f"{detail}; nothing was stored", fix=fix)


def _identity_fault(request: FetchRequest, repository_id: int) -> tuple[str, str] | None:
    """Return what is wrong and its fix; None where the repository is the stored one."""
    own = {ref for ref in (*request.stored_refs, request.last_source_ref) if ref and _is_github(ref)}
    known = _ids(own) or _ids(request.sibling_refs if own else ())
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


def _is_github(ref: str) -> bool:
    return ref.startswith(f"{GITHUB.public_origin}/")


def _ids(refs: Iterable[str]) -> frozenset[int]:
    found = (ref.rpartition(_ID_MARK) for ref in refs if _is_github(ref))
    return frozenset(int(number) for _, mark, number in found if mark and number.isdecimal())


def rename_notes(request: FetchRequest, full_name: str) -> tuple[str, ...]:
    """Return a note for a repository that was renamed; its metric continues under its id."""
    if full_name.lower() == request.subject.lower():
        return ()
    return (f"{request.subject} is now {full_name}; write the new name in the catalogue",)
