"""What both GitHub series know of a repository: its name, its number, whether it is the same one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from community_metrics.errors import TerminalSourceError
from community_metrics.sources.client.hosts import GITHUB
from community_metrics.sources.schemas import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from community_metrics.sources.base import FetchRequest
    from community_metrics.sources.client.client import RegistryClient

REST_HEADERS = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}

_REPOSITORY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38})/[a-z0-9._-]{1,100}", re.IGNORECASE | re.ASCII)
_ID_MARK = "#id="


class _Identity(Shape):
    id: int


def repository_faults(source: str, subject: str, options: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a catalogue entry: a subject is `owner/name`, and there are no options."""
    faults = [f"option {name!r} is unknown; {source} has none" for name in options]
    if not _REPOSITORY.fullmatch(subject) or subject.endswith(("/.", "/..")):
        faults.append(f"{subject!r} is not a GitHub repository; write owner/name")
    return faults


def source_ref(url: str, repository_id: int) -> str:
    """Return where a value came from, with the repository's number at its end."""
    return f"{url}{_ID_MARK}{repository_id}"


async def read_repository_id(request: FetchRequest, client: RegistryClient) -> int:
    """Return the number of the repository that the name belongs to now; costs one REST request.

    Raises:
        SourceError: the number cannot be had.
    """
    path, about = f"/repos/{request.subject}", f"github {request.subject}"
    answer = await client.get_json(GITHUB, path, _Identity, about=about, headers=REST_HEADERS)
    return answer.body.id


def require_same_repository(request: FetchRequest, repository_id: int) -> None:
    """Raise unless the stored rows are known to be of this repository; nothing stored is nothing to compare.

    GitHub lets a name that was renamed or deleted be registered again by somebody else. Rows stored without a
    number are vouched for by rows of other metrics of the same name, stored no later.

    Raises:
        TerminalSourceError: the name belongs to another repository, or nothing shows that it does not.
    """
    own = {ref for ref in (*request.stored_refs, request.last_source_ref) if ref and _is_github(ref)}
    known = _ids(own) or _ids(request.sibling_refs if own else ())
    if known - {repository_id}:
        raise TerminalSourceError(
            f"github {request.subject}: the name now belongs to another repository (id {repository_id}, it "
            f"was {', '.join(map(str, sorted(known - {repository_id})))}); nothing was stored. Write the "
            "repository's new name in the catalogue, or give the newcomer a metric id of its own."
        )
    if known:
        return
    if request.known_as is not None:
        raise TerminalSourceError(
            f"github {request.subject}: this id is {request.known_as} so far, and nothing shows that both "
            "are one repository; nothing was stored. Give the new one an id of its own in the catalogue, or "
            f"write {request.known_as} back."
        )
    if own:
        raise TerminalSourceError(
            f"github {request.subject}: the rows of {request.metric_id} are stored without the repository's "
            f"number, so nothing shows that they are of the repository of this name today (id "
            f"{repository_id}); nothing was stored. Give it a new metric id in the catalogue."
        )


def _is_github(ref: str) -> bool:
    return ref.startswith(f"{GITHUB.public_origin}/")


def _ids(refs: Iterable[str]) -> frozenset[int]:
    found = (ref.rpartition(_ID_MARK) for ref in refs if _is_github(ref))
    return frozenset(int(number) for _, mark, number in found if mark and number.isdecimal())


def rename_notes(request: FetchRequest, full_name: str) -> tuple[str, ...]:
    """Return a note for a repository that goes by another name now; its metric goes on under its id."""
    if full_name.lower() == request.subject.lower():
        return ()
    return (f"{request.subject} is now {full_name}; write the new name in the catalogue",)
