"""Which metrics an answer is about: those that people look at, in the order of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.api.params import near
from community_metrics.api.problems import unknown
from community_metrics.model import SourceWindow, ValueKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition

DOWNLOADS: Final = "downloads"
STARS: Final = "stars"


@dataclass(frozen=True, slots=True)
class Stored:
    """The metrics that storage knows, seen through the catalogue: its order, its names for products."""

    definitions: Sequence[MetricDefinition]
    catalog: Catalog

    def metric(self, metric_id: str) -> MetricDefinition:
        """Return one metric, active or not.

        Raises:
            Problem: 404, naming near ids.
        """
        for definition in self.definitions:
            if definition.metric_id == metric_id:
                return definition
        known = {item.metric_id: (item.subject,) for item in self.definitions}
        raise unknown("unknown-metric", "metric", metric_id, near(metric_id, known))

    @property
    def shown(self) -> list[MetricDefinition]:
        """Active metrics that are nobody's fallback, in the order of the catalogue; others behind, by id."""
        stand_ins = {fallback for definition in self.definitions for fallback in definition.fallbacks}
        active = [item for item in self.definitions if item.is_active and item.metric_id not in stand_ins]
        place = {metric.metric_id: index for index, metric in enumerate(self.catalog.metrics)}
        return sorted(active, key=lambda item: (place.get(item.metric_id, len(place)), item.metric_id))

    def chosen(
        self, products: Sequence[str] | None, metric_ids: Sequence[str] | None
    ) -> list[MetricDefinition]:
        """Return the shown metrics that pass both filters; one that is asked for by id need not be shown.

        Raises:
            Problem: 404, for a product or a metric that is not stored.
        """
        asked = {metric_id: self.metric(metric_id) for metric_id in metric_ids or ()}
        self._require_products(products or ())
        shown = self.shown
        if metric_ids:
            shown = [item for item in shown if item.metric_id in asked]
            shown += [item for item in asked.values() if item not in shown]
        return [item for item in shown if not products or item.product in products]

    def downloads_of(self, product: str) -> list[MetricDefinition]:
        """Return the daily downloads of a product, which its shares and its total are made of."""
        return [
            item
            for item in self.shown
            if (item.product, item.metric_family, item.source_window)
            == (product, DOWNLOADS, SourceWindow.DAY)
        ]

    @property
    def stars(self) -> list[MetricDefinition]:
        """The levels of stars of every repository."""
        return [
            item for item in self.shown if item.metric_family == STARS and item.value_kind is ValueKind.LEVEL
        ]

    def product_name(self, product: str) -> str:
        """Return the name for people of a product; its id where the catalogue has none."""
        return next((item.name for item in self.catalog.products if item.id == product), product)

    def _require_products(self, products: Iterable[str]) -> None:
        known = sorted({item.product for item in self.shown})
        for product in products:
            if product not in known:
                raise unknown("unknown-product", "product", product, near(product, dict.fromkeys(known, ())))
