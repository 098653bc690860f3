"""The places from which a repository was visited, and its pages that were viewed, as listed on a day."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from community_metrics.errors import TooManyPoints
from community_metrics.views.runs import load_freshness
from community_metrics.views.selection import StoredMetrics

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition, StoredTrafficSet
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness

MAX_LISTS: Final = 1_000
"""Lists in one answer; GitHub's have ten places each."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a list: a site, or a page with its title (None: the list has no titles)."""

    name: str
    title: str | None
    count: int
    uniques: int


@dataclass(frozen=True, slots=True)
class ListedPlaces:
    """The list of one metric as read on `day`, in the source's order; it covers the days up to the reading.

    What is not listed is unknown, not 0. Counts of two lists, and uniques of any two places, do not add up.
    """

    metric_id: str
    day: date
    observed_at: datetime
    source_ref: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class TrafficItems:
    """The lists of one metric, oldest first, one for each day on which it was read."""

    metric: MetricDefinition
    lists: Sequence[ListedPlaces]
    freshness: Freshness


async def load_traffic_items(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    metric_id: str,
    since: date | None = None,
    until: date | None = None,
) -> TrafficItems:
    """Return the lists that were read in the range; without a first day the newest one up to `until`.

    Raises:
        UnknownName: the metric is not stored.
        TooManyPoints: the range has more than `MAX_LISTS` lists.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    metric = stored.metric(metric_id)
    sets = await reader.traffic_sets(metric_id, since=since, until=until)
    lists = [_listed(one) for one in (sets if since else sets[-1:])]
    if len(lists) > MAX_LISTS:
        raise TooManyPoints(MAX_LISTS)
    return TrafficItems(metric, lists, await load_freshness(reader, now, stored.definitions))


async def listed_places(
    reader: LanceDBReader, stored: StoredMetrics, metric_id: str, day: date | None = None
) -> ListedPlaces | None:
    """Return the list of the metric as read on `day`, by default the newest; None if there is none.

    Raises:
        UnknownName: no such metric is stored.
    """
    sets = await reader.traffic_sets(stored.metric(metric_id).metric_id, since=day, until=day)
    if not sets:
        return None
    return _listed(sets[-1])


def _listed(one: StoredTrafficSet) -> ListedPlaces:
    rows = zip_longest(one.names, one.titles, one.counts, one.uniques)
    places = tuple(Place(name, title, count, uniques) for name, title, count, uniques in rows)
    return ListedPlaces(one.metric_id, one.day, one.observed_at, one.source_ref, places)
