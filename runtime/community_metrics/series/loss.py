"""What is lost next: the oldest value that was not read, when its source drops it, and what is lost already.

A source that keeps R completed days returns day D until day D + R is over. A level or counter has R = 0: its
reading of a day is lost when that day is over. So there is one rule for both.

A day is missed when it is not stored and no response should have had it. A response should have it when it
came more than 3 days after the day, while the source still kept it: what is absent then, the source never
published (`GapKind.NOT_RETURNED`), so nothing was lost. A missed day that the source still keeps is unread,
and one that it has dropped is lost.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.model import SETTLING_DAYS, SourceWindow, ValueKind
from community_metrics.periods import ONE_DAY, Grain, days_between, midnight, period_of, today

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime

LOST_WEEKS: Final = 12
"""How long a lost day is reported after its source dropped it."""
SHORT_RETENTION_DAYS: Final = 2
"""A source that keeps no more days than this has always less than 48 hours left for a new value."""
MISSED_TWICE: Final = timedelta(hours=15)
"""What is left of a day at 09:00 UTC: the runs of 02:45 and 08:45 have missed a value of such a source."""
NEW_DAYS: Final = 2
"""How many days a metric may be without its first reading before it is overdue."""
GIVEN_UP_AFTER_DAYS: Final = 14
"""After so many days without a reading such a metric raises the alarm no more: it would rise every day."""
URGENT: Final = timedelta(hours=48)
"""The alarm of `infra/monitoring_stack.py` rises when less time is left."""
_LONGEST_PERIOD_DAYS: Final = 31


@dataclass(frozen=True, slots=True)
class ReadDays:
    """Which days of one metric were read, of a source that keeps `retention_days` completed days.

    `stored` has every stored day from `known_from` on, oldest first and each once; older days may be among
    them. `known_from` is no earlier than the first stored day, and None while nothing is stored.
    `last_read_on` is the UTC day on which the newest of these values was read, None if they are from files.
    `answered_on` has the UTC days on which the source returned what it had, as far as they are known.
    `defined_on` is the UTC day of the run that first knew the metric.
    """

    metric_id: str
    kind: ValueKind
    window: SourceWindow
    retention_days: int
    known_from: date | None
    stored: tuple[date, ...]
    last_read_on: date | None
    answered_on: frozenset[date] = frozenset()
    defined_on: date | None = None

    @property
    def newest_day(self) -> date | None:
        """The newest stored day."""
        return self.stored[-1] if self.stored else None

    @property
    def kept_days(self) -> int:
        """How many days after a day its value can be read; a value of completed days at least one."""
        return max(self.retention_days, 0 if self.window is SourceWindow.INSTANT else 1)


@dataclass(frozen=True, slots=True)
class Loss:
    """What a metric loses next, and the days of the last 12 weeks that it has lost for good, oldest first.

    `unread_day` is the last day of the oldest value that was not read; today, or the end of the running
    period, when every older one was. The source drops it at `vanishes_at`. `last_read_on` is the UTC day on
    which a value was last read, None for never.
    """

    metric_id: str
    unread_day: date
    vanishes_at: datetime
    lost_days: tuple[date, ...]
    last_read_on: date | None
    kept_days: int
    defined_on: date | None = None

    @property
    def lost_on(self) -> date:
        """The last UTC day on which the value can be read; it is lost when this day is over."""
        return today(self.vanishes_at) - ONE_DAY

    def is_last_day(self, now: datetime) -> bool:
        """Return whether the value is lost when the UTC day of `now` is over."""
        return self.lost_on == today(now)

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the alarm counts the hours until this loss.

        A metric that was never read counts from its third day on. Of a source that keeps 2 days or less, a
        value counts once two runs of its last day have missed it. Neither counts after two weeks without a
        reading.
        """
        since = self.last_read_on or self.defined_on
        if since is None:
            return False
        days, was_read = (today(now) - since).days, self.last_read_on is not None
        is_short = self.kept_days <= SHORT_RETENTION_DAYS
        if was_read and not is_short:
            return True
        is_missed = not is_short or self.vanishes_at - now < MISSED_TWICE
        return is_missed and (was_read or days >= NEW_DAYS) and days <= GIVEN_UP_AFTER_DAYS

    def is_urgent(self, now: datetime) -> bool:
        """Return whether the alarm rises for this loss: it is overdue and less than 48 hours ahead."""
        return self.is_overdue(now) and self.vanishes_at - now < URGENT


def vanishes_at(day: date, kept_days: int) -> datetime:
    """Return the instant from which a source that keeps so many days no longer returns `day`."""
    return midnight(day + (kept_days + 1) * ONE_DAY)


def first_relevant_day(kept_days: int, now: datetime) -> date:
    """Return the oldest day that is reported as lost: its source dropped it in the last 12 weeks."""
    return today(now) - timedelta(days=kept_days, weeks=LOST_WEEKS)


def loss_of(metric: ReadDays, now: datetime) -> Loss | None:
    """Return what a metric loses next; None if it is not known on which days its values end.

    That is so for a count by the week of which none is stored. A metric of which nothing is stored begins
    with the oldest day that its source keeps.
    """
    reach = today(now) - metric.kept_days * ONE_DAY
    begin = max(metric.known_from or reach, first_relevant_day(metric.kept_days, now))
    end = today(now) + _LONGEST_PERIOD_DAYS * ONE_DAY
    unread = next(_missed(metric, max(begin, reach), end), None)
    if unread is None:
        return None
    return Loss(
        metric_id=metric.metric_id,
        unread_day=unread,
        vanishes_at=vanishes_at(unread, metric.kept_days),
        lost_days=tuple(_missed(metric, begin, reach - ONE_DAY)),
        last_read_on=metric.last_read_on,
        kept_days=metric.kept_days,
        defined_on=metric.defined_on,
    )


def oldest_missed(metric: ReadDays, now: datetime) -> date | None:
    """Return the oldest day that is lost or unread; None if `loss_of` is None."""
    loss = loss_of(metric, now)
    return None if loss is None else min((*loss.lost_days, loss.unread_day))


def may_be_answered(day: date, now: datetime) -> bool:
    """Return whether a response up to now may show that the source does not publish `day`."""
    return day + SETTLING_DAYS * ONE_DAY < today(now)


def was_answered(day: date, answers: Sequence[date], kept_days: int | None) -> bool:
    """Return whether a response came that should have had `day`: due, and kept by the source.

    `answers` are the UTC days of the responses, in order. `kept_days` is None for a source that keeps all.
    """
    later = bisect_right(answers, day + SETTLING_DAYS * ONE_DAY)
    return later < len(answers) and (kept_days is None or answers[later] <= day + kept_days * ONE_DAY)


def hours_until_loss(losses: Iterable[Loss], now: datetime) -> float | None:
    """Return the hours until the first loss that the alarm counts; None without one."""
    instants = [loss.vanishes_at for loss in losses if loss.is_overdue(now)]
    return (min(instants) - now) / timedelta(hours=1) if instants else None


def _missed(metric: ReadDays, first: date, last: date) -> Iterator[date]:
    """Yield the days from `first` to `last` of which a value is due, is not stored, and was not answered."""
    known = metric.stored[bisect_left(metric.stored, first) : bisect_right(metric.stored, last)]
    # most metrics have every day: the first gap is found without a look at each
    without_gap = bisect_left(range(len(known)), 1, key=lambda at: (known[at] - first).days - at)
    stored, answers = set(known[without_gap:]), sorted(metric.answered_on)
    for day in days_between(first + without_gap * ONE_DAY, last):
        if day in stored or not _is_due(metric, day):
            continue
        if not was_answered(day, answers, metric.kept_days):
            yield day


def _is_due(metric: ReadDays, day: date) -> bool:
    """Return whether a value of the metric ends on `day`: each day, but for flows of longer windows."""
    if metric.kind is not ValueKind.FLOW:
        return True
    if metric.window is SourceWindow.MONTH:
        return period_of(day, Grain.MONTH).end == day
    if metric.window is SourceWindow.WEEK:  # not every registry ends its week on a Sunday
        newest = metric.newest_day
        return newest is not None and (day - newest).days % 7 == 0
    return True
