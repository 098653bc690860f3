"""One run of the demo: a job like the others, whose registries are invented and whose values say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from community_metrics.demo.events import stated
from community_metrics.model import LastRead, Provenance
from community_metrics.periods import last_completed_day, lookback_start
from community_metrics.runs.job import JobResult

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.demo.readings import Registries
    from community_metrics.runs.job import RunContext, Work


@dataclass(frozen=True)
class SampleRun:
    """Read the invented registries once, as the job of the same name reads real ones.

    `failing` are the sources that answer with an error; `is_offline` says that none answers at all.
    """

    name: ClassVar[str]
    provenance: ClassVar[Provenance] = Provenance.SAMPLE
    only: ClassVar[tuple[str, ...]] = ()
    retire: ClassVar[bool] = False

    registries: Registries
    weeks: int = 5
    failing: frozenset[str] = frozenset()
    is_offline: bool = False

    def prepare(self, catalog: Catalog, now: datetime) -> Work:
        """Return the work: store what each registry states about the last weeks."""
        since = lookback_start(now, self.weeks)

        async def work(context: RunContext) -> JobResult:
            for metric in (*catalog.active, *catalog.registries):
                if self.is_offline or metric.source in self.failing:
                    result = self.registries.failed(metric, is_offline=self.is_offline)
                else:
                    result = self.registries.read(metric, since, now)
                read_at = now if result.error is None else None
                context.record(result, LastRead(metric.metric_id, now, read_at, context.run_id))
            for reading in () if self.is_offline else stated(catalog.readings, self.registries.today):
                context.record(reading, LastRead(reading.metric_id, now, now, context.run_id))
            return JobResult(since, last_completed_day(now))

        return work


@dataclass(frozen=True)
class SampleUpdate(SampleRun):
    """The first runs: all that the registries have."""

    name: ClassVar[str] = "update_all"


@dataclass(frozen=True)
class SampleWeekly(SampleRun):
    """A run of a Monday."""

    name: ClassVar[str] = "weekly_refresh"


@dataclass(frozen=True)
class SampleDaily(SampleRun):
    """A run of any other day."""

    name: ClassVar[str] = "daily_refresh"
