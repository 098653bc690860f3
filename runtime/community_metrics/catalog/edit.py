"""Edits of a catalogue file: a starter to begin with, and `catalog add`.

What a person wrote is never rewritten: an addition is appended, so that every byte before it, comments
included, stays as it was. The result must pass the same checks as any catalogue, or nothing is written.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tomlkit

from community_metrics.catalog.catalog import PACKAGED_CATALOG, decoded, parse_catalog, read_content
from community_metrics.catalog.identity import canonical
from community_metrics.catalog.rules import PRODUCT_ID
from community_metrics.errors import CatalogError, ConfigurationError
from community_metrics.model import SEED_SOURCE
from community_metrics.sources import available_sources
from community_metrics.suggestions import near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.sources.base import Source

COMPANIONS: Mapping[str, str] = {"github": "github-history"}
"""A repository's count comes with the stars it kept, by the day they were given."""
_LABELS = {"pypistats": "PyPI", "crates": "crates.io", "github": "GitHub", "github-history": "GitHub"}
_FAMILIES = {"stars_retained": "stars kept"}
_NOT_IN_AN_ID = re.compile(r"[^a-z0-9._-]+")
_SDKS = {"python": "Python", "nodejs": "Node.js", "rust": "Rust"}
_STARTER = """\
# What is tracked. `community-metrics catalog check` reads this file as a run would.
# Point CM_CATALOG at it, then add packages and repositories here or from the command line:
#
#   community-metrics catalog add pypistats:httpx --product httpx --name HTTPX
#   community-metrics catalog add github:encode/httpx --product httpx
#
# product.id       lower case; the middle part of the ids of its metrics
#
# metric.id        family:product:detail, never reused for anything else
# metric.source    pypistats, npm, crates, github, github-history, or "seed" for what only seed files hold
# metric.subject   the package or repository as the source writes it
# metric.options   pypistats: { mirrors = true } counts mirrors too; they are left out by default.
#                  The two never stand in one product: its downloads would count each file twice
# metric.window    the interval one value covers: 1d, 7d, 30d, month, or instant for a level such as stars
# metric.fallbacks metrics that may stand in, marked estimated, for a week of which not a single day is known
# metric.active    false stops fetching and showing it; its history stays
#
# An example; take the # away:
#
# [[product]]
# id = "httpx"
# name = "HTTPX"
#
# [[metric]]
# id = "downloads:httpx:python"
# source = "pypistats"
# subject = "httpx"
# sdk = "python"
# window = "1d"
# display_name = "HTTPX for Python (PyPI httpx)"
"""


def init_catalog(path: Path) -> None:
    """Write a commented starter without any entry; an existing file is never touched.

    Raises:
        ConfigurationError: there is something at `path` already, or it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(_STARTER)
    except FileExistsError as error:
        raise ConfigurationError(
            f"{path} exists already and was left as it is. Choose another name, or use it: "
            f"export CM_CATALOG={path}"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}. Choose another place."
        ) from error


def add_metric(
    path: Path | None,
    spec: str,
    product: str,
    *,
    name: str | None = None,
    metric_id: str | None = None,
    sources: Mapping[str, Source] | None = None,
) -> tuple[str, ...]:
    """Append the metric `SOURCE:SUBJECT` to the catalogue at `path` and return the ids of what was added.

    A product that is not there yet is added with `name` (its id by default) as the name that people read. The
    metric's id is `family:product:sdk`, for repositories `stars:product:github`; a second package of the same
    product and SDK gets `family:product:sdk-subject`. A repository comes with its `stars_retained` metric.

    Raises:
        ConfigurationError: the packaged catalogue (`path` None) would have to be edited, the spec or a name
            cannot be used, the subject is counted already, or the file cannot be written.
        CatalogError: the file has faults, before or after the addition; nothing was written.
    """
    file = path or PACKAGED_CATALOG
    known = available_sources() if sources is None else sources
    content = read_content(file)
    catalog = parse_catalog(decoded(content, file), file, sources=known)
    _refuse_packaged(catalog)
    source, subject = _parsed(spec, known)
    if counted := _counted(catalog, source, subject):
        raise ConfigurationError(
            f"{file} counts {spec} already, as {counted.metric_id}; nothing was changed."
        )
    wanted = _Wanted(catalog, product, _product_name(catalog, product, name), subject)
    metrics = [wanted.entry(source, metric_id or wanted.free_id(source))]
    companion = known.get(COMPANIONS.get(source.name, ""))
    if companion is not None and not _counted(catalog, companion, subject):
        own_id = str(metrics[0]["id"])
        metrics.append(wanted.entry(companion, own_id.replace(source.family, companion.family, 1)))
    extended = _extended(content, _rendered(wanted.new_products(), metrics))
    _check(extended, file, spec, known)
    _replace(file, extended)
    return tuple(str(metric["id"]) for metric in metrics)


@dataclass(frozen=True, slots=True)
class _Wanted:
    catalog: Catalog
    product: str
    product_name: str
    subject: str

    def new_products(self) -> list[dict[str, object]]:
        is_known = any(product.id == self.product for product in self.catalog.products)
        return [] if is_known else [{"id": self.product, "name": self.product_name}]

    def entry(self, source: Source, metric_id: str) -> dict[str, object]:
        if metric_id.split(":")[1:2] != [self.product]:
            raise ConfigurationError(
                f"The id {metric_id!r} must have the product {self.product} as its middle part, "
                f"like {source.family}:{self.product}:{source.sdk or source.host}"
            )
        sdk = {} if source.sdk is None else {"sdk": source.sdk}
        return {
            "id": metric_id,
            "source": source.name,
            "subject": self.subject,
            **sdk,
            "window": source.window.value,
            "display_name": self._display_name(source),
        }

    def free_id(self, source: Source) -> str:
        taken = {metric.metric_id for metric in self.catalog.metrics}
        plain = f"{source.family}:{self.product}:{source.sdk or source.host}"
        if plain not in taken:
            return plain
        return f"{plain}-{_NOT_IN_AN_ID.sub('-', self.subject.lower()).strip('-')}"

    def _display_name(self, source: Source) -> str:
        subject = f"({_LABELS.get(source.name, source.name)} {self.subject})"
        if source.sdk is not None:
            return f"{self.product_name} for {_SDKS.get(source.sdk, source.sdk)} {subject}"
        return f"{self.product_name} {_FAMILIES.get(source.family, source.family)} {subject}"


def _refuse_packaged(catalog: Catalog) -> None:
    if catalog.is_packaged:
        raise ConfigurationError(
            "CM_CATALOG names no catalogue of your own, and an addition to the packaged one would be lost "
            "with the next upgrade. Start your own, then add to it:",
            ["community-metrics catalog init my-catalog.toml", "export CM_CATALOG=my-catalog.toml"],
        )


def _parsed(spec: str, sources: Mapping[str, Source]) -> tuple[Source, str]:
    name, _, subject = spec.partition(":")
    if name == SEED_SOURCE:
        raise ConfigurationError(
            "Metrics that only seed files fill are written into the catalogue by hand: their window is yours "
            "to say. The packaged catalogue shows some."
        )
    if name not in sources:
        raise ConfigurationError(f"There is no source {name!r}; {near(name, sources)}")
    if not subject:
        raise ConfigurationError(
            f"{spec!r} names no package or repository; write SOURCE:SUBJECT, like pypistats:httpx"
        )
    if faults := sources[name].validate(subject, {}):
        raise ConfigurationError(f"{spec} cannot be added:", faults)
    return sources[name], subject


def _counted(catalog: Catalog, source: Source, subject: str) -> Metric | None:
    wanted = canonical(source.name, subject)
    for metric in catalog.metrics:
        is_plain = not any(metric.options.values())  # another option counts something else
        if is_plain and metric.source == source.name and canonical(source.name, metric.subject) == wanted:
            return metric
    return None


def _product_name(catalog: Catalog, product: str, name: str | None) -> str:
    if not PRODUCT_ID.fullmatch(product):
        raise ConfigurationError(
            f"The product {product!r} must be lower-case letters, digits, '.', '_' and '-'; "
            "--name gives the name that people read"
        )
    for existing in catalog.products:
        if existing.id == product:
            if name not in {None, existing.name}:
                raise ConfigurationError(
                    f"The product {product} is called {existing.name!r} already; leave --name out, or change "
                    f"the name in {catalog.path}"
                )
            return existing.name
    return name or product


def _rendered(products: Sequence[dict[str, object]], metrics: Sequence[dict[str, object]]) -> str:
    blocks = []
    for kind, entries in (("product", products), ("metric", metrics)):
        for entry in entries:
            table = tomlkit.aot()
            table.append(tomlkit.item(entry))
            blocks.append(tomlkit.dumps({kind: table}))
    return "\n".join(blocks)


def _extended(content: bytes, addition: str) -> bytes:
    newline = "\r\n" if b"\r\n" in content else "\n"
    if content and not content.endswith(b"\n"):
        addition = "\n" + addition
    return content + ("\n" + addition).replace("\n", newline).encode()


def _check(content: bytes, file: Path, spec: str, sources: Mapping[str, Source]) -> None:
    try:
        parse_catalog(decoded(content, file), file, sources=sources)
    except CatalogError as error:
        raise CatalogError(
            f"{spec} was not added, since {file} would then have faults:", error.faults
        ) from error


def _replace(file: Path, content: bytes) -> None:
    target = file.resolve()  # a symbolic link stays one
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
            new = Path(folder, target.name)
            with new.open("wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            shutil.copymode(target, new)
            new.replace(target)
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be written: {error.strerror}. Nothing was changed; CM_CATALOG must name a file "
            "in a folder that you may write to."
        ) from error
