"""What is tracked: the catalogue file, its rules, the identity of a metric, and edits."""

from __future__ import annotations

from community_metrics.catalog.catalog import Catalog, Metric, Product, load_catalog

__all__ = ["Catalog", "Metric", "Product", "load_catalog"]
