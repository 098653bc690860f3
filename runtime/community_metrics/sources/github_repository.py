"""What both GitHub series know of a repository: its name, its number, whether it is the same one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from community_metrics.errors import TerminalSourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.sources.base import FetchRequest

_REPOSITORY = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38})/[a-z0-9._-]{1,100}", re.IGNORECASE | re.ASCII)
_ID_MARK = "#id="


def repository_faults(source: str, subject: str, options: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a catalogue entry: a subject is `owner/name`, and there are no options."""
    faults = [f"option {name!r} is unknown; {source} has none" for name in options]
    if not _REPOSITORY.fullmatch(subject) or subject.endswith(("/.", "/..")):
        faults.append(f"{subject!r} is not a GitHub repository; write owner/name")
    return faults


def source_ref(url: str, repository_id: int | None) -> str:
    """Return where a value came from, with the repository's number at its end."""
    return url if repository_id is None else f"{url}{_ID_MARK}{repository_id}"


def require_same_repository(request: FetchRequest, repository_id: int | None) -> None:
    """Raise when the name now belongs to another repository than the newest stored row's.

    GitHub lets a name that was renamed or deleted be registered again by somebody else. Under a name that is
    new in the catalogue, both numbers must be known to be the same.

    Raises:
        TerminalSourceError: nothing of the newcomer is stored under the old metric.
    """
    _, mark, known = (request.last_source_ref or "").rpartition(_ID_MARK)
    if request.known_as is not None and (not mark or repository_id is None):
        raise TerminalSourceError(
            f"github {request.subject}: this id is {request.known_as} so far, and nothing shows that both "
            "are one repository; nothing was stored. Give the new one an id of its own in the catalogue, or "
            f"write {request.known_as} back."
        )
    if not mark or repository_id is None or known == str(repository_id):
        return
    raise TerminalSourceError(
        f"github {request.subject}: the name now belongs to another repository (id {repository_id}, it was "
        f"{known}); nothing was stored. Write the repository's new name in the catalogue, or give the "
        "newcomer a metric id of its own."
    )


def rename_notes(request: FetchRequest, full_name: str) -> tuple[str, ...]:
    """Return a note for a repository that goes by another name now; its metric goes on under its id."""
    if full_name.lower() == request.subject.lower():
        return ()
    return (f"{request.subject} is now {full_name}; write the new name in the catalogue",)
