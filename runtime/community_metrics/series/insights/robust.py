"""The usual value and the usual range of a day, robustly: medians and MAD of log ratios. Pure arrays.

Every value is divided by another one of its own series, so a series that is 10 times as large has the same
unusual days. A missing value is NaN and takes part in nothing. A value of 0 has no logarithm: half a step,
the least amount by which the values of the series differ, takes its place.

The scale is that of the MAD, but at least what the far days of the weeks before show. The MAD alone is that
of most days: of a build server that runs on a third of the days it is the noise of the others, and each day
with the server would be unusual. The two weeks with the farthest days are left out, so that a launch or an
outage of a week hides no day after it. In a normal distribution both give the same scale.

Measured over 200 days of 1,000 shuffled series of each kind: none of the normal, log-normal, Poisson, uniform
and two-state series (50:50, 30:70) has an unusual day. Of Student's t with 3 degrees of freedom, 98.6 % of
the series have at most one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Self

import numpy as np

from community_metrics.series.insights.rules import (
    BASELINE_WEEKS,
    CHANCE,
    FEWEST_SCALE_DAYS,
    FEWEST_WEEKDAYS,
    LEAST_FACTOR,
    LEFT_OUT_WEEKS,
    MOVED_ALONG,
    NORMAL,
    SCALE_DAYS,
    UNUSUAL,
    WEEK_FACTOR,
    WEEKS_NORMAL,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_LEAD = 7 * BASELINE_WEEKS + SCALE_DAYS


@dataclass(frozen=True)
class Judgement:
    """The judged days of several series, as arrays of shape (series, days).

    `ratio` is the logarithm of the value over the median of its weekday, `centre` and `scale` the median and
    the robust standard deviation of the ratios of the days before. `is_judged`: enough of all is known.
    `step`, of shape (series, 1), is the greatest common divisor of the values: 1 for counts, 10 for ten times
    counts.
    """

    value: Floats
    usual: Floats
    ratio: Floats
    centre: Floats
    scale: Floats
    is_judged: NDArray[np.bool_]
    step: Floats

    @classmethod
    def of(cls, values: Floats) -> Self:
        """Return the judgement of the days after the first `LEAD_DAYS` columns."""
        usual, known = _usual(values)
        step = np.gcd.reduce(np.nan_to_num(values).astype(np.int64), axis=1)[:, np.newaxis].astype(np.float64)
        own = values[:, 7 * BASELINE_WEEKS :]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log(np.where(own == 0, step / 2, own) / usual)
        ratio[(known < FEWEST_WEEKDAYS) | ~(usual > 0)] = np.nan
        count = values.shape[1] - _LEAD
        before = np.lib.stride_tricks.sliding_window_view(ratio, SCALE_DAYS, axis=1)[:, :count]
        centre, days = median_of_known(before)
        scale = _scale(np.abs(before - centre[..., np.newaxis]))
        judged = ratio[:, SCALE_DAYS:]
        is_judged = ~np.isnan(judged) & (days >= FEWEST_SCALE_DAYS) & np.isfinite(centre) & np.isfinite(scale)
        return cls(values[:, _LEAD:], usual[:, SCALE_DAYS:], judged, centre, scale, is_judged, step)

    def replaced(self, rows: NDArray[np.int64], other: Judgement, since: int) -> None:
        """Take the days from the column `since` on from another judgement of these rows."""
        for name in ("usual", "ratio", "centre", "scale", "is_judged"):
            getattr(self, name)[rows, since:] = getattr(other, name)[:, since:]

    @property
    def excess(self) -> Floats:
        """The distance of the log ratio from the usual one; 0 where nothing is judged."""
        with np.errstate(invalid="ignore"):
            excess: Floats = np.where(self.is_judged, self.ratio - self.centre, 0.0)
        return excess

    @property
    def expected(self) -> Floats:
        """The usual value of each day, scaled by the usual ratio of the days before."""
        with np.errstate(invalid="ignore"):
            expected: Floats = self.usual * np.exp(self.centre)
        return expected

    @property
    def is_beyond_chance(self) -> NDArray[np.bool_]:
        """Which values differ by more than a count varies by chance: a count of n by its root."""
        with np.errstate(invalid="ignore"):
            beyond: NDArray[np.bool_] = np.abs(self.value - self.expected) > CHANCE * np.sqrt(
                self.expected * self.step
            )
        return self.is_judged & beyond

    @property
    def reach(self) -> Floats:
        """The least distance of an unusual day."""
        reach: Floats = np.maximum(UNUSUAL * self.scale, np.log(LEAST_FACTOR))
        return reach

    @property
    def is_high(self) -> NDArray[np.bool_]:
        """Which days are unusually high."""
        return self.is_beyond_chance & (self.excess > self.reach)

    @property
    def is_low(self) -> NDArray[np.bool_]:
        """Which days are unusually low."""
        return self.is_beyond_chance & (self.excess < -self.reach)

    def moved(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which days moved up, and down, noticeably: less than what is unusual by itself."""
        far = np.maximum(MOVED_ALONG * self.scale, np.log(WEEK_FACTOR))
        return self.is_judged & (self.excess > far), self.is_judged & (self.excess < -far)

    def range_at(self, row: int, at: int) -> tuple[int, int, int]:
        """Return the usual value of a day and the two ends of its usual range."""
        usual, factor = self.expected[row, at], np.exp(self.reach[row, at])
        chance = CHANCE * np.sqrt(usual * self.step[row, 0])
        low, high = min(usual / factor, usual - chance), max(usual * factor, usual + chance)
        return round(usual), round(max(0.0, low)), round(high)


def _usual(values: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the median of the same weekdays in the weeks before each day, and how many are known."""
    lead = 7 * BASELINE_WEEKS
    # from the weekday of the first week to that of the last one, and of these days each seventh
    weeks = np.lib.stride_tricks.sliding_window_view(values, lead - 6, axis=1)[..., ::7]
    return median_of_known(weeks[:, : values.shape[1] - lead])


def _scale(distances: Floats) -> Floats:
    """Return the robust standard deviation of distances from the median, along the last axis."""
    of_most = NORMAL * median_of_known(distances)[0]
    # day by day: numpy is slow to reduce an axis of seven
    weeks = reduce(np.fmax, (distances[..., day::7] for day in range(7)))
    farthest = np.sort(np.nan_to_num(weeks), axis=-1)[..., -1 - LEFT_OUT_WEEKS]
    scale: Floats = np.maximum(of_most, farthest / WEEKS_NORMAL)
    return scale


def median_of_known(values: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the median of the known values along the last axis, NaN without any, and how many are known."""
    ordered = np.sort(values, axis=-1)  # NaN comes last
    known = np.count_nonzero(~np.isnan(ordered), axis=-1)
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, values.shape[-1] - 1)
    at_low = np.take_along_axis(ordered, low[..., np.newaxis], axis=-1)[..., 0]
    at_high = np.take_along_axis(ordered, high[..., np.newaxis], axis=-1)[..., 0]
    with np.errstate(invalid="ignore"):
        median: Floats = np.where(low == high, at_low, (at_low + at_high) / 2)
    return np.where(known > 0, median, np.nan), known
