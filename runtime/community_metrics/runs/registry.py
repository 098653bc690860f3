"""The jobs, each with its own options. CLI, Lambda and docs derive their lists from `JOBS`.

Each job imports its work only when it runs: `--help` and a wrong option cost no import of a client.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path  # noqa: TC003  the parser of Lambda events resolves the annotation
from typing import TYPE_CHECKING, ClassVar, Final

from community_metrics.errors import ConfigurationError
from community_metrics.model import BACKFILL_JOB, Provenance
from community_metrics.runs.job import JobResult
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.model import LastRead
    from community_metrics.runs.job import Job, RunContext, Work

MOST_WEEKS: Final = 520
"""Ten years; no registry returns more by the day."""
HOURS_OF_A_DAY: Final = 24
MOST_MINUTES: Final = HOURS_OF_A_DAY * 60
"""The longest time budget: a day, after which the next daily refresh begins."""


@dataclass(frozen=True)
class Refresh:
    """What the jobs that fetch from the registries share.

    Each source reads its least recently read metrics first. After `time_budget_minutes` no further request is
    sent: what was read is stored, and the next run of the job reads the metrics that are left, and no others.
    """

    provenance: ClassVar[Provenance]
    asks_witnesses: ClassVar[bool] = False
    """Whether a run over all metrics asks the second witness of each, once a week."""

    lookback_weeks: int
    only: tuple[str, ...] = ()
    retire: bool = False
    time_budget_minutes: int | None = None

    def __post_init__(self) -> None:
        minutes = self.time_budget_minutes
        if minutes is not None and not 1 <= minutes <= MOST_MINUTES:
            raise ConfigurationError(
                f"time_budget_minutes is {minutes}; it is at least 1 and at most {MOST_MINUTES}."
            )
        if not 1 <= self.lookback_weeks <= MOST_WEEKS:
            raise ConfigurationError(
                f"lookback_weeks is {self.lookback_weeks}; it counts complete weeks, at least 1 and at most "
                f"{MOST_WEEKS}."
            )

    def prepare(self, catalog: Catalog, now: datetime) -> Work:
        """Return the work: fetch every chosen metric over its window."""
        from community_metrics.runs.refresh import prepared  # noqa: PLC0415  imports the HTTP client

        return prepared(self, catalog, now)

    def wanted(
        self,
        chosen: Sequence[Metric],
        _turns: Mapping[str, LastRead],
        read_before: AbstractSet[str],
        _now: datetime,
    ) -> list[Metric]:
        """Return which of the chosen metrics the run reads: those that were not `read_before`."""
        return [metric for metric in chosen if metric.metric_id not in read_before]

    def spared(self, _turns: Mapping[str, LastRead], _now: datetime) -> AbstractSet[str]:
        """Return the metrics and places that failed so recently that this run does not ask for them."""
        return frozenset()

    def notes(self, chosen: Sequence[Metric], wanted: Sequence[Metric], _waiting: int) -> tuple[str, ...]:
        """Return what the run says about the metrics that it does not read.

        `waiting` of them failed recently.
        """
        done = len(chosen) - len(wanted)
        if not done:
            return ()
        note = (
            f"{counted(done, 'metric')} not read again: read by the run that this one continues, or today "
            "from a registry that asks to be read once a day, which `--only` reads all the same."
        )
        return (note,)

    @property
    def is_by_hand(self) -> bool:
        """Whether a person asked for these metrics, so that they are read although they were read today."""
        return bool(self.only)


@dataclass(frozen=True)
class WeeklyRefresh(Refresh):
    """Fetch the last complete ISO weeks and the days since, since registries publish late and restate.

    Reaches further back, for each metric, to the first gap that its source can still fill.
    """

    name: ClassVar[str] = "weekly_refresh"
    provenance: ClassVar[Provenance] = Provenance.API
    asks_witnesses: ClassVar[bool] = True

    lookback_weeks: int = 5


@dataclass(frozen=True)
class DailyRefresh(Refresh):
    """Fetch what would be lost by next week: what has no past, what a source soon forgets, what is daily.

    A metric that was read since midnight UTC is left out, so that a later run of the day does only the rest.
    One that failed is asked again after `ask_again_after_hours`, since a schedule may start the job hourly.
    With nothing to read the run is skipped.
    """

    name: ClassVar[str] = "daily_refresh"
    provenance: ClassVar[Provenance] = Provenance.API

    lookback_weeks: int = 1
    ask_again_after_hours: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.ask_again_after_hours <= HOURS_OF_A_DAY:
            raise ConfigurationError(
                f"ask_again_after_hours is {self.ask_again_after_hours}; it is at least 0 and at most "
                f"{HOURS_OF_A_DAY}."
            )

    async def reason_to_skip(self, context: RunContext) -> str | None:
        """Return why no registry has to be asked now; None if one has."""
        from community_metrics.runs.to_read import reason_to_skip  # noqa: PLC0415  imports the sources

        return await reason_to_skip(self, context)

    def wanted(
        self,
        chosen: Sequence[Metric],
        turns: Mapping[str, LastRead],
        _read_before: AbstractSet[str],
        now: datetime,
    ) -> list[Metric]:
        """Return which of the chosen metrics are read daily and were not read today."""
        from community_metrics.runs.daily import still_to_read  # noqa: PLC0415  imports the sources

        return still_to_read(chosen, turns, now)

    def spared(self, turns: Mapping[str, LastRead], now: datetime) -> AbstractSet[str]:
        """Return what failed within the last `ask_again_after_hours`."""
        from community_metrics.runs.turns import failed_since  # noqa: PLC0415  only a refresh needs it

        if not self.ask_again_after_hours:
            return frozenset()
        return failed_since(now - timedelta(hours=self.ask_again_after_hours), turns.values())

    def notes(self, chosen: Sequence[Metric], wanted: Sequence[Metric], waiting: int) -> tuple[str, ...]:
        """Return why the run reads nothing, if so."""
        from community_metrics.runs.daily import why_nothing  # noqa: PLC0415  as above

        return () if wanted else (why_nothing(chosen, waiting),)


@dataclass(frozen=True)
class UpdateAll(Refresh):
    """Fetch more weeks; the values are `recomputed`, which replaces seed rows and earlier refreshes alike."""

    name: ClassVar[str] = "update_all"
    provenance: ClassVar[Provenance] = Provenance.RECOMPUTED

    lookback_weeks: int = 12

    @property
    def is_by_hand(self) -> bool:
        """True: no schedule has this job."""
        return True


@dataclass(frozen=True)
class Backfill:
    """Fill in the days from before the first run that a metric's own source no longer returns.

    They come from the registry's archive, or from another witness that counts alike on the days that both
    have. A value that a refresh gave is never replaced. A run that was stopped is continued by the next one,
    which requests only days that are not stored.
    """

    name: ClassVar[str] = BACKFILL_JOB
    provenance: ClassVar[Provenance] = Provenance.BACKFILL

    only: tuple[str, ...] = ()
    since: date | None = None
    retire: bool = False

    def prepare(self, catalog: Catalog, now: datetime) -> Work:
        """Return the work: find the days that are not stored, and read them.

        Raises:
            ConfigurationError: none of the chosen metrics can be filled back, or no day from `since` on.
        """
        from community_metrics.runs.backfill import prepared  # noqa: PLC0415  imports the HTTP client

        return prepared(self, catalog, now)


@dataclass(frozen=True)
class SeedFromCsv:
    """Load published history from files.

    The shipped files belong to the shipped catalogue; with another one there is nothing to load, which is a
    success. Values are stored as `csv_seed` and never replace those of a registry.
    """

    name: ClassVar[str] = "seed_from_csv"
    provenance: ClassVar[Provenance] = Provenance.CSV_SEED

    path: Path | None = None
    include_suspect: bool = False
    only: tuple[str, ...] = ()
    retire: bool = False

    def prepare(self, catalog: Catalog, now: datetime) -> Work:
        """Return the work: store the rows of the files, which are read here.

        Raises:
            SeedFileError: a file has faults; nothing of it is loaded.
        """
        from community_metrics.runs.seed import prepared  # noqa: PLC0415  as above

        return prepared(self.path, self.only, catalog, now, include_suspect=self.include_suspect)


@dataclass(frozen=True)
class ImportFile:
    """Load history from a file of another tool, or from an export.

    Values are stored as `csv_seed`; rows of `metrics` and `history` as they are, where they are missing.
    """

    name: ClassVar[str] = "import_file"
    provenance: ClassVar[Provenance] = Provenance.CSV_SEED

    path: Path
    file_format: str = "auto"
    metric: str | None = None
    subject: str | None = None
    retire: bool = False

    @property
    def only(self) -> tuple[str, ...]:
        """The metric, if the file holds values of one only."""
        return (self.metric,) if self.metric else ()

    def prepare(self, catalog: Catalog, now: datetime) -> Work:
        """Return the work: store the values of the file, which is read here.

        Raises:
            ConfigurationError: the file has faults or counts something else, or the metric is unknown.
        """
        from community_metrics.runs.seed import imported  # noqa: PLC0415  as above
        from community_metrics.seed.imports import Choice  # noqa: PLC0415  as above

        return imported(self.path, Choice(self.file_format, self.metric, self.subject), catalog, now)


@dataclass(frozen=True)
class Replay:
    """Rebuild the values of one UTC day from the kept answers of sources that cannot be asked again.

    No request is sent. Rows are rebuilt as the runs of then stored them, under their ids.
    """

    name: ClassVar[str] = "replay"
    provenance: ClassVar[Provenance] = Provenance.API

    day: date
    only: tuple[str, ...] = ()
    retire: bool = False

    def prepare(self, catalog: Catalog, now: datetime) -> Work:
        """Return the work: read the kept answers once more, and write the rows that are missing or wrong.

        Raises:
            ConfigurationError: no answers of that day can be kept, or a metric is unknown.
        """
        from community_metrics.runs.replay import prepared  # noqa: PLC0415  imports the HTTP client

        return prepared(self.day, self.only, catalog, now)


@dataclass(frozen=True)
class BootstrapTables:
    """Create the missing tables. Every job does so; this one does nothing else.

    With `reset` it first makes a backup of the existing ones and then drops them, history included.
    `without_backup` makes none, for a database that cannot be read.
    """

    name: ClassVar[str] = "bootstrap_tables"
    provenance: ClassVar[Provenance] = Provenance.API
    only: ClassVar[tuple[str, ...]] = ()

    reset: bool = False
    retire: bool = False
    without_backup: bool = False

    def prepare(self, _catalog: Catalog, _now: datetime) -> Work:
        """Return the work: drop the tables where `reset` is set; every run creates the missing ones."""
        return self._work

    async def _work(self, context: RunContext) -> JobResult:
        if not self.reset:
            return JobResult()
        place = context.settings.storage_location
        rows = f"every row of the metrics, their values and the history in {place}"
        if context.holder is None:  # without a lease nothing may be deleted
            return JobResult(notes=(f"--reset would delete {rows}.",))
        notes = () if self.without_backup else (await _saved(context),)
        await context.store.drop_tables(renew=context.holder.renew)
        await context.store.create_tables()
        return JobResult(notes=(*notes, f"Deleted {rows}."))


async def _saved(context: RunContext) -> str:
    from community_metrics.runs.restore import saved  # noqa: PLC0415  only --reset needs it

    return await saved(context.settings, context.clock)


JOBS: Final[dict[str, type[Job]]] = {
    job.name: job
    for job in (
        SeedFromCsv,
        DailyRefresh,
        WeeklyRefresh,
        UpdateAll,
        BootstrapTables,
        ImportFile,
        Replay,
        Backfill,
    )
}
"""Every job by its name."""
