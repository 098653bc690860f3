"""What the invented places state of launches, and what people noted of them. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.demo.world import STORIES
from community_metrics.model import EventKind, FoundEvent
from community_metrics.periods import midnight
from community_metrics.runs.notes import Note
from community_metrics.sources.base import FetchResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from community_metrics.catalog.readings import EventReading
    from community_metrics.demo.world import Launch

_STATES: Final = {
    "feed": EventKind.POST,
    "mention": EventKind.MENTION,
    "releases/pypi": EventKind.RELEASE,
    "releases/npm-registry": EventKind.RELEASE,
    "releases/github": EventKind.RELEASE,
}
"""What a place states, by what reads it."""
_HOURS: Final = timedelta(hours=9)
"""When on its day everything happens."""


def stated(readings: Sequence[EventReading], today: date) -> Iterator[FetchResult]:
    """Yield what each place has stated until today; a release is stated by one place of its product."""
    done: set[tuple[str | None, EventKind]] = set()
    for reading in readings:
        kind = _STATES[reading.reader]
        if kind is EventKind.RELEASE and (reading.product, kind) in done:
            continue
        done.add((reading.product, kind))
        launches = [
            (product, launch)
            for product, launch in _launches()
            if launch.kind is kind and reading.product in {None, product}
        ]
        found = tuple(_found(reading, product, launch, today) for product, launch in launches)
        if found:
            yield FetchResult(reading.id, events=found)


def notes(today: date) -> Iterator[Note]:
    """Yield what people noted."""
    for product, launch in _launches():
        if launch.author is not None:
            yield Note(launch.day(today), launch.title, launch.author, product)


def _launches() -> Iterator[tuple[str, Launch]]:
    for product, story in STORIES.items():
        for launch in story.launches:
            yield product, launch


def _found(reading: EventReading, product: str, launch: Launch, today: date) -> FoundEvent:
    day = launch.day(today)
    return FoundEvent(
        key=f"{reading.origin}@{product}-{day}",
        kind=launch.kind,
        happened_at=midnight(day) + _HOURS,
        title=launch.title,
        url=f"https://sample-{product}.example/{day}",
    )
