"""A run while it works: bars by source on a terminal, one log line for each fetched metric elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from community_metrics.errors import SourceError


class LogProgress:
    """Implements `runs.job.Progress`: one structured line for each step."""

    def __init__(self) -> None:
        self._log = structlog.get_logger(__name__)

    def source_started(self, name: str, total: int) -> None:
        """Log that a source begins."""
        self._log.info("source started", source=name, metrics=total)

    def metric_done(self, name: str, metric_id: str, error: SourceError | None) -> None:
        """Log how a metric ended; the run itself logs one warning for each cause of failures."""
        if error is None:
            self._log.info("metric fetched", source=name, metric_id=metric_id)
        else:
            self._log.debug("metric failed", source=name, metric_id=metric_id, reason=str(error))

    def steps_started(self, name: str, total: int) -> None:
        """Log that a place begins, and about how many requests it takes."""
        self._log.info("backfill started", source=name, requests=total)

    def step_done(self, name: str, what: str, left_s: float) -> None:
        """Log an answered request, and the minutes that the others take."""
        self._log.info("read", source=name, what=what, minutes_left=round(left_s / 60, 1))


class BarProgress:
    """Implements `runs.job.Progress`: one bar for each source, with the number of failures beside it."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._tasks: dict[str, TaskID] = {}
        self._failed: dict[str, int] = {}

    def source_started(self, name: str, total: int) -> None:
        """Add the source's bar."""
        self._tasks[name] = self._display.add_task(name, total=total, last="")

    def steps_started(self, name: str, total: int) -> None:
        """Add the bar of a place, which counts its requests."""
        self.source_started(name, total)

    def step_done(self, name: str, what: str, left_s: float) -> None:
        """Move the bar of a place on, and show the time left."""
        text = f"{what}   about {timedelta(seconds=round(left_s))} left" if left_s else what
        self._display.update(self._tasks[name], advance=1, last=text)

    def metric_done(self, name: str, metric_id: str, error: SourceError | None) -> None:
        """Move the source's bar on."""
        if error is not None:
            self._failed[name] = self._failed.get(name, 0) + 1
        failed = f"{self._failed[name]} failed" if name in self._failed else metric_id
        self._display.update(self._tasks[name], advance=1, last=failed)


@contextmanager
def bars(console: Console) -> Iterator[BarProgress]:
    """Show bars on `console` while the body runs, and leave them there as they ended."""
    columns = (
        # a text column reads markup by itself, whatever its console does
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}", style="dim", markup=False),
    )
    with Progress(*columns, console=console) as display:
        yield BarProgress(display)
