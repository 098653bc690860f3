"""The checks of `community-metrics doctor`: settings, catalogue, storage, data and registries."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from community_metrics.catalog import load_catalog
from community_metrics.cli.backfill_checks import backfill_checks
from community_metrics.cli.checks import Check, fail, ok, warn
from community_metrics.cli.delivery_checks import last_delivery_checks, setting_checks
from community_metrics.cli.event_checks import event_checks
from community_metrics.cli.render.run import OFFLINE, OFFLINE_FIX
from community_metrics.cli.render.status import (
    BEHIND_FIX,
    LOSS_FIX,
    behind_texts,
    loss_texts,
    lost_texts,
    stale_texts,
)
from community_metrics.cli.render.style import age
from community_metrics.cli.stored_checks import stored_checks
from community_metrics.cli.traffic_checks import traffic_checks, traffic_repositories
from community_metrics.config import PROJECT_URL
from community_metrics.errors import (
    CommunityMetricsError,
    SourceError,
    SourceUnreachable,
    UnknownSubject,
)
from community_metrics.model import GapKind
from community_metrics.sources import available_sources
from community_metrics.sources.client.client import RegistryClient
from community_metrics.sources.client.hosts import (
    ANACONDA,
    CRATES,
    CRATES_STATIC,
    DOCKER,
    DUCKDB,
    GITHUB,
    HOMEBREW,
    HUGGING_FACE,
    NPM,
    NUGET,
    OPEN_VSX,
    PACKAGIST,
    PYPISTATS,
    RUBYGEMS,
)
from community_metrics.sources.client.retries import PROBE_LIMITS
from community_metrics.text import counted, ranges_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.series.freshness import MetricFreshness
    from community_metrics.sources.client.hosts import RegistryHost
    from community_metrics.views.runs import Freshness
    from community_metrics.views.status import Status

NAMES_SHOWN = 3
_GAP_TEXTS = {
    GapKind.NOT_RETURNED: (
        "did not return",
        "nothing to do; every refresh requests the days again while it can",
    ),
    GapKind.LATE: ("may still publish", "wait a day"),
}
_LOST_FIX = "nothing brings them back; a refresh every day loses no more"
_PROBES = {
    # small responses; GitHub's counts against no quota
    PYPISTATS.key: (PYPISTATS, "/api/packages/pip/recent"),
    NPM.key: (NPM, "/downloads/point/last-day/npm"),
    CRATES.key: (CRATES, "/api/v1/crates/serde?include="),
    CRATES_STATIC.key: (CRATES_STATIC, "/archive/version-downloads/index.json"),
    GITHUB.key: (GITHUB, "/rate_limit"),
    RUBYGEMS.key: (RUBYGEMS, "/api/v1/gems/rake.json"),
    NUGET.key: (NUGET, "/v3/index.json"),
    PACKAGIST.key: (PACKAGIST, "/packages/list.json?vendor=composer"),
    OPEN_VSX.key: (OPEN_VSX, "/api/redhat/java"),
    DOCKER.key: (DOCKER, "/v2/repositories/library/hello-world/"),
    HUGGING_FACE.key: (HUGGING_FACE, "/api/models/google-bert/bert-base-uncased?expand%5B%5D=likes"),
    DUCKDB.key: (DUCKDB, "/downloads-last-week.json"),
    ANACONDA.key: (ANACONDA, "/package/conda-forge/tini"),
    HOMEBREW.key: (HOMEBREW, "/api/formula/hello.json"),
}


async def examine(settings: Settings, clock: Clock) -> list[Check]:
    """Return the checks of settings, storage, keys, gaps and every registry that the catalogue needs."""
    checks = list(_settings_checks(settings))
    try:
        catalog = load_catalog(settings.catalog)
    except CommunityMetricsError as error:
        return [*checks, fail("catalogue", str(error), "correct the file, then run doctor again")]
    checks += _token_checks(settings, catalog)
    checks.append(_catalog_check(catalog))
    checks += setting_checks(settings, catalog)
    stored, view = await stored_checks(settings, catalog, clock)
    checks += [*stored, *(_data_checks(view, catalog) if view else ())]
    checks += await last_delivery_checks(settings, catalog, clock)
    checks += await backfill_checks(settings, catalog, clock)
    return checks + await _probe_all(settings, catalog, clock)


def _settings_checks(settings: Settings) -> Iterator[Check]:
    yield ok("settings", f"{settings.storage_mode} mode, {settings.storage_location}")
    if settings.contact == PROJECT_URL:
        detail = "the User-Agent has the project's address, not yours"
        yield warn("settings", detail, "set CM_CONTACT to your URL or e-mail")


def _hosts(catalog: Catalog) -> set[str]:
    """Return the keys of the registries that the active metrics are read from."""
    sources = available_sources()
    read = (*catalog.active, *catalog.registries)
    return {sources[metric.source].host for metric in read if metric.source in sources}


def _token_checks(settings: Settings, catalog: Catalog) -> Iterator[Check]:
    if settings.github_token is None and GITHUB.key in _hosts(catalog):
        detail = "CM_GITHUB_TOKEN is not set: GitHub allows 60 requests an hour from this address"
        right = "with the right that the check of traffic names" if traffic_repositories(catalog) else ""
        yield warn("settings", detail, f"set CM_GITHUB_TOKEN to a token {right or 'without any permission'}")


def _catalog_check(catalog: Catalog) -> Check:
    name = "packaged" if catalog.is_packaged else str(catalog.path)
    metrics, products = len(catalog.active), len(catalog.products)
    return ok("catalogue", f"{name}: {counted(metrics, 'active metric')}, {counted(products, 'product')}")


def _data_checks(view: Status, catalog: Catalog) -> Iterator[Check]:
    yield _freshness_check(view.freshness)
    abandoned = [run.run.ingestion_run_id for run in view.runs if run.state == "abandoned"]
    if abandoned:
        detail = f"{counted(len(abandoned), 'run')} did not finish, last {abandoned[0]}"
        yield warn("runs", detail, "nothing to do; stored values are complete, and the next run continues")
    if never := view.never_stored(catalog):
        names = ", ".join(never[:NAMES_SHOWN])
        rest = f" and {len(never) - NAMES_SHOWN} more" if len(never) > NAMES_SHOWN else ""
        yield warn("data", f"no value is stored for {names}{rest}", "run `community-metrics refresh`")
    gaps = [fail("gaps", detail, BEHIND_FIX) for detail in behind_texts(view)]
    gaps += [
        _gap_check(metric, kind, days) for metric in view.metrics for kind, days in view.gaps(metric).items()
    ]
    yield from gaps or [_no_gaps(view)]
    yield from _loss_checks(view)


def _no_gaps(view: Status) -> Check:
    if not view.published_through:
        detail = "nothing is known: no registry's days are stored, so none can be missing"
        return warn("gaps", detail, "run `community-metrics refresh`")
    return ok("gaps", "no published day of the last 12 weeks is missing")


def _loss_checks(view: Status) -> Iterator[Check]:
    urgent = view.urgent_losses
    yield from (fail("losses", text, LOSS_FIX) for text in loss_texts(urgent))
    others = [loss for loss in view.losses if loss not in urgent]
    due = [loss for loss in others if loss.is_last_day(view.freshness.now)]
    yield from (warn("losses", text, LOSS_FIX) for text in loss_texts(due))
    yield from (ok("losses", text) for text in loss_texts(loss for loss in others if loss not in due))
    yield from (warn("losses", text, _LOST_FIX) for text in lost_texts(view.losses))


def _freshness_check(fresh: Freshness) -> Check:
    if fresh.is_stale:
        fix = "run `community-metrics refresh`; `status` shows what failed"
        return fail("freshness", " ".join(stale_texts(fresh)), fix)
    if fresh.age is None:
        return ok("freshness", "every source has a recent day; no refresh was without an error yet")
    return ok(
        "freshness", f"every source has a recent day; last refresh without an error {age(fresh.age)} ago"
    )


def _gap_check(metric: MetricFreshness, kind: GapKind, days: list[date]) -> Check:
    lacks = f"{metric.metric_id} lacks"
    if kind is GapKind.NOT_FETCHED:
        fix = f"run `community-metrics refresh --only {metric.metric_id}`"
        detail = f"{lacks} {counted(len(days), 'day')}: {ranges_text(days)}"
        return fail("gaps", detail, f"{fix}; it fills what {metric.source} still has")
    text, fix = _GAP_TEXTS[kind]
    return warn("gaps", f"{lacks} {ranges_text(days)}, which {metric.source} {text}", fix)


async def _probe_all(settings: Settings, catalog: Catalog, clock: Clock) -> list[Check]:
    needed = _hosts(catalog)
    probed = [_PROBES[key] for key in _PROBES if key in needed]
    rng = random.Random()  # noqa: S311  jitter, not secrets
    async with RegistryClient(settings, clock, rng, limits=PROBE_LIMITS) as client:
        probes = await asyncio.gather(*(_probe(client, settings, host, path) for host, path in probed))
        checks = _offline_checks(probes) if _is_offline(probes) else [probe.check for probe in probes]
        if not _is_offline(probes):
            checks += await traffic_checks(catalog, client)
            checks += await event_checks(catalog, client, clock)
    fix = "run `community-metrics refresh --dry-run`"
    plugins = sorted(needed - _PROBES.keys())
    return checks + [warn("sources", f"{key} is a plug-in and was not checked", fix) for key in plugins]


@dataclass(frozen=True, slots=True)
class _Probe:
    """The check of one registry, and whether there was no response at all."""

    check: Check
    is_unreachable: bool = False


def _is_offline(probes: Sequence[_Probe]) -> bool:
    return bool(probes) and all(probe.is_unreachable for probe in probes)


def _offline_checks(probes: Sequence[_Probe]) -> list[Check]:
    """Return one problem for all registries, and a line for each host."""
    hosts = "".join(f"\n  {probe.check.detail}" for probe in probes)
    return [fail("sources", f"{OFFLINE}:{hosts}", OFFLINE_FIX)]


async def _probe(client: RegistryClient, settings: Settings, host: RegistryHost, path: str) -> _Probe:
    origin, variable = settings.source_url(host.key, host.public_origin), f"CM_SOURCE_URL_{host.key.upper()}"
    is_replaced = origin != host.public_origin
    try:
        with suppress(UnknownSubject):  # "not found" is a response
            await client.get_json(host, path, object, source=host.key, subject="probe")
    except SourceError as error:
        token = " and CM_GITHUB_TOKEN" if host.key == GITHUB.key else ""
        fix = f"check network access to {host.public_origin}{token}; {variable} sets a proxy"
        if is_replaced:
            fix = f"check the proxy, or unset {variable}"
        return _Probe(
            fail("sources", error.message, fix), is_unreachable=isinstance(error, SourceUnreachable)
        )
    via = f" ({variable})" if is_replaced else ""
    return _Probe(ok("sources", f"{host.key} responds at {origin}{via}"))
