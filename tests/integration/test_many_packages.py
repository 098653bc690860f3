"""500 packages, and whatever interrupts a run: none starts over, and each package has data in the end."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest

from community_metrics.aws.lambda_jobs import job_of
from community_metrics.errors import LeaseLost, StorageUnavailable
from community_metrics.model import RunStatus
from community_metrics.runs.batches import MOST_METRICS
from community_metrics.runs.lock import LEASE_TTL
from community_metrics.runs.registry import DailyRefresh, WeeklyRefresh
from community_metrics.storage import LanceDBReader, LanceDBStore
from tests.support.clock import NOON
from tests.support.jobs import Rig, finished
from tests.support.registry import Registry
from tests.support.replay import Replay
from tests.support.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from community_metrics.errors import CommunityMetricsError
    from community_metrics.model import UpsertCounts
    from community_metrics.runs.job import Job
    from tests.support.scripted import Request

PACKAGES = 500
FAULTY_BATCH = 7
METRIC = """
[[metric]]
id = "downloads:many:{name}"
source = "pypistats"
subject = "{name}"
window = "1d"
display_name = "{name}"
cadence = "daily"
"""
SENTINEL = "__all__"


@dataclass
class Limited(Registry):
    """Answers for `left` packages, and then as `then` says.

    `answered` names the packages whose downloads were read, `released` those whose releases were.
    """

    left: int | None = None
    then: Scripted = field(default_factory=lambda: Scripted(429, {"retry-after": "86400"}, body={}))
    answered: list[str] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Scripted:
        if request.path.startswith("/v3/systems/pypi/packages/"):
            self.released.append(request.path.rpartition("/")[2])
            return super().answer(request)
        package = request.path.split("/")[3]
        if package == SENTINEL:
            return super().answer(request)
        if self.left is not None and self.left <= 0:
            return self.then
        self.left = None if self.left is None else self.left - 1
        self.answered.append(package)
        return super().answer(request)


@pytest.fixture
def registry() -> Limited:
    return Limited(NOON.date(), first_day=NOON.date() - timedelta(days=5))


@pytest.fixture
def rig(registry: Limited, tmp_path: Path) -> Iterator[Rig]:
    catalog = tmp_path / "catalog.toml"
    names = [f"package-{number:03}" for number in range(PACKAGES)]
    entries = "".join(METRIC.format(name=name) for name in names)
    catalog.write_text(f'[[product]]\nid = "many"\nname = "Many"\n{entries}', encoding="utf-8")
    with Replay(registry) as replay:
        yield Rig(replay, tmp_path / "metrics.lancedb", settings_overrides={"catalog": str(catalog)})


async def stored(rig: Rig) -> set[str]:
    """Return the packages with a stored value."""
    return {row.metric_id.rsplit(":", 1)[1] for row in await rig.stats()}


async def require_whole_and_at_rest(rig: Rig, registry: Limited, *, lost: int = 0) -> None:
    """Each package has data, none was answered twice before all were, and a rerun writes nothing.

    `lost` is how many answers a kill may cost.
    """
    first_round = registry.answered[: PACKAGES + lost]
    assert len(set(first_round)) == PACKAGES
    assert sum(Counter(first_round).values()) - PACKAGES <= lost
    assert len(await stored(rig)) == PACKAGES
    registry.left = None
    versions = await rig.versions()
    again = await rig.run(WeeklyRefresh())
    assert (again.run.rows_inserted, again.run.rows_updated, again.run.metrics_left) == (0, 0, 0)
    assert await rig.versions() == versions
    assert await rig.duplicate_keys() == {}


async def run_until_whole(rig: Rig, registry: Limited, job: Job, *, limit: int | None = None) -> list[int]:
    """Run until nothing is left; return of how many packages each run read the downloads."""
    counts: list[int] = []
    left = 2 * PACKAGES  # with the releases of each
    while left or len(await stored(rig)) < PACKAGES:
        before, released, registry.left = len(registry.answered), len(registry.released), limit
        report = await rig.run(job)
        counts.append(len(registry.answered) - before)
        failed = sum(outcome.message is not None for outcome in report.outcomes)
        was_left = 2 * PACKAGES - before - released
        left = was_left - counts[-1] - failed - (len(registry.released) - released)
        assert left < was_left
        assert report.run.metrics_left == left
        rig.now += timedelta(hours=1)
    return counts


@pytest.mark.parametrize(
    ("job", "runs"),
    [
        (WeeklyRefresh(time_budget_minutes=10), 3),
        (cast("Job", job_of({"job": "weekly_refresh"})), 3),
    ],
    ids=["a time budget of 10 minutes", "Lambda"],
)
async def test_a_time_budget_only_spreads_the_packages_over_runs(
    rig: Rig, registry: Limited, job: Job, runs: int
) -> None:
    counts = await run_until_whole(rig, registry, job)

    assert len(counts) == runs
    history = await rig.runs()
    assert {run.status for run in history} == {RunStatus.SUCCESS}
    assert history[-1].metrics_left == 2 * PACKAGES - counts[0], "with the releases of each"
    assert history[0].metrics_left == 0, "the last of them made the week whole"
    await require_whole_and_at_rest(rig, registry)


async def test_a_registry_that_limits_after_300_requests_gets_past_them(rig: Rig, registry: Limited) -> None:
    counts = await run_until_whole(rig, registry, WeeklyRefresh(), limit=300)

    assert counts[0] == 300
    assert len(counts) == 2
    await require_whole_and_at_rest(rig, registry)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_run_that_a_signal_ends_keeps_what_it_read(
    rig: Rig, registry: Limited, number: signal.Signals
) -> None:
    registry.left, registry.then = 302, Scripted(hang=True)
    process = rig.start(WeeklyRefresh())
    wait_for_requests(rig, 302 + 2)  # with the sentinel, and the one that hangs
    if number is signal.SIGKILL:
        await wait_for_batches(rig, 302 - MOST_METRICS)
    process.send_signal(number)
    finished(process)

    kept = await stored(rig)
    history = (await rig.runs())[0]
    if number is signal.SIGTERM:
        assert kept == set(registry.answered)
        left = PACKAGES - 302 + 1 + PACKAGES  # the total of the registry and the releases come last
        assert (history.status, history.metrics_left) == (RunStatus.FAILED, left)
    else:
        assert 302 - MOST_METRICS <= len(kept) <= 302
        assert (history.status, history.metrics_left) == (RunStatus.RUNNING, None)
    assert history.rows_inserted == len(await rig.stats())

    registry.left = None
    rig.now += timedelta(hours=1)
    await rig.run(WeeklyRefresh())
    assert set(registry.answered[302 : 302 + PACKAGES - len(kept)]).isdisjoint(kept)
    await require_whole_and_at_rest(rig, registry, lost=302 - len(kept))


class Interrupted(LanceDBStore):
    """A store that a fault meets once, in its seventh batch, before or after its values are written."""

    fault: ClassVar[Callable[[Rig], Awaitable[None]]]
    rig: ClassVar[Rig]
    after_values: ClassVar[bool]
    batches: ClassVar[int] = 0

    async def upsert_observations(self, *args: Any, **options: Any) -> UpsertCounts:
        type(self).batches += 1
        is_met = self.batches == FAULTY_BATCH
        if is_met and not self.after_values:
            await type(self).fault(self.rig)
        counts = await super().upsert_observations(*args, **options)
        if is_met and self.after_values:
            await type(self).fault(self.rig)
        return counts


async def storage_fails(_rig: Rig) -> None:
    raise StorageUnavailable("the storage is away")


async def another_run_takes_the_lease(rig: Rig) -> None:
    later = rig.now + timedelta(minutes=40)
    async with LanceDBStore.open(rig.settings) as other:
        await other.acquire_lease("other", "another-host", 1, later, LEASE_TTL)


@pytest.mark.parametrize(
    ("fault", "error", "after_values"),
    [(storage_fails, StorageUnavailable, False), (another_run_takes_the_lease, LeaseLost, True)],
    ids=["storage fails before its values", "the lease is lost after its values"],
)
async def test_a_run_that_a_fault_between_its_batches_ends_keeps_what_it_stored(
    rig: Rig,
    registry: Limited,
    fault: Callable[[Rig], Awaitable[None]],
    error: type[CommunityMetricsError],
    after_values: bool,
) -> None:
    class Faulty(Interrupted):
        pass

    Faulty.fault, Faulty.rig, Faulty.after_values = staticmethod(fault), rig, after_values
    with pytest.raises(error, match=r"storage is away|another-host holds it now"):
        await rig.run(WeeklyRefresh(), store_type=Faulty)

    kept, (run,) = await stored(rig), await rig.runs()
    assert len(kept) >= (FAULTY_BATCH - 1) * MOST_METRICS
    if error is StorageUnavailable:  # it is back when the run is closed
        assert len(set(registry.answered) - kept) <= 1, "the one that was being read"
    assert run.status is RunStatus.FAILED
    lost = len(registry.answered) - (FAULTY_BATCH - 1) * MOST_METRICS

    rig.now += timedelta(hours=1)
    await rig.run(WeeklyRefresh())
    await require_whole_and_at_rest(rig, registry, lost=lost)


async def test_the_daily_job_asks_for_each_package_once_a_day(rig: Rig, registry: Limited) -> None:
    registry.left = 300
    first = await rig.run(DailyRefresh())
    registry.left = None
    rig.now += timedelta(hours=6)
    second = await rig.run(DailyRefresh())
    rig.now += timedelta(hours=6) - timedelta(seconds=1)  # still the same day
    third = await rig.run(DailyRefresh())

    assert (first.run.status, second.run.status) == (RunStatus.PARTIAL, RunStatus.SUCCESS)
    assert Counter(registry.answered) == dict.fromkeys(registry.answered, 1)
    assert len(registry.answered) == PACKAGES
    assert (third.run.status, third.run.metrics_left, third.outcomes) == (RunStatus.SUCCESS, 0, ())
    assert third.notes == ("Nothing is left to read today: 501 daily metrics were read already.",)
    ids = [run.ingestion_run_id for run in await rig.runs()]
    assert ids == [second.run.ingestion_run_id, first.run.ingestion_run_id], "the third left no row"

    rig.now += timedelta(hours=3)
    registry.today = rig.now.date()
    await rig.run(replace(DailyRefresh(), time_budget_minutes=5))
    assert registry.answered[PACKAGES : PACKAGES + 3] == ["package-000", "package-001", "package-002"]


async def wait_for_batches(rig: Rig, count: int) -> None:
    """Wait until another process has stored this many metrics."""
    deadline = time.monotonic() + 120
    async with LanceDBReader.open(rig.settings) as reader:
        while len(await reader.last_reads()) < count:
            assert time.monotonic() < deadline, "no batch was stored"
            await asyncio.sleep(0.05)


def wait_for_requests(rig: Rig, count: int) -> None:
    deadline = time.monotonic() + 120
    while len(rig.replay.requests) < count:
        assert time.monotonic() < deadline, f"only {len(rig.replay.requests)} requests"
        time.sleep(0.02)
