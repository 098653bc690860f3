"""The stored numbers as Prometheus and OpenMetrics have them: families of samples, each of one unit.

Every number is that of the weekly dashboard. A value that is not complete or not known has no sample: a
monitoring system would sum and draw a 0, and could not know that nothing was counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from community_metrics.model import ValueKind
from community_metrics.periods import Grain, period_of, today
from community_metrics.series.freshness import STALE_AFTER_DAYS
from community_metrics.views.dashboard import read_chosen
from community_metrics.views.selection import StoredMetrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition
    from community_metrics.series.totals import Reading
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.dashboard import Dashboard, DashboardRows, MetricView, ProductView

PREFIX: Final = "community_metrics"
_SECONDS: Final = "seconds"
_READINGS: Final = {
    ValueKind.FLOW: ("day", "of the newest day that was read; they do not add up."),
    ValueKind.LEVEL: ("level", "as last read."),
    ValueKind.ROLLING: ("rolling", "of the window that ends with the newest day that was read."),
    ValueKind.COUNTER: ("counter", "since the first one, as last read."),
}
"""The name and the meaning of the newest reading of each kind."""


class FamilyKind(StrEnum):
    """What the samples of a family are, in the words of OpenMetrics."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a family, and what it is of."""

    labels: Mapping[str, str]
    value: int | float = 1


@dataclass(frozen=True, slots=True)
class Family:
    """Samples that share a name, a kind and a unit; the name ends with the unit, if there is one."""

    name: str
    kind: FamilyKind
    unit: str
    documentation: str
    samples: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Exposition:
    """The families that have a sample, by name; `is_sample` says that the numbers are invented."""

    families: tuple[Family, ...]
    is_sample: bool


async def read_exposition(reader: LanceDBReader, catalog: Catalog, now: datetime) -> DashboardRows:
    """Read the last week of every shown metric, which `exposition_of` makes families of."""
    stored = StoredMetrics(await reader.metrics(), catalog)
    return await read_chosen(reader, now, stored, stored.shown, grain=Grain.WEEK, count=1)


def exposition_of(dashboard: Dashboard) -> Exposition:
    """Return the families of a weekly dashboard, for its last week and its newest readings."""
    families: dict[str, Family] = {}
    for family, sample in _samples(dashboard):
        families.setdefault(family.name, family).samples.append(sample)
    ordered = tuple(families[name] for name in sorted(families))
    return Exposition(ordered, dashboard.freshness.is_sample)


def _samples(dashboard: Dashboard) -> Iterator[tuple[Family, Sample]]:
    yield from _of_data(dashboard)
    for product in dashboard.products:
        yield from _of_product(product)
        for metric in product.metrics:
            yield from _of_metric(metric, today(dashboard.freshness.now))


def _of_data(dashboard: Dashboard) -> Iterator[tuple[Family, Sample]]:
    """Yield which week the values are of, and how fresh the data are."""
    week, freshness = dashboard.periods[-1], dashboard.freshness
    text = "The last ISO week that is over, which the families named `week` are of."
    labels = {"week": week.label, "first_day": f"{week.start}", "last_day": f"{week.end}"}
    yield _family("week", FamilyKind.INFO, "", text), Sample(labels)
    text = "Whether the numbers are invented for a demo."
    yield _family("sample_data", FamilyKind.GAUGE, "", text), Sample({}, int(freshness.is_sample))
    instants = {
        "last_success": ("The last run that read every metric ended.", freshness.last_success_at),
        "last_read": ("The last run that read something from the registries ended.", freshness.read_at),
    }
    for name, (text, at) in instants.items():
        if at is not None:
            yield _instant(name, text), Sample({}, at.timestamp())
    for source in freshness.sources:
        if source.newest_day is not None:
            family = _instant("source_through", "The newest day that was fetched from a source ended.")
            yield family, Sample({"source": source.source}, _end_of(source.newest_day))


def _of_product(product: ProductView) -> Iterator[tuple[Family, Sample]]:
    """Yield the downloads of 30 days, if every metric has each of the days."""
    total, labels = product.downloads, {"product": product.product}
    if total is None or total.value is None or total.period_end is None:
        return
    if total.missing_days or total.left_out:
        return
    text = "Downloads of a product in the last 30 days that all of its metrics have."
    yield _family("product_30d", FamilyKind.GAUGE, "downloads", text), Sample(labels, total.value)
    family = _instant("product_30d_through", "The last of these 30 days ended.")
    yield family, Sample(labels, _end_of(total.period_end))


def _of_metric(view: MetricView, day: date) -> Iterator[tuple[Family, Sample]]:
    """Yield what a metric is, its last week and its newest reading."""
    metric, point = view.metric, view.points[-1]
    labels = {
        "metric_id": metric.metric_id,
        "product": metric.product,
        "family": metric.metric_family,
    }
    yield _family("metric", FamilyKind.INFO, "", "What a metric is."), Sample(labels | _facts(metric))
    if metric.value_kind in {ValueKind.FLOW, ValueKind.COUNTER} and not view.is_by_day_only:
        unit = _word(metric.unit)
        if point.complete and point.value is not None:
            text = f"{metric.unit.capitalize()} in the last ISO week that is over; absent unless complete."
            yield _family("week", FamilyKind.GAUGE, unit, text), Sample(labels, point.value)
        text = "The part of the last ISO week of which the value is known."
        part = point.days_present / point.days_expected
        yield _family("week_known", FamilyKind.GAUGE, "ratio", text), Sample(labels, part)
    if view.latest_reading is not None:
        yield from _of_reading(metric, view.latest_reading, labels, day)


def _of_reading(
    metric: MetricDefinition, reading: Reading, labels: Mapping[str, str], day: date
) -> Iterator[tuple[Family, Sample]]:
    """Yield the newest reading and its instant, unless it is too old to be the value of today."""
    if (day - reading.period_end).days > STALE_AFTER_DAYS:
        return
    name, text = _READINGS[metric.value_kind]
    kind = FamilyKind.COUNTER if metric.value_kind is ValueKind.COUNTER else FamilyKind.GAUGE
    text = f"{metric.unit.capitalize()} {text}"
    yield _family(name, kind, _word(metric.unit), text), Sample(labels, reading.value)
    family = _instant("reading", "The newest reading of a metric was made.")
    yield family, Sample(labels, reading.observed_at.timestamp())


def _facts(metric: MetricDefinition) -> dict[str, str]:
    return {
        "display_name": metric.display_name,
        "kind": metric.value_kind.value,
        "sdk": metric.sdk or "",
        "source": metric.source,
        "subject": metric.subject,
        "unit": metric.unit,
        "window": metric.source_window.value,
    }


def _family(name: str, kind: FamilyKind, unit: str, documentation: str) -> Family:
    return Family("_".join(filter(None, (PREFIX, name, unit))), kind, unit, documentation)


def _instant(name: str, documentation: str) -> Family:
    return _family(f"{name}_timestamp", FamilyKind.GAUGE, _SECONDS, f"When: {documentation}")


def _word(unit: str) -> str:
    """Return a unit as a part of a name."""
    return re.sub(r"[^a-z0-9]+", "_", unit.lower()).strip("_")


def _end_of(day: date) -> float:
    return period_of(day, Grain.DAY).end_instant.timestamp()
