"""The rules between the fields, entries and sources of a catalogue file.

A field that is invalid by itself has a fault of its own and counts as absent here, so that one mistake is
reported once and every other fault of the file is still found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from community_metrics.catalog.entries import usual_unit
from community_metrics.model import (
    REGISTRY_FAMILY,
    SEED_SOURCE,
    UNIQUES,
    SourceWindow,
    ValueKind,
    Visibility,
    Witness,
)
from community_metrics.sources.base import kind_of, subject_faults, unit_of, visibility_of
from community_metrics.sources.pypistats import PypiStats
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from community_metrics.catalog.document import Fault, RawEntry
    from community_metrics.sources.base import Source

K = TypeVar("K")
_Key: TypeAlias = tuple[str, str, str]
_FieldFault: TypeAlias = tuple[str, str]  # the field and the message
_NARROW_TO_WIDE = [window for window in SourceWindow if window is not SourceWindow.INSTANT]
_STAND_INS = {
    # the kind of a metric, and that of its fallback
    (ValueKind.FLOW, ValueKind.FLOW),
    (ValueKind.FLOW, ValueKind.ROLLING),
    (ValueKind.LEVEL, ValueKind.LEVEL),
    (ValueKind.ROLLING, ValueKind.ROLLING),
}
# others may have two subjects that differ only in case, as npm has JSONStream and jsonstream
_SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "pypistats": lambda subject: re.sub(r"[-_.]+", "-", subject).lower(),  # PEP 503
    "crates": lambda subject: subject.replace("_", "-").lower(),
    "github": str.lower,
    "github-history": str.lower,
    "github-traffic": str.lower,
    "github-referrers": str.lower,
    "github-paths": str.lower,
    "github-repo": str.lower,
    "github-releases": str.lower,
    "nuget": str.lower,
    "packagist": str.lower,
    "packagist-30d": str.lower,
    "open-vsx": str.lower,
}


def identity(source: str | None, subject: str | None, options: Mapping[str, Any] | None) -> _Key | None:
    """Return what a metric counts; None for seed metrics, and while source or subject is unknown."""
    if not source or not subject or source == SEED_SOURCE:  # seed metrics differ by their ids
        return None
    canonical = _SPELLINGS.get(source, str)(subject)
    # an option that is off counts the same as one that is left out
    enabled = {name: value for name, value in (options or {}).items() if value is not False}
    return source, canonical, repr(sorted(enabled.items()))


def rule_faults(
    products: Sequence[RawEntry], metrics: Sequence[RawEntry], sources: Mapping[str, Source]
) -> Iterator[Fault]:
    """Yield a fault for each broken rule; `sources` are those that a metric may name."""
    product_ids = [product.id for product in products if product.id]
    by_id = {metric.id: metric for metric in reversed(metrics) if metric.id}
    yield from _repeated_ids(products)
    yield from _repeated_ids(metrics)
    yield from _repeated_subjects(metrics)
    for metric in metrics:
        for field, message in (
            *_product_faults(metric, product_ids),
            *_source_faults(metric, sources),
            *_kind_faults(metric, sources),
            *_visibility_faults(metric, sources),
            *_witness_faults(metric),
            *_fallback_faults(metric, by_id, sources),
        ):
            yield metric.fault(field, message)


def _repeats(
    entries: Sequence[RawEntry], key: Callable[[RawEntry], K | None]
) -> Iterator[tuple[RawEntry, RawEntry]]:
    """Yield each entry that has the key of an earlier one, with that earlier one."""
    first: dict[K, RawEntry] = {}
    for entry in entries:
        value = key(entry)
        if value is not None and first.setdefault(value, entry) is not entry:
            yield entry, first[value]


def _identity(metric: RawEntry) -> _Key | None:
    return identity(metric.get("source"), metric.get("subject"), metric.get("options"))


def _downloads_counted(metric: RawEntry) -> _Key | None:
    """Return the source, subject and no options of the downloads that the metric adds to totals."""
    counted, metric_id = _identity(metric), metric.get("id") or ""
    is_summed = metric.get("active") is not False and metric.get("watch") is not True
    if counted is None or not metric_id.startswith("downloads:") or not is_summed:
        return None
    return counted[0], counted[1], ""


def _repeated_ids(entries: Sequence[RawEntry]) -> Iterator[Fault]:
    for entry, first in _repeats(entries, lambda entry: entry.get("id")):
        yield entry.fault("id", f"is already used in {first.place}; ids are unique")


def _repeated_subjects(metrics: Sequence[RawEntry]) -> Iterator[Fault]:
    for metric, first in _repeats(metrics, _identity):
        yield metric.fault("subject", f"{metric.get('subject')!r} is already counted by {first.name}")
    for metric, first in _repeats(metrics, _downloads_counted):
        if _identity(metric) != _identity(first):  # equal ones have the fault above
            twice = f"totals would count the downloads of {metric.get('subject')!r} twice"
            fix = "Fix: set watch = true in one of the two, which keeps it out of totals, or active = false"
            yield metric.fault("options", f"{twice}: {first.name} counts the same files. {fix}")


def _product_faults(metric: RawEntry, product_ids: Sequence[str]) -> Iterator[_FieldFault]:
    if metric_id := metric.get("id"):
        if metric_id.split(":")[0] == REGISTRY_FAMILY:
            yield "id", f"the family {REGISTRY_FAMILY!r} is for the totals of registries, which need no entry"
            return
        product = metric_id.split(":")[1]
        if product not in product_ids:
            yield "id", f"there is no [[product]] {product!r}; {suggestion(product, product_ids)}"


def _source_faults(metric: RawEntry, sources: Mapping[str, Source]) -> Iterator[_FieldFault]:
    name, subject, window = (metric.get(field) for field in ("source", "subject", "window"))
    options = metric.get("options") or {}
    if name == SEED_SOURCE and options:
        yield "options", "must be left out: seed files have no options"
    if not name or name == SEED_SOURCE:
        return
    source = sources.get(name)
    if source is None:
        yield "source", f"{name!r} is not installed; {suggestion(name, {*sources, SEED_SOURCE})}"
        return
    if subject:
        yield from (("subject", fault) for fault in subject_faults(source, subject, options))
    if window and window != source.window:
        yield "window", f"is {window!r}, but every value of {name} covers {source.window.value!r}"


def _kind_faults(metric: RawEntry, sources: Mapping[str, Source]) -> Iterator[_FieldFault]:
    """Yield what contradicts the window or the source: kind and unit decide which values are summed."""
    kind, unit, window = (metric.get(field) for field in ("kind", "unit", "window"))
    if kind and window and kind not in (kinds := SourceWindow(window).kinds):
        yield "kind", f"is {kind!r}, but a value that covers {window!r} is {_any_of(kinds)}"
        return
    defaults = source_defaults(metric, sources)
    for field, written in (("kind", kind), ("unit", unit)):
        own = defaults.get(field)
        if written and own and written != own:
            fix = f'Fix: write {field} = "{own}", or leave it out'
            yield field, f"is {written!r}, but what {metric.get('source')} returns here has {own!r}. {fix}"


def _visibility_faults(metric: RawEntry, sources: Mapping[str, Source]) -> Iterator[_FieldFault]:
    """Yield the fault of an entry that would show everybody what its source keeps for the team."""
    own = source_defaults(metric, sources).get("visibility")
    if metric.get("visibility") == Visibility.PUBLIC and own == Visibility.TEAM:
        fix = 'Fix: write visibility = "team", or leave it out'
        yield (
            "visibility",
            f"is 'public', but {metric.get('source')} returns what only the team may see. {fix}",
        )


def _witness_faults(metric: RawEntry) -> Iterator[_FieldFault]:
    """Yield the fault of an entry that is compared with what counts something else."""
    if metric.get("witness") == Witness.CLICKPY and metric.get("source") != PypiStats.name:
        fix = 'Fix: write witness = "none", or leave it out'
        yield "witness", f"is 'clickpy', which counts only what {PypiStats.name} counts. {fix}"


def source_defaults(metric: RawEntry, sources: Mapping[str, Source]) -> dict[str, str]:
    """Return kind, unit and visibility of an entry's values as far as its source knows them."""
    source = sources.get(metric.get("source"))
    if source is None:
        return {}
    unit = unit_of(source, metric.get("options") or {})
    known = {"kind": kind_of(source).value, "visibility": visibility_of(source).value}
    return known | ({} if unit is None else {"unit": unit})


def _any_of(kinds: Sequence[ValueKind]) -> str:
    return " or ".join(f"a {kind}" for kind in kinds)


def _fallback_faults(
    metric: RawEntry, metrics: Mapping[str, RawEntry], sources: Mapping[str, Source]
) -> Iterator[_FieldFault]:
    fallbacks = metric.get("fallbacks") or []
    for position, fallback in enumerate(fallbacks):
        if fallback in fallbacks[:position]:
            yield "fallbacks", f"{fallback} is listed twice"
        elif fallback == metric.id:
            yield "fallbacks", "a metric cannot be its own fallback"
        elif fallback not in metrics:
            yield "fallbacks", f"there is no metric {fallback}; {suggestion(fallback, metrics)}"
        else:
            for message in _misfits(metric, metrics[fallback], sources):
                yield "fallbacks", f"{fallback} {message}"


def _misfits(metric: RawEntry, fallback: RawEntry, sources: Mapping[str, Source]) -> Iterator[str]:
    """Yield the reasons why a metric cannot be the fallback of another."""
    if fallback.get("fallbacks"):
        yield "has fallbacks of its own. Fix: list them here; chains are not followed"
    own_id, other_id = metric.get("id"), fallback.get("id")
    if own_id and other_id and own_id.split(":")[1] != other_id.split(":")[1]:
        yield "belongs to another product"
    own, other = metric.get("window"), fallback.get("window")
    if not own or not other:
        return
    (own_kind, own_unit), (other_kind, other_unit) = (counted_as(one, sources) for one in (metric, fallback))
    if UNIQUES in {own_unit, other_unit}:
        yield "cannot stand in: uniques of one window are no measure of those of another"
    elif own_kind is ValueKind.COUNTER:
        yield "cannot stand in: a counter has no fallback"
    elif (own_kind, other_kind) not in _STAND_INS:
        yield f"is a {other_kind}, but this metric is a {own_kind}"
    elif own_kind is ValueKind.ROLLING and own != other:
        yield f"covers {other!r}; a rolling value is never scaled, so its fallback covers {own!r} too"
    elif own_kind is ValueKind.FLOW and _NARROW_TO_WIDE.index(other) <= _NARROW_TO_WIDE.index(own):
        yield f"covers {other!r}; a fallback covers more than this metric's {own!r}"


def counted_as(metric: RawEntry, sources: Mapping[str, Source]) -> tuple[ValueKind, str]:
    """Return the kind and the unit of an entry with a valid window."""
    written = {field: metric.get(field) for field in ("kind", "unit") if metric.get(field)}
    known = source_defaults(metric, sources) | written
    kind = known.get("kind") or SourceWindow(metric.get("window")).usual_kind
    return ValueKind(kind), known.get("unit") or usual_unit(metric.id or "")
