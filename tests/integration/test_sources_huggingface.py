"""Downloads of 30 days and likes from Hugging Face; `downloadsAllTime` is never read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceDenied, SourceShapeError, UnknownSubject
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources import available_sources
from community_metrics.sources.base import kind_of
from tests.support.clock import FakeClock
from tests.support.fetching import SUNDAY, fetch, fetch_all, values, wanted
from tests.support.registries.platforms import HUGGING_FACE, LIKES, total
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
MODEL, DATA_SET = "lancedb/some-model", "datasets/lancedb/some-dataset"
PATHS = {MODEL: f"/api/models/{MODEL}", DATA_SET: f"/api/{DATA_SET}"}
PAGES = {MODEL: sample("hf_model_200"), DATA_SET: sample("hf_dataset_200")}
SOURCES = ("huggingface", "huggingface-likes")


@pytest.mark.parametrize("subject", [MODEL, DATA_SET])
async def test_downloads_cover_the_30_days_up_to_the_last_completed_one(
    subject: str, replay: Replay, registry: Registry
) -> None:
    (reading,) = (await fetch("huggingface", replay, wanted(subject))).observations
    assert (reading.period_start, reading.period_end) == (SUNDAY - timedelta(days=29), SUNDAY)
    assert reading.source_window is SourceWindow.THIRTY_DAYS
    assert reading.value == total(registry, HUGGING_FACE, subject, 30)
    assert reading.source_ref == f"https://huggingface.co{PATHS[subject]}?expand%5B%5D=downloads"


@pytest.mark.parametrize("subject", [MODEL, DATA_SET])
async def test_likes_belong_to_the_instant_of_the_answer(
    subject: str, replay: Replay, registry: Registry
) -> None:
    clock = FakeClock(datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC))
    (reading,) = (await fetch("huggingface-likes", replay, wanted(subject), clock=clock)).observations
    assert (reading.period_start, reading.period_end, reading.observed_at) == (TODAY, TODAY, clock.now())
    assert (reading.value, reading.source_window) == (
        total(registry, LIKES, subject, 9),
        SourceWindow.INSTANT,
    )


@pytest.mark.parametrize(("subject", "downloads", "likes"), [(MODEL, 1234, 12), (DATA_SET, 4321, 3)])
async def test_the_documented_shape_is_read(subject: str, downloads: int, likes: int, replay: Replay) -> None:
    replay.always(PATHS[subject], PAGES[subject])
    assert values(await fetch("huggingface", replay, wanted(subject))) == {SUNDAY: downloads}
    assert values(await fetch("huggingface-likes", replay, wanted(subject))) == {TODAY: likes}


async def test_the_total_of_all_time_is_neither_asked_nor_read(replay: Replay) -> None:
    for source in SOURCES:
        await fetch(source, replay, wanted(MODEL))
    assert [request.params for request in replay.requests] == [
        {"expand[]": "downloads"},
        {"expand[]": "likes"},
    ]
    replay.always(PATHS[MODEL], replace(PAGES[MODEL], body=PAGES[MODEL].body | {"downloadsAllTime": -5}))
    assert values(await fetch("huggingface", replay, wanted(MODEL))) == {SUNDAY: 1234}


def test_downloads_are_rolling_and_likes_a_level() -> None:
    kinds = [kind_of(available_sources()[source]) for source in SOURCES]
    assert kinds == [ValueKind.ROLLING, ValueKind.LEVEL]


@pytest.mark.parametrize("first_stored_day", [None, date(2026, 10, 1)])
async def test_a_zero_for_30_days_is_left_open_with_a_note(
    first_stored_day: date | None, replay: Replay, registry: Registry
) -> None:
    registry.overrides[HUGGING_FACE, MODEL, TODAY] = 0
    result = await fetch("huggingface", replay, wanted(MODEL, first_stored_day=first_stored_day))
    assert values(result) == {}
    assert result.notes == (
        "2026-11-22 left open: a 0 for 30 days may also mean that the registry did not count",
    )


async def test_no_likes_are_a_real_zero(replay: Replay, registry: Registry) -> None:
    registry.overrides[LIKES, MODEL, TODAY] = 0
    found = await fetch("huggingface-likes", replay, wanted(MODEL, first_stored_day=SUNDAY))
    assert values(found) == {TODAY: 0}


async def test_an_answer_after_midnight_ends_a_day_later(replay: Replay) -> None:
    clock = FakeClock(datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC))
    assert list(values(await fetch("huggingface", replay, wanted(MODEL), clock=clock))) == [TODAY]


@pytest.mark.parametrize("source", SOURCES)
async def test_a_name_that_is_answered_with_401_is_unknown(source: str, replay: Replay) -> None:
    replay.always(PATHS[MODEL], Scripted(401, body={"error": "Invalid username or password."}))
    unknown, known = await fetch_all(source, replay, wanted(MODEL), wanted(DATA_SET))
    assert isinstance(unknown.error, UnknownSubject)
    assert "returned 401: no public model or data set of that name" in str(unknown.error)
    assert known.observations


async def test_a_403_is_a_refusal_and_not_an_unknown_name(replay: Replay) -> None:
    replay.always(PATHS[MODEL], Scripted(403, body={"error": "blocked"}))
    assert isinstance((await fetch("huggingface", replay, wanted(MODEL))).error, SourceDenied)


async def test_an_unknown_data_set_fails_alone(replay: Replay) -> None:
    unknown, known = await fetch_all("huggingface", replay, wanted("datasets/a/no-such"), wanted(MODEL))
    assert isinstance(unknown.error, UnknownSubject)
    assert known.observations


@pytest.mark.parametrize(("source", "field"), [("huggingface", "downloads"), ("huggingface-likes", "likes")])
@pytest.mark.parametrize(
    ("subject", "new"),
    [(MODEL, "lance-format/some-model"), (DATA_SET, "datasets/lance-format/some-dataset")],
)
async def test_a_moved_repository_is_followed_and_reported(
    source: str, field: str, subject: str, new: str, replay: Replay
) -> None:
    target = f"/api/{new if new.startswith('datasets/') else f'models/{new}'}?expand[]={field}"
    replay.always(PATHS[subject], Scripted(307, {"location": target}, body_text="Temporary Redirect"))
    result = await fetch(source, replay, wanted(subject))
    assert result.notes == (f"{subject} is now {new}; write the new name in the catalogue",)
    assert result.observations


async def test_a_limit_is_waited_out(replay: Replay, clock: FakeClock) -> None:
    replay.script(PATHS[MODEL], Scripted(429, body={"error": "rate limit"}))
    assert (await fetch("huggingface", replay, wanted(MODEL), clock=clock)).error is None
    assert clock.sleeps[0] >= 60


@pytest.mark.parametrize(
    ("source", "change", "fault"),
    [
        ("huggingface", {"downloads": None}, "downloads"),
        ("huggingface", {"downloads": "1234"}, "downloads"),
        ("huggingface", {"downloads": -1}, "downloads"),
        ("huggingface", {"id": "lancedb/other"}, "id is 'lancedb/other'"),
        ("huggingface-likes", {"likes": 1.5}, "likes"),
        ("huggingface-likes", {"id": "lancedb/other"}, "id is 'lancedb/other'"),
    ],
)
async def test_another_shape_stores_nothing(
    source: str, change: dict[str, Any], fault: str, replay: Replay
) -> None:
    replay.always(PATHS[MODEL], replace(PAGES[MODEL], body=PAGES[MODEL].body | change))
    result = await fetch(source, replay, wanted(MODEL))
    assert isinstance(result.error, SourceShapeError)
    assert fault in str(result.error)


@pytest.mark.parametrize("subject", [MODEL, DATA_SET, "BAAI/bge-small-en-v1.5", "datasets/a/b_c"])
def test_a_model_and_a_data_set_are_subjects(subject: str) -> None:
    assert available_sources()["huggingface"].validate(subject, {}) == []


@pytest.mark.parametrize(
    "subject", ["gpt2", "spaces/a/b", "spaces/a", "datasets/squad", "a/b/c", "a/..", "a b/c"]
)
def test_anything_else_is_a_fault_that_says_what_to_write(subject: str) -> None:
    (fault,) = available_sources()["huggingface-likes"].validate(subject, {"x": 1})[1:]
    assert "write owner/name, or datasets/owner/name for a data set" in fault
