"""Which metrics a view is about: the stored ones, with the catalogue's order and its names for products."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

from community_metrics.errors import UnknownName
from community_metrics.model import SourceWindow, ValueKind
from community_metrics.series.additive import adds_up
from community_metrics.sources import available_sources
from community_metrics.sources.base import level_breaks_of
from community_metrics.suggestions import similar_ids
from community_metrics.views.runs import load_freshness

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import LevelBreak, MetricDefinition, StatRow
    from community_metrics.sources import Source
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.runs import Freshness

DOWNLOADS: Final = "downloads"
STARS: Final = "stars"


@dataclass(frozen=True)
class StoredMetrics:
    """The metrics that storage knows."""

    definitions: Sequence[MetricDefinition]
    catalog: Catalog

    def metric(self, metric_id: str) -> MetricDefinition:
        """Return one metric, active or not.

        Raises:
            UnknownName: it is not stored.
        """
        if metric_id in self._by_id:
            return self._by_id[metric_id]
        known = {item.metric_id: (item.subject,) for item in self.definitions}
        raise UnknownName("metric", metric_id, similar_ids(metric_id, known))

    @cached_property
    def _by_id(self) -> Mapping[str, MetricDefinition]:
        return {item.metric_id: item for item in self.definitions}

    @cached_property
    def collected(self) -> tuple[MetricDefinition, ...]:
        """Active metrics that are no fallback, in the catalogue's order; those it lacks last, by id.

        Totals of registries are no metrics of a product and not among them.
        """
        fallbacks = {name for definition in self.definitions for name in definition.fallbacks}
        active = [
            item
            for item in self.definitions
            if item.is_active and item.metric_id not in fallbacks and not item.is_registry
        ]
        position = {metric.metric_id: index for index, metric in enumerate(self.catalog.metrics)}
        return tuple(
            sorted(active, key=lambda item: (position.get(item.metric_id, len(position)), item.metric_id))
        )

    @cached_property
    def shown(self) -> tuple[MetricDefinition, ...]:
        """The collected metrics but those of others: totals, insights and tables are made of these."""
        watched = self.catalog.watched
        return tuple(item for item in self.collected if item.metric_id not in watched)

    @property
    def not_in_catalog(self) -> tuple[str, ...]:
        """The ids of the stored metrics that the catalogue lacks."""
        known = {metric.metric_id for metric in self.catalog.defined}
        return tuple(item.metric_id for item in self.definitions if item.metric_id not in known)

    def registry_of(self, metric: MetricDefinition) -> MetricDefinition | None:
        """Return the total of the registry that a metric of the catalogue comes from; None if none is stored.

        It counts in the metric's own way, such as without mirrors, so that the two may be compared.
        """
        return self._by_id.get(self.catalog.registry_ids.get(metric.metric_id, ""))

    def way_of(self, metric: MetricDefinition) -> str:
        """Return the options that decide how a source counts, those that change the total of its registry."""
        if metric.metric_id not in self.catalog.registry_ids:
            return ""
        entries = self.catalog.metrics
        options = next((one.options for one in entries if one.metric_id == metric.metric_id), {})
        return ", ".join(
            f"{name} = {str(value).lower()}" for name, value in sorted(options.items()) if value is not False
        )

    @property
    def registries(self) -> tuple[MetricDefinition, ...]:
        """The totals of the registries that the catalogue uses, by id."""
        used = {metric.metric_id for metric in self.catalog.registries}
        return tuple(item for item in self.definitions if item.metric_id in used)

    def chosen(
        self, products: Sequence[str] | None = None, metric_ids: Sequence[str] | None = None
    ) -> tuple[MetricDefinition, ...]:
        """Return the shown metrics that pass both filters, and any metric that is named by its id.

        Raises:
            UnknownName: a product or a metric is not stored.
        """
        named = [self.metric(metric_id) for metric_id in dict.fromkeys(metric_ids or ())]
        known = sorted({item.product for item in self.shown})
        for product in products or ():
            if product not in known:
                raise UnknownName("product", product, similar_ids(product, dict.fromkeys(known, ())))
        found = self.shown
        if named:
            found = tuple(dict.fromkeys([*(item for item in found if item in named), *named]))
        return tuple(item for item in found if not products or item.product in products)

    @cached_property
    def downloads(self) -> Mapping[str, Sequence[MetricDefinition]]:
        """The daily downloads of each product, which its shares and its total are computed from."""
        daily = [
            item
            for item in self.shown
            if (item.metric_family, item.source_window) == (DOWNLOADS, SourceWindow.DAY) and adds_up(item)
        ]
        return by_product(daily)

    @property
    def stars(self) -> tuple[MetricDefinition, ...]:
        """Return the star level of every repository."""
        level = (STARS, ValueKind.LEVEL)
        stars = (item for item in self.shown if (item.metric_family, item.value_kind) == level)
        return tuple(item for item in stars if adds_up(item))

    @cached_property
    def product_names(self) -> Mapping[str, str]:
        """The display names of the products that the catalogue has."""
        return {item.id: item.name for item in self.catalog.products}

    def are_most(self, metric_ids: Collection[str]) -> bool:
        """Return whether these are most of the stored metrics."""
        return 2 * len(metric_ids) > len(self.definitions)


@cache
def _sources() -> Mapping[str, Source]:
    return available_sources()  # reads the entry points of every installed package


def declared_breaks(metric: MetricDefinition) -> tuple[LevelBreak, ...]:
    """Return the days from which on the source of a metric counts in another way, as the source declares."""
    return level_breaks_of(_sources().get(metric.source), metric.subject)


def registry_hosts() -> dict[str, str]:
    """Return the registry that each source reads; `github` and `github-history` read one."""
    return {name: source.host for name, source in _sources().items()}


def by_product(metrics: Iterable[MetricDefinition]) -> dict[str, list[MetricDefinition]]:
    """Return the metrics of each product, in their order."""
    grouped: dict[str, list[MetricDefinition]] = {}
    for metric in metrics:
        grouped.setdefault(metric.product, []).append(metric)
    return grouped


@dataclass(frozen=True, slots=True)
class Restatements:
    """Rows that their registry changed, last changed first; `has_more` when a limit cut them off."""

    rows: tuple[StatRow, ...]
    has_more: bool
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class Definitions:
    """Every metric that was ever stored, by id, and which of them are those of others."""

    metrics: Sequence[MetricDefinition]
    watched: frozenset[str]
    freshness: Freshness


async def load_definitions(reader: LanceDBReader, catalog: Catalog, now: datetime) -> Definitions:
    """Return every metric that was ever stored."""
    metrics = await reader.metrics()
    return Definitions(metrics, catalog.watched, await load_freshness(reader, now, metrics))


async def load_restatements(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    metric_ids: Sequence[str],
    since: datetime | None,
    limit: int,
) -> Restatements:
    """Return what registries changed, of all metrics or of some.

    Raises:
        UnknownName: one of the metrics is not stored.
    """
    stored = StoredMetrics(await reader.metrics(), catalog)
    ids = [stored.metric(metric_id).metric_id for metric_id in metric_ids]
    rows = await reader.restatements(metric_ids=ids or None, since=since, limit=limit + 1)
    return Restatements(
        tuple(rows[:limit]), len(rows) > limit, await load_freshness(reader, now, stored.definitions)
    )
