"""What a run of the demo reads from the invented registries at an instant: values, lists, errors. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from community_metrics.demo.numbers import lists, values
from community_metrics.demo.world import LOW_AT_REGISTRY, PATHS, PUBLISHED_AFTER, REFERRERS, RESTATED, UNREAD
from community_metrics.errors import SourceUnreachable, TransientSourceError
from community_metrics.model import Observation, SourceWindow, TrafficSet, ValueKind, ValueMark
from community_metrics.periods import ONE_DAY, midnight
from community_metrics.periods import today as day_of
from community_metrics.sources.base import FetchResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from community_metrics.catalog import Metric

REF: Final = "sample data, no registry was asked"
"""The `source_ref` of every value."""
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {"github-referrers": REFERRERS, "github-paths": PATHS}


class Registries:
    """The invented registries, as they answer until `today`: the same for one seed and one day."""

    def __init__(self, seed: int, today: date) -> None:
        self._seed = seed
        self.today = today
        self._values: dict[str, Mapping[date, int]] = {}
        self._listed: dict[str, Mapping[date, list[tuple[int, int]]]] = {}

    def read(self, metric: Metric, since: date, at: datetime) -> FetchResult:
        """Return what a metric's registry answers at an instant about the days since `since`."""
        known = self._published(metric)
        days = [day for day in known if since <= day and self._is_read(metric, day, at)]
        stated = [(day, self._as_of(metric, day, known[day], at)) for day in days]
        rows = tuple(self._observation(metric, day, value, at) for day, value in stated)
        return FetchResult(metric.metric_id, rows, items=self._lists(metric, days))

    def _published(self, metric: Metric) -> Mapping[date, int]:
        """Return all that a registry ever states of a metric; a list of places counts its places."""
        if metric.metric_id not in self._values:
            if names := _PLACES.get(metric.source):
                listed = lists(metric, self._seed, self.today, names)
                self._listed[metric.metric_id] = listed
                self._values[metric.metric_id] = {day: len(places) for day, places in listed.items()}
            else:
                self._values[metric.metric_id] = values(metric, self._seed, self.today)
        return self._values[metric.metric_id]

    def failed(self, metric: Metric, *, is_offline: bool) -> FetchResult:
        """Return the failure of a metric: the machine was offline, or the registry answered with an error."""
        facts: dict[str, Any] = {
            "source": metric.source,
            "subject": metric.subject,
            "url": f"https://{metric.source}.example/",
            "attempts": 3,
        }
        offline, ill = (
            SourceUnreachable("no such host", **facts),
            TransientSourceError(http_status=503, **facts),
        )
        error = offline if is_offline else ill
        return FetchResult(metric.metric_id, error=error)

    def _is_read(self, metric: Metric, day: date, at: datetime) -> bool:
        """Return whether a value is known at an instant: its window is over, and it could be read."""
        if metric.window is SourceWindow.INSTANT:
            return midnight(day) <= at and self._could_read(day)
        is_over = midnight(day + PUBLISHED_AFTER.get(metric.source, 1) * ONE_DAY) <= at
        return is_over and (metric.value_kind is ValueKind.FLOW or self._could_read(day + ONE_DAY))

    def _could_read(self, day: date) -> bool:
        return (self.today - day).days not in UNREAD

    def _as_of(self, metric: Metric, day: date, value: int, at: datetime) -> int:
        """Return the value as the registry stated it at an instant: a share of it before a correction."""
        days, share, corrected = RESTATED.get(metric.source, ((), 1.0, 0))
        is_before = (self.today - day_of(at)).days > corrected
        return round(value * share) if is_before and (self.today - day).days in days else value

    def _observation(self, metric: Metric, day: date, value: int, at: datetime) -> Observation:
        window = metric.window
        first = day - ((window.days or 1) - 1) * ONE_DAY
        if window is SourceWindow.INSTANT:
            at = midnight(day)
        elif metric.value_kind is ValueKind.ROLLING:  # read each day, or it would be lost
            at = midnight(day + ONE_DAY)
        low, _ = LOW_AT_REGISTRY.get(metric.source, (0, 1.0))
        mark = ValueMark.LOW_FOR_EVERYBODY if (self.today - day).days == low else None
        return Observation(metric.metric_id, first, day, value, window, at, REF, mark=mark)

    def _lists(self, metric: Metric, days: list[date]) -> tuple[TrafficSet, ...]:
        names = _PLACES.get(metric.source)
        if names is None:
            return ()
        made = []
        for day in days:
            counts, uniques = zip(*self._listed[metric.metric_id][day], strict=True)
            made.append(TrafficSet(metric.metric_id, day, names, (), counts, uniques, midnight(day), REF))
        return tuple(made)
