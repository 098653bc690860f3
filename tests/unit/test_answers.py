"""What is kept of an answer, how a run groups answers, and how they are read back."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, Field, RootModel, TypeAdapter

from community_metrics.errors import StorageSchemaMismatch
from community_metrics.model import Provenance, SourceWindow, ValueKind
from community_metrics.runs.answers import AnswerRecorder, groups_of
from community_metrics.sources import FetchRequest, ResponseModel, available_sources
from community_metrics.sources.base import forgets
from community_metrics.sources.client.recording import Answer, RequestKey, kept_body
from community_metrics.sources.readers import EVENT_READERS
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.sources import Source

GITHUB = available_sources()["github"]
NPM = available_sources()["npm"]
TOKEN = "ghp_0123456789"


class Asset(ResponseModel):
    name: str
    download_count: int


class Release(ResponseModel):
    tag: str = Field(alias="tag_name")
    assets: tuple[Asset, ...]
    note: str | None = None


class Releases(RootModel[tuple[Release, ...]]):
    pass


class Sums(ResponseModel):
    by_name: dict[str, dict[str, int]]
    either: Asset | int | None = None
    pair: tuple[int, str] | None = None
    anything: Any = None


# the body


def kept(value: object, model: Any) -> Any:
    return json.loads(kept_body(json.dumps(value).encode(), model))


def test_the_fields_that_a_model_lacks_are_dropped_at_every_depth() -> None:
    asset = {"name": "a.whl", "download_count": 3}
    release = {"tag_name": "v1", "assets": [asset], "note": None}
    person = {"login": "ada", "avatar_url": "https://x"}
    sent = [release | {"author": person, "assets": [asset | {"uploader": person}]}]
    assert kept(sent, Releases) == [release]


def test_names_that_are_data_are_kept() -> None:
    sent = {"by_name": {"wget": {"30d": 1}}, "anything": {"r0": {"x": [1]}}, "viewer": {"login": "ada"}}
    assert kept(sent, Sums) == {"by_name": {"wget": {"30d": 1}}, "anything": {"r0": {"x": [1]}}}


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ({"name": "a", "download_count": 1, "id": 2}, {"name": "a", "download_count": 1}),
        (7, 7),
        (None, None),
        ([{"login": "ada"}, "Ada"], [{}, None]),
    ],
)
def test_of_alternatives_each_keeps_its_own_fields(sent: object, left: object) -> None:
    assert kept({"by_name": {}, "either": sent}, Sums)["either"] == left


def test_the_parts_of_a_fixed_list_are_kept_by_their_place() -> None:
    assert kept({"by_name": {}, "pair": [1, "a"]}, Sums)["pair"] == [1, "a"]


def test_a_person_in_the_place_of_a_structure_is_dropped() -> None:
    assert kept([{"tag_name": "v1", "assets": "Ada Lovelace"}], Releases) == [
        {"tag_name": "v1", "assets": None}
    ]


def test_a_value_of_another_type_is_kept_so_that_a_later_parser_may_read_it() -> None:
    sent = [{"tag_name": "v1", "assets": [{"name": "a", "download_count": "1,234"}]}]
    assert kept(sent, Releases) == sent


def test_a_byte_order_mark_is_no_part_of_the_body() -> None:
    assert (
        kept_body(b'\xef\xbb\xbf{"name":"a","download_count":1}', Asset) == b'{"name":"a","download_count":1}'
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
OTHERS = st.dictionaries(st.text(min_size=8, max_size=12), JSON, max_size=3)


@given(
    rows=st.lists(st.tuples(st.text(max_size=5), st.integers(), OTHERS, OTHERS), max_size=4),
)
def test_what_is_kept_reads_as_the_same_and_keeping_it_again_changes_nothing(rows: list[Any]) -> None:
    sent = [
        others | {"tag_name": tag, "assets": [more | {"name": tag, "download_count": count}]}
        for tag, count, others, more in rows
        if not {"tag_name", "download_count"} & (others.keys() | more.keys())
    ]
    body = json.dumps(sent).encode()
    left = kept_body(body, Releases)
    read = TypeAdapter(Releases).validate_json
    assert read(left) == read(body)
    assert kept_body(left, Releases) == left
    assert {name for row in json.loads(left) for name in row} <= {"tag_name", "assets", "note"}


# the group


def asked(metric_id: str, subject: str = "a/b", **values: Any) -> FetchRequest:
    return FetchRequest(metric_id, subject, {}, None, NOON.date(), source="github", **values)


def answer(
    target: str = "/repos/a/b", *, body: bytes = b"{}", headers: Mapping[str, str] | None = None
) -> Answer:
    key = RequestKey("github", "GET", target, None)
    return Answer(key, "github", f"https://api.github.com{target}", 200, headers or {}, body, NOON, False)


ONE = asked(
    "stars:a:github",
    last_newest_part=7,
    last_parts_digest="0f",
    first_stored_day=date(2026, 1, 1),
    stored_ids=frozenset((1, None)),
)
TWO = asked("stars:b:github")


def test_a_group_comes_back_as_it_was_taken() -> None:
    recorder = AnswerRecorder()
    recorder.begin(GITHUB, [ONE, TWO])
    recorder.note(replace(answer(body=b'{"id":1}', headers={"link": "<x>"}), authorized=True))
    rows = recorder.take("run-1", [ONE.metric_id, TWO.metric_id], provenance=Provenance.API, now=NOON)
    (group,) = groups_of(rows)
    assert (group.run_id, group.source, group.requests) == ("run-1", "github", (ONE, TWO))
    assert group.answers == (replace(answer(body=b'{"id":1}', headers={"link": "<x>"}), authorized=True),)
    (step,) = group.steps
    assert (step.stored_at, step.provenance) == (NOON, Provenance.API)
    assert step.metric_ids == {ONE.metric_id, TWO.metric_id}


def test_a_run_that_stores_in_steps_keeps_each_answer_and_each_metric_once() -> None:
    recorder, later = AnswerRecorder(), NOON + timedelta(minutes=1)
    recorder.begin(GITHUB, [ONE, TWO])
    recorder.note(answer("/repos/a/b"))
    first = recorder.take("run-1", [ONE.metric_id], provenance=Provenance.API, now=NOON)
    recorder.note(answer("/repos/c/d"))
    both = [ONE.metric_id, TWO.metric_id]
    second = recorder.take("run-1", both, provenance=Provenance.API, now=later)
    assert recorder.take("run-1", both, provenance=Provenance.API, now=later) == []

    (group,) = groups_of([*second, *first])

    assert [one.request.target for one in group.answers] == ["/repos/a/b", "/repos/c/d"]
    assert [(step.stored_at, set(step.metric_ids)) for step in group.steps] == [
        (NOON, {ONE.metric_id}),
        (later, {TWO.metric_id}),
    ]
    assert group.requests == (ONE, TWO)


def test_a_source_that_is_asked_twice_has_two_groups() -> None:
    recorder = AnswerRecorder()
    for request in (ONE, TWO):
        recorder.begin(GITHUB, [request])
        recorder.note(answer())
    rows = recorder.take("run-1", [ONE.metric_id, TWO.metric_id], provenance=Provenance.API, now=NOON)
    assert [group.requests for group in groups_of(rows)] == [(ONE,), (TWO,)]
    assert len({row.answers_key for row in rows}) == 2


def test_requests_that_got_no_answer_keep_nothing() -> None:
    recorder = AnswerRecorder()
    recorder.begin(GITHUB, [ONE])
    assert recorder.take("run-1", [ONE.metric_id], provenance=Provenance.API, now=NOON) == []


@pytest.mark.parametrize(
    "repeating",
    [
        answer(body=f'{{"name":"{TOKEN}"}}'.encode()),
        answer(f"/repos?key={TOKEN}"),
        answer(headers={"link": f"<https://x?key={TOKEN}>"}),
    ],
    ids=["body", "target", "header"],
)
def test_an_answer_that_repeats_a_secret_is_not_kept(repeating: Answer) -> None:
    recorder = AnswerRecorder([TOKEN])
    recorder.begin(GITHUB, [ONE])
    recorder.note(repeating)
    recorder.note(answer())
    rows = recorder.take("run-1", [ONE.metric_id], provenance=Provenance.API, now=NOON)
    assert [one.body for group in groups_of(rows) for one in group.answers] == [b"{}"]
    assert TOKEN.encode() not in b"".join(zlib.decompress(row.content) for row in rows)


def test_a_source_that_can_be_asked_again_is_not_wanted() -> None:
    recorder = AnswerRecorder()
    recorder.begin(NPM, [ONE])
    recorder.begin(GITHUB, [ONE])
    assert (recorder.wants("npm"), recorder.wants("github")) == (False, True)


def test_the_answers_that_state_events_are_not_kept_beside_those_of_any_source() -> None:
    recorder = AnswerRecorder()
    for source in available_sources().values():
        recorder.begin(source, [ONE])
    assert [name for name, reader in EVENT_READERS.items() if recorder.wants(reader.name)] == []


@pytest.mark.parametrize("content", [b"no zlib", zlib.compress(b'{"answers": 1}')])
def test_content_of_another_version_is_an_error_that_names_the_row(content: bytes) -> None:
    recorder = AnswerRecorder()
    recorder.begin(GITHUB, [ONE])
    recorder.note(answer())
    (row,) = recorder.take("run-1", [], provenance=Provenance.API, now=NOON)
    with pytest.raises(StorageSchemaMismatch, match=r"row run-1\|github\|0\|0 of raw_answers cannot be read"):
        groups_of([replace(row, content=content)])


# which sources


class AnySource:
    """A source as far as `forgets` looks at it."""

    def __init__(
        self, window: SourceWindow, retention_days: int | None, kind: ValueKind | None = None
    ) -> None:
        self.window, self.retention_days = window, retention_days
        self.kind = kind or window.usual_kind


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (AnySource(SourceWindow.INSTANT, None), True),
        (AnySource(SourceWindow.INSTANT, None, ValueKind.COUNTER), True),
        (AnySource(SourceWindow.THIRTY_DAYS, None), True),
        (AnySource(SourceWindow.DAY, 14), True),
        (AnySource(SourceWindow.DAY, 29), True),
        (AnySource(SourceWindow.DAY, 30), False),
        (AnySource(SourceWindow.DAY, None), False),
        (AnySource(SourceWindow.WEEK, 7, ValueKind.FLOW), True),
    ],
)
def test_a_source_forgets_readings_of_an_instant_and_short_histories(source: Source, expected: bool) -> None:
    assert forgets(source) is expected


class Renamed(ResponseModel):
    count: int = Field(validation_alias=AliasChoices("count", "total"))


def test_a_field_with_two_names_is_kept_under_the_first_alone() -> None:
    # the client compares what it read with what is kept, and keeps no answer that reads as something else
    assert kept({"total": 3}, Renamed) == {}
