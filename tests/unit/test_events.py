"""What an event can be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from community_metrics.errors import InvalidEvent
from community_metrics.model import METRIC_ID, EventKind, FoundEvent, is_reading_id, reading_id
from tests.support.events import note, release
from tests.support.worlds import NOW


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"author": "Prashanth"}, "author must be None: only a note has an author"),
        ({"happened_at": NOW + timedelta(days=1)}, "happened_at must be an instant of 2026-11-23"),
        ({"happened_at": NOW.replace(tzinfo=None)}, "happened_at must be an instant"),
        ({"day": NOW}, "day must be a date without a time"),
        ({"title": "two\nlines"}, "title must be one line"),
        ({"title": "x" * 501}, "at most 500 characters"),
        ({"url": "javascript:alert(1)"}, "url must be an address"),
        ({"removed_at": NOW}, "removed_by must be set with removed_at"),
    ],
)
def test_an_event_that_cannot_exist_is_not_constructed(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidEvent, match=fault):
        release(**fields)


def test_a_note_is_never_without_its_author() -> None:
    with pytest.raises(InvalidEvent, match="author must be the name of a person"):
        note(author=None)


def test_a_source_cannot_state_an_event_without_a_time_zone() -> None:
    with pytest.raises(InvalidEvent, match="happened_at must be a datetime with a time zone"):
        FoundEvent("crates:lance@1", EventKind.RELEASE, NOW.replace(tzinfo=None), "lance 1", None)


def test_no_reading_of_events_has_the_id_of_a_metric() -> None:
    assert is_reading_id(reading_id("feed", "a:b:c"))
    assert not METRIC_ID.fullmatch(reading_id("feed", "a:b:c"))
    assert not is_reading_id("downloads:lance:python")
