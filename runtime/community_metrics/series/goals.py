"""Where a goal stands: what is needed a week from here, and whether the recent weeks have it. Pure.

`RULE` is printed in docs/insights.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Final

from community_metrics.model import Progress, ValueKind
from community_metrics.periods import ONE_DAY
from community_metrics.series.change import latest_complete
from community_metrics.series.forecast import forecast_weeks
from community_metrics.series.insights.rules import Parameter, Rule
from community_metrics.text import counted, ranges_text, signed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from community_metrics.periods import Period

RECENT_WEEKS: Final = 4
RECENT_WITHIN: Final = 8
_WEEK: Final = 7
_PROGRESS: Final = {
    Progress.ON_TRACK: "on track",
    Progress.BEHIND: "behind",
    Progress.UNKNOWN: "not known whether on track",
}

RULE: Final = Rule(
    "needed-per-week",
    ("/goals",),
    "A goal on daily downloads, of a metric or of a product, counts the sum of the days since its first day; "
    "of a product only the days that every series has. A goal on a level, a counter or a rolling total has "
    "the newest reading; one of a level or a counter ends the nearer day, until noon (UTC) the day before. "
    "What is left, over the weeks from the newest day to the date, is needed a week. The recent weeks are "
    "the newest complete ones; a level has its growth in them. On track: the recent weeks have at least what "
    "is needed a week. Behind: they have less. Reached: the value is there. Missed: the "
    "date is over and its day is known. Missing days of a sum are named and could only add to it, so that "
    "with missing days a goal can be reached or on track, but is not called behind or missed: then it is not "
    "known, as where too few recent weeks are complete. Weeks from before a declared change of counting are "
    "no recent weeks. A sum has no value before one of its days is known: only its first day is stated. "
    "A rolling total has no weeks and is never scaled: what is left and its growth over one "
    "whole window are stated, and not whether it is on track.",
    None,
    (
        Parameter("RECENT_WEEKS", str(RECENT_WEEKS), "newest complete weeks whose mean is compared"),
        Parameter("RECENT_WITHIN", str(RECENT_WITHIN), "last weeks that these must be among"),
    ),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What is known of the thing that a goal is about.

    `value` is the sum of the known days from `first` to `as_of`, or the reading of the day `as_of`; both are
    None if nothing is known, as before the day `first`. `missing` are days of the sum without a value.
    `weeks` has the complete weeks up to now without a gap, oldest first, with their value or growth, None
    where it is not known or from before a change of counting; `at_newest_week` is the sum or the reading at
    the end of the newest of them. `growth` is that of a rolling total, which has no weeks, over the
    `window_days` of one whole window.
    """

    kind: ValueKind
    value: int | None
    as_of: date | None
    first: date | None = None
    missing: tuple[date, ...] = ()
    periods: Sequence[Period] = ()
    weeks: Sequence[int | None] = ()
    at_newest_week: int | None = None
    window_days: int | None = None
    growth: int | None = None

    @property
    def is_sum(self) -> bool:
        """Whether the value is a sum of days."""
        return self.kind is ValueKind.FLOW


@dataclass(frozen=True, slots=True)
class GoalForecast:
    """80 % of the outcomes that the past suggests for the value on the date of a goal.

    It is made in the week `origin`, `weeks_ahead` before the date; `hits` of `tests` past forecasts of the
    same rule were right.
    """

    low: int
    high: int
    origin: str
    weeks_ahead: int
    hits: int
    tests: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a goal stands; None for what is not known.

    `needed_per_week` is rounded up; with missing days it is the most that can be needed. `recent_per_week` is
    the mean of the `recent_weeks`. A rolling total has neither. `reason` says why the progress is not known,
    `forecast_reason` why there is no forecast.
    """

    progress: Progress
    remaining: int | None
    weeks_left: float | None
    needed_per_week: int | None
    recent_per_week: float | None
    recent_weeks: tuple[str, ...]
    reason: str | None
    forecast: GoalForecast | None
    forecast_reason: str | None


def standing(known: Counted, value: int, day: date, today: date) -> Standing:
    """Return where the goal to have `value` by the end of `day` stands."""
    remaining = None if known.value is None else max(0, value - known.value)
    days_left = None if known.as_of is None else max(0, (day - known.as_of).days)
    needed = None
    if remaining is not None and days_left and known.kind is not ValueKind.ROLLING:
        needed = Fraction(remaining * _WEEK, days_left)
    recent, labels = _recent(known)
    progress: Progress = Progress.UNKNOWN
    reason: str | None = _why_nothing(known, today)
    if remaining is not None:
        progress, reason = _progress(known, remaining, needed, recent, day, is_over=day < today)
    forecast, forecast_reason = (None, reason) if known.value is None else _forecast(known, day, progress)
    return Standing(
        progress=progress,
        remaining=remaining,
        weeks_left=None if days_left is None else days_left / _WEEK,
        needed_per_week=None if needed is None else ceil(needed),
        recent_per_week=None if recent is None else float(recent),
        recent_weeks=labels,
        reason=reason,
        forecast=forecast,
        forecast_reason=forecast_reason,
    )


def _recent(known: Counted) -> tuple[Fraction | None, tuple[str, ...]]:
    """Return the mean of the newest complete weeks, and which these are."""
    last = list(zip(known.periods, known.weeks, strict=True))[-RECENT_WITHIN:]
    found = [(period.label, week) for period, week in last if week is not None][-RECENT_WEEKS:]
    if len(found) < RECENT_WEEKS:
        return None, ()
    return Fraction(sum(week for _, week in found), RECENT_WEEKS), tuple(label for label, _ in found)


def _progress(
    known: Counted,
    remaining: int,
    needed: Fraction | None,
    recent: Fraction | None,
    day: date,
    *,
    is_over: bool,
) -> tuple[Progress, str | None]:
    if remaining == 0:
        return Progress.REACHED, None
    is_enough = needed is not None and recent is not None and recent >= needed
    if is_enough and not is_over:
        return Progress.ON_TRACK, None
    if reason := _why_not_known(known, needed, recent, day, is_over=is_over):
        return Progress.UNKNOWN, reason
    return (Progress.MISSED if is_over else Progress.BEHIND), None


def _why_nothing(known: Counted, today: date) -> str:
    """Return why there is no value: its first day is not over, or none since then is known."""
    if known.first is None:
        return "nothing is stored of it"
    return f"it begins on {known.first}" if known.first >= today else f"no day since {known.first} is known"


def _why_not_known(
    known: Counted, needed: Fraction | None, recent: Fraction | None, day: date, *, is_over: bool
) -> str | None:
    """Return why it is not known that a goal is behind, or missed; None where it is."""
    if known.missing:
        count = counted(len(known.missing), "missing day")
        return f"{count} may make the difference: {ranges_text(known.missing)}"
    if is_over:
        is_known = known.as_of is not None and known.as_of >= day
        return None if is_known else "the last days before the date are not known yet"
    if known.kind is ValueKind.ROLLING:
        return "a rolling total has no weeks"
    if needed is None:
        return "the date is today, which is not over"
    if recent is not None:
        return None
    return f"fewer than {RECENT_WEEKS} of the last {RECENT_WITHIN} weeks are complete and counted in one way"


def _forecast(known: Counted, day: date, progress: Progress) -> tuple[GoalForecast | None, str | None]:
    at = latest_complete(known.weeks)
    if reason := _why_no_forecast(known, day, progress, at):
        return None, reason
    if at is None or known.value is None or known.at_newest_week is None:
        return None, "the value at the end of the newest complete week is not known"
    newest = known.periods[at].end
    ahead = ceil(Fraction((day - newest).days, _WEEK))
    found, reason = forecast_weeks(known.weeks, ahead, as_ratio=known.kind is not ValueKind.LEVEL)
    if found is None:
        return None, reason
    begins = newest + ONE_DAY
    if known.is_sum and known.first is not None:
        begins = max(begins, known.first)
    days = (day - begins).days + 1
    low, high = (round(known.at_newest_week + rate * days / _WEEK) for rate in (found.low, found.high))
    if known.is_sum:
        low, high = max(low, known.value), max(high, known.value)
    return GoalForecast(low, high, known.periods[at].label, ahead, found.hits, found.tests), None


def _why_no_forecast(known: Counted, day: date, progress: Progress, newest: int | None) -> str | None:
    if progress in {Progress.REACHED, Progress.MISSED}:
        return "the goal is decided"
    if known.kind is ValueKind.ROLLING:
        return "a rolling total has no weeks"
    if known.missing:
        return f"the sum lacks {ranges_text(known.missing)}"
    if newest is None:
        return "no complete week is known"
    if day <= known.periods[newest].end:
        return "the date is in the newest complete week"
    return None


def goal_words(  # noqa: PLR0917  the parts of a sentence, in its order
    name: str, value: int, unit: str, day: date, known: Counted, stands: Standing
) -> str:
    """Return where a goal stands as a sentence, and its forecast as another one."""
    if known.value is None:
        return f"{name}: {value:,} {unit} by {day}; {stands.reason}."
    when = f"from {known.first} to {known.as_of}" if known.is_sum else f"on {known.as_of}"
    text = f"{name}: {known.value:,} of {value:,} {unit} {when}"
    if known.missing:
        text += f", without the missing {ranges_text(known.missing)}"
    if stands.progress is Progress.REACHED:
        return f"{text}: reached."
    if stands.progress is Progress.MISSED:
        return f"{text}: not reached by {day}."
    if stands.needed_per_week is not None:
        most = "at most " if known.missing else ""
        text += f"; {most}{stands.needed_per_week:,} a week are needed until {day}"
    if stands.recent_per_week is not None:
        text += f", and the recent weeks have {stands.recent_per_week:,.0f}"
    if known.growth is not None:
        text += f"; {signed(known.growth)} since the reading of {known.window_days} days earlier"
    reason = f", because {stands.reason}" if stands.reason else ""
    return f"{text}: {_PROGRESS[stands.progress]}{reason}.{_forecast_words(day, unit, stands)}"


def _forecast_words(day: date, unit: str, stands: Standing) -> str:
    one = stands.forecast
    if one is None:
        return f" No forecast: {stands.forecast_reason}."
    return (
        f" Forecast for {day}: {one.low:,} to {one.high:,} {unit}, an 80 % interval; {one.hits} of "
        f"{one.tests} past forecasts were right."
    )
