"""What fills in the days that a metric's own source no longer returns, and which days those are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date  # noqa: TC003  the annotations of the dataclass
from typing import TYPE_CHECKING, Any, Protocol

from community_metrics.periods import ONE_DAY, days_between, last_completed_day
from community_metrics.sources.base import FetchRequest, FetchResult
from community_metrics.text import counted, ranges_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from community_metrics.model import SourceWindow
    from community_metrics.sources.base import Source
    from community_metrics.sources.client.client import RegistryClient
    from community_metrics.sources.client.hosts import RegistryHost


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """Which days of one metric to fill: those from `since` to `until` that are not stored.

    `stored` are its values by day, whichever way they were read, and `scheduled` those of them that its own
    source gave; both may reach beyond `until`. Values from files are in neither.
    """

    metric_id: str
    subject: str
    source: str
    options: Mapping[str, Any]
    since: date
    until: date
    stored: Mapping[date, int] = field(default_factory=dict)
    scheduled: Mapping[date, int] = field(default_factory=dict)

    @property
    def missing(self) -> list[date]:
        """The days to fill, oldest first."""
        return [day for day in days_between(self.since, self.until) if day not in self.stored]

    def over(self, first: date, last: date, known_since: date | None = None) -> FetchRequest:
        """Return a request over some days, by which the rules of daily series judge them.

        From `known_since` on, by default the first stored day, a day without downloads may be a 0.
        """
        return FetchRequest(
            self.metric_id,
            self.subject,
            self.options,
            first,
            last,
            first_stored_day=known_since or min(self.stored, default=None),
            source=self.source,
        )


class Backfill(Protocol):
    """Fills in the metrics of some sources from one place."""

    name: str
    """What progress and errors call it."""
    host: RegistryHost
    window: SourceWindow
    first_day: date
    """The first day that it may have."""
    newest_days_left: int
    """How many of the newest completed days it does not fill, if the source retains fewer."""

    def serves(self, subject: str) -> bool:
        """Return whether it can fill a metric with this subject."""
        ...

    def steps(self, requests: Sequence[BackfillRequest]) -> int:
        """Return about how many requests it sends."""
        ...

    def fill(
        self, requests: Sequence[BackfillRequest], client: RegistryClient, on_step: Callable[[str], None]
    ) -> AsyncIterator[FetchResult]:
        """Yield what is found of each metric in one result or several, as soon as it can be judged.

        Calls `on_step` after each request with what it was for. Raises no `SourceError`.
        """
        ...


def window_to_fill(
    backfill: Backfill, source: Source, now: datetime, since: date | None = None
) -> tuple[date, date]:
    """Return the first and the last day that may be filled: the source itself returns those after them."""
    last = last_completed_day(now) - max(source.retention_days or 0, backfill.newest_days_left) * ONE_DAY
    return max(backfill.first_day, since or backfill.first_day), last


def only(result: FetchResult, days: Collection[date]) -> FetchResult:
    """Return the result with the observations of these days, and without its notes."""
    wanted = frozenset(days)
    kept = tuple(row for row in result.observations if row.period_end in wanted)
    return FetchResult(result.metric_id, kept, result.error)


def left_open(metric_id: str, days: Collection[date], reason: str) -> FetchResult:
    """Return the last result of a metric, whose note names the days that stay missing."""
    if not days:
        return FetchResult(metric_id)
    note = f"{counted(len(days), 'day')} left open, {ranges_text(sorted(days))}: {reason}"
    return FetchResult(metric_id, notes=(note,))
