"""A metric before and after an event or a day, from what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from community_metrics.errors import DayOutOfRange
from community_metrics.periods import FIRST_YEAR, last_completed_day, today
from community_metrics.series.before_after import compare, days_read
from community_metrics.series.comparison import RegistryDays, Window
from community_metrics.series.outages import UNCOUNTED
from community_metrics.series.points import points
from community_metrics.views.events import event_named, outage_events
from community_metrics.views.outages import low_days, read_registries
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics, declared_breaks

if TYPE_CHECKING:
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import Event, MetricDefinition
    from community_metrics.series.comparison import Comparison
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.outages import Registry
    from community_metrics.views.runs import Freshness

_FIRST_DAY: Final = date(FIRST_YEAR + 1, 1, 1)
"""The earliest day with days before it: nothing is stored from before FIRST_YEAR."""
_USUAL: Final = timedelta(weeks=5)
"""The days around the window from which the usual values of a registry follow."""


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """A comparison, the event that it is about where one is named, and how fresh the data are.

    `observed_at` is when the newest value of the compared days was read.
    """

    comparison: Comparison
    event: Event | None
    observed_at: datetime | None
    freshness: Freshness


async def load_before_after(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    metric_id: str,
    at: date | str,
    days: int,
    skip_missing: bool = False,
) -> BeforeAfter:
    """Return the comparison of the `days` before and after a day; `days` are whole weeks.

    `at` is the day, or the id of an event.

    Raises:
        UnknownName: the metric or the event is not stored.
        DayOutOfRange: the days after are not over, or nothing is stored from before the day.
        NotComparable: the metric has no values of days, or a change of counting lies in the days.
        DaysMissing: days are missing, and `skip_missing` does not allow it.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    metric = stored.metric(metric_id)
    event: Event | None = None
    if isinstance(at, str):
        event = await event_named(reader, at, derived=await outage_events(reader, catalog, now))
        at = event.day
    window = Window(at, days)
    last = last_completed_day(now) - timedelta(days=days)
    if not _FIRST_DAY <= window.day <= last:
        raise DayOutOfRange(window.day, _FIRST_DAY, last, "event_id" if event else "day")
    periods = days_read(metric, window)
    # a level is read up to 12 hours before or after the end of a day
    since, until = periods[0].start - timedelta(days=1), min(window.last + timedelta(days=1), today(now))
    readings = await reader.readings([metric_id], since=since, until=until)
    registry = await _registry_of(reader, stored, metric, window, now)
    by_source = {} if registry is None else {metric.source: registry}
    low = low_days(readings, [metric], by_source, since=window.first, until=window.last)
    series = points([metric], readings, periods, now).series(0)
    compared = compare(
        series,
        window,
        breaks=declared_breaks(metric),
        low=frozenset(day for _, day in low),
        skip_missing=skip_missing,
        registry=None if registry is None else _counted_days(registry),
    )
    read = [point.observed_at for point in series if point.observed_at is not None]
    freshness = await load_freshness(reader, now, stored.definitions)
    return BeforeAfter(compared, event, max(read, default=None), freshness)


async def _registry_of(
    reader: LanceDBReader, stored: StoredMetrics, metric: MetricDefinition, window: Window, now: datetime
) -> Registry | None:
    """Return the registry of a metric around the window, if its total is stored."""
    total = stored.registry_of(metric)
    if total is None:
        return None
    since, until = window.first - _USUAL, min(window.last + _USUAL, today(now))
    return (await read_registries(reader, stored, [total], since=since, until=until))[total.metric_id]


def _counted_days(registry: Registry) -> RegistryDays:
    """Return the days that the registry counted whole."""
    left_out = registry.days(*UNCOUNTED)
    counted = {day: value for day, value in registry.values.items() if day not in left_out}
    return RegistryDays(registry.metric.metric_id, counted)
