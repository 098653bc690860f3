"""Which metrics may share a chart."""

from __future__ import annotations

from datetime import date
from typing import Literal

from community_metrics.api.schemas.base import Body, Freshness
from community_metrics.api.schemas.points import MetricIdentity


class ComparedMetric(MetricIdentity):
    """A metric that shares the chart."""

    watch: bool
    """Whether it is somebody else's: it is in no total, insight or table."""
    first_day: date | None
    """Its first stored day with a value above 0; the package may be older. Null without one."""
    size: int | None
    """Its newest complete week; null without one."""


class Refused(Body):
    """A metric that may not share the chart."""

    metric_id: str
    """Its id."""
    sentence: str
    """Why, in plain English."""


class Axis(Body):
    """The metrics of one unit: values of two units never share an axis."""

    unit: str
    """What the axis counts."""
    metric_ids: list[str]
    """Its metrics, in the order of the request."""


class Advice(Body):
    """A scale on which the metrics are better read."""

    scale: Literal["log", "indexed"]
    """A logarithmic axis, or every series indexed to 100 at its first value."""
    sentence: str
    """Why, in plain English."""


class Comparison(Body):
    """Which metrics may share a chart, on which axes, and how they are best read."""

    period_start: date
    """First UTC day that is compared."""
    period_end: date
    """Last UTC day that is compared."""
    metrics: list[ComparedMetric]
    """The metrics that share the chart, in the order of the request."""
    refused: list[Refused]
    """The metrics that do not, each with the reason."""
    axes: list[Axis]
    """The axes, one for each unit."""
    advice: Advice | None
    """A better scale; null where the usual one is good."""
    rule: Literal["alike"]
    """Id of the rule; docs/insights.md has it with its parameters."""
    freshness: Freshness
    """How fresh the data are."""


class ChangeOfCounting(Body):
    """A day from which a source counts in another way."""

    day: date
    """The UTC day: a chart with it and an earlier day does not have the metric."""
    sentence: str
    """Why, in plain English."""


class ComparableMetric(ComparedMetric):
    """What decides on a metric which others may share its chart."""

    measure: str
    """What a value is, as `a level`: metrics of two measures share no chart."""
    way: str
    """How its source counts it: two metrics of one source that count in two ways share no chart."""
    changes: list[ChangeOfCounting]
    """Days from which its source counts in another way, the newest first."""


class Sentences(Body):
    """The sentences of the rule, with names in braces for what differs."""

    unlike: str
    """Two measures."""
    two_ways: str
    """Two ways of counting of one source."""
    several_units: str
    """The advice to index."""
    far_larger: str
    """The advice of a log scale."""


class Comparable(Body):
    """What `/compare` says of any metrics, taken apart, for a page that cannot ask."""

    period_end: date
    """Last UTC day of a chart that names none."""
    metrics: list[ComparableMetric]
    """The metrics that are still collected, by id."""
    far_apart: int
    """How many times the smallest size the largest one is, or more, where a log scale is advised."""
    sentences: Sentences
    """What is said of several metrics."""
    rule: Literal["alike"]
    """Id of the rule; docs/insights.md has it with its parameters."""
    freshness: Freshness
    """How fresh the data are."""
