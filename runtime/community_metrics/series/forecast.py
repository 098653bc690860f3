"""A forecast as an interval, from how far the same forecast was off in the past. Pure.

`RULE` is printed in docs/insights.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from community_metrics.series.insights.rules import Parameter, Rule
from community_metrics.series.insights.shifts import newest_shift

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

COVERS: Final = 0.8
FEWEST_WEEKS: Final = 26
MOST_WEEKS: Final = 104
FEWEST_RESIDUALS: Final = 9
RESIDUALS_FOR_EACH_WEEK: Final = 2
FEWEST_TESTS: Final = 5
AHEAD_SHARE: Final = 6
MOST_AHEAD: Final = 13

RULE: Final = Rule(
    "seasonal-naive-interval",
    ("/goals",),
    "The forecast of the weeks ahead is the last complete week again: the same weekdays a week before. "
    "How far it is off is known of every past week from which as many weeks ahead are complete: the mean of "
    "those weeks over that week; of the growth of a level, their difference. The interval is the last week "
    "times (of growth: plus) the quantiles of these residuals that cover 80 %, each at position p (n + 1) of "
    "n. There is never one number alone. The hit rate is that of the intervals that the same rule gives in "
    "past weeks from what was known then. There is no forecast with fewer complete weeks than the least "
    "number, nor across a declared change of counting or a shift that the rule `lasting-shift` finds in "
    "these weeks: weeks from before the newest of them do not count. None reaches "
    "farther ahead than a sixth of the known weeks, and none is made where a week of 0 gives no ratio. The "
    "low end of a sum of days is never below what the sum has already.",
    None,
    (
        Parameter("COVERS", str(COVERS), "share of past outcomes that the interval covers"),
        Parameter("FEWEST_WEEKS", str(FEWEST_WEEKS), "complete weeks below which nothing is forecast"),
        Parameter("MOST_WEEKS", str(MOST_WEEKS), "last weeks that are used"),
        Parameter("AHEAD_SHARE", str(AHEAD_SHARE), "known weeks for each week ahead"),
        Parameter("MOST_AHEAD", str(MOST_AHEAD), "most weeks ahead"),
        Parameter("FEWEST_RESIDUALS", str(FEWEST_RESIDUALS), "residuals below which there is no interval"),
        Parameter(
            "RESIDUALS_FOR_EACH_WEEK",
            str(RESIDUALS_FOR_EACH_WEEK),
            "residuals for each week ahead, since those of neighbouring weeks share most of their weeks",
        ),
        Parameter("FEWEST_TESTS", str(FEWEST_TESTS), "past forecasts below which there is no hit rate"),
    ),
)


@dataclass(frozen=True, slots=True)
class WeeklyForecast:
    """The mean a week of the `ahead` weeks after the week at position `origin`, with 80 % of the outcomes.

    `hits` of `tests` past forecasts of the same rule were right.
    """

    origin: int
    ahead: int
    low: float
    high: float
    hits: int
    tests: int


def forecast_weeks(
    weeks: Sequence[float | None], ahead: int, *, as_ratio: bool
) -> tuple[WeeklyForecast | None, str | None]:
    """Return the forecast of the mean of the weeks after the newest complete one, or why there is none.

    It is of the next `ahead` weeks. `weeks` come oldest first and without a gap; None for one that is not
    complete, and for those from before a change of counting. Weeks from before the newest lasting shift are
    not used. `as_ratio` for what grows by a factor, such as downloads; otherwise residuals are differences.
    """
    values = np.array([np.nan if one is None else one for one in weeks[-MOST_WEEKS:]], np.float64)
    shift = newest_shift(values)
    values = values if shift is None else values[shift:]
    known = int(np.count_nonzero(~np.isnan(values)))
    if known < FEWEST_WEEKS:
        since = "" if shift is None else " since the last lasting shift to another level"
        return None, f"{known} complete weeks are known{since}, and a forecast needs {FEWEST_WEEKS}"
    reach = min(known // AHEAD_SHARE, MOST_AHEAD)
    if ahead > reach:
        return None, f"{ahead} weeks ahead is farther than the {reach} that {known} complete weeks allow"
    if as_ratio and not (values[~np.isnan(values)] > 0).all():
        return None, "a week of 0 gives no ratio"
    origin = int(np.flatnonzero(~np.isnan(values))[-1])
    outcomes, residuals = _outcomes(values, ahead, as_ratio=as_ratio)
    found = _interval(values[origin], residuals[: origin - ahead + 1], ahead, as_ratio=as_ratio)
    past = _back_test(values, outcomes, residuals, ahead, as_ratio=as_ratio)
    if found is None or len(past) < FEWEST_TESTS:
        return None, f"missing weeks leave too few past forecasts of {ahead} weeks to learn from"
    skipped = len(weeks) - len(values)
    return WeeklyForecast(origin + skipped, ahead, *found, sum(past), len(past)), None


def _outcomes(values: Floats, ahead: int, *, as_ratio: bool) -> tuple[Floats, Floats]:
    """Return the mean of the weeks after each week, and how far its forecast was off; NaN where not known."""
    windows = np.lib.stride_tricks.sliding_window_view(values[1:], ahead)
    outcomes: Floats = windows.mean(axis=-1)
    bases = values[: len(outcomes)]
    residuals: Floats = np.log(outcomes / bases) if as_ratio else outcomes - bases
    return outcomes, residuals


def _interval(base: float, residuals: Floats, ahead: int, *, as_ratio: bool) -> tuple[float, float] | None:
    """Return both ends of the interval; None with too few residuals."""
    known = np.sort(residuals[~np.isnan(residuals)])
    if len(known) < max(FEWEST_RESIDUALS, RESIDUALS_FOR_EACH_WEEK * ahead):
        return None
    tail = (1 - COVERS) / 2
    # plotting positions of n + 1: of n residuals and the one to come each is as likely to be any in order
    positions = np.array([tail, 1 - tail]) * (len(known) + 1) - 1
    low, high = np.interp(positions, np.arange(len(known)), known).tolist()
    if as_ratio:
        return float(base * np.exp(low)), float(base * np.exp(high))
    return float(base + low), float(base + high)


def _back_test(
    values: Floats, outcomes: Floats, residuals: Floats, ahead: int, *, as_ratio: bool
) -> list[bool]:
    """Return which past forecasts were right, each made from what was known in its week."""
    hits = []
    for at in range(ahead, len(outcomes)):
        if np.isnan(residuals[at]):
            continue
        found = _interval(values[at], residuals[: at - ahead + 1], ahead, as_ratio=as_ratio)
        if found is not None:
            hits.append(bool(found[0] <= outcomes[at] <= found[1]))
    return hits
