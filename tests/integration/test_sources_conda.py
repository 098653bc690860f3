"""Downloads from anaconda.org: the sum over files that can disappear."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceShapeError, UnknownSubject
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources import available_sources
from community_metrics.sources.base import kind_of
from tests.support.fetching import after_reading, fetch, fetch_all, values, wanted
from tests.support.registries.platforms import CONDA, total
from tests.support.scripted import sample

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
PACKAGE = "conda-forge/lancedb"
PATH = f"/package/{PACKAGE}"
PAGE = sample("anaconda_package_200")


def files(*counts: int | str | None) -> dict[str, Any]:
    return {**PAGE.body, "files": [{"basename": "x", "ndownloads": count} for count in counts]}


async def test_a_reading_is_the_sum_over_all_files(replay: Replay, registry: Registry) -> None:
    (reading,) = (await fetch("conda", replay, wanted(PACKAGE))).observations
    assert reading.value == total(registry, CONDA, PACKAGE)
    assert (reading.period_end, reading.source_window) == (TODAY, SourceWindow.INSTANT)
    assert reading.source_ref == f"https://api.anaconda.org{PATH}"


async def test_the_documented_shape_is_read(replay: Replay) -> None:
    replay.always(PATH, PAGE)
    assert values(await fetch("conda", replay, wanted(PACKAGE))) == {TODAY: 1203}


def test_the_sum_is_a_counter_so_that_a_fall_is_a_reset() -> None:
    assert kind_of(available_sources()["conda"]) is ValueKind.COUNTER


async def test_a_sum_that_falls_with_a_removed_file_is_stored_as_read(replay: Replay) -> None:
    replay.script(PATH, replace(PAGE, body=files(900, 500)), replace(PAGE, body=files(501)))
    before = values(await fetch("conda", replay, wanted(PACKAGE)))
    after = values(await fetch("conda", replay, wanted(PACKAGE, first_stored_day=TODAY)))
    assert (before, after) == ({TODAY: 1400}, {TODAY: 501})


def uploaded(**counts: int) -> dict[str, Any]:
    """Return an answer with a file for each letter, uploaded in the order of the alphabet."""
    listed = [
        {"basename": name, "ndownloads": count, "upload_time": f"2026-11-{ord(name) - 96:02} 10:00:00+00:00"}
        for name, count in counts.items()
    ]
    return {**PAGE.body, "files": listed}


@pytest.mark.parametrize(
    ("after", "is_reset"),
    [
        pytest.param(uploaded(b=25, c=35), False, id="growth"),
        pytest.param(uploaded(b=20, c=30, d=4), False, id="a new file"),
        pytest.param(uploaded(b=90, d=1), True, id="a removed file, hidden by growth"),
        pytest.param(uploaded(a=5, b=20, c=30), True, id="an older file with downloads of its own"),
        pytest.param(files(20, 31), False, id="an answer that does not tell its files apart"),
    ],
)
async def test_a_reading_is_a_reset_unless_all_files_of_the_last_one_are_there(
    after: dict[str, Any], is_reset: bool, replay: Replay
) -> None:
    replay.script(PATH, replace(PAGE, body=uploaded(b=20, c=30)), replace(PAGE, body=after))
    first = await fetch("conda", replay, wanted(PACKAGE))
    result = await fetch("conda", replay, wanted(PACKAGE, **after_reading(first)))
    assert [reading.is_reset for reading in result.observations] == [is_reset]
    assert bool(result.notes) is is_reset


async def test_a_file_uploaded_again_under_its_name_is_another_file(replay: Replay) -> None:
    again = uploaded(b=900)
    again["files"][0]["upload_time"] = "2026-11-20 10:00:00+00:00"
    replay.script(PATH, replace(PAGE, body=uploaded(b=20)), replace(PAGE, body=again))
    first = await fetch("conda", replay, wanted(PACKAGE))
    result = await fetch("conda", replay, wanted(PACKAGE, **after_reading(first)))
    assert result.observations[0].is_reset


async def test_a_package_without_files_has_no_total(replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=files()))
    result = await fetch("conda", replay, wanted(PACKAGE))
    assert values(result) == {}
    assert result.notes == ("2026-11-23 left open: the package has no files, so nothing states a total",)


async def test_a_zero_is_stored_for_a_new_package_only(replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=files(0, 0)))
    assert values(await fetch("conda", replay, wanted(PACKAGE))) == {TODAY: 0}
    assert values(await fetch("conda", replay, wanted(PACKAGE, first_stored_day=TODAY))) == {}


async def test_an_unknown_package_fails_alone(replay: Replay) -> None:
    unknown, known = await fetch_all("conda", replay, wanted("conda-forge/no-such"), wanted(PACKAGE))
    assert isinstance(unknown.error, UnknownSubject)
    assert "write channel/name" in str(unknown.error)
    assert known.observations


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (files(1, None), "files.1.ndownloads"),
        (files("1"), "files.0.ndownloads"),
        (files(-1), "files.0.ndownloads"),
        ({"name": "lancedb"}, "files"),
        (PAGE.body | {"name": "other"}, "name is 'other'"),
    ],
)
async def test_another_shape_stores_nothing(body: dict[str, Any], fault: str, replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=body))
    result = await fetch("conda", replay, wanted(PACKAGE))
    assert isinstance(result.error, SourceShapeError)
    assert fault in str(result.error)


@pytest.mark.parametrize("subject", ["lancedb", "Conda-Forge/lancedb", "conda-forge/lancedb/x", "a/..", "/x"])
def test_a_subject_is_a_channel_and_a_package(subject: str) -> None:
    (fault,) = available_sources()["conda"].validate(subject, {})
    assert "write channel/package in lower case" in fault
    assert available_sources()["conda"].validate("conda-forge/_libgcc_mutex", {}) == []


def test_conda_has_no_options() -> None:
    assert available_sources()["conda"].validate(PACKAGE, {"label": "x"}) == [
        "option 'label' is unknown; conda has none"
    ]
