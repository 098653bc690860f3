"""The check of `community-metrics doctor` that asks whether the token may read the counted traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.cli.checks import Check, fail, ok, warn
from community_metrics.errors import SourceDenied, SourceError
from community_metrics.sources.github_rights import TRAFFIC_SOURCES, require_traffic_right

if TYPE_CHECKING:
    from community_metrics.catalog import Catalog
    from community_metrics.sources.client.client import RegistryClient


def traffic_repositories(catalog: Catalog) -> list[str]:
    """Return the repositories whose traffic an active metric counts, in the catalogue's order."""
    counted = (metric.subject for metric in catalog.active if metric.source in TRAFFIC_SOURCES)
    return list({subject.lower(): subject for subject in counted}.values())


async def traffic_checks(catalog: Catalog, client: RegistryClient) -> list[Check]:
    """Ask for the traffic of each repository; return a check for each that fails, and one for the others."""
    shown, checks = [], []
    for repository in traffic_repositories(catalog):
        try:
            await require_traffic_right(repository, client)
        except SourceDenied as error:
            checks.append(
                fail("traffic", f"{repository}: {error.detail}", error.fix or "check CM_GITHUB_TOKEN")
            )
        except SourceError as error:
            fix = "correct the cause, then run doctor again"
            checks.append(warn("traffic", f"{repository} was not checked: {error.message}", fix))
        else:
            shown.append(repository)
    if shown:
        checks.insert(0, ok("traffic", f"CM_GITHUB_TOKEN may read the traffic of {', '.join(shown)}"))
    return checks
