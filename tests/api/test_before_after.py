"""What `/before-after` says of known numbers, over both kinds of storage."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from community_metrics.catalog import load_catalog
from community_metrics.cli.render.before_after import render_before_after
from community_metrics.cli.render.style import glyphs_of
from community_metrics.model import Observation, SourceWindow, ValueMark
from community_metrics.periods import midnight
from community_metrics.storage import LanceDBStore
from community_metrics.storage.reader import LanceDBReader
from community_metrics.views.before_after import load_before_after
from tests.support.api import MISSING_DAY, PYTHON, RUST, STARS, days_of, python_value, write
from tests.support.clock import NOON
from tests.support.events import release

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from tests.support.api import Api, Place

    Serve = Callable[..., AbstractAsyncContextManager[Api]]

TOTAL = "registry:pypi:all"
MONDAY = date(2026, 9, 21)
TWO_WEEKS = [timedelta(days=back) for back in range(1, 15)]


async def test_both_sides_are_the_means_of_the_stored_days(api: Api) -> None:
    body = (await api.get(f"before-after?metric_id={PYTHON}&day={MONDAY}")).json()
    before = sum(python_value(MONDAY - back) for back in TWO_WEEKS) / 14
    after = sum(python_value(MONDAY + ahead) for ahead in TWO_WEEKS) / 14
    assert (body["before"]["mean"], body["after"]["mean"]) == (before, after)
    assert (body["before"]["first"], body["after"]["last"]) == ("2026-09-07", "2026-10-05")
    assert body["on_the_day"] == python_value(MONDAY)
    assert body["meaning"] == "what happened together, not why"
    assert (await api.get(body["link"].removeprefix("/api/v1/"))).status_code == 200


async def test_a_missing_day_is_refused_with_the_parameter_that_allows_it(api: Api) -> None:
    path = f"before-after?metric_id={RUST}&day={MISSING_DAY - timedelta(days=7)}"
    refused = (await api.get(path)).json()
    assert refused["detail"] == (
        f"{RUST} lacks 1 day: 2026-11-04. Fix: choose other days, or add skip_missing=true to compare "
        "without them."
    )
    body = (await api.get(f"{path}&skip_missing=true")).json()
    assert body["missing_days"] == ["2026-11-04"]
    assert (body["before"]["days"], body["after"]["days"]) == (14, 13)


async def test_an_event_gives_its_day_and_is_named(folder: Place, serve: Serve) -> None:
    happened = release(at=midnight(MONDAY) + timedelta(hours=9))
    async with LanceDBStore.open(folder.writing) as store:
        await store.upsert_events([happened])
    async with serve(folder.reading) as api:
        of_event = (await api.get(f"before-after?metric_id={PYTHON}&event_id={happened.event_id}")).json()
        of_day = (await api.get(f"before-after?metric_id={PYTHON}&day={MONDAY}")).json()
    assert (of_event["event"]["title"], of_event["event"]["day"]) == ("lance 0.38.1 (crates.io)", str(MONDAY))
    assert of_event | {"event": None} == of_day
    async with LanceDBReader.open(folder.reading) as reader:
        catalog = load_catalog(None)
        view = await load_before_after(reader, catalog, NOON, metric_id=PYTHON, at=happened.event_id, days=14)
    console = Console(width=1_000, record=True, file=io.StringIO())
    console.print(render_before_after(view, glyphs_of(console)))
    text = console.export_text()
    assert "lance 0.38.1 (crates.io)" in text
    assert of_event["sentence"] in text


async def test_the_total_of_the_registry_is_taken_out(folder: Place, serve: Serve) -> None:
    definition = load_catalog(None).registries[0].definition(NOON)
    before, after = MONDAY - timedelta(days=14), MONDAY + timedelta(days=1)
    grown = [
        replace(one, value=1_000 if one.period_end < MONDAY else 1_200)
        for first in (before, after)
        for one in days_of(TOTAL, first, first + timedelta(days=13))
    ]
    async with LanceDBStore.open(folder.writing) as store:
        await store.upsert_metrics([replace(definition, metric_id=TOTAL)])
        await write(store, grown)
    async with serve(folder.reading) as api:
        body = (await api.get(f"before-after?metric_id={PYTHON}&day={MONDAY}")).json()
    net = body["net"]
    assert (net["metric_id"], net["fraction"]) == (TOTAL, pytest.approx(0.2))
    assert 1 + net["net_fraction"] == pytest.approx((1 + body["fraction"]) / 1.2)


async def test_a_level_has_its_growth_a_day(api: Api) -> None:
    body = (await api.get(f"before-after?metric_id={STARS}&day=2026-11-01")).json()
    assert (body["measure"], body["before"]["mean"], body["difference"]) == ("growth", 1, 0)


async def test_days_that_were_low_for_everybody_are_named(folder: Place, serve: Serve) -> None:
    ref = "https://registry.example/downloads"
    day = MONDAY - timedelta(days=2)
    low = Observation(
        PYTHON,
        day,
        day,
        10,
        SourceWindow.DAY,
        NOON + timedelta(hours=1),
        ref,
        mark=ValueMark.LOW_FOR_EVERYBODY,
    )
    async with LanceDBStore.open(folder.writing) as store:
        await write(store, [low])
    async with serve(folder.reading) as api:
        body = (await api.get(f"before-after?metric_id={PYTHON}&day={MONDAY}")).json()
    assert body["low_days"] == [str(day)]


async def test_a_day_that_the_total_of_the_registry_has_as_low_is_named_without_a_mark(
    folder: Place, serve: Serve
) -> None:
    definition = load_catalog(None).registries[0].definition(NOON)
    day = MONDAY - timedelta(days=2)
    total = [
        replace(one, value=600 if one.period_end == day else 1_000)
        for one in days_of(TOTAL, MONDAY - timedelta(days=42), MONDAY + timedelta(days=42))
    ]
    async with LanceDBStore.open(folder.writing) as store:
        await store.upsert_metrics([replace(definition, metric_id=TOTAL)])
        await write(store, total)
    async with serve(folder.reading) as api:
        body = (await api.get(f"before-after?metric_id={PYTHON}&day={MONDAY}")).json()
    assert body["low_days"] == [str(day)]
