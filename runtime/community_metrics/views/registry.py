"""A metric beside the total of its registry between two days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import NoRegistryTotal
from community_metrics.periods import today
from community_metrics.series.outages import UNCOUNTED
from community_metrics.series.registry import beside_registry
from community_metrics.views.outages import read_registries
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics, declared_breaks

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Grain
    from community_metrics.series.registry import RegistryPoint
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness
    from community_metrics.views.series import DayRange

_USUAL: Final = timedelta(weeks=5)
"""The days around a range from which the usual values of its days follow."""


@dataclass(frozen=True, slots=True)
class BesideRegistry:
    """A metric, the total of its registry, and both by period, oldest first."""

    metric: MetricDefinition
    registry: MetricDefinition
    grain: Grain
    points: tuple[RegistryPoint, ...]
    freshness: Freshness


async def load_beside_registry(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    metric_id: str,
    days: DayRange,
) -> BesideRegistry:
    """Return the periods that hold a day of the range: by default from the first day that both have.

    Raises:
        UnknownName: the metric is not stored.
        NoRegistryTotal: no total of its registry is stored.
        InvalidRange: `first` is after `last`, or after today.
        TooManyPoints: the range has more than `max_points` periods.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    metric = stored.metric(metric_id)
    registry = stored.registry_of(metric)
    if registry is None:
        raise NoRegistryTotal(metric_id)
    oldest = last = days.last_day(now)
    if days.first is None:
        found = [await reader.first_day(name) for name in (metric_id, registry.metric_id)]
        oldest = max(day or last for day in found)
    periods = days.periods(oldest, now)
    since, until = periods[0].start, min(periods[-1].end, today(now))
    readings = await reader.readings([metric_id], since=since, until=until)
    rows = readings.of_metric(metric_id)
    own = dict(zip(readings.days(metric_id), rows["value"].tolist(), strict=True))
    total = await read_registries(
        reader, stored, [registry], since=since - _USUAL, until=min(until + _USUAL, today(now))
    )
    points = beside_registry(
        own,
        total[registry.metric_id].values,
        periods,
        now,
        uncounted=total[registry.metric_id].days(*UNCOUNTED),
        breaks=(*declared_breaks(metric), *declared_breaks(registry)),
    )
    return BesideRegistry(
        metric, registry, days.grain, tuple(points), await load_freshness(reader, now, stored.definitions)
    )
