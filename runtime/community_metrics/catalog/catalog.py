"""The catalogue: what is tracked. One TOML file, packaged, replaced by another with `CM_CATALOG`.

`load_catalog` reads a file whole or not at all: a file with faults raises one `CatalogError` that lists every
one of them with its line, because a run over half a catalogue would look like a run over all of it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from community_metrics.catalog import rules
from community_metrics.catalog.entries import FIELDS, Entry
from community_metrics.catalog.rules import Draft
from community_metrics.catalog.toml_lines import entry_lines
from community_metrics.errors import CatalogError, ConfigurationError
from community_metrics.model import SEED_SOURCE, MetricDefinition, SourceWindow, ValueKind
from community_metrics.sources import available_sources
from community_metrics.suggestions import near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.sources.base import Source

PACKAGED_CATALOG = Path(__file__).with_name("catalog.toml")


@dataclass(frozen=True, slots=True)
class Product:
    """A project whose packages and repositories are shown together."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One `[[metric]]`: one thing counted, one source, one subject.

    `subject` is the package or repository as the source writes it; `options` choose among its series.
    `window` is the interval one value covers, `fallbacks` the metrics that may stand in for it, as estimates.
    """

    metric_id: str
    product: str
    source: str
    subject: str
    options: Mapping[str, Any] = field(hash=False)
    sdk: str | None
    window: SourceWindow
    fallbacks: tuple[str, ...]
    display_name: str
    is_active: bool

    @property
    def family(self) -> str:
        """The first part of the id: `downloads`, `stars_retained`."""
        return self.metric_id.split(":")[0]

    @property
    def unit(self) -> str:
        """What is counted: the family up to its first `_`."""
        return self.family.split("_")[0]

    @property
    def value_kind(self) -> ValueKind:
        """Whether values add over time."""
        return self.window.value_kind

    def definition(self, created_at: datetime) -> MetricDefinition:
        """Return the metric's row of the `metrics` table."""
        return MetricDefinition(
            metric_id=self.metric_id,
            metric_family=self.family,
            product=self.product,
            subject=self.subject,
            sdk=self.sdk,
            source=self.source,
            value_kind=self.value_kind,
            unit=self.unit,
            source_window=self.window,
            fallbacks=self.fallbacks,
            display_name=self.display_name,
            is_active=self.is_active,
            created_at=created_at,
        )


@dataclass(frozen=True, slots=True)
class Catalog:
    """A whole, valid catalogue in the order of its file."""

    path: Path
    is_packaged: bool
    products: tuple[Product, ...]
    metrics: tuple[Metric, ...]

    @property
    def active(self) -> tuple[Metric, ...]:
        """Metrics that are fetched, seeded and served."""
        return tuple(metric for metric in self.metrics if metric.is_active)

    @property
    def shown(self) -> tuple[Metric, ...]:
        """Active metrics that are nobody's fallback: what people look at."""
        stand_ins = {fallback for metric in self.metrics for fallback in metric.fallbacks}
        return tuple(metric for metric in self.active if metric.metric_id not in stand_ins)

    @property
    def fetched_daily(self) -> tuple[Metric, ...]:
        """Active metrics that a registry counts by the day: their days can be late or missing."""
        return tuple(
            metric
            for metric in self.active
            if metric.window is SourceWindow.DAY and metric.source != SEED_SOURCE
        )

    def metric(self, metric_id: str) -> Metric:
        """Return the metric of this id, active or not.

        Raises:
            CatalogError: there is none; the message names near ids.
        """
        for metric in self.metrics:
            if metric.metric_id == metric_id:
                return metric
        known = [metric.metric_id for metric in self.metrics]
        raise CatalogError(f"{self.path} has no metric {metric_id!r}; {near(metric_id, known)}")

    def select(self, patterns: Sequence[str]) -> tuple[Metric, ...]:
        """Return the active metrics that match any of these ids or globs (`downloads:*`); all for none.

        Raises:
            ConfigurationError: a pattern matches nothing, since a run over nothing would look like a success.
        """
        ids = [metric.metric_id for metric in self.active]
        idle = [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in ids)]
        if idle:
            raise ConfigurationError(
                f"No active metric of {self.path} matches:",
                [f"{pattern!r}; {near(pattern, ids)}" for pattern in idle],
            )
        if not patterns:
            return self.active
        return tuple(m for m in self.active if any(fnmatchcase(m.metric_id, p) for p in patterns))


def load_catalog(path: Path | None, *, sources: Mapping[str, Source] | None = None) -> Catalog:
    """Read and check a catalogue file; None reads the packaged one.

    `sources` are those its metrics may name, by default the installed ones.

    Raises:
        CatalogError: the file cannot be read or has faults; the message lists every one with its line.
    """
    chosen = PACKAGED_CATALOG if path is None else path
    catalog = parse_catalog(decoded(read_content(chosen), chosen), chosen, sources=sources)
    if not catalog.metrics:
        raise CatalogError(
            f"{chosen} names no [[metric]], so nothing would be tracked. Add one, for example with "
            "`community-metrics catalog add pypistats:httpx --product httpx`."
        )
    return catalog


def read_content(path: Path) -> bytes:
    """Return the bytes of a catalogue file.

    Raises:
        CatalogError: there is none, or it may not be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise CatalogError(
            f"The catalogue {path} cannot be read: {error.strerror}. Set CM_CATALOG to another file, "
            f"write one with `community-metrics catalog init {path}`, or unset it for the packaged one."
        ) from error


def decoded(content: bytes, path: Path) -> str:
    """Return the text of a catalogue file.

    Raises:
        CatalogError: it is not UTF-8; the message names the line.
    """
    try:
        return content.decode("utf-8-sig")  # Windows editors put a byte order mark first; it says nothing
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CatalogError(
            f"The catalogue {path} is not UTF-8 text: line {line}. Save it as UTF-8."
        ) from error


def parse_catalog(text: str, path: Path, *, sources: Mapping[str, Source] | None = None) -> Catalog:
    """Check the text of a catalogue file that stands (or will stand) at `path`; it may be without metrics.

    Raises:
        CatalogError: with every fault and its line.
    """
    headline = f"The catalogue {path} cannot be used:"
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(headline, [f"it is not TOML: {error}"]) from error
    faults = _misplaced(document)
    draft = Draft(
        products=_entries("product", document, text),
        metrics=_entries("metric", document, text),
        sources=available_sources() if sources is None else sources,
    )
    faults += rules.faults(draft)
    if faults:
        raise CatalogError(headline, faults)
    return Catalog(
        path=path,
        is_packaged=path.exists() and path.samefile(PACKAGED_CATALOG),
        products=tuple(Product(entry.raw["id"], entry.raw["name"]) for entry in draft.products),
        metrics=tuple(_metric(entry.raw) for entry in draft.metrics),
    )


def _misplaced(document: Mapping[str, Any]) -> list[str]:
    kinds = FIELDS.keys()
    faults = [
        f"{name!r} is not a part of a catalogue; {near(name, kinds)}" for name in document.keys() - kinds
    ]
    for kind in kinds & document.keys():
        value = document[kind]
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            faults.append(f"{kind!r} must be written as [[{kind}]] entries")
    return sorted(faults)


def _entries(kind: str, document: Mapping[str, Any], text: str) -> list[Entry]:
    value = document.get(kind, [])
    raws = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    lines = entry_lines(text).get(kind, [])
    if len(lines) != len(raws):  # written in a form without headers: no line is better than a wrong one
        lines = [{}] * len(raws)
    return [Entry(kind, n, raw, places) for n, (raw, places) in enumerate(zip(raws, lines, strict=True), 1)]


def _metric(raw: Mapping[str, Any]) -> Metric:
    return Metric(
        metric_id=raw["id"],
        product=raw["id"].split(":")[1],
        source=raw["source"],
        subject=raw["subject"],
        options=MappingProxyType(raw.get("options", {})),
        sdk=raw.get("sdk"),
        window=SourceWindow(raw["window"]),
        fallbacks=tuple(raw.get("fallbacks", ())),
        display_name=raw["display_name"],
        is_active=raw.get("active", True),
    )
