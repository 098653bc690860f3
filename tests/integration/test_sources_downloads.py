"""What pypistats, npm and crates.io have in common, through the real client."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceShapeError, UnknownSubject
from community_metrics.periods import days_between
from community_metrics.sources import available_sources
from tests.support.fetching import SUNDAY, fetch, fetch_all, values, wanted
from tests.support.scripted import Scripted, sample

if TYPE_CHECKING:
    from tests.support.clock import FakeClock
    from tests.support.registry import Registry
    from tests.support.replay import Replay

MONDAY, TUESDAY, WEDNESDAY = (SUNDAY - timedelta(days=n) for n in (6, 5, 4))
SUBJECTS = [("pypistats", "pylance"), ("npm", "@lancedb/lancedb"), ("crates", "lance")]


@pytest.mark.parametrize(("source", "subject"), SUBJECTS)
async def test_every_completed_day_is_stored_and_today_never(
    source: str, subject: str, replay: Replay, registry: Registry
) -> None:
    found = values(await fetch(source, replay, wanted(subject, until=SUNDAY + timedelta(days=1))))
    oldest = SUNDAY + timedelta(days=1) - timedelta(days=available_sources()[source].retention_days or 0)
    assert set(days_between(oldest, SUNDAY)) <= set(found)
    assert max(found) == SUNDAY
    assert all(value == registry.value(source, subject, day) for day, value in found.items())


@pytest.mark.parametrize(("source", "subject"), SUBJECTS)
async def test_only_the_days_wanted_come_back(source: str, subject: str, replay: Replay) -> None:
    result = await fetch(source, replay, wanted(subject, since=MONDAY, until=WEDNESDAY))
    assert list(values(result)) == [MONDAY, TUESDAY, WEDNESDAY]


@pytest.mark.parametrize(("source", "subject"), SUBJECTS)
async def test_a_row_names_the_public_address_and_the_instant_of_the_answer(
    source: str, subject: str, replay: Replay, clock: FakeClock
) -> None:
    result = await fetch(source, replay, wanted(subject), clock=clock, paced=False)
    public = available_sources()[source].host.replace("crates", "crates.io").replace("npm", "api.npmjs.org")
    assert {found.observed_at for found in result.observations} == {clock.now()}
    assert all(public in found.source_ref for found in result.observations)
    assert not any(replay.origin in found.source_ref for found in result.observations)


@pytest.mark.parametrize(("source", "subject"), SUBJECTS)
async def test_an_unknown_subject_fails_alone(source: str, subject: str, replay: Replay) -> None:
    unknown, known = await fetch_all(source, replay, wanted("no-such-thing"), wanted(subject))
    if source == "pypistats":  # asks in order of package names
        assert (unknown.metric_id, known.metric_id) == ("downloads:it:x", "downloads:it:x")
    assert isinstance(unknown.error, UnknownSubject)
    assert known.observations


@pytest.mark.parametrize(
    ("source", "path", "reply", "field"),
    [
        (
            "pypistats",
            "/api/*",
            {"data": [{"category": "x", "date": "2026-11-16", "downloads": 1}]},
            "data.0.category",
        ),
        (
            "pypistats",
            "/api/*",
            {"data": [], "package": "other", "type": "overall_downloads"},
            "package is 'other'",
        ),
        ("npm", "/downloads/*", {"downloads": [{"day": "2026-11-16"}]}, "downloads.0.downloads"),
        (
            "npm",
            "/downloads/*",
            {"downloads": [], "start": "2020-01-01", "end": "2020-01-02", "package": "p"},
            "range",
        ),
        ("crates", "/api/v1/*", {"version_downloads": []}, "meta"),
    ],
)
async def test_a_changed_shape_stores_nothing_and_names_the_field(
    source: str, path: str, reply: dict[str, Any], field: str, replay: Replay
) -> None:
    replay.always(path, Scripted(body=reply))
    result = await fetch(source, replay, wanted("p"))
    assert isinstance(result.error, SourceShapeError)
    assert field in str(result.error)
    assert result.observations == ()


@pytest.mark.parametrize(
    ("source", "subject", "reply"),
    [
        ("pypistats", "lancedb", sample("pypistats_overall_both_200")),
        ("crates", "foo", sample("crates_downloads_few_versions_200")),
    ],
)
async def test_two_values_for_one_day_are_refused(
    source: str, subject: str, reply: Scripted, replay: Replay
) -> None:
    key = "data" if source == "pypistats" else "version_downloads"
    replay.always("*", replace(reply, body=reply.body | {key: reply.body[key] * 2}))
    result = await fetch(source, replay, wanted(subject))
    assert isinstance(result.error, SourceShapeError)
    assert "more than once" in str(result.error)


@pytest.mark.parametrize(
    ("source", "subject", "options", "fault"),
    [
        ("pypistats", "__all__", {}, "is not a PyPI project name"),
        ("pypistats", "lancedb", {"mirrors": "no"}, "true or false"),
        ("pypistats", "lancedb", {"mirror": True}, "option 'mirror' is unknown"),
        ("npm", "a,b", {}, "is not an npm package name"),
        ("npm", "@lancedb", {}, "is not an npm package name"),
        ("npm", "a", {"x": 1}, "has none"),
        ("crates", "lance/../serde", {}, "is not a crate name"),
        ("github", "lancedb", {}, "write owner/name"),
        ("github-history", "a/..", {}, "write owner/name"),
    ],
)
def test_a_wrong_catalogue_entry_is_faulted(
    source: str, subject: str, options: dict[str, Any], fault: str
) -> None:
    (said,) = available_sources()[source].validate(subject, options)
    assert fault in said
