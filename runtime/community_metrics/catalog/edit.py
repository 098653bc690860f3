"""Additions to a catalogue file: `catalog add`, `catalog discover` and `init`.

An addition is appended, so that every byte before it, comments included, stays as it was. The result must
pass the same checks as any catalogue, or nothing is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tomlkit

from community_metrics.catalog.catalog import PACKAGED_CATALOG, parse_catalog, read_content
from community_metrics.catalog.entries import SLUG
from community_metrics.catalog.files import replace_file
from community_metrics.catalog.rules import identity
from community_metrics.catalog.spec import parse_spec
from community_metrics.errors import CatalogError, ConfigurationError
from community_metrics.sources import available_sources
from community_metrics.sources.base import first_options, variants_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.sources.base import Source

_COMPANIONS = {"github": "github-history"}  # the star count of a repository comes with its star history
_DETAILS = {"anaconda": "conda"}  # what people call the packages of a host, where that is not its key
_LABELS = {
    "pypistats": "PyPI",
    "crates": "crates.io",
    "github": "GitHub",
    "docker": "Docker Hub",
    "huggingface": "Hugging Face",
    "duckdb": "DuckDB extension",
    "anaconda": "conda",
    "homebrew": "Homebrew",
    "rubygems": "RubyGems",
    "nuget": "NuGet",
    "packagist": "Packagist",
    "openvsx": "Open VSX",
}
_FAMILIES = {
    "stars_retained": "stars still given",
    "view_uniques": "unique viewers",
    "clone_uniques": "unique cloners",
    "referrers": "listed referrers",
    "paths": "listed paths",
    "downloads_30d": "downloads of 30 days",
    "downloads_total": "downloads in total",
    "downloads_week": "downloads of a week",
    "installs_30d": "installs of 30 days",
    "installs_90d": "installs of 90 days",
    "installs_365d": "installs of 365 days",
}
_NOT_IN_AN_ID = re.compile(r"[^a-z0-9._-]+")
_SDKS = {
    "python": "Python",
    "nodejs": "Node.js",
    "rust": "Rust",
    "ruby": "Ruby",
    "dotnet": ".NET",
    "php": "PHP",
}


@dataclass(frozen=True, slots=True)
class Addition:
    """A valid addition that is not written yet: the new content of a file, the new ids, their subjects."""

    file: Path
    content: bytes
    metric_ids: tuple[str, ...]
    subjects: tuple[tuple[Source, str], ...]

    def write(self) -> None:
        """Write the file.

        Raises:
            ConfigurationError: the file is not writable; it was not changed.
        """
        replace_file(self.file, self.content)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is added to one product: specs, and the display name of a product that is new.

    `metric_id` sets the id of a single metric.
    """

    product: str
    specs: tuple[str, ...]
    name: str | None = None
    metric_id: str | None = None


def plan_addition(
    path: Path | None,
    specs: Sequence[str],
    product: str,
    *,
    name: str | None = None,
    metric_id: str | None = None,
) -> Addition:
    """Return the addition of the metrics of all `specs` to the end of the catalogue at `path`.

    A spec is `SOURCE:SUBJECT` or the address of a page. A new product is added with `name` (by default its
    id) as its display name. The id of a metric is `family:product:sdk`, for repositories
    `stars:product:github`; a second package of the same product and SDK gets `family:product:sdk-subject`. A
    repository comes with its `stars_retained` metric, and a source that counts several things with a metric
    for each; their ids differ by the family. `metric_id` sets the id of a single one.

    Raises:
        ConfigurationError: `path` is None or the packaged catalogue, a spec, an id or a name is invalid,
            or a subject is already counted.
        CatalogError: the file has faults, before or after the addition.
    """
    if metric_id and len(specs) > 1:
        raise ConfigurationError(f"{metric_id} can be the id of one metric. Fix: add the others without --id")
    return plan_additions(path, [Wanted(product, tuple(specs), name, metric_id)])


def plan_additions(path: Path | None, wanted: Sequence[Wanted]) -> Addition:
    """Return one addition of what is wanted for several products, as `plan_addition` does for one.

    Raises:
        ConfigurationError: as `plan_addition`; so is CatalogError.
    """
    file = own_catalog(path).path
    return extended(read_content(file), file, wanted)


def own_catalog(path: Path | None) -> Catalog:
    """Return the catalogue that additions go to.

    Raises:
        ConfigurationError: `path` is None or the packaged catalogue.
        CatalogError: the file has faults.
    """
    file = path or PACKAGED_CATALOG
    catalog = parse_catalog(read_content(file), file)
    require_own(catalog)
    return catalog


def extended(content: bytes, file: Path, wanted: Sequence[Wanted]) -> Addition:
    """Return the addition to the content of a file that is, or will be, at `file`.

    Raises:
        ConfigurationError: as `plan_addition`; so is CatalogError.
    """
    added: list[str] = []
    for one in wanted:
        for spec in one.specs:
            content, ids = _with_metric(content, file, spec, one)
            added += ids
    sources = available_sources()
    pairs = (parse_spec(spec, sources) for one in wanted for spec in one.specs)
    return Addition(file, content, tuple(added), tuple(pairs))


def metric_that_counts(catalog: Catalog, source: Source, subject: str) -> Metric | None:
    """Return the metric of the catalogue that already counts a subject as `catalog add` would."""
    return _counted(catalog, source, subject, first_options(source))


def _with_metric(content: bytes, file: Path, spec: str, place: Wanted) -> tuple[bytes, list[str]]:
    """Return the content with one more metric and its companion, and their ids."""
    product = place.product
    catalog, sources = parse_catalog(content, file), available_sources()
    source, subject = parse_spec(spec, sources)
    wanted = _series(source, sources)
    counted = {family: _counted(catalog, one, subject, options) for family, one, options in wanted}
    own = [counted[family] for family in variants_of(source)]
    if all(own):
        ids = ", ".join(metric.metric_id for metric in own if metric)
        raise ConfigurationError(f"{file} already counts {spec}, as {ids}; nothing was changed.")
    product_name = _product_name(catalog, product, place.name)
    own_id = _new_id(catalog, source, product, subject, place.metric_id)
    added, entries = [], []
    for family, one, options in wanted:
        if counted[family] is None:
            added.append(own_id if family == source.family else f"{family}:{own_id.partition(':')[2]}")
            title = _title(one, family, product_name)
            entries.append(("metric", _metric_entry(added[-1], one, subject, title, options)))
    if product not in {known.id for known in catalog.products}:
        entries.insert(0, ("product", {"id": product, "name": product_name}))
    longer = _appended(content, entries)
    try:
        parse_catalog(longer, file)
    except CatalogError as error:
        headline = f"{spec} was not added, because {file} would then have faults:"
        raise CatalogError(headline, error.faults) from error
    return longer, added


def _series(source: Source, sources: Mapping[str, Source]) -> list[tuple[str, Source, Mapping[str, Any]]]:
    """Return what is added for one spec: family, source and options of each series, its companion's too."""
    companion = sources.get(_COMPANIONS.get(source.name, ""))
    return [
        (family, one, options)
        for one in (source, *([companion] if companion else []))
        for family, options in variants_of(one).items()
    ]


def require_own(catalog: Catalog) -> None:
    """Raise a ConfigurationError for the packaged catalogue, which is not edited."""
    if catalog.is_packaged:
        raise ConfigurationError(
            "CM_CATALOG does not name a catalogue of your own, and an upgrade would overwrite additions to "
            "the packaged one. Fix: create your own, then add to it:",
            ["community-metrics catalog init my-catalog.toml", "export CM_CATALOG=my-catalog.toml"],
        )


def _counted(catalog: Catalog, source: Source, subject: str, options: Mapping[str, Any]) -> Metric | None:
    """Return the metric that already counts the subject with these options."""
    wanted = identity(source.name, subject, options)
    found = (m for m in catalog.metrics if identity(m.source, m.subject, m.options) == wanted)
    return next(found, None)


def _product_name(catalog: Catalog, product: str, name: str | None) -> str:
    """Return the display name of a new or known product."""
    if not SLUG.fullmatch(product):
        raise ConfigurationError(
            f"The product {product!r} must be lower-case letters, digits, '.', '_' and '-'. "
            "Fix: set the display name with --name."
        )
    known = next((item.name for item in catalog.products if item.id == product), None)
    if known and name not in {None, known}:
        raise ConfigurationError(
            f"The product {product} already has the name {known!r}. Fix: leave --name out, or change the "
            f"name in {catalog.path}."
        )
    return known or name or product


def _new_id(catalog: Catalog, source: Source, product: str, subject: str, metric_id: str | None) -> str:
    usual = f"{source.family}:{product}:{source.sdk or _DETAILS.get(source.host, source.host)}"
    if metric_id:
        if metric_id.split(":")[1:2] != [product]:
            raise ConfigurationError(
                f"The id {metric_id!r} must have the product {product} as its middle part, like {usual}."
            )
        return metric_id
    if usual not in {metric.metric_id for metric in catalog.metrics}:
        return usual
    return f"{usual}-{_NOT_IN_AN_ID.sub('-', subject.lower()).strip('-')}"


def _title(source: Source, family: str, product_name: str) -> str:
    if source.sdk is None:
        return f"{product_name} {_FAMILIES.get(family, family.replace('_', ' '))}"
    title = f"{product_name} for {_SDKS.get(source.sdk, source.sdk)}"
    # or two series of one package would have the same title
    return f"{title}, {_FAMILIES[family]}" if family in _FAMILIES else title


def _metric_entry(
    metric_id: str, source: Source, subject: str, title: str, options: Mapping[str, Any]
) -> dict[str, Any]:
    sdk = {} if source.sdk is None else {"sdk": source.sdk}
    described = f"({_LABELS.get(source.host, source.host)} {subject})"
    return {
        "id": metric_id,
        "source": source.name,
        "subject": subject,
        **_inline(options),
        **sdk,
        "window": source.window.value,
        "display_name": f"{title} {described}",
    }


def _inline(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as one line of an entry: `options = {count = "views"}`."""
    if not options:
        return {}
    table = tomlkit.inline_table()
    table.update(options)
    return {"options": table}


def _appended(content: bytes, entries: Sequence[tuple[str, dict[str, Any]]]) -> bytes:
    """Return the content with the entries appended, in the line endings of the content."""
    blocks = ["" if content.endswith(b"\n") or not content else "\n"]
    for kind, entry in entries:
        table = tomlkit.aot()
        table.append(tomlkit.item(entry))
        blocks.append(tomlkit.dumps({kind: table}))
    newline = "\r\n" if b"\r\n" in content else "\n"
    return content + "\n".join(blocks).replace("\n", newline).encode()
