"""One week of every product, as the first screen of the page shows it."""

from __future__ import annotations

from datetime import date, datetime

from community_metrics.api.schemas.base import Body, Freshness
from community_metrics.api.schemas.dashboard import LeftOut
from community_metrics.api.schemas.insights import Insight
from community_metrics.api.schemas.points import Change, LevelBreak


class SdkPart(Body):
    """What the series of one SDK add to a product's total."""

    sdk: str | None
    """The language; null for series without one."""
    value: int
    """Their sum in the week of the total."""
    share: float
    """The fraction of the total."""


class WeeklyTotal(Body):
    """The sum of a product's series in a week, over those that are complete in it."""

    unit: str
    """What is counted: `downloads`, or `pulls` of a product without downloads."""
    week: str | None
    """The newest week in which every series of the total is complete; null without one."""
    value: int | None
    """The sum in that week; null without one."""
    estimated: bool
    """The value includes estimates, because no series has a complete week; it has no change and no parts."""
    change: Change | None
    """From the week before; null unless all of the series are complete in both."""
    four_week_change: Change | None
    """Of the last four weeks from the four before."""
    year_on_year_change: Change | None
    """From 52 weeks earlier."""
    level_break: LevelBreak | None
    """The change of counting that a change would cross, and so is null; null without one."""
    sdks: list[SdkPart]
    """The parts of the value, all of one week, the largest first."""
    weeks: list[int | None]
    """The sum in each of the overview's `weeks`; null where a series of the total is not complete."""
    estimates: list[int | None]
    """The sum in each week that has an estimate; null for every other week."""
    lacking: list[str]
    """Series without a complete week in these weeks, which are in no sum."""
    waits_for: list[str]
    """Series of the total that are not complete in the week of the overview."""
    left_out: list[LeftOut]
    """Series that have failed for more than two weeks, which are in no sum."""


class Stars(Body):
    """Stars of one or of all products."""

    value: int
    """Their sum at the end of the week; as last read where `read_at` is not null."""
    change: Change | None
    """In the week; null where a repository was not read at both ends of the week."""
    repositories: int
    """How many repositories there are."""
    included: int
    """How many of them are in the sum."""
    read_at: datetime | None
    """When the oldest of the readings was made, where none was made at the end of the week."""


class ProductOfWeek(Body):
    """One product."""

    product: str
    """Id of the product."""
    display_name: str
    """The display name; the id where the catalogue has none."""
    total: WeeklyTotal | None
    """What it counts by the week; null where no metric of it adds up."""
    stars: Stars | None
    """Its stars; null where none were read."""
    is_known: bool
    """Whether there is a value to show: stars, or a total or an estimate in any of `weeks`."""


class Overview(Body):
    """One week of every product."""

    name: str | None
    """What the catalogue calls all products together; null where it has no name."""
    week: str
    """The ISO week: `2026-W47`."""
    period_start: date
    """First UTC day of the week."""
    period_end: date
    """Last UTC day of the week."""
    previous: str | None
    """The week before; null where nothing is known of it or of an earlier one."""
    next: str | None
    """The week after; null where that is not over."""
    weeks: list[str]
    """The 52 weeks up to this one, oldest first."""
    complete: int
    """Series that are complete in the week."""
    series: int
    """Series that the totals are made of."""
    headline: Insight | None
    """The total of all products' daily downloads, as `/insights` has it; null where no series is complete."""
    products: list[ProductOfWeek]
    """The largest first; those with downloads before those that count something else."""
    stars: Stars | None
    """Stars of all products; null where none were read."""
    freshness: Freshness
    """How fresh the data are."""
