"""Removal of metrics from a catalogue file: `catalog remove`. Comments and other entries stay as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.catalog.catalog import PACKAGED_CATALOG, parse_catalog, read_content
from community_metrics.catalog.edit import require_own
from community_metrics.catalog.files import replace_file
from community_metrics.catalog.toml_lines import HEADER, entry_lines
from community_metrics.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from community_metrics.catalog.catalog import Catalog


def remove_metrics(path: Path | None, metric_ids: Sequence[str]) -> tuple[str, ...]:
    """Remove metrics, and the products that have none left; return the ids of these products.

    Raises:
        ConfigurationError: `path` is None or the packaged catalogue, or the file is not writable.
        CatalogError: an id is unknown, or the file has faults, before or after; nothing was written.
    """
    file = path or PACKAGED_CATALOG
    content = read_content(file)
    catalog = parse_catalog(content, file)
    require_own(catalog)
    removed = {catalog.metric(metric_id).metric_id for metric_id in metric_ids}
    products = _emptied(catalog, removed)
    shortened = _without(content, file, catalog, removed, products)
    try:
        parse_catalog(shortened, file)
    except CatalogError as error:
        headline = f"Nothing was removed, because {file} would then have faults:"
        raise CatalogError(headline, error.faults) from error
    replace_file(file, shortened)
    return products


def _emptied(catalog: Catalog, removed: set[str]) -> tuple[str, ...]:
    before = {metric.product for metric in catalog.metrics}
    after = {metric.product for metric in catalog.metrics if metric.metric_id not in removed}
    return tuple(product.id for product in catalog.products if product.id in before - after)


def _without(
    content: bytes, file: Path, catalog: Catalog, removed: set[str], products: Sequence[str]
) -> bytes:
    """Return the content without these entries; the comments between two entries stay."""
    lines = content.decode().splitlines(keepends=True)
    found = entry_lines(content.decode("utf-8-sig"))
    kinds = {
        "product": [product.id in products for product in catalog.products],
        "metric": [metric.metric_id in removed for metric in catalog.metrics],
    }
    if any(len(found.get(kind, ())) != len(is_removed) for kind, is_removed in kinds.items()):
        raise CatalogError(f"{file} has entries without a [[metric]] header. Fix: remove the metric by hand")
    starts = {
        place[HEADER] - 1: is_removed
        for kind, flags in kinds.items()
        for place, is_removed in zip(found.get(kind, ()), flags, strict=True)
    }
    others = (place for kind, places in found.items() if kind not in kinds for place in places)
    starts |= {place[HEADER] - 1: False for place in others}
    ends = [*sorted(starts)[1:], len(lines)]
    for start, end in reversed(list(zip(sorted(starts), ends, strict=True))):
        if starts[start]:
            del lines[start : _end_of_entry(lines, start, end)]
    return "".join(lines).encode()


def _end_of_entry(lines: Sequence[str], start: int, next_start: int) -> int:
    """Return the line after an entry and its blank lines; comments before the next entry belong to it."""
    end = next_start
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    while end < next_start and not lines[end].strip():
        end += 1
    return end
