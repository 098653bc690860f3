"""Goals of a catalogue file, `[[goal]]`, and their rules."""

from __future__ import annotations

from datetime import date  # noqa: TC003  pydantic reads it at run time
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from community_metrics.catalog.entries import Entry, MetricId, Name, Slug
from community_metrics.model import MAX_VALUE, UNIQUES, SourceWindow, ValueKind, Visibility
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from community_metrics.catalog.document import Fault, RawEntry

    Counted = Callable[[RawEntry], tuple[ValueKind, str]]
    """Returns the kind and the unit of a metric's entry."""

_FIELD_FAULT = tuple[str, str]
_DOWNLOADS: Final = "downloads:"


class Goal(Entry):
    """One `[[goal]]`: a value that a metric, or the downloads of a product, should have by a day.

    `metric_id` or `product` says what is counted. A daily flow, and so the downloads of a product, is summed
    from the day `since` on, by default its first stored day; anything else has its reading. `visibility` says
    who may see the goal; one on a metric of the team is the team's in any case.
    """

    metric_id: Annotated[MetricId | None, Field(alias="metric")] = None
    product: Slug | None = None
    value: Annotated[int, Field(ge=1, le=MAX_VALUE)]
    day: Annotated[date, Field(alias="date")]
    since: date | None = None
    name: Name | None = None
    visibility: Annotated[Visibility, Field(strict=False)] = Visibility.PUBLIC


def goal_faults(
    goals: Sequence[RawEntry], metrics: Sequence[RawEntry], product_ids: Sequence[str], counted: Counted
) -> Iterator[Fault]:
    """Yield a fault for each goal that is about nothing, about two things, or about what has no values."""
    by_id = {metric.id: metric for metric in reversed(metrics) if metric.id}
    for goal in goals:
        metric_id, product = goal.get("metric"), goal.get("product")
        if "metric" in goal.raw and "product" in goal.raw:
            yield goal.fault("product", "cannot be combined with metric. Fix: leave one of the two out")
        elif "metric" not in goal.raw and "product" not in goal.raw:
            yield goal.fault("metric", "is missing. Fix: write the id of a metric, or product and its id")
        elif metric_id:
            for field, message in _metric_faults(goal, metric_id, by_id, counted):
                yield goal.fault(field, message)
        elif product:
            for message in _product_faults(product, product_ids, metrics):
                yield goal.fault("product", message)
        day, since = goal.get("date"), goal.get("since")
        if day and since and since > day:
            yield goal.fault("since", f"is {since}, after the date {day}. Fix: write an earlier day")


def _metric_faults(
    goal: RawEntry, metric_id: str, metrics: Mapping[str, RawEntry], counted: Counted
) -> Iterator[_FIELD_FAULT]:
    metric = metrics.get(metric_id)
    if metric is None:
        yield "metric", f"there is no metric {metric_id}; {suggestion(metric_id, metrics)}"
        return
    if metric.get("active") is False:
        yield "metric", f"{metric_id} gets no new values. Fix: write active = true there, or remove the goal"
    if not (window := metric.get("window")):
        return  # its own fault is reported
    kind, unit = counted(metric)
    if kind is not ValueKind.FLOW:
        if goal.get("since"):
            yield (
                "since",
                f"is for sums of days, but {metric_id} is of the kind {kind}. Fix: remove it",
            )
    elif unit == UNIQUES:
        yield "metric", f"{metric_id} counts uniques, which do not add up. Fix: choose another metric"
    elif window != SourceWindow.DAY:
        yield "metric", f"{metric_id} has no values of days, which a goal sums. Fix: choose a daily metric"


def _product_faults(product: str, product_ids: Sequence[str], metrics: Sequence[RawEntry]) -> Iterator[str]:
    if product not in product_ids:
        yield f"there is no [[product]] {product!r}; {suggestion(product, product_ids)}"
    elif not any(_is_of_total(metric, product) for metric in metrics):
        yield f"{product} has no active daily downloads, whose total a goal sums. Fix: write metric instead"


def _is_of_total(metric: RawEntry, product: str) -> bool:
    is_daily = metric.get("window") == SourceWindow.DAY and metric.get("active") is not False
    return is_daily and (metric.get("id") or "").startswith(f"{_DOWNLOADS}{product}:")
