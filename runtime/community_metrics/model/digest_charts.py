"""The charts of a digest as values: what its slides draw, stored with it so that they never change."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

from community_metrics.model.digest_part import Part
from community_metrics.periods import Grain

PERIODS: Final = {Grain.WEEK: 26, Grain.MONTH: 13, Grain.QUARTER: 8}
"""Periods of a chart; it has fewer where no line has a value in the first ones."""


class DigestBreak(Part):
    """A day from which on a source counts in another way: values before and after it do not compare."""

    day: date
    """The first day that is counted in the new way."""
    reason: str
    """What changed."""


class DigestLine(Part):
    """The values of one sum by period. A period in which a part of it is not complete has none."""

    product: str | None
    """Id of the product; null for all together."""
    name: str
    """Its display name."""
    metric_ids: tuple[str, ...]
    """The metrics of the sum."""
    values: tuple[int | None, ...]
    """One for each period of the chart; null where a metric is not complete."""
    year_before: tuple[int | None, ...]
    """The same periods a year earlier; null also where the counting changed since. Empty without a value."""


class DigestChart(Part):
    """Lines over the same periods."""

    about: Literal["total", "product", "stars"]
    """Downloads of all products, what one product counts, or the stars of several."""
    unit: str
    """What is counted."""
    is_level: bool
    """Whether a value is a reading at the end of its period, and not a sum over it."""
    periods: tuple[str, ...]
    """The periods, oldest first; the last one is that of the digest."""
    lines: tuple[DigestLine, ...]
    """The lines, the largest first."""
    breaks: tuple[DigestBreak, ...]
    """Changes of counting within the periods."""
    more: int
    """Products that have values and no line, because there is no room for all."""


class DigestShare(Part):
    """What the series of one SDK are of the total of the period."""

    sdk: str | None
    """The SDK; null for series without one."""
    value: int
    """The sum of its complete series."""
    share: float | None
    """Of the total, 0.05 is 5 %; null unless every series of the total is complete."""
