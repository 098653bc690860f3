"""What the tools return: the bodies of the API, with all that is needed to quote each number."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from community_metrics.api.schemas.base import Body, Freshness
from community_metrics.api.schemas.comparisons import BeforeAfter
from community_metrics.api.schemas.dashboard import LeftOut
from community_metrics.api.schemas.insights import Insight
from community_metrics.api.schemas.outages import Outage
from community_metrics.api.schemas.points import Change, Definition, Dispute, LevelBreak, MetricIdentity
from community_metrics.model import Status, ValueKind


class Figure(Body):
    """One number, with all that is needed to quote it."""

    value: int | None
    """The number; null where nothing is known, never 0 for that."""
    unit: str
    """What is counted: `downloads`, `stars`."""
    kind: ValueKind
    """How values combine: a flow adds up over time, a level, a counter's reading and a rolling total do not.

    The value of a counter in a period is how much it grew.
    """
    period: str
    """The period: `2026-11-18`, `2026-W47` or `2026-11`."""
    period_start: date
    """First UTC day of the period."""
    period_end: date
    """Last UTC day of the period, inclusive."""
    completeness: str
    """How much of the period is known: `7 of 7 days`, `5 of 7 days`, `2 of 3 series`."""
    complete: bool
    """Whether all of it is known and the period is over. A number that is not complete is no total of it."""
    estimated: bool
    """Whether it comes from a wider reading of the registry; then it is not complete."""
    status: Status | None
    """Provisional while the registry may still change it, or a part of it; null without a value."""
    restated: bool | None
    """Whether the registry changed it after it had settled; null for a sum without a value."""
    source: str
    """Where it was read: `pypistats`, `npm`, `github`; several are separated by commas."""
    read_at: datetime | None
    """When its newest part was read; null where that is not known."""
    citation: str
    """A sentence with all of this. Quote it word for word."""


class QuotedChange(Change):
    """How far a number moved, with all that is needed to quote it."""

    unit: str
    """What `absolute` counts: `downloads`, `stars`."""
    kind: ValueKind
    """The kind of the number that moved."""
    period: str
    """The later of the two periods: `2026-W47`. The earlier one is named in the citation."""
    completeness: str
    """How much of the later period is known; the earlier one is complete, or there would be no change."""
    source: str
    """Where both were read; several are separated by commas."""
    read_at: datetime | None
    """When the newest part of the later one was read; null where that is not known."""
    citation: str
    """A sentence with all of this. Quote it word for word."""


class MetricEntry(Definition):
    """One metric."""

    may_be_summed: bool
    """Whether its values may be added to those of other metrics of the same unit and kind."""


class MetricList(Body):
    """The metrics that are stored."""

    metrics: list[MetricEntry]
    """Every metric ever collected, by id."""
    freshness: Freshness
    """How fresh the data are."""


class SeriesOfMetric(Body):
    """One metric by period."""

    metric: MetricIdentity
    """What is counted."""
    figures: list[Figure]
    """One for each period, oldest first."""
    disputes: list[Dispute]
    """Days of these periods that a second witness counts otherwise, oldest first."""


class SumOfMetrics(Body):
    """The sum of several metrics by period."""

    metric_ids: list[str]
    """The metrics in the sum."""
    figures: list[Figure]
    """One for each period that is over, oldest first; without a value where one of them is not complete.

    With a metric in `left_out` each is the sum of fewer than were asked for: not complete, and named so.
    """
    left_out: list[LeftOut]
    """Metrics that have failed for more than two weeks, which are in no sum."""


class Series(Body):
    """One or several metrics by period."""

    grain: Literal["day", "week", "month"]
    """Length of the periods."""
    series: list[SeriesOfMetric]
    """Each metric, in the order of the request."""
    total: SumOfMetrics | None
    """Their sum, if it was asked for."""
    unlike: list[str]
    """Why some of the metrics may share neither a chart nor a sum with the first one; empty if all may."""
    freshness: Freshness
    """How fresh the data are."""


class ReportedMetric(Body):
    """One metric in a report."""

    metric: MetricIdentity
    """What is counted."""
    newest: Figure | None
    """Its newest reading, or its newest complete week of the last 12, else their newest; null without any."""
    change: QuotedChange | None
    """From the week before, of a rolling total from a whole window earlier; null where that is not known."""


class ReportedProduct(Body):
    """One product in a report."""

    product: str
    """Id of the product."""
    display_name: str
    """The display name."""
    total: Figure | None
    """The sum of its series in their newest complete week; null where it has none."""
    change: QuotedChange | None
    """Change of the total from the week before; null where that is not known."""
    metrics: list[ReportedMetric]
    """Its metrics."""


class QuotedInsight(Insight):
    """One sentence about a period, and all that is needed to quote it."""

    period: str
    """The period: `2026-W47`, `2026-11` or `2026-Q4`."""
    completeness: str | None
    """What it rests on: `11 of 14 series are complete`, `7 of 7 days`; null where its days have no total."""
    kinds: list[ValueKind]
    """The kinds of its metrics."""
    sources: list[str]
    """Where its metrics are read."""
    read_at: datetime | None
    """When the newest value of its metrics in the period was read; null where they have none."""
    citation: str
    """The sentence with period, rule and reading time. Quote it word for word."""


class Report(Body):
    """How the products are doing: the headline, what changed, and each product."""

    week: str
    """The newest week in which a series is complete: `2026-W47`."""
    complete: int
    """Series that are complete in the week."""
    series: int
    """Series that the totals are made of."""
    headline: QuotedInsight | None
    """The total of all products; null where no series is complete."""
    foremost: list[QuotedInsight]
    """At most four insights of the week, the most important first."""
    products: list[ReportedProduct]
    """The largest first."""
    freshness: Freshness
    """How fresh the data are."""


class Insights(Body):
    """The insights of a period."""

    period: str
    """The period."""
    period_start: date
    """First UTC day of the period."""
    period_end: date
    """Last UTC day of the period, inclusive."""
    insights: list[QuotedInsight]
    """By kind, then by unit and importance; without anything unusual one of them says so."""
    foremost: list[int]
    """Positions in `insights` of at most four for a first screen, the most important first."""
    freshness: Freshness
    """How fresh the data are."""


class Comparison(BeforeAfter):
    """A metric before and after a day, and all that is needed to quote it."""

    completeness: str
    """How many days of each side count."""
    read_at: datetime | None
    """When the newest value of these days was read."""
    citation: str
    """The sentence with source and reading time. Quote it word for word."""


class QuotedOutage(Outage):
    """What was wrong with one day of a registry, with all that is needed to quote it."""

    unit: str
    """What `value`, `usual` and `first_value` count."""
    value_kind: ValueKind
    """How these values combine; `kind` is that of the outage."""
    source: str
    """Where the value was read."""
    completeness: str
    """How much of the day is known: `1 of 1 day, counted in part`, `0 of 1 day`."""
    read_at: datetime | None
    """When the value was last read; null where the registry states none."""
    citation: str
    """The sentence with all of this, and when it was first seen. Quote it word for word."""


class Outages(Body):
    """The outages of the registries."""

    registries: list[str]
    """The registries of which a total is stored."""
    outages: list[QuotedOutage]
    """Last seen first."""
    has_more: bool
    """Whether there are more than were asked for."""
    freshness: Freshness
    """How fresh the data are."""


class Explanation(Body):
    """What one metric counts, and what may be done with its values."""

    metric: MetricEntry
    """The metric."""
    meaning: str
    """What one value means, and how values combine."""
    sum_problem: str | None
    """Why its values must not be added to those of others; null if they may be."""
    level_breaks: list[LevelBreak]
    """Days from which on the source counts in another way."""
    first_day: date | None
    """The oldest stored day; null where nothing is stored."""
    registry_id: str | None
    """The metric that counts everything in its registry; null without one."""
    newest: Figure | None
    """Its newest reading or, of what is summed by day, its newest complete week; null where it has none."""
    documentation: str
    """The page that explains every kind of number."""
    freshness: Freshness
    """How fresh the data are."""
