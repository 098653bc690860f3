"""Registries: each turns subjects into observations. Which ones there are: `available_sources`.

Built in are pypistats, npm, crates, github and github-history. An installed package adds one with an entry
point in the group `community_metrics.sources`, named as the catalogue will name the source; its value is an
instance that fits `Source`. What such a package needs is handed on here; `docs/sources.md` shows one whole.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, cast

from community_metrics.errors import ConfigurationError
from community_metrics.model import SEED_SOURCE
from community_metrics.sources.base import FetchRequest, FetchResult, Source, each
from community_metrics.sources.client.hosts import RegistryHost
from community_metrics.sources.crates import Crates
from community_metrics.sources.github import GitHubStars
from community_metrics.sources.github_history import GitHubStarHistory
from community_metrics.sources.npm import Npm
from community_metrics.sources.pypistats import PypiStats
from community_metrics.sources.schemas import Count, Day, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from community_metrics.sources.client.client import RegistryClient

__all__ = [
    "ENTRY_POINT_GROUP",
    "Count",
    "Day",
    "FetchRequest",
    "FetchResult",
    "RegistryClient",
    "RegistryHost",
    "Shape",
    "Source",
    "available_sources",
    "each",
]

ENTRY_POINT_GROUP = "community_metrics.sources"

_BUILT_IN: tuple[Source, ...] = (PypiStats(), Npm(), Crates(), GitHubStars(), GitHubStarHistory())
_REQUIRED = ("name", "host", "window", "family", "sdk", "retention_days", "answers_whole", "faults", "fetch")


def available_sources() -> Mapping[str, Source]:
    """Return every source by its name: the built-in ones, and those of installed packages.

    Raises:
        ConfigurationError: with every entry point that cannot be used, and why.
    """
    sources: dict[str, Source] = {source.name: source for source in _BUILT_IN}
    faults: list[str] = []
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        fault = _taken(point, sources) or _add(point, sources)
        if fault:
            owner = point.dist.name if point.dist else "an unknown package"
            faults.append(f"{point.name} of {owner} ({point.value}): {fault}")
    if faults:
        raise ConfigurationError("Installed sources cannot be used; mend or uninstall them:", faults)
    return sources


def _taken(point: EntryPoint, sources: Mapping[str, Source]) -> str | None:
    if point.name == SEED_SOURCE or point.name in sources:
        return f"the name is taken; others are {', '.join(sorted({*sources, SEED_SOURCE}))}"
    return None


def _add(point: EntryPoint, sources: dict[str, Source]) -> str | None:
    """Load one entry point into `sources`; return what is wrong with it, if anything is."""
    try:
        candidate = point.load()
    except Exception as error:  # noqa: BLE001  a stranger's module may fail in any way, and must be named
        return f"it cannot be imported: {type(error).__name__}: {error}"
    missing = [attribute for attribute in _REQUIRED if not hasattr(candidate, attribute)]
    if missing:
        return f"it lacks {', '.join(missing)}"
    if isinstance(candidate, type):
        return "it is a class; the value must be an instance"
    if candidate.name != point.name:
        return f"it calls itself {candidate.name!r}; the entry point must have the same name"
    sources[point.name] = cast("Source", candidate)
    return None


def __getattr__(name: str) -> Any:
    """Load the client when somebody asks for it: the API knows sources by name, and never asks a registry."""
    if name != "RegistryClient":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from community_metrics.sources.client.client import RegistryClient  # noqa: PLC0415  7 MB of the API's memory

    return RegistryClient
