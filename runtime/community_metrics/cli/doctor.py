"""The checks of `community-metrics doctor`: settings, catalogue, storage, data and registries."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from community_metrics.catalog import load_catalog
from community_metrics.cli.render.status import BEHIND_FIX, behind_texts, ranges_text
from community_metrics.cli.render.style import age, counted
from community_metrics.config import PROJECT_URL, StorageMode
from community_metrics.errors import (
    CommunityMetricsError,
    SourceError,
    StorageNotBootstrapped,
    StorageSchemaMismatch,
    UnknownSubject,
)
from community_metrics.model import GapKind
from community_metrics.sources import available_sources
from community_metrics.sources.client.client import RegistryClient
from community_metrics.sources.client.hosts import CRATES, GITHUB, NPM, PYPISTATS
from community_metrics.sources.client.retries import PROBE_LIMITS
from community_metrics.views.rows import read
from community_metrics.views.status import load_status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.series.freshness import MetricFreshness
    from community_metrics.sources.client.hosts import RegistryHost
    from community_metrics.storage import LanceDBReader
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
_PROBES = {
    # small responses; GitHub's counts against no quota
    PYPISTATS.key: (PYPISTATS, "/api/packages/pip/recent"),
    NPM.key: (NPM, "/downloads/point/last-day/npm"),
    CRATES.key: (CRATES, "/api/v1/crates/serde?include="),
    GITHUB.key: (GITHUB, "/rate_limit"),
}


class Verdict(StrEnum):
    """The result of a check; only `fail` makes the program exit with 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its result, what was found, and how to fix it (empty if there is nothing to fix)."""

    verdict: Verdict
    area: str
    detail: str
    fix: str = ""


_ok = partial(Check, Verdict.OK)
_warn = partial(Check, Verdict.WARN)
_fail = partial(Check, Verdict.FAIL)


async def examine(settings: Settings, clock: Clock) -> list[Check]:
    """Return the checks of settings, storage, keys, gaps and every registry that the catalogue needs."""
    checks = list(_settings_checks(settings))
    try:
        catalog = load_catalog(settings.catalog)
    except CommunityMetricsError as error:
        return [*checks, _fail("catalogue", str(error), "correct the file, then run doctor again")]
    checks += _token_checks(settings, _hosts(catalog))
    checks.append(_catalog_check(catalog))
    checks += await _storage_checks(settings, catalog, clock)
    return checks + await _probe_all(settings, catalog, clock)


def _settings_checks(settings: Settings) -> Iterator[Check]:
    yield _ok("settings", f"{settings.storage_mode} mode, {settings.storage_location}")
    if settings.contact == PROJECT_URL:
        detail = "the User-Agent has the project's address, not yours"
        yield _warn("settings", detail, "set CM_CONTACT to your URL or e-mail")


def _hosts(catalog: Catalog) -> set[str]:
    """Return the keys of the registries that the active metrics are read from."""
    sources = available_sources()
    return {sources[metric.source].host for metric in catalog.active if metric.source in sources}


def _token_checks(settings: Settings, hosts: set[str]) -> Iterator[Check]:
    if settings.github_token is None and GITHUB.key in hosts:
        detail = "CM_GITHUB_TOKEN is not set: GitHub allows 60 requests an hour from this address"
        yield _warn("settings", detail, "set CM_GITHUB_TOKEN to a token without any permission")


def _catalog_check(catalog: Catalog) -> Check:
    name = "packaged" if catalog.is_packaged else str(catalog.path)
    metrics, products = len(catalog.active), len(catalog.products)
    return _ok("catalogue", f"{name}: {counted(metrics, 'active metric')}, {counted(products, 'product')}")


async def _storage_checks(settings: Settings, catalog: Catalog, clock: Clock) -> list[Check]:
    async def load(reader: LanceDBReader) -> tuple[dict[str, list[str]], Status]:
        return await reader.find_duplicate_keys(), await load_status(reader, catalog, clock.now())

    try:
        (duplicates, view), versions = await read(settings, load)
    except CommunityMetricsError as error:
        return [_fail("storage", str(error), _storage_fix(error, settings))]
    tables = ", ".join(f"{table} v{version}" for table, version in versions.items())
    return [
        _ok("storage", f"all tables exist ({tables})"),
        _duplicates_check(duplicates),
        *_data_checks(view, catalog),
    ]


def _storage_fix(error: CommunityMetricsError, settings: Settings) -> str:
    if isinstance(error, StorageSchemaMismatch) and not isinstance(error, StorageNotBootstrapped):
        return ""  # the error names the fix
    if settings.storage_mode is StorageMode.ENTERPRISE:
        return "check CM_LANCEDB_URI, CM_LANCEDB_API_KEY and CM_LANCEDB_HOST_OVERRIDE, then run `bootstrap`"
    return "run `community-metrics seed` to create and fill the database; CM_DB_PATH sets its folder"


def _duplicates_check(duplicates: dict[str, list[str]]) -> Check:
    if not duplicates:
        return _ok("keys", "every key is stored once")
    detail = "; ".join(
        f"{counted(len(keys), 'key')} stored more than once in {table}, such as {keys[0]}"
        for table, keys in duplicates.items()
    )
    return _fail("keys", detail, "run `community-metrics repair`; it keeps the copy observed last")


def _data_checks(view: Status, catalog: Catalog) -> Iterator[Check]:
    yield _freshness_check(view.freshness)
    abandoned = [run.run.ingestion_run_id for run in view.runs if run.state == "abandoned"]
    if abandoned:
        detail = f"{counted(len(abandoned), 'run')} did not finish, last {abandoned[0]}"
        yield _warn("runs", detail, "nothing to do; stored values are complete, and the next run continues")
    if never := view.never_stored(catalog):
        names = ", ".join(never[:NAMES_SHOWN])
        rest = f" and {len(never) - NAMES_SHOWN} more" if len(never) > NAMES_SHOWN else ""
        yield _warn("data", f"no value is stored for {names}{rest}", "run `community-metrics refresh`")
    gaps = [_fail("gaps", detail, BEHIND_FIX) for detail in behind_texts(view)]
    gaps += [
        _gap_check(metric, kind, days) for metric in view.metrics for kind, days in view.gaps(metric).items()
    ]
    yield from gaps or [_ok("gaps", "no published day of the last 12 weeks is missing")]


def _freshness_check(fresh: Freshness) -> Check:
    if fresh.age is None:
        return _fail("freshness", "no refresh has collected every metric", "run `community-metrics refresh`")
    if fresh.is_stale:
        detail = f"data are stale: the last successful refresh was {age(fresh.age)} ago"
        return _fail("freshness", detail, "run `community-metrics refresh`; `status` shows what failed")
    return _ok("freshness", f"last successful refresh {age(fresh.age)} ago")


def _gap_check(metric: MetricFreshness, kind: GapKind, days: list[date]) -> Check:
    lacks = f"{metric.metric_id} lacks"
    if kind is GapKind.NOT_FETCHED:
        fix = f"run `community-metrics refresh --only {metric.metric_id}`"
        detail = f"{lacks} {counted(len(days), 'day')}: {ranges_text(days)}"
        return _fail("gaps", detail, f"{fix}; it fills what {metric.source} still has")
    text, fix = _GAP_TEXTS[kind]
    return _warn("gaps", f"{lacks} {ranges_text(days)}, which {metric.source} {text}", fix)


async def _probe_all(settings: Settings, catalog: Catalog, clock: Clock) -> list[Check]:
    needed = _hosts(catalog)
    probed = [_PROBES[key] for key in _PROBES if key in needed]
    rng = random.Random()  # noqa: S311  jitter, not secrets
    async with RegistryClient(settings, clock, rng, limits=PROBE_LIMITS) as client:
        checks = list(await asyncio.gather(*(_probe(client, settings, host, path) for host, path in probed)))
    fix = "run `community-metrics refresh --dry-run`"
    plugins = sorted(needed - _PROBES.keys())
    return checks + [_warn("sources", f"{key} is a plug-in and was not checked", fix) for key in plugins]


async def _probe(client: RegistryClient, settings: Settings, host: RegistryHost, path: str) -> Check:
    origin, variable = settings.source_url(host.key, host.public_origin), f"CM_SOURCE_URL_{host.key.upper()}"
    is_replaced = origin != host.public_origin
    try:
        with suppress(UnknownSubject):  # "not found" is a response
            await client.get_json(host, path, dict[str, Any], source=host.key, subject="probe")
    except SourceError as error:
        if is_replaced:
            return _fail("sources", error.message, f"check the proxy, or unset {variable}")
        token = " and CM_GITHUB_TOKEN" if host.key == GITHUB.key else ""
        fix = f"check network access to {host.public_origin}{token}; {variable} sets a proxy"
        return _fail("sources", error.message, fix)
    return _ok("sources", f"{host.key} responds at {origin}" + (f" ({variable})" if is_replaced else ""))
