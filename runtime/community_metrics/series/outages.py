"""Which days a registry did not count, counted low or late, or restated: the outage ledger. Pure.

Everything follows from the stored values of the registry's own total; the rules are in `insights.rules`, and
docs/insights.md prints them. Nothing is said of a day that no answer can have had.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from community_metrics.model import SETTLING_DAYS, OutageKind
from community_metrics.periods import ONE_DAY, Grain, days_between, midnight, today
from community_metrics.series.insights.links import series_link
from community_metrics.series.insights.rules import LATE_AFTER_HOURS
from community_metrics.sources.sentinel import Intake, usual_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime

    from community_metrics.model import LevelBreak, MetricDefinition, StatRow

_LATE_AFTER: Final = timedelta(hours=LATE_AFTER_HOURS)
UNCOUNTED: Final = frozenset({OutageKind.NOT_COUNTED, OutageKind.PARTIAL})
"""Kinds of days that nobody's numbers include: a gap, not a fall."""


@dataclass(frozen=True, slots=True)
class Outage:
    """What was wrong with one day of a registry.

    `value` is what it states now, None where it states nothing; `usual` the median of the same weekdays up to
    four weeks before and after that are counted alike, None where none is known. `first_value` is what it
    stated before it restated the day, None for other kinds. `seen_at` is when we first saw it, as far as the
    stored rows show; `read_at` is when the value was last read, None without one.
    """

    metric_id: str
    registry: str
    day: date
    kind: OutageKind
    value: int | None
    usual: int | None
    first_value: int | None
    seen_at: datetime
    read_at: datetime | None = None

    @property
    def outage_id(self) -> str:
        """What identifies it forever: `registry:npm:all|2024-08-28|not_counted`."""
        return f"{self.metric_id}|{self.day}|{self.kind}"

    @property
    def share(self) -> float | None:
        """The value as a share of the usual one; None where one of them is not known."""
        return None if self.value is None or not self.usual else self.value / self.usual

    @property
    def link(self) -> str:
        """The path of the API that has the value of the day."""
        return series_link(self.metric_id, Grain.DAY, self.day, self.day)

    @property
    def sentence(self) -> str:
        """What happened, in words; every number is one of its own."""
        of_usual = "" if self.share is None else f"{self.share:.1%} of a usual day ({self.value:,} downloads)"
        match self.kind:
            case OutageKind.NOT_COUNTED:
                return f"{self.registry} did not count {self.day}."
            case OutageKind.PARTIAL:
                return f"{self.registry} counted {self.day} only in part: {of_usual}."
            case OutageKind.LOW:
                return f"{self.registry} counted {self.day} low: {of_usual}."
            case OutageKind.LATE:
                return f"{self.registry} counted {self.day} only after later days."
            case OutageKind.RESTATED:
                return (
                    f"{self.registry} restated {self.day} from {self.first_value or 0:,} to "
                    f"{self.value or 0:,} downloads."
                )


@dataclass(frozen=True, slots=True)
class _Total:
    """The total of a registry: its rows, oldest first, each day once."""

    metric: MetricDefinition
    rows: Sequence[StatRow]
    values: dict[date, int]
    read_at: dict[date, datetime]
    answered_at: Sequence[datetime]
    breaks: Sequence[LevelBreak]

    def first_seen(self, day: date, known: datetime) -> datetime:
        """Return when a day that has not changed since was first read as it is, `known` at the latest."""
        settled = midnight(day + SETTLING_DAYS * ONE_DAY)
        at = bisect_left(self.answered_at, settled)
        return min(known, self.answered_at[at]) if at < len(self.answered_at) else known

    def outage(
        self, day: date, kind: OutageKind, seen_at: datetime, *, first_value: int | None = None
    ) -> Outage:
        usual = usual_value(day, self.values, self.breaks)
        return Outage(
            metric_id=self.metric.metric_id,
            registry=self.metric.product,
            day=day,
            kind=kind,
            value=self.values.get(day),
            usual=None if usual is None else round(usual),
            first_value=first_value,
            seen_at=seen_at,
            read_at=self.read_at.get(day),
        )


def outages_of(
    metric: MetricDefinition,
    rows: Sequence[StatRow],
    retention_days: int | None,
    answered_at: Iterable[datetime] = (),
    *,
    breaks: Sequence[LevelBreak] = (),
) -> tuple[Outage, ...]:
    """Return the outages of one registry, oldest day first; `rows` are its total, each day once.

    `retention_days` is how many completed days an answer of it reaches back. None: an answer has one day, so
    that a day without a row was perhaps never asked for. `answered_at` are the runs that read it: a row has
    only its last reading, and what it says may have been seen before. No day is compared with one
    across one of `breaks`, the changes of counting that its source declares.
    """
    ordered = sorted(rows, key=lambda row: row.period_end)
    values = {row.period_end: row.value for row in ordered}
    read_at = {row.period_end: row.observed_at for row in ordered}
    total = _Total(metric, ordered, values, read_at, sorted(answered_at), breaks)
    found = [*_low(total), *_restated(total)]
    if retention_days is not None and ordered:
        found += [*_not_counted(total, retention_days), *_late(total)]
    return tuple(sorted(found, key=lambda one: (one.day, one.kind)))


def _low(total: _Total) -> Iterator[Outage]:
    """Yield the settled days of which the registry has less than 90 % of the usual."""
    intake = Intake(total.values, total.breaks)
    partial, low = intake.partial(total.values), intake.low(total.values)
    for row in total.rows:
        if row.period_end in partial | low and _is_settled(row):
            kind = OutageKind.PARTIAL if row.period_end in partial else OutageKind.LOW
            seen_at = row.revised_at or total.first_seen(row.period_end, row.observed_at)
            yield total.outage(row.period_end, kind, seen_at)


def _is_settled(row: StatRow) -> bool:
    return (today(row.observed_at) - row.period_end).days >= SETTLING_DAYS


def _restated(total: _Total) -> Iterator[Outage]:
    for row in total.rows:
        if row.revision and row.revised_at is not None and row.value != row.first_value:
            yield total.outage(
                row.period_end, OutageKind.RESTATED, row.revised_at, first_value=row.first_value
            )


def _not_counted(total: _Total, retention_days: int) -> Iterator[Outage]:
    """Yield the days without a value that an answer with a later day still reached back to."""
    read = [(row.period_end, row.observed_at, today(row.observed_at)) for row in total.rows]
    for day in days_between(read[0][0], read[-1][0]):
        if day in total.values:
            continue
        settled, lost = day + SETTLING_DAYS * ONE_DAY, day + retention_days * ONE_DAY
        seen = [at for later, at, read_on in read if later > day and settled <= read_on <= lost]
        if seen:
            yield total.outage(day, OutageKind.NOT_COUNTED, total.first_seen(day, min(seen)))


def _late(total: _Total) -> Iterator[Outage]:
    """Yield the days whose value was read later than that of a later day, and was not restated since."""
    read_at = np.array([row.observed_at.timestamp() for row in total.rows])
    first_of_rest = np.minimum.accumulate(read_at[::-1])[::-1]
    is_late = read_at[:-1] - first_of_rest[1:] > _LATE_AFTER.total_seconds()
    for at in np.flatnonzero(is_late).tolist():
        row = total.rows[at]
        if not row.revision:
            yield total.outage(row.period_end, OutageKind.LATE, row.observed_at)
