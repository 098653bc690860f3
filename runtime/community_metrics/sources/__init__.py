"""Registries: each turns subjects into observations. `available_sources` returns all of them.

`docs/sources.md` lists the built-in ones. An installed package adds one with an entry point in the group
`community_metrics.sources` that has the source's name; its value is an instance that matches `Source`. Such a
package imports what it needs from here; the same page has a complete example.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, cast

from community_metrics.config import ENTRY_POINT_GROUP
from community_metrics.errors import ConfigurationError
from community_metrics.model import SEED_SOURCE, Visibility
from community_metrics.sources.base import (
    EVERYTHING,
    FetchRequest,
    FetchResult,
    Reader,
    RegistrySeries,
    Source,
    each,
    kind_of,
    visibility_of,
)
from community_metrics.sources.client.hosts import RegistryHost
from community_metrics.sources.conda import CondaDownloads
from community_metrics.sources.crates import Crates
from community_metrics.sources.crates_archive import CratesArchive
from community_metrics.sources.docker import DockerPulls
from community_metrics.sources.duckdb_extensions import DuckDbExtensions
from community_metrics.sources.github import GitHubStars
from community_metrics.sources.github_history import GitHubStarHistory
from community_metrics.sources.github_levels import GitHubLevels
from community_metrics.sources.github_paths import GitHubPaths
from community_metrics.sources.github_referrers import GitHubReferrers
from community_metrics.sources.github_releases import GitHubReleases
from community_metrics.sources.github_traffic import GitHubTraffic
from community_metrics.sources.homebrew import HOMEBREW_SOURCES
from community_metrics.sources.huggingface import HuggingFaceDownloads, HuggingFaceLikes
from community_metrics.sources.npm import Npm
from community_metrics.sources.nuget import NuGet
from community_metrics.sources.open_vsx import OpenVsx
from community_metrics.sources.packagist import Packagist, PackagistMonth
from community_metrics.sources.pypistats import PypiStats
from community_metrics.sources.rubygems import RubyGems
from community_metrics.sources.schemas import Count, Day, ResponseModel
from community_metrics.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ENTRY_POINT_GROUP",
    "EVERYTHING",
    "Count",
    "Day",
    "FetchRequest",
    "FetchResult",
    "RegistryHost",
    "RegistrySeries",
    "ResponseModel",
    "Source",
    "available_sources",
    "each",
]

_BUILT_IN: tuple[Source, ...] = (
    PypiStats(),
    Npm(),
    Crates(),
    CratesArchive(),
    GitHubStars(),
    GitHubStarHistory(),
    GitHubLevels(),
    GitHubReleases(),
    GitHubTraffic(),
    GitHubReferrers(),
    GitHubPaths(),
    DockerPulls(),
    HuggingFaceDownloads(),
    HuggingFaceLikes(),
    DuckDbExtensions(),
    CondaDownloads(),
    *HOMEBREW_SOURCES,
    RubyGems(),
    NuGet(),
    Packagist(),
    PackagistMonth(),
    OpenVsx(),
)
_REQUIRED = (*Reader.__annotations__, *Source.__annotations__, "validate", "fetch")


def available_sources() -> Mapping[str, Source]:
    """Return every source by its name: the built-in ones, and those of installed packages.

    Raises:
        ConfigurationError: with every entry point that cannot be used, and why.
    """
    sources: dict[str, Source] = {source.name: source for source in _BUILT_IN}
    faults: list[str] = []
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        fault = _add(point, sources)
        if fault:
            owner = point.dist.name if point.dist else "an unknown package"
            faults.append(f"{point.name} of {owner} ({point.value}): {fault}")
    if faults:
        raise ConfigurationError("Installed sources cannot be used. Fix or uninstall them:", faults)
    return sources


def _add(point: EntryPoint, sources: dict[str, Source]) -> str | None:
    """Load one entry point into `sources`; return its fault, if it has one."""
    if point.name in {*sources, SEED_SOURCE}:
        return f"the name is taken; others are {', '.join(sorted({*sources, SEED_SOURCE}))}"
    try:
        candidate = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001  a third party's module may raise anything
        return f"it cannot be imported: {type(error).__name__}: {one_line(str(error))}"
    try:
        fault = _fault(candidate, point.name)
    except (Exception, SystemExit) as error:  # noqa: BLE001  so may its attributes
        return f"its attributes cannot be read: {type(error).__name__}: {one_line(str(error))}"
    if fault is None:
        sources[point.name] = cast("Source", candidate)
    return fault


def _fault(candidate: object, name: str) -> str | None:
    missing = [attribute for attribute in _REQUIRED if not hasattr(candidate, attribute)]
    if missing:
        return f"it lacks {', '.join(missing)}"
    if isinstance(candidate, type):
        return "it is a class; the value must be an instance"
    source = cast("Source", candidate)
    if source.name != name:
        return f"its name is {source.name!r}; the entry point must have the same name"
    kind, kinds = kind_of(source), source.window.kinds
    if kind not in kinds:
        return f"its kind is {kind!r}, but values of its window have {' or '.join(kinds)}"
    visibility: object = visibility_of(source)
    if not isinstance(visibility, Visibility):
        return f"its visibility is {visibility!r}, not a Visibility"
    return None
