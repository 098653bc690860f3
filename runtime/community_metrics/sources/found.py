"""Events as sources state them, made fit to be stored: one printable line, an instant, a link to a page."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from community_metrics.model import EventKind, FoundEvent, is_web_address

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST_TITLE: Final = 300
_PARSERS: Final[tuple[Callable[[str], datetime], ...]] = (datetime.fromisoformat, parsedate_to_datetime)
_PREVIEW: Final = re.compile(
    r"\d[-_.+]?(?:a|alpha|b|beta|c|dev|next|nightly|pre|preview|rc)(?![a-z])", re.IGNORECASE
)


def found_event(
    key: str, kind: EventKind, happened_at: datetime, title: str, url: str | None
) -> FoundEvent | None:
    """Return the event; None if it has no title to show. A link that is no page's is left out."""
    words = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    if not words:
        return None
    shown = words if len(words) <= _LONGEST_TITLE else f"{words[: _LONGEST_TITLE - 1]}…"
    return FoundEvent(key, kind, happened_at.astimezone(UTC), shown, url if is_web_address(url) else None)


def release_kind(version: str, *, is_preview: bool = False) -> EventKind:
    """Return whether a version is a release or one before it, such as `0.3.0-beta.1` or `1.0rc1`."""
    return EventKind.PRE_RELEASE if is_preview or _PREVIEW.search(version) else EventKind.RELEASE


def instant_of(text: object) -> datetime | None:
    """Return the instant of an ISO 8601 or RFC 822 text, in UTC if it names no zone; None for any other."""
    if not isinstance(text, str):
        return None
    for parse in _PARSERS:
        try:
            instant = parse(text.strip())
            return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None
