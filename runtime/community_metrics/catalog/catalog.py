"""The catalogue: what is tracked. One TOML file, the packaged one or the one that `CM_CATALOG` names.

`load_catalog` returns a complete, valid catalogue or raises one `CatalogError` that lists every fault with
its line, because a run over half a catalogue would be reported like a run over all of it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from community_metrics.catalog.deliveries import Delivery, delivery_faults
from community_metrics.catalog.document import MODELS, NAME, read_entries, top_level_faults
from community_metrics.catalog.entries import Metric, Product
from community_metrics.catalog.event_entries import Feed, Mention, event_entry_faults
from community_metrics.catalog.goals import Goal, goal_faults
from community_metrics.catalog.readings import FEEDS, MENTIONS, readings_of
from community_metrics.catalog.registries import registries_of
from community_metrics.catalog.rules import counted_as, rule_faults, source_defaults
from community_metrics.errors import CatalogError, ConfigurationError
from community_metrics.model import SEED_SOURCE, SourceWindow
from community_metrics.sources import available_sources
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from community_metrics.catalog.readings import EventReading

PACKAGED_CATALOG = Path(__file__).with_name("catalog.toml")
_LARGEST_BYTES = 16 * 1024**2
"""Far more than any catalogue: 5,000 metrics are about 1 MiB."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """A valid catalogue, in the order of its file.

    `name` is what the page calls all products together, None where the file has none.
    `retention_days` has, by name, how many completed days each registry still returns that does not return
    everything since the beginning. `registries` are the totals of the registries that active metrics come
    from, which no entry names; `registry_ids` has the total of each such metric. `readings` are the places
    that state events, those of entries that are not active among them. `deliveries` are the targets that
    digests are sent to.
    """

    path: Path
    is_packaged: bool
    products: tuple[Product, ...]
    metrics: tuple[Metric, ...]
    retention_days: Mapping[str, int]
    registries: tuple[Metric, ...] = ()
    registry_ids: Mapping[str, str] = field(default_factory=dict)
    readings: tuple[EventReading, ...] = ()
    goals: tuple[Goal, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    name: str | None = None

    @property
    def defined(self) -> tuple[Metric, ...]:
        """Every metric that the `metrics` table has: the entries, then the totals of registries."""
        return (*self.metrics, *self.registries)

    @property
    def active(self) -> tuple[Metric, ...]:
        """Metrics that are fetched, seeded and served."""
        return tuple(metric for metric in self.metrics if metric.is_active)

    @property
    def shown(self) -> tuple[Metric, ...]:
        """Active metrics that are not the fallback of another metric."""
        fallbacks = {fallback for metric in self.metrics for fallback in metric.fallbacks}
        return tuple(metric for metric in self.active if metric.metric_id not in fallbacks)

    @property
    def watched(self) -> frozenset[str]:
        """The ids of the metrics of others, which are compared with and never counted."""
        return frozenset(metric.metric_id for metric in self.metrics if metric.is_watched)

    @property
    def fetched_daily(self) -> tuple[Metric, ...]:
        """Active metrics that a registry publishes by the day, so that a day can be late or missing."""
        return tuple(
            metric
            for metric in self.active
            if metric.window is SourceWindow.DAY and metric.source != SEED_SOURCE
        )

    @property
    def named_readings(self) -> tuple[EventReading, ...]:
        """The active feeds and mentions: places of events that have an entry of their own."""
        return tuple(
            place for place in self.readings if place.is_active and place.reader in {FEEDS, MENTIONS}
        )

    def metric(self, metric_id: str) -> Metric:
        """Return the metric with this id, active or not.

        Raises:
            CatalogError: the id is unknown; the message suggests similar ones.
        """
        for metric in self.metrics:
            if metric.metric_id == metric_id:
                return metric
        known = [metric.metric_id for metric in self.metrics]
        raise CatalogError(f"{self.path} has no metric {metric_id!r}; {suggestion(metric_id, known)}")

    def select(self, patterns: Sequence[str]) -> tuple[Metric, ...]:
        """Return the active metrics that match any of these ids or globs (`downloads:*`); no patterns: all.

        All are the active entries and the totals of their registries; a pattern may match either.

        Raises:
            ConfigurationError: a pattern matches nothing, because an empty run would be a success.
        """
        every = (*self.active, *self.registries)
        ids = [metric.metric_id for metric in every]
        unmatched = [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in ids)]
        if unmatched:
            raise ConfigurationError(
                f"No active metric of {self.path} matches:",
                [f"{pattern!r}; {suggestion(pattern, ids)}" for pattern in unmatched],
            )
        if not patterns:
            return every
        return tuple(m for m in every if any(fnmatchcase(m.metric_id, p) for p in patterns))


def load_catalog(path: Path | None) -> Catalog:
    """Return the catalogue in a file; None reads the packaged one.

    Raises:
        CatalogError: the file cannot be read or has faults; the message lists every one with its line.
    """
    chosen = path or PACKAGED_CATALOG
    catalog = parse_catalog(read_content(chosen), chosen)
    if not catalog.metrics:
        raise CatalogError(
            f"{chosen} has no [[metric]], so nothing would be tracked. Fix: add one, for example with "
            "`community-metrics catalog add pypistats:httpx --product httpx`."
        )
    return catalog


def read_content(path: Path) -> bytes:
    """Return the bytes of a catalogue file.

    Raises:
        CatalogError: the file does not exist, is not readable or is too large for a catalogue.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)  # bounded, since a device such as /dev/zero has no end
    except OSError as error:
        raise CatalogError(
            f"The catalogue {path} cannot be read: {error.strerror}. Fix: set CM_CATALOG to another file, "
            f"create one with `community-metrics catalog init {path}`, or unset it to use the packaged one."
        ) from error
    if len(content) > _LARGEST_BYTES:
        raise CatalogError(
            f"{path} has more than {_LARGEST_BYTES // 1024**2} MiB, so it is not read as a catalogue. "
            "Fix: set CM_CATALOG to a catalogue file, or unset it to use the packaged one."
        )
    return content


def parse_catalog(content: bytes, path: Path) -> Catalog:
    """Return the catalogue in the content of a file that is, or will be, at `path`; it may have no metrics.

    Raises:
        CatalogError: with every fault and its line.
    """
    headline = f"The catalogue {path} cannot be used:"
    document, text = _parsed(content, headline)
    products, metrics, feeds, mentions, goals, deliveries = (
        read_entries(kind, document, text) for kind in MODELS
    )
    sources = available_sources()
    product_ids = [product.id for product in products if product.id]
    faults = [
        *top_level_faults(document),
        *(
            entry.fault(*error)
            for entry in (*products, *metrics, *feeds, *mentions, *goals, *deliveries)
            for error in entry.errors.items()
        ),
        *rule_faults(products, metrics, sources),
        *event_entry_faults(feeds, mentions, product_ids),
        *delivery_faults(deliveries, product_ids),
        *goal_faults(goals, metrics, product_ids, lambda metric: counted_as(metric, sources)),
    ]
    if faults:
        raise CatalogError(headline, [message for _, message in sorted(faults, key=itemgetter(0))])
    tracked = tuple(
        Metric.model_validate({**source_defaults(entry, sources), **entry.raw}) for entry in metrics
    )
    registries, registry_ids = registries_of(tracked, sources)
    return Catalog(
        path=path,
        is_packaged=path.exists() and path.samefile(PACKAGED_CATALOG),
        products=tuple(Product.model_validate(entry.raw) for entry in products),
        metrics=tracked,
        retention_days={
            name: source.retention_days
            for name, source in sources.items()
            if source.retention_days is not None
        },
        registries=registries,
        registry_ids=registry_ids,
        readings=readings_of(
            tracked,
            [Feed.model_validate(entry.raw) for entry in feeds],
            [Mention.model_validate(entry.raw) for entry in mentions],
            sources,
        ),
        goals=tuple(Goal.model_validate(entry.raw) for entry in goals),
        deliveries=tuple(Delivery.model_validate(entry.raw) for entry in deliveries),
        name=document.get(NAME),
    )


def _parsed(content: bytes, headline: str) -> tuple[dict[str, Any], str]:
    try:
        text = content.decode("utf-8-sig")  # Windows editors write a byte order mark
        return tomllib.loads(text), text
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CatalogError(headline, [f"line {line} is not UTF-8. Fix: save the file as UTF-8"]) from error
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(headline, [f"it is not valid TOML: {error}"]) from error
