"""What an insight is: its kind, the numbers it rests on, and a sentence that code made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from community_metrics.model import Cause, Direction, InsightKind, MissingReason
    from community_metrics.periods import Period
    from community_metrics.series.change import Change


@dataclass(frozen=True, slots=True)
class HeadlineNumbers:
    """The total of the period over `complete` of `series`; a change is None where a base is not known.

    `waits_for` are not complete in the period; `left_out` have failed for more than two weeks.
    """

    total: int
    change: Change | None
    year_on_year: Change | None
    complete: tuple[str, ...]
    series: int
    waits_for: tuple[str, ...]
    left_out: tuple[str, ...]
    level_break: date | None


@dataclass(frozen=True, slots=True)
class MoverNumbers:
    """The value of the period and its change: from the period before, or from a window earlier."""

    value: int
    change: Change
    direction: Direction


@dataclass(frozen=True, slots=True)
class UnusualDay:
    """A day outside its usual range. `usual` is the median of the same weekday, by the recent trend."""

    day: date
    value: int
    usual: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class UnusualNumbers:
    """Neighbouring days that are unusual in one direction, and who else moved.

    `is_one_day`: a single day, the other known days of whose week are usual. `also` names the
    other registries that moved, or the releases on the day and in the two days before.
    """

    days: tuple[UnusualDay, ...]
    cause: Cause
    is_one_day: bool
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShiftNumbers:
    """A lasting shift: the median of the weeks before `day` and of those since, in the metric's unit a week.

    A break that the source declares has only `day` and `reason`.
    """

    day: date
    before: int | None
    after: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class RecordNumbers:
    """A value above that of each of the `compared` periods before; the highest of those was `previous`."""

    value: int
    previous: int
    previous_period: str
    compared: int


@dataclass(frozen=True, slots=True)
class MilestoneNumbers:
    """A round number that was first passed in the period; a flow is summed since the day `since`.

    `level_break` is the newest change of counting that the sum, or the change of a level, includes.
    """

    mark: int
    value: int
    since: date | None
    day: date | None
    level_break: date | None


@dataclass(frozen=True, slots=True)
class SettlingNumbers:
    """A value back in the usual range after the peak of an earlier period; `usual` is from before it."""

    value: int
    peak: int
    peak_period: str
    usual: int


@dataclass(frozen=True, slots=True)
class GapNumbers:
    """Days that the metrics lack because the source did not count them, or that it counted low for everybody.

    `series` is how many of our metrics of the source should have the days in `lacking`.
    """

    source: str
    lacking: tuple[date, ...]
    low: tuple[date, ...]
    series: int


@dataclass(frozen=True, slots=True)
class RestatedNumbers:
    """How many days of a metric its source changed, between which, and by how much together.

    A difference is from the value that was first stored of a settled day, over all its restatements.
    `difference` is None for uniques and rolling totals, which are not summed; `largest` is the largest of the
    differences by size. With `has_more` there are more such days than were read.
    """

    days: int
    first: date
    last: date
    difference: int | None
    largest: int
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class DisputedNumbers:
    """The days of a metric that a second witness counts otherwise, with both values of each."""

    days: tuple[date, ...]
    witness: str
    values: tuple[int, ...]
    witness_values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MissingNumbers:
    """What is not known of the period: the missing days of each of the metrics, and why."""

    days: tuple[date, ...]
    reason: MissingReason


@dataclass(frozen=True, slots=True)
class SilenceNumbers:
    """How many series were judged, and found usual, of how many."""

    judged: int
    series: int


Numbers = (
    HeadlineNumbers
    | MoverNumbers
    | UnusualNumbers
    | ShiftNumbers
    | RecordNumbers
    | MilestoneNumbers
    | SettlingNumbers
    | GapNumbers
    | RestatedNumbers
    | DisputedNumbers
    | MissingNumbers
    | SilenceNumbers
)


@dataclass(frozen=True, slots=True)
class Insight:
    """One sentence about a period, and what it rests on.

    `rule` is the id of a rule in docs/insights.md. `importance` is the size of the effect in `unit`, never a
    per cent: insights of one unit can be ranked by it, those of two cannot. `link` is the path of the API
    that has the numbers.
    """

    kind: InsightKind
    rule: str
    importance: int
    unit: str
    product: str | None
    metric_ids: tuple[str, ...]
    period: Period
    numbers: Numbers
    sentence: str
    link: str

    @property
    def insight_id(self) -> str:
        """What identifies it whatever its numbers become: `2026-W47|mover|downloads:lance:python`."""
        return "|".join((self.period.label, self.kind, *self._about()))

    def _about(self) -> tuple[str, ...]:
        """Return what tells it from others of its kind, and stays while more days become known."""
        match self.numbers:
            case HeadlineNumbers():
                return (self.product or "all",)
            case GapNumbers(source=source, lacking=lacking, low=low):
                return (source, "low" if low else "lacking", str((low or lacking)[0]))
            case UnusualNumbers(days=days):
                return (self.metric_ids[0], str(days[0].day))
            case ShiftNumbers(day=day):
                return (self.metric_ids[0], str(day))
            case MilestoneNumbers(mark=mark):
                return (self.metric_ids[0], str(mark))
            case _:
                return self.metric_ids[:1]
