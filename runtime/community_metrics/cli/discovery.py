"""What `catalog discover` and `init` do with a discovery: ask the registries, group by product, add."""

from __future__ import annotations

import random
import re
import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import typer

from community_metrics.catalog.edit import Wanted, metric_that_counts
from community_metrics.cli.existence import existence_errors
from community_metrics.discovery import BackLink, Discovery, NotProposed, Proposal, back_links, discover
from community_metrics.errors import ConfigurationError, UnknownSubject
from community_metrics.sources import available_sources
from community_metrics.sources.client.client import RegistryClient
from community_metrics.sources.client.retries import RequestLimits
from community_metrics.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings

LIMIT: Final = 30
"""How many repositories are read if nothing else is said: about what GitHub allows without a token."""
_OWNER: Final = re.compile(r"(?:github:)?(?P<name>[a-z0-9](?:[a-z0-9-]{0,38}))", re.IGNORECASE | re.ASCII)
_GITHUB: Final = "github"
_NOT_ASKED: Final = "--no-check: the registry was not asked"
# a person waits: a limit ends the reading sooner than its end, and says so
_PATIENCE: Final = RequestLimits(attempts=3, total_s=30, unreachable_s=15)


@dataclass(frozen=True, slots=True)
class Scope:
    """What of an owner is read: `only` these repositories, at most `limit`; `check` asks the registries."""

    owner: str
    only: tuple[str, ...] = ()
    limit: int = LIMIT
    check: bool = True


@dataclass(frozen=True, slots=True)
class Survey:
    """A discovery after the registries and the catalogue were asked.

    `proposals` are those of the discovery that no registry denies and the catalogue lacks. `unverified` says
    by spec why nobody knows whether the registry has it, `links` whether the package's page links back to the
    owner, of what was asked. `products` are those of the catalogue.
    """

    found: Discovery
    proposals: tuple[Proposal, ...]
    not_proposed: tuple[NotProposed, ...]
    unverified: dict[str, str] = field(default_factory=dict)
    links: dict[str, BackLink] = field(default_factory=dict)
    products: frozenset[str] = frozenset()

    @property
    def by_product(self) -> dict[str, list[Proposal]]:
        """The proposals of each product."""
        groups: dict[str, list[Proposal]] = {}
        for one in self.proposals:
            groups.setdefault(one.product, []).append(one)
        return groups

    @property
    def complete(self) -> bool:
        """Whether every repository was read."""
        return self.found.stopped is None and not self.found.unread

    def wanted(self, products: Iterable[str]) -> list[Wanted]:
        """Return what is added for these products; a product of the catalogue keeps its name."""
        groups = self.by_product
        return [
            Wanted(
                product,
                tuple(one.spec for one in groups[product]),
                None if product in self.products else groups[product][0].product_name,
            )
            for product in products
        ]

    @property
    def commands(self) -> list[str]:
        """The commands that add every proposal, one for each product."""
        return [_command(one) for one in self.wanted(self.by_product)]


def owner_named(text: str) -> str:
    """Return the owner that `github:OWNER` or `OWNER` names.

    Raises:
        ConfigurationError: it names none.
    """
    if (named := _OWNER.fullmatch(text.strip())) is None:
        raise ConfigurationError(
            f"{text!r} is not an organisation or user of GitHub. Fix: write github:OWNER, as github:encode"
        )
    return named["name"]


async def survey(
    scope: Scope, settings: Settings, clock: Clock, catalog: Catalog | None, say: Callable[[str], None]
) -> Survey:
    """Return what an owner publishes, after each registry was asked whether it has the package.

    Raises:
        ConfigurationError: GitHub has no such owner or repository.
        SourceError: the list of repositories could not be read.
    """
    rng = random.Random()  # noqa: S311  jitter, not secrets
    async with RegistryClient(settings, clock, rng, limits=_PATIENCE) as client:
        sources = available_sources()
        found = await discover(scope.owner, client, sources, only=scope.only, limit=scope.limit, say=say)
    fresh = Survey(found, found.proposals, found.not_proposed)
    if catalog is not None:
        fresh = _without_counted(fresh, catalog)
    if not scope.check:
        return _unasked(fresh)
    verified = await _verified(fresh, settings, clock, say)
    asked = [one for one in verified.proposals if one.spec not in verified.unverified]
    async with RegistryClient(settings, clock, rng, limits=_PATIENCE) as client:
        return replace(verified, links=await back_links(scope.owner, asked, client, say))


def _to_ask(fresh: Survey) -> list[Proposal]:
    return [one for one in fresh.proposals if one.source != _GITHUB]  # GitHub itself lists its repositories


def _unasked(fresh: Survey) -> Survey:
    return replace(fresh, unverified=dict.fromkeys((one.spec for one in _to_ask(fresh)), _NOT_ASKED))


async def _verified(fresh: Survey, settings: Settings, clock: Clock, say: Callable[[str], None]) -> Survey:
    """Return the survey without what a registry does not have."""
    sources, asked = available_sources(), _to_ask(fresh)
    pairs = [(sources[one.source], one.subject) for one in asked]
    errors = await existence_errors(pairs, settings, clock, say)
    failed = {one.spec: error for one, error in zip(asked, errors, strict=True) if error is not None}
    denied = {
        spec: f"the registry does not have it: {replace(error, fix=None).message}"
        for spec, error in failed.items()
        if isinstance(error, UnknownSubject)
    }
    unverified = {spec: error.message for spec, error in failed.items() if spec not in denied}
    return replace(_without(fresh, denied), unverified=unverified)


def _without_counted(fresh: Survey, catalog: Catalog) -> Survey:
    sources = available_sources()
    counted = {
        one.spec: f"{catalog.path} counts it already, as {metric.metric_id}"
        for one in fresh.proposals
        if (metric := metric_that_counts(catalog, sources[one.source], one.subject)) is not None
    }
    products = frozenset(product.id for product in catalog.products)
    return replace(_without(fresh, counted), products=products)


def _without(fresh: Survey, reasons: dict[str, str]) -> Survey:
    """Return the survey without some proposals, which are listed with their reasons instead."""
    moved = tuple(
        NotProposed(one.evidence[0], reasons[one.spec], one.subject)
        for one in fresh.proposals
        if one.spec in reasons
    )
    kept = tuple(one for one in fresh.proposals if one.spec not in reasons)
    return replace(fresh, proposals=kept, not_proposed=(*fresh.not_proposed, *moved))


def _command(wanted: Wanted) -> str:
    has_name = wanted.name is not None and wanted.name != wanted.product
    name = ["--name", wanted.name or ""] if has_name else []
    words = ["community-metrics", "catalog", "add", *wanted.specs, "--product", wanted.product, *name]
    return shlex.join(words)


def chosen_products(products: Sequence[str]) -> list[str]:
    """Prompt for the products to add: all, none, or some of them by name."""

    def parsed(answer: str) -> list[str]:
        names = [name.strip() for name in answer.split(",") if name.strip()]
        if answer.strip().lower() in {"all", "none"}:
            return list(products) if answer.strip().lower() == "all" else []
        for name in names:
            if name not in products:
                raise typer.BadParameter(f"{name!r} was not found; {suggestion(name, products)}")
        return [product for product in products if product in names]

    question = "Which products shall be added? Write all, none, or names with commas"
    answer: list[str] = typer.prompt(question, default="all", value_proc=parsed, err=True)
    return answer
