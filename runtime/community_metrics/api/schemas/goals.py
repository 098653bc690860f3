"""Where the goals of the catalogue stand."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from community_metrics.api.schemas.base import Body, Freshness
from community_metrics.model import Progress


class GoalForecast(Body):
    """80 % of the outcomes that the past suggests for the value on the date."""

    low: int
    """Low end."""
    high: int
    """High end."""
    origin: str
    """The newest complete week, from which it is made."""
    weeks_ahead: int
    """Weeks from the end of that week to the date, rounded up."""
    hits: int
    """How many past forecasts of the same rule were right."""
    tests: int
    """How many past forecasts there are."""


class Goal(Body):
    """A value that a metric, or the downloads of a product, should have by a day."""

    name: str
    """Its name: that of the catalogue, else of what is counted."""
    metric_id: str | None
    """The metric; null for the downloads of a product."""
    product: str
    """The product."""
    unit: str
    """What is counted."""
    value: int
    """The value to reach."""
    date: dt.date
    """The UTC day by whose end it should be reached."""
    since: dt.date | None
    """First day of the sum; null for what has a reading."""
    current: int | None
    """The sum of the known days, or the newest reading; null if none is known, as before the first day."""
    as_of: dt.date | None
    """The newest day of the sum, or the day of the reading; null where `current` is."""
    missing_days: list[dt.date]
    """Days of the sum without a value; they could only add to it."""
    series: list[str]
    """The metrics that are counted together."""
    waits_for: list[str]
    """Metrics without a later day, which others have."""
    left_out: list[str]
    """Metrics that have failed for more than two weeks, and are in no total."""
    level_break: dt.date | None
    """The newest declared change of counting among the days or weeks that are used; null without one."""
    remaining: int | None
    """What is left; 0 once reached."""
    weeks_left: float | None
    """Weeks from `as_of` to the date."""
    needed_per_week: int | None
    """What each of these weeks needs, rounded up; with missing days the most that can be needed. Null for a
    rolling total, which is never scaled."""
    recent_per_week: float | None
    """The mean of the recent complete weeks; null where too few are, and for a rolling total."""
    recent_weeks: list[str]
    """Which weeks these are."""
    progress: Progress
    """Where it stands."""
    reason: str | None
    """Why that is not known; null where it is."""
    forecast: GoalForecast | None
    """The forecast by the rule `seasonal-naive-interval`; null where there is none."""
    forecast_reason: str | None
    """Why there is none; null where there is one."""
    sentence: str
    """Where the goal stands, in plain English, made of its numbers."""
    rule: Literal["needed-per-week"]
    """Id of the rule; docs/insights.md has it with its parameters."""
    link: str
    """Path of the API that has the weeks."""


class Goals(Body):
    """The goals of the catalogue, in its order."""

    goals: list[Goal]
    """The goals; none without a `[[goal]]` in the catalogue."""
    freshness: Freshness
    """How fresh the data are."""
