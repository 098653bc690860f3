"""What happened on a day: the rows of `events`, and what a source says of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

from community_metrics.errors import InvalidEvent
from community_metrics.model.checks import is_aware, is_line
from community_metrics.model.kinds import Visibility

NOTE_ORIGIN: Final = "note"
"""The origin of what a person recorded."""
_LONGEST: Final = 500
READING_SEPARATOR: Final = "/"
"""Parts the words of the id of a reading; no id of a metric has it."""


class EventKind(StrEnum):
    """What kind of thing happened."""

    RELEASE = "release"
    PRE_RELEASE = "pre_release"
    """A release that its registry or its version calls a preview."""
    POST = "post"
    """An entry of a feed."""
    MENTION = "mention"
    """A story of somebody else that names the product."""
    NOTE = "note"
    """What a person recorded, always with an author."""
    OUTAGE = "outage"
    """A day that a registry did not count, or counted low; derived from the values, never stored."""


def reading_id(*parts: str) -> str:
    """Return the id of a reading of events, such as `feed/lance-blog`.

    It takes the place of the id of a metric in `run_outcomes` and `last_reads`, and is never one.
    """
    return READING_SEPARATOR.join(parts)


def is_reading_id(name: str) -> bool:
    """Return whether it is the id of a reading of events; the id of a metric has no slash."""
    return READING_SEPARATOR in name


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """One event as its source states it. An invalid event cannot be constructed.

    `key` is the same in every answer of the source, and no other event has it: `crates:lance@0.38.1`.

    Raises:
        InvalidEvent: a field has a value that no event can have.
    """

    key: str
    kind: EventKind
    happened_at: datetime
    title: str
    url: str | None

    def __post_init__(self) -> None:
        _require(
            self.key,
            ("key", is_short_line(self.key), _LINE),
            ("kind", isinstance(self.kind, EventKind), "an EventKind"),
            ("happened_at", is_aware(self.happened_at), "a datetime with a time zone"),
            ("title", is_short_line(self.title), _LINE),
            ("url", self.url is None or is_web_address(self.url), _ADDRESS),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One row of `events`. An invalid event cannot be constructed.

    `day` is the UTC day, `happened_at` the instant where the origin states one. `product` is the id of a
    product, None for all of them. `origin` is where it was read: `crates:lance`, `feed:lance-blog`,
    `mention:lancedb`, or `note`. `metric_id` is the metric whose source stated it: who may not see that
    metric may not see the event. Only a note has an `author`, the person who says it. `recorded_at` is when
    it was first stored; one that was removed stays stored, with `removed_at` and `removed_by`.

    Raises:
        InvalidEvent: a field has a value that no event can have.
    """

    event_id: str
    day: date
    happened_at: datetime | None
    kind: EventKind
    title: str
    product: str | None
    url: str | None
    origin: str
    metric_id: str | None
    visibility: Visibility
    author: str | None
    recorded_at: datetime
    ingestion_run_id: str
    removed_at: datetime | None = None
    removed_by: str | None = None

    def __post_init__(self) -> None:
        is_note = self.kind is EventKind.NOTE
        author = "the name of a person" if is_note else "None: only a note has an author"
        is_same_day = self.happened_at is None or (
            is_aware(self.happened_at) and self.happened_at.astimezone(UTC).date() == self.day
        )
        _require(
            self.event_id,
            ("event_id", is_short_line(self.event_id), _LINE),
            ("day", type(self.day) is date, "a date without a time"),
            ("happened_at", is_same_day, f"an instant of {self.day}, or None"),
            ("title", is_short_line(self.title), _LINE),
            ("url", self.url is None or is_web_address(self.url), _ADDRESS),
            ("origin", is_short_line(self.origin), _LINE),
            ("author", is_short_line(self.author) if is_note else self.author is None, author),
            ("recorded_at", is_aware(self.recorded_at), "a datetime with a time zone"),
            ("removed_by", (self.removed_at is None) == (self.removed_by is None), "set with removed_at"),
        )

    @property
    def is_removed(self) -> bool:
        """Whether it was removed."""
        return self.removed_at is not None


def event_order(event: Event) -> tuple[Any, ...]:
    """Return the sort key of events: by day, those with an instant by it, then by id."""
    return event.day, event.happened_at or _AT_MIDNIGHT, event.event_id


def newest_event(one: Event, other: Event) -> Event:
    """Return which of two copies of an event counts: the removed one, else the one recorded last."""
    return max(one, other, key=lambda event: (event.is_removed, event.recorded_at))


_AT_MIDNIGHT: Final = datetime.min.replace(tzinfo=UTC)
"""Before every instant of a day: an event without an instant comes first."""
_LINE: Final = f"one line of printable text, at most {_LONGEST} characters"
_ADDRESS: Final = "an address that begins with https:// or http://"


def is_short_line(text: object) -> bool:
    """Return whether it is one line of printable text of a length that a chart can show."""
    return is_line(text) and isinstance(text, str) and bool(text.strip()) and len(text) <= _LONGEST


def is_web_address(text: object) -> bool:
    """Return whether it is the address of a page: a link of any other kind could run a script."""
    return (
        is_line(text)
        and isinstance(text, str)
        and text.startswith(("https://", "http://"))
        and " " not in text
        and len(text) <= 4 * _LONGEST
    )


def _require(event: object, *checks: tuple[str, bool, str]) -> None:
    for field, is_valid, expected in checks:
        if not is_valid:
            raise InvalidEvent(event, field, expected)
