"""Installs of Homebrew over 30, 90 and 365 days: three series of one answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from community_metrics.errors import SourceShapeError, UnknownSubject
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.sources import available_sources
from community_metrics.sources.base import kind_of
from tests.support.fetching import SUNDAY, fetch, fetch_all, values, wanted
from tests.support.registries.platforms import HOMEBREW, total
from tests.support.scripted import sample

if TYPE_CHECKING:
    from tests.support.registry import Registry
    from tests.support.replay import Replay

TODAY = date(2026, 11, 23)
FORMULA = "duckdb"
PATH = "/api/formula/duckdb.json"
PAGE = sample("homebrew_formula_200")
SERIES = [
    ("homebrew", SourceWindow.THIRTY_DAYS, 30_123),
    ("homebrew-90d", SourceWindow.NINETY_DAYS, 90_456),
    ("homebrew-365d", SourceWindow.YEAR, 301_234),
]


def installs(**keys: Any) -> dict[str, Any]:
    """Return the documented body with other keys in its 30 days."""
    return {**PAGE.body, "analytics": {"install": {"30d": keys}}}


@pytest.mark.parametrize(("source", "window", "value"), SERIES)
async def test_each_window_is_a_series_that_ends_before_the_day_of_the_answer(
    source: str, window: SourceWindow, value: int, replay: Replay
) -> None:
    replay.always(PATH, PAGE)
    (reading,) = (await fetch(source, replay, wanted(FORMULA))).observations
    assert (reading.value, reading.source_window, reading.period_end) == (value, window, SUNDAY)
    assert reading.period_start == SUNDAY - timedelta(days=(window.days or 0) - 1)
    assert reading.source_ref == f"https://formulae.brew.sh{PATH}"


@pytest.mark.parametrize(("source", "window", "value"), SERIES)
def test_each_series_is_rolling_and_names_its_window_in_the_family(
    source: str, window: SourceWindow, value: int
) -> None:
    known = available_sources()[source]
    assert (kind_of(known), known.family) == (ValueKind.ROLLING, f"installs_{window.value}")


async def test_variants_of_a_formula_are_left_out(replay: Replay, registry: Registry) -> None:
    found = values(await fetch("homebrew", replay, wanted(FORMULA)))
    assert found == {SUNDAY: total(registry, HOMEBREW, FORMULA, 30)}
    replay.always(PATH, replace(PAGE, body=installs(**{"duckdb --HEAD": 9, "duckdb": 5})))
    assert values(await fetch("homebrew", replay, wanted(FORMULA))) == {SUNDAY: 5}


async def test_a_cask_is_found_under_its_token(replay: Replay, registry: Registry) -> None:
    found = values(await fetch("homebrew", replay, wanted("cask/firefox")))
    assert found == {SUNDAY: total(registry, HOMEBREW, "cask/firefox", 30)}
    assert replay.paths == ["/api/cask/firefox.json"]


async def test_a_name_with_a_version_is_asked_as_it_is(replay: Replay) -> None:
    assert values(await fetch("homebrew", replay, wanted("python@3.12")))
    assert replay.paths == ["/api/formula/python@3.12.json"]


async def test_an_old_copy_of_the_answer_ends_before_the_day_it_was_generated(replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=PAGE.body | {"generated_date": "2026-11-20"}))
    assert list(values(await fetch("homebrew", replay, wanted(FORMULA)))) == [date(2026, 11, 19)]


async def test_an_answer_generated_in_the_future_ends_yesterday(replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=PAGE.body | {"generated_date": "2026-11-25"}))
    assert list(values(await fetch("homebrew", replay, wanted(FORMULA)))) == [SUNDAY]


@pytest.mark.parametrize("keys", [{}, {"duckdb --HEAD": 9}])
async def test_a_missing_key_is_unknown_and_not_zero(keys: dict[str, int], replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=installs(**keys)))
    result = await fetch("homebrew", replay, wanted(FORMULA))
    assert values(result) == {}
    assert result.notes == ("2026-11-22 left open: the answer has no installs of duckdb in 30d",)


async def test_a_missing_window_is_unknown_and_not_zero(replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=installs(duckdb=5)))
    result = await fetch("homebrew-365d", replay, wanted(FORMULA))
    assert values(result) == {}
    assert "no installs of duckdb in 365d" in result.notes[0]


async def test_a_stated_zero_is_left_open_with_a_note(replay: Replay, registry: Registry) -> None:
    registry.overrides[HOMEBREW, FORMULA, TODAY] = 0
    result = await fetch("homebrew", replay, wanted(FORMULA))
    assert values(result) == {}
    assert "a 0 for 30 days may also mean that the registry did not count" in result.notes[0]


@pytest.mark.parametrize(("text", "value"), [("30,123", 30_123), ("1,234,567", 1_234_567), ("12", 12)])
async def test_a_count_in_text_with_commas_is_read(text: str, value: int, replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=installs(duckdb=text)))
    assert values(await fetch("homebrew", replay, wanted(FORMULA))) == {SUNDAY: value}


@pytest.mark.parametrize("text", ["30.123", "1,23", "1,2345", "", "12a", "-5", "١٢", ",123"])
async def test_any_other_text_is_no_count(text: str, replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=installs(duckdb=text)))
    result = await fetch("homebrew", replay, wanted(FORMULA))
    assert isinstance(result.error, SourceShapeError)
    assert "analytics.install.30d.duckdb" in str(result.error)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"analytics": {}}, "analytics.install"),
        ({"analytics": {"install": {"30d": {"duckdb": -1}}}}, "analytics.install.30d.duckdb"),
        ({"generated_date": "yesterday"}, "generated_date"),
        ({"name": "other"}, "the name is 'other'"),
    ],
)
async def test_another_shape_stores_nothing(change: dict[str, Any], fault: str, replay: Replay) -> None:
    replay.always(PATH, replace(PAGE, body=PAGE.body | change))
    result = await fetch("homebrew", replay, wanted(FORMULA))
    assert isinstance(result.error, SourceShapeError)
    assert fault in str(result.error)


async def test_an_unknown_formula_fails_alone(replay: Replay) -> None:
    unknown, known = await fetch_all("homebrew", replay, wanted("no-such"), wanted(FORMULA))
    assert isinstance(unknown.error, UnknownSubject)
    assert "a cask is written cask/name" in str(unknown.error)
    assert known.observations


@pytest.mark.parametrize("subject", ["duckdb", "cask/firefox", "python@3.12", "gtk+3", "cask/font-0xproto"])
def test_a_formula_and_a_cask_are_subjects(subject: str) -> None:
    assert available_sources()["homebrew"].validate(subject, {}) == []


@pytest.mark.parametrize(
    "subject", ["DuckDB", "homebrew/core/duckdb", "cask/", "formula/duckdb", "a b", "../x"]
)
def test_anything_else_is_a_fault_that_says_what_to_write(subject: str) -> None:
    unknown, fault = available_sources()["homebrew-90d"].validate(subject, {"x": 1})
    assert unknown == "option 'x' is unknown; homebrew-90d has none"
    assert "is not a formula such as duckdb, or a cask such as cask/firefox" in fault
