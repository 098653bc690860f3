"""What an outage loses of a source that keeps 14 days: the view, the API, the gauges and `doctor` say it."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from community_metrics.api.mappers import status_body
from community_metrics.aws.telemetry import data_gauges
from community_metrics.catalog import load_catalog
from community_metrics.cli.checks import Verdict
from community_metrics.cli.doctor import examine
from community_metrics.model import RunStatus
from community_metrics.periods import days_between, today
from community_metrics.runs.registry import WeeklyRefresh
from community_metrics.storage import LanceDBReader
from community_metrics.views.status import load_status
from tests.support.clock import NOON, FakeClock
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from community_metrics.series.loss import Loss
    from community_metrics.views.status import Status
    from tests.support.jobs import Rig

DAY = timedelta(days=1)
VIEWS, IDLE = "views:p:busy", "views:p:idle"
TABLES = {"metrics": 1, "stats": 1, "history": 1, "run_outcomes": 1}
PLUG_IN = """
from community_metrics.model import Observation, SourceWindow
from community_metrics.sources import Count, Day, FetchResult, RegistryHost, ResponseModel, each

TRAFFIC = RegistryHost(key="traffic", public_origin="{origin}", pace_s=0, limit_wait_s=1, unknown_hint="none")


class DayCount(ResponseModel):
    day: Day
    count: Count


class Views(ResponseModel):
    views: tuple[DayCount, ...]


class Traffic:
    name, host, window = "traffic", TRAFFIC.key, SourceWindow.DAY
    family, sdk, retention_days, returns_full_history = "views", None, 14, True

    def validate(self, subject, options):
        return []

    async def fetch(self, requests, client):
        async def fetch_one(request):
            path = f"/traffic/{{request.subject}}"
            parsed = await client.get_json(TRAFFIC, path, Views, source=self.name, subject=request.subject)
            return FetchResult(request.metric_id, tuple(
                Observation(request.metric_id, row.day, row.day, row.count, self.window, parsed.at, path)
                for row in parsed.body.views
                if row.day <= request.until
            ))

        async for result in each(requests, fetch_one):
            yield result


SOURCE = Traffic()
"""
CATALOG = """
[[product]]
id = "p"
name = "P"
[[metric]]
id = "views:p:busy"
source = "traffic"
subject = "busy"
window = "1d"
display_name = "busy"
[[metric]]
id = "views:p:idle"
source = "traffic"
subject = "idle"
window = "1d"
display_name = "idle"
"""


class World:
    """Two repositories whose traffic is kept for 14 days; `idle` had visitors on one day only, the first."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.first = today(rig.now) - DAY

    async def read(self, now: datetime, *, status: RunStatus = RunStatus.SUCCESS) -> None:
        """Run a refresh at this instant."""
        self.rig.now = now
        kept = list(days_between(max(self.first, today(now) - 14 * DAY), today(now) - DAY))
        for subject, days in (("busy", kept), ("idle", [day for day in kept if day == self.first])):
            rows = [{"day": f"{day}", "count": day.day} for day in days]
            self.rig.replay.script(f"/traffic/{subject}", Scripted(body={"views": rows}))
        report = await self.rig.run(WeeklyRefresh())
        assert report.view.run.status is status

    async def status(self, now: datetime) -> Status:
        catalog = load_catalog(self.rig.settings.catalog)
        async with LanceDBReader.open(self.rig.settings) as reader:
            return await load_status(reader, catalog, now)

    async def loss(self, metric_id: str, now: datetime) -> Loss:
        (found,) = [loss for loss in (await self.status(now)).losses if loss.metric_id == metric_id]
        return found

    async def stored(self, metric_id: str) -> list[date]:
        rows = await self.rig.stats()
        assert all(row.value > 0 for row in rows)
        return [row.period_end for row in rows if row.metric_id == metric_id]


@pytest.fixture
def world(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "traffic_plug_in.py").write_text(PLUG_IN.format(origin=rig.replay.origin))
    metadata = tmp_path / "traffic_plug_in-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: traffic-plug-in\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[community_metrics.sources]\ntraffic = traffic_plug_in:SOURCE\n"
    )
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(CATALOG)
    rig.settings_overrides["catalog"] = catalog
    yield World(rig)
    sys.modules.pop("traffic_plug_in", None)


async def test_after_an_outage_of_15_days_14_are_stored_one_is_lost_and_none_is_0(world: World) -> None:
    await world.read(NOON)
    back = NOON + 15 * DAY
    await world.read(back)
    lost = today(NOON)
    found = await world.loss(VIEWS, back)
    assert await world.stored(VIEWS) == [
        lost - DAY,
        *days_between(lost + DAY, lost + 14 * DAY),
    ]
    assert (found.lost_days, found.unread_day) == ((lost,), today(back))


async def test_before_the_loss_every_reader_says_on_which_day_it_comes(world: World) -> None:
    await world.read(NOON)
    now = NOON + 13 * DAY
    unread, lost_on = today(NOON), today(NOON) + 14 * DAY
    view = await world.status(now)
    body = status_body(view, TABLES).model_dump(mode="json")
    assert body["losses"][0] == {
        "metric_id": VIEWS,
        "unread_day": f"{unread}",
        "lost_on": f"{lost_on}",
        "vanishes_at": f"{lost_on + DAY}T00:00:00Z",
        "lost_days": [],
    }
    assert (await data_gauges(world.rig.settings, FakeClock(now)))["HoursUntilLoss"] == 36
    (check,) = [one for one in await examine(world.rig.settings, FakeClock(now)) if one.area == "losses"]
    assert check.verdict is Verdict.FAIL
    assert check.detail == f"{VIEWS}, {IDLE}: {unread} is lost on {lost_on}"


@pytest.mark.parametrize(("age_days", "verdict"), [(0, Verdict.WARN), (3, Verdict.FAIL), (20, Verdict.WARN)])
async def test_a_metric_that_was_never_read_is_reported_as_losing_a_day_every_day(
    world: World, age_days: int, verdict: Verdict
) -> None:
    world.rig.replay.always("/traffic/*", Scripted(404, body={}))
    await world.rig.run(WeeklyRefresh())
    now = NOON + age_days * DAY
    (check,) = [one for one in await examine(world.rig.settings, FakeClock(now)) if one.area == "losses"]
    lost = f"{today(now) - 14 * DAY} is lost on {today(now)}"
    assert check.verdict is verdict
    assert check.detail == f"{VIEWS}, {IDLE}: {lost}; it was never read, and loses another day every day"


async def test_a_level_that_is_read_weekly_by_choice_loses_nothing(rig: Rig, tmp_path: Path) -> None:
    catalog = CATALOG.replace("traffic", "github").replace('"1d"', '"instant"').replace('"busy"', '"a/b"')
    rig.settings_overrides["catalog"] = tmp_path / "catalog.toml"
    losing = []
    for cadence in ("daily", "weekly"):
        text = catalog.replace('"idle"\nwindow', '"lancedb/lancedb"\nwindow')
        (tmp_path / "catalog.toml").write_text(f'{text}cadence = "{cadence}"\n')
        await rig.run(WeeklyRefresh())
        losing.append({loss.metric_id for loss in (await World(rig).status(NOON)).losses})
    assert losing == [{VIEWS, IDLE}, {VIEWS}]


async def test_while_every_day_is_read_nothing_is_urgent(world: World) -> None:
    for days in range(4):
        await world.read(NOON + days * DAY)
    now = NOON + 3 * DAY
    found = await world.loss(VIEWS, now)
    assert (found.unread_day, found.lost_days) == (today(now), ())
    assert (await world.status(now)).urgent_losses == ()


async def test_days_that_the_source_never_had_are_neither_unread_nor_lost_when_it_was_asked(
    world: World,
) -> None:
    for days in range(0, 25, 4):
        await world.read(NOON + days * DAY)
    now = NOON + 24 * DAY
    found = await world.loss(IDLE, now)
    assert await world.stored(IDLE) == [world.first]
    assert (found.unread_day, found.lost_days) == (today(now) - 3 * DAY, ())


async def test_a_metric_that_fails_for_good_is_what_is_lost(world: World) -> None:
    await world.read(NOON)
    world.rig.replay.always("/traffic/*", Scripted(404, body={}))
    world.rig.now = now = NOON + 16 * DAY
    await world.rig.run(WeeklyRefresh())
    found = await world.loss(VIEWS, now)
    assert found.unread_day == today(now) - 14 * DAY
    assert found.lost_days == (today(NOON), today(NOON) + DAY)
    assert len((await world.status(now)).urgent_losses) == 2
