"""What a catalogue file must hold: every rule, and the words in which a broken one is told.

A field of the wrong type is reported once and then treated as absent, so that one slip does not bring a row
of faults after it, and so that every other fault of the file is still found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from community_metrics.catalog.entries import FIELDS, Entry, has_type
from community_metrics.catalog.identity import identity, share_of_total
from community_metrics.catalog.toml_lines import HEADER
from community_metrics.model import METRIC_ID, SEED_SOURCE, SourceWindow
from community_metrics.suggestions import near

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from community_metrics.catalog.identity import Identity, Share
    from community_metrics.sources.base import Source

K = TypeVar("K")
PRODUCT_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
_WIDTH_IN_DAYS = {
    SourceWindow.DAY: 1,
    SourceWindow.WEEK: 7,
    SourceWindow.THIRTY_DAYS: 30,
    SourceWindow.MONTH: 31,
}
_TOML_WORDS = {str: "text", bool: "true or false", dict: "a table such as { mirrors = false }"}
_TOML_LIST = "a list of texts"


@dataclass(frozen=True)  # without slots, which cached properties cannot have
class Draft:
    """A whole file as written, with the sources that this installation knows."""

    products: Sequence[Entry]
    metrics: Sequence[Entry]
    sources: Mapping[str, Source]

    @cached_property
    def product_ids(self) -> Mapping[str, Entry]:
        """The first product of each id."""
        return _first_of_each(self.products, lambda entry: entry.get("id"))

    @cached_property
    def metric_ids(self) -> Mapping[str, Entry]:
        """The first metric of each id."""
        return _first_of_each(self.metrics, lambda entry: entry.get("id"))

    @cached_property
    def subjects(self) -> Mapping[Identity, Entry]:
        """The first metric that counts each subject."""
        return _first_of_each(self.metrics, identity)

    @cached_property
    def counted(self) -> Mapping[Share, Entry]:
        """The first active metric that adds each subject to the downloads of each product."""
        return _first_of_each(self.metrics, share_of_total)


def faults(draft: Draft) -> list[str]:
    """Return every broken rule of a file in the order of its entries; empty when it can be used."""
    found: list[tuple[int, str]] = []
    for entry in (*draft.products, *draft.metrics):
        found.extend((entry.lines.get(HEADER, 0), fault) for fault in _entry_faults(entry, draft))
    return [fault for _, fault in sorted(found, key=lambda item: item[0])]


def _entry_faults(entry: Entry, draft: Draft) -> Iterator[str]:
    yield from _shape_faults(entry)
    for rule in _RULES[entry.kind]:
        for field, message in rule(entry, draft):
            yield entry.fault(field, message)


def _shape_faults(entry: Entry) -> Iterator[str]:
    fields = FIELDS[entry.kind]
    for name, rule in fields.items():
        if name not in entry.raw:
            if rule.required:
                yield entry.fault(name, "is missing")
        elif not has_type(entry.raw[name], rule.type):
            yield entry.fault(name, f"must be {_TOML_WORDS.get(rule.type, _TOML_LIST)}")
        elif rule.type is str and entry.get(name) is None:
            yield entry.fault(name, "is empty")
    for name in sorted(entry.raw.keys() - fields.keys()):
        yield entry.fault(name, f"is not a field of [[{entry.kind}]]; {near(name, fields)}")


def _first_of_each(entries: Sequence[Entry], key: Callable[[Entry], K | None]) -> dict[K, Entry]:
    keyed = ((key(entry), entry) for entry in reversed(entries))
    return {name: entry for name, entry in keyed if name is not None}


_Broken = tuple[str, str]  # the field, and what is wrong with it


def _product_id_is_well_formed(entry: Entry, _: Draft) -> Iterator[_Broken]:
    product = entry.get("id")
    if product and not PRODUCT_ID.fullmatch(product):
        yield "id", f"{product!r} must be lower-case letters, digits, '.', '_' and '-'"


def _id_is_unique(entry: Entry, draft: Draft) -> Iterator[_Broken]:
    ids = draft.product_ids if entry.kind == "product" else draft.metric_ids
    first = ids.get(entry.get("id"))
    if first is not None and first is not entry:
        where = f"line {first.lines[HEADER]}" if first.lines else f"entry number {first.number}"
        yield "id", f"stands already in {where}; an id names one thing"


def _metric_id_is_well_formed(entry: Entry, draft: Draft) -> Iterator[_Broken]:
    metric_id = entry.get("id")
    if not metric_id:
        return
    if not METRIC_ID.fullmatch(metric_id):
        yield "id", f"{metric_id!r} is not family:product:detail in lower case, like downloads:lance:python"
        return
    product = metric_id.split(":")[1]
    if product not in draft.product_ids:
        yield "id", f"there is no [[product]] {product!r}; {near(product, draft.product_ids)}"


def _sdk_is_well_formed(entry: Entry, _: Draft) -> Iterator[_Broken]:
    sdk = entry.get("sdk")
    if sdk and not PRODUCT_ID.fullmatch(sdk):
        yield "sdk", f"{sdk!r} must be lower-case letters, digits, '.', '_' and '-', like python"


def _source_is_known(entry: Entry, draft: Draft) -> Iterator[_Broken]:
    source = entry.get("source")
    known = {*draft.sources, SEED_SOURCE}
    if source and source not in known:
        yield "source", f"{source!r} is not installed; {near(source, known)}"


def _source_accepts_subject(entry: Entry, draft: Draft) -> Iterator[_Broken]:
    subject, options = entry.get("subject"), entry.get("options") or {}
    if entry.get("source") == SEED_SOURCE and options:
        yield "options", "seed files take none"
    source = draft.sources.get(entry.get("source"))
    if source is not None and subject:
        yield from (("subject", fault) for fault in source.validate(subject, options))


def _subject_is_counted_once(entry: Entry, draft: Draft) -> Iterator[_Broken]:
    counted = identity(entry)
    first = draft.subjects[counted] if counted else entry
    if first is not entry:
        yield "subject", f"{entry.get('subject')!r} is counted already by {first.get('id')}"


def _total_counts_subject_once(entry: Entry, draft: Draft) -> Iterator[_Broken]:
    share = share_of_total(entry)
    first = draft.counted[share] if share else entry
    if share and identity(first) != identity(entry):  # equal ones are told by the rule before
        twice = f"the downloads of {share[0]} would count {entry.get('subject')!r} twice"
        mend = "give the second one another product, or set active = false"
        yield "options", f"{twice}, since {first.get('id')} is of the same files; {mend}"


def _window_is_the_sources(entry: Entry, draft: Draft) -> Iterator[_Broken]:
    window = entry.get("window")
    if not window:
        return
    if window not in set(SourceWindow):
        yield "window", f"{window!r} is not one of {', '.join(SourceWindow)}"
        return
    source = draft.sources.get(entry.get("source"))
    if source is not None and window != source.window:
        yield "window", f"is {window!r}, but every value of {source.name} covers {source.window.value!r}"


def _fallbacks_can_stand_in(entry: Entry, draft: Draft) -> Iterator[_Broken]:
    fallbacks = entry.get("fallbacks") or []
    metrics = draft.metric_ids
    for position, fallback in enumerate(fallbacks):
        if fallback in fallbacks[:position]:
            yield "fallbacks", f"{fallback} is named twice"
        elif fallback == entry.get("id"):
            yield "fallbacks", "a metric cannot stand in for itself"
        elif fallback not in metrics:
            yield "fallbacks", f"there is no metric {fallback}; {near(fallback, metrics)}"
        else:
            yield from (("fallbacks", f"{fallback} {why}") for why in _unfit(entry, metrics[fallback]))


def _unfit(entry: Entry, fallback: Entry) -> Iterator[str]:
    if fallback.get("fallbacks"):
        yield "has fallbacks of its own; name them here instead, chains are not followed"
    own_id, other_id = entry.get("id"), fallback.get("id")
    if own_id and own_id.split(":")[1:2] != other_id.split(":")[1:2]:
        yield "belongs to another product"
    own, other = entry.get("window"), fallback.get("window")
    if own not in set(SourceWindow) or other not in set(SourceWindow):
        return
    own_window, other_window = SourceWindow(own), SourceWindow(other)
    if own_window.value_kind is not other_window.value_kind:
        yield f"is a {other_window.value_kind}, but this metric is a {own_window.value_kind}"
    elif (
        own_window is not SourceWindow.INSTANT and _WIDTH_IN_DAYS[other_window] <= _WIDTH_IN_DAYS[own_window]
    ):
        yield f"covers {other!r}; a fallback covers more than this metric's {own!r}"


_RULES: Mapping[str, Sequence[Callable[[Entry, Draft], Iterator[_Broken]]]] = {
    "product": (_product_id_is_well_formed, _id_is_unique),
    "metric": (
        _metric_id_is_well_formed,
        _id_is_unique,
        _source_is_known,
        _source_accepts_subject,
        _subject_is_counted_once,
        _total_counts_subject_once,
        _sdk_is_well_formed,
        _window_is_the_sources,
        _fallbacks_can_stand_in,
    ),
}
