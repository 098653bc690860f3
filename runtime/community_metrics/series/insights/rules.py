"""The rules and their parameters: docs/insights.md is made of this file, and the rules compute with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from community_metrics.model import SETTLING_DAYS
from community_metrics.periods import Grain
from community_metrics.series.disputes import MOST_DIFFERENCE
from community_metrics.sources.sentinel import COUNTED_FROM, PARTIAL_BELOW

MOST_MOVERS: Final = 3
BASELINE_WEEKS: Final = 8
FEWEST_WEEKDAYS: Final = 4
SCALE_DAYS: Final = 84
FEWEST_SCALE_DAYS: Final = 28
UNUSUAL: Final = 8.0
LEFT_OUT_WEEKS: Final = 2
CHANCE: Final = 5.0
LEAST_FACTOR: Final = 1.5
MOVED_ALONG: Final = 3.0
WEEK_FACTOR: Final = 1.25
FEWEST_OTHER_DAYS: Final = 3
FEWEST_TOGETHER: Final = 2
RELEASE_DAYS: Final = 2
SHIFTED: Final = 6.0
WEEKS_BEFORE: Final = 8
WEEKS_AFTER: Final = 4
STEP_SHARE: Final = 0.5
YEAR_OF_RECORD: Final = {Grain.WEEK: 52, Grain.MONTH: 12, Grain.QUARTER: 4}
FEWEST_OF_RECORD: Final = {Grain.WEEK: 26, Grain.MONTH: 6, Grain.QUARTER: 4}
ROUND: Final = (1, 2, 5)
PEAK_BEFORE: Final = 4
PEAK_USUAL: Final = 8
LATE_AFTER_HOURS: Final = 24
NORMAL: Final = 1.4826
"""The median absolute deviation of a normal distribution, times this, is its standard deviation."""
WEEKS_NORMAL: Final = 2.13
"""The third largest of the largest distances of 12 weeks of a normal distribution, in standard deviations."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that a rule uses, and what it means."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its id, the kinds of insight that it makes, what it says, how importance is measured.

    A rule of `/before-after` or `/goals` names that instead of kinds, and has no importance.
    """

    rule_id: str
    kinds: tuple[str, ...]
    text: str
    importance: str | None
    parameters: tuple[Parameter, ...] = ()

    @property
    def version(self) -> str:
        """Eight digits that change with the text or a parameter, so that a stored sentence names its rule."""
        return hashlib.blake2b(repr(self).encode(), digest_size=4).hexdigest()


def _of_grains(values: dict[Grain, int]) -> str:
    return ", ".join(f"{count} {grain.value}s" for grain, count in values.items())


_FACTOR: Final = Parameter(
    "LEAST_FACTOR", str(LEAST_FACTOR), "least factor between a value and the usual one"
)
_TOGETHER: Final = Parameter(
    "FEWEST_TOGETHER",
    str(FEWEST_TOGETHER),
    "least number of series of one source that must lack a day",
)
_LATE: Final = Parameter(
    "SETTLING_DAYS", str(SETTLING_DAYS), "days after a day within which its value may be late"
)

RULES: Final = (
    Rule(
        "total-of-period",
        ("headline",),
        "The sum of the daily downloads of a product, and of all products together where there are "
        "several, over the series that are complete in the period, with the change from the period "
        "before and from a year earlier. Months and quarters are compared by their daily mean. A "
        "series that is not complete is named and not in the sum. A change is left out where one of "
        "the series is not complete in the base period, the total there is 0 or a source changed its "
        "way of counting in between.",
        "the size of the change from the period before; 0 where it is not known",
    ),
    Rule(
        "largest-changes",
        ("mover",),
        "The largest gains and the largest falls of single series from the period before, for each "
        "unit. A rolling total is compared with the reading one whole window earlier. Only complete "
        "periods are compared, and none across a declared change of counting.",
        "the size of the change",
        (Parameter("MOST_MOVERS", str(MOST_MOVERS), "gains, and falls, that are shown for each unit"),),
    ),
    Rule(
        "robust-range",
        ("spike", "dip"),
        "A day of a flow or of a counter is compared with the median of the same weekday in the weeks "
        "before. The logarithm of the ratio is unusual where its distance from the median of the same "
        "ratios of the days before exceeds a multiple of their robust standard deviation, and "
        "the ratio itself a factor, and by more than a count varies by chance. That deviation is the larger "
        "of two, which are equal in a normal distribution: a multiple of the median absolute deviation "
        "(MAD), and a part of the largest distance in a week, the weeks with the farthest days left out, so "
        "that a day is usual where days like it come again. In the ratio a value of 0 counts as half the "
        "greatest common divisor of the values. Values from before a "
        "change of counting are not used. Neighbouring days in one direction with one cause are one "
        'insight. It is "one day, not a trend" where the median ratio of the other known days of its '
        "ISO week, up to the end of the period, is usual.",
        "the sum of the distances of the days from their usual values; of uniques the largest distance",
        (
            Parameter(
                "BASELINE_WEEKS", str(BASELINE_WEEKS), "weeks before the day whose same weekday is used"
            ),
            Parameter(
                "FEWEST_WEEKDAYS", str(FEWEST_WEEKDAYS), "of these that must be known, else no judgement"
            ),
            Parameter("SCALE_DAYS", str(SCALE_DAYS), "days before the day whose ratios give median and MAD"),
            Parameter("FEWEST_SCALE_DAYS", str(FEWEST_SCALE_DAYS), "of these that must be known"),
            Parameter(
                "UNUSUAL", str(UNUSUAL), "least distance from the median, in robust standard deviations"
            ),
            Parameter("NORMAL", str(NORMAL), "what the MAD is multiplied by"),
            Parameter(
                "LEFT_OUT_WEEKS", str(LEFT_OUT_WEEKS), "weeks with the farthest days that are left out"
            ),
            Parameter(
                "WEEKS_NORMAL", str(WEEKS_NORMAL), "what the largest distance of the next is divided by"
            ),
            _FACTOR,
            Parameter(
                "CHANCE", str(CHANCE), "least distance in roots of the usual count, which chance explains"
            ),
            Parameter("WEEK_FACTOR", str(WEEK_FACTOR), "largest factor of the other days of a usual week"),
            Parameter(
                "FEWEST_OTHER_DAYS", str(FEWEST_OTHER_DAYS), "other days of the week that must be known"
            ),
        ),
    ),
    Rule(
        "who-else-moved",
        ("spike", "dip"),
        "The cause of a spike or dip, the first that holds: *registry*, where the registry's own "
        "series is unusual in the same direction on that day, or (for a dip) the ledger of outages has "
        "the day as not counted, partial or low, or the source did not return it for all other series "
        "when it was due, of which there must be several; *collection or holiday*, where in "
        "another registry at least half of our series moved in the same direction; *release*, where "
        "the product had a release, not only a preview of one, on the day (UTC) or in the days before; else "
        "*unexplained*. It says what happened together, not why.",
        "as in robust-range",
        (
            Parameter(
                "MOVED_ALONG", str(MOVED_ALONG), "least distance of a series that moved too, in deviations"
            ),
            Parameter("WEEK_FACTOR", str(WEEK_FACTOR), "least factor of a series that moved too"),
            _TOGETHER,
            Parameter(
                "RELEASE_DAYS", str(RELEASE_DAYS), "days before the day that a release explains it from"
            ),
        ),
    ),
    Rule(
        "lasting-shift",
        ("level_break",),
        "A flow or counter has shifted where all weeks since a Monday lie on one side of all weeks "
        "before it, their medians differ by a factor and by a multiple of the MAD of the weeks "
        "before, and the step from one week to the next has at least a share of the shift, which "
        "gradual growth does not. All weeks must be complete. It is stated in the period in which the "
        "last of the weeks since ends.",
        "the difference of the two medians, in the unit a week",
        (
            Parameter("WEEKS_BEFORE", str(WEEKS_BEFORE), "weeks before the shift"),
            Parameter("WEEKS_AFTER", str(WEEKS_AFTER), "weeks since, which make it lasting"),
            _FACTOR,
            Parameter(
                "SHIFTED",
                str(SHIFTED),
                "least difference of the medians, in robust standard deviations (1.4826 × MAD)",  # noqa: RUF001
            ),
            Parameter(
                "STEP_SHARE", str(STEP_SHARE), "least share of the shift in the first step, of logarithms"
            ),
        ),
    ),
    Rule(
        "declared-break",
        ("level_break",),
        "The source declares that it counts in another way since a day of the period. No change, no "
        "usual range and no record is computed across that day.",
        "0: how much of a change is due to it is not known",
    ),
    Rule(
        "highest-in-a-year",
        ("record",),
        "A period of a flow or counter that is above each period of the year before. All of these "
        "must be complete, because a missing day could be in a higher one.",
        "the difference from the highest value before",
        (
            Parameter("YEAR_OF_RECORD", _of_grains(YEAR_OF_RECORD), "periods before that are compared"),
            Parameter(
                "FEWEST_OF_RECORD", _of_grains(FEWEST_OF_RECORD), "of these that a younger series must have"
            ),
        ),
    ),
    Rule(
        "round-number",
        ("milestone",),
        "A level, a counter or the sum of a daily flow since its first stored day passed a round "
        "number for the first time. The largest one passed is stated, and a declared change of counting "
        "that the sum, the total of the counter or the change of the level includes. No day of the sum "
        "may be missing, and a level must have been read at both edges of the period. It is computed anew "
        "each time: a restatement that takes the value below the number withdraws it.",
        "the round number",
        (Parameter("ROUND", ", ".join(map(str, ROUND)), "these numbers, times a power of ten"),),
    ),
    Rule(
        "settling-after-peak",
        ("settling",),
        "A flow or counter fell back to its usual range from a peak in one of the periods before: the "
        "first period below the peak by a factor. The usual value is the median of the periods before "
        "the peak, all of which must be complete.",
        "the difference from the peak",
        (
            Parameter("PEAK_BEFORE", str(PEAK_BEFORE), "periods before in which a peak is searched"),
            Parameter("PEAK_USUAL", str(PEAK_USUAL), "periods before the peak that give the usual value"),
            _FACTOR,
            Parameter("WEEK_FACTOR", str(WEEK_FACTOR), "largest factor between the value and the usual one"),
        ),
    ),
    Rule(
        "lacked-by-all",
        ("registry_gap",),
        "Days that every series of a source lacks although it has later days, and that it did not return "
        "when several of them were read: later than the days that a value may be late, and while the source "
        "still kept the day. Further, days that a series lacks and "
        "the ledger of outages has as not counted or partial, and days that the ledger has as low. Only the "
        "series that lack the days are named, with the number of those that should have them. A single "
        "series without the ledger is no proof, nor is a day that was not read when it was due: those days "
        "are listed as missing.",
        "the number of days, in days",
        (_TOGETHER, _LATE),
    ),
    Rule(
        "outage-ledger",
        ("registry_gap", "spike", "dip"),
        "What `community-metrics outages` and `GET /api/v1/outages` list, from the stored total of a "
        "registry. *not_counted*: a day without a value between days with one, which an answer that had "
        "a later day still reached back to. Of crates.io no day is listed so, because its archive is "
        "read day by day. *partial* and *low*: the value of a settled day is below a share of the median "
        "of the same weekdays before and after, none of them across a declared "
        "change of counting; a holiday is low too. *late*: the value was read after "
        "that of a later day. *restated*: a settled value was changed. `seen_at` is the first reading of "
        "the settled day by a run that is still in the history, of *late* the last reading, of a "
        "restated day the change. What the registry counts later is no longer *not_counted*, but *late*.",
        "none: the ledger is sorted by `seen_at`",
        (
            Parameter("PARTIAL_BELOW", str(PARTIAL_BELOW), "share of the usual below which a day is partial"),
            Parameter("COUNTED_FROM", str(COUNTED_FROM), "share of the usual below which a day is low"),
            Parameter("NEIGHBOURING_WEEKS", "4", "weeks before and after whose same weekday is used"),
            Parameter("SETTLING_DAYS", str(SETTLING_DAYS), "days after which a day has settled"),
            Parameter("LATE_AFTER_HOURS", str(LATE_AFTER_HOURS), "hours after the reading of a later day"),
        ),
    ),
    Rule(
        "restated-since",
        ("restated",),
        "Settled values that a source changed, where we read the change since the period began. A value that "
        "was changed before too is compared with its first settled value, and the sentence says so.",
        "the sum of the differences from the settled values first read; of uniques and rolling totals the "
        "largest",
    ),
    Rule(
        "disputed-days",
        ("disputed",),
        "Days of the period that a second witness counts otherwise. Once a week it is asked for the last "
        "five weeks; a day that it has not completely is not compared. Both values are shown, and nothing is "
        "corrected. A day whose stored value changes is compared anew.",
        "the largest difference between the two on one day",
        (
            Parameter(
                "MOST_DIFFERENCE",
                str(MOST_DIFFERENCE),
                "share of the stored value above which a day is disputed",
            ),
        ),
    ),
    Rule(
        "not-known",
        ("missing",),
        "What is not known of the period: missing days, with the reason where they were not read when they "
        "were due; days after the newest of a source, which it has not published yet if it was read later "
        "than the day, and which were not read otherwise; a "
        "level or rolling total that was not read at the end, a counter that was not read at both "
        "edges or fell.",
        "the number of missing days, or of periods, in days or periods",
        (_LATE,),
    ),
    Rule(
        "nothing-unusual",
        ("silence",),
        "No other rule but those for totals, largest changes, restatements and missing values has "
        "found anything. A series that is too short or too incomplete to be judged is counted apart.",
        "0",
    ),
)
"""Every rule, in the order of docs/insights.md."""
