"""What the layers tell each other about one request, in the ASGI scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

_KEY: Final = "community_metrics.notes"

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Notes:
    """One request: the id it has in the log, what the cache did for it, and how it was answered.

    `status` is 0 until the head of an answer was sent, and stays 0 when the caller hung up before.
    """

    request_id: str
    cache: str = "-"
    status: int = 0


def put_notes(scope: MutableMapping[str, Any], notes: Notes) -> None:
    """Attach the notes to the request; every layer below finds them."""
    scope[_KEY] = notes


def notes_of(scope: MutableMapping[str, Any]) -> Notes:
    """Return the notes of the request."""
    notes: Notes = scope[_KEY]
    return notes


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return the value of a request header, several lines of it as one list; `name` in lower case."""
    values = [value for key, value in headers if key == name]
    if len(values) < 2:  # noqa: PLR2004  nearly always: one line, or none
        return values[0] if values else None
    return b", ".join(values)
