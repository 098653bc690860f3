"""What is tracked: the catalogue file, its rules, the identity of a metric, and edits."""

from __future__ import annotations

from community_metrics.catalog.catalog import PACKAGED_CATALOG, Catalog, load_catalog
from community_metrics.catalog.entries import Metric, Product

__all__ = ["PACKAGED_CATALOG", "Catalog", "Metric", "Product", "load_catalog"]
