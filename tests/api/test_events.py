"""What `/events` shows of known events, and what a release explains, over a folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.model import EventKind, SourceWindow
from community_metrics.periods import midnight
from community_metrics.storage import LanceDBStore
from tests.support.api import LAST_DAY, PYTHON, observed, write
from tests.support.clock import NOON
from tests.support.events import note, release
from tests.support.rows import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from community_metrics.model import Event
    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

SPIKE = midnight(LAST_DAY - timedelta(days=4))
"""When the Wednesday of the last week begins."""
FRIDAY = NOON - timedelta(days=3)
EVENTS = [
    release("crates:lance@1", FRIDAY),
    release("pypi:pylance@1", FRIDAY, origin="pypi:pylance"),
    release("mention/lancedb:1", NOON, kind=EventKind.MENTION, product="lancedb"),
    release("feed/blog:1", NOON, kind=EventKind.POST, product=None),
    note("note:1", NOON),
]


async def record(place: Place, *events: Event) -> None:
    async with LanceDBStore.open(place.writing) as store:
        await store.upsert_events(events)
        await store.record_run(run(NOON, run_id=f"events-{len(events)}"))


async def ids(api: Api, path: str) -> tuple[list[str], list[str]]:
    response = await api.get(path)
    assert response.status_code == 200, response.text
    body = response.json()
    return tuple([one["event_id"] for one in body[part]] for part in ("events", "notes"))  # type: ignore[return-value]


async def test_events_are_found_by_day_and_product_and_notes_are_apart(folder: Place, serve: Serve) -> None:
    await record(folder, *EVENTS)
    async with serve(folder.reading) as api:
        releases, others = ["crates:lance@1", "pypi:pylance@1"], ["feed/blog:1", "mention/lancedb:1"]
        assert await ids(api, "events") == ([*releases, *others], ["note:1"])
        assert await ids(api, f"events?to={FRIDAY.date()}") == (releases, [])
        assert await ids(api, f"events?from={NOON.date()}") == (others, ["note:1"])
        assert await ids(api, "events?product=lancedb") == (others, [])
        assert await ids(api, "events?product=lance&product=lancedb") == ([*releases, *others], ["note:1"])


async def test_a_note_has_its_author_and_an_event_has_none(folder: Place, serve: Serve) -> None:
    await record(folder, *EVENTS)
    async with serve(folder.reading) as api:
        body = (await api.get("events")).json()
    assert [one["author"] for one in body["notes"]] == ["Prashanth"]
    assert {"author"} & {name for one in body["events"] for name in one} == set()
    assert body["events"][0] | {"recorded_at": ""} == {
        "event_id": "crates:lance@1",
        "day": str(FRIDAY.date()),
        "happened_at": FRIDAY.isoformat().replace("+00:00", "Z"),
        "kind": "release",
        "title": "lance 0.38.1 (crates.io)",
        "product": "lance",
        "url": "https://crates.io/crates/lance/0.38.1",
        "origin": "crates:lance",
        "recorded_at": "",
    }


async def test_a_removed_event_is_shown_nowhere(folder: Place, serve: Serve) -> None:
    await record(folder, *(replace(one, removed_at=NOON, removed_by="Ana") for one in EVENTS))
    async with serve(folder.reading) as api:
        assert await ids(api, "events") == ([], [])


@pytest.mark.parametrize(
    ("query", "status", "part"),
    [
        ("from=2026-11-23&to=2026-11-22", 422, "up to 2026-11-22, the last day"),
        ("from=yesterday", 422, "a day such as 2026-11-22"),
        ("kind=release", 422, "is not a parameter of this route"),
        ("product=lanse", 404, "Near: lance"),
    ],
)
async def test_parameters_are_strict(api: Api, query: str, status: int, part: str) -> None:
    response = await api.get(f"events?{query}")
    assert (response.status_code, part in response.text) == (status, True), response.text


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        ((), "unexplained"),
        ((release("crates:lance@1", SPIKE - timedelta(hours=47)),), "release"),
        ((release("crates:lance@1", SPIKE - timedelta(hours=49)),), "unexplained"),
        ((release("crates:lance@1", SPIKE, product="lancedb"),), "unexplained"),
        ((release("crates:lance@1", SPIKE, kind=EventKind.PRE_RELEASE),), "unexplained"),
        ((note("note:1", SPIKE),), "unexplained"),
    ],
)
async def test_a_peak_near_a_stored_release_of_its_product_is_called_so(
    folder: Place, serve: Serve, events: tuple[Event, ...], cause: str
) -> None:
    day = SPIKE.date()
    async with LanceDBStore.open(folder.writing) as store:
        high = observed(PYTHON, day, day, 9_000, SourceWindow.DAY, NOON + timedelta(hours=1))
        await write(store, [high])
    await record(folder, *events)
    async with serve(folder.reading) as api:
        body = (await api.get("insights")).json()
    [spike] = [one for one in body["insights"] if one["kind"] == "spike" and PYTHON in one["metric_ids"]]
    assert spike["numbers"]["cause"] == cause
    assert ("lance 0.38.1 (crates.io)" in spike["numbers"]["also"]) is (cause == "release")
