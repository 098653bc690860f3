"""`community-metrics doctor`: what is wrong, and what mends it, one line each."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from community_metrics.catalog import load_catalog
from community_metrics.cli import schemas
from community_metrics.cli.render import style
from community_metrics.cli.render.status import BEHIND_FIX, behind_texts, ranges_text
from community_metrics.config import PROJECT_URL, PUBLIC_ORIGINS, StorageMode
from community_metrics.errors import (
    CommunityMetricsError,
    SourceError,
    StorageNotBootstrapped,
    StorageSchemaMismatch,
    UnknownSubject,
)
from community_metrics.periods import today
from community_metrics.sources import available_sources
from community_metrics.sources.client.client import RegistryClient
from community_metrics.sources.client.hosts import CRATES, GITHUB, NPM, PYPISTATS
from community_metrics.sources.client.retries import RequestLimits
from community_metrics.views.rows import read
from community_metrics.views.status import load_status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from rich.console import RenderableType

    from community_metrics.catalog import Catalog
    from community_metrics.cli.render.style import Signs
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.model import Run
    from community_metrics.series.freshness import MetricFreshness
    from community_metrics.sources.client.hosts import RegistryHost
    from community_metrics.storage import LanceDBReader
    from community_metrics.views.runs import Freshness
    from community_metrics.views.status import Status

LATE_DAYS = 3
"""A settled day younger than this may still come by itself; an older one is a gap."""
PROBE_LIMITS = RequestLimits(connect_s=3, read_s=8, attempt_s=10, attempts=1, total_s=10, unreachable_s=10)
_PROBES = {
    # small answers that cost the registry little; GitHub's counts against no quota
    PYPISTATS.key: (PYPISTATS, "/api/packages/pip/recent"),
    NPM.key: (NPM, "/downloads/point/last-day/npm"),
    CRATES.key: (CRATES, "/api/v1/crates/serde?include="),
    GITHUB.key: (GITHUB, "/rate_limit"),
}


class Verdict(StrEnum):
    """How a check came out; only `fail` makes the program end with 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, how it is, and what mends it (empty when nothing has to be)."""

    verdict: Verdict
    area: str
    detail: str
    fix: str = ""


async def examine(settings: Settings, clock: Clock) -> list[Check]:
    """Look at configuration, storage, keys, gaps and every registry that the catalogue needs."""
    checks = list(_settings_checks(settings))
    try:
        catalog = load_catalog(settings.catalog)
    except CommunityMetricsError as error:
        return [*checks, Check(Verdict.FAIL, "catalogue", str(error), "fix the file, then run doctor again")]
    checks.append(_catalog_check(catalog))
    checks += await _storage_checks(settings, catalog, clock)
    return checks + await _probe_all(settings, catalog, clock)


def is_wrong(checks: Iterable[Check]) -> bool:
    """Say whether anything failed."""
    return any(check.verdict is Verdict.FAIL for check in checks)


def _settings_checks(settings: Settings) -> Iterator[Check]:
    yield Check(Verdict.OK, "settings", f"{settings.storage_mode} mode, {settings.storage_location}")
    if settings.contact == PROJECT_URL:
        yield Check(
            Verdict.WARN,
            "settings",
            "registries are told the project's address, not yours",
            "set CM_CONTACT to your URL or e-mail",
        )
    if settings.github_token is None:
        yield Check(
            Verdict.WARN,
            "settings",
            "CM_GITHUB_TOKEN is not set: GitHub answers 60 requests an hour for this address",
            "set CM_GITHUB_TOKEN to a token without any permission",
        )


def _catalog_check(catalog: Catalog) -> Check:
    place = "packaged" if catalog.is_packaged else str(catalog.path)
    metrics, products = len(catalog.active), len(catalog.products)
    detail = f"{place}: {style.counted(metrics, 'active metric')}, {style.counted(products, 'product')}"
    return Check(Verdict.OK, "catalogue", detail)


async def _storage_checks(settings: Settings, catalog: Catalog, clock: Clock) -> list[Check]:
    async def load(reader: LanceDBReader) -> tuple[dict[str, list[str]], Status]:
        return await reader.find_duplicate_keys(), await load_status(reader, catalog, clock.now())

    try:
        (duplicates, view), versions = await read(settings, load)
    except CommunityMetricsError as error:
        return [Check(Verdict.FAIL, "storage", str(error), _storage_fix(error, settings))]
    tables = ", ".join(f"{table} v{version}" for table, version in versions.items())
    return [
        Check(Verdict.OK, "storage", f"all tables are there ({tables})"),
        _duplicates_check(duplicates),
        *_data_checks(view, catalog),
    ]


def _storage_fix(error: CommunityMetricsError, settings: Settings) -> str:
    if isinstance(error, StorageSchemaMismatch) and not isinstance(error, StorageNotBootstrapped):
        return ""  # the error names the fix
    if settings.storage_mode is StorageMode.ENTERPRISE:
        return "check CM_LANCEDB_URI, CM_LANCEDB_API_KEY and CM_LANCEDB_HOST_OVERRIDE, then `bootstrap`"
    return "`community-metrics seed` makes the database and fills it; CM_DB_PATH says where"


def _duplicates_check(duplicates: dict[str, list[str]]) -> Check:
    if not duplicates:
        return Check(Verdict.OK, "keys", "every key stands once")
    detail = "; ".join(
        f"{style.counted(len(keys), 'key')} twice in {table}, such as {keys[0]}"
        for table, keys in duplicates.items()
    )
    return Check(Verdict.FAIL, "keys", detail, "`community-metrics repair` keeps the copy observed last")


def _data_checks(view: Status, catalog: Catalog) -> Iterator[Check]:
    yield _freshness_check(view.freshness)
    abandoned = [run.run.ingestion_run_id for run in view.runs if run.state == "abandoned"]
    if abandoned:
        detail = f"{style.counted(len(abandoned), 'run')} ended without closing, last {abandoned[0]}"
        yield Check(
            Verdict.WARN, "runs", detail, "nothing to do: what it wrote is complete; the next run continues"
        )
    stored = {metric.metric_id for metric in view.metrics if metric.newest_day is not None}
    never = [metric.metric_id for metric in catalog.shown if metric.metric_id not in stored]
    if never:
        detail = f"nothing is stored of {_some(never)}"
        yield Check(Verdict.WARN, "data", detail, "`community-metrics refresh`")
    late = [Check(Verdict.FAIL, "gaps", detail, BEHIND_FIX) for detail in behind_texts(view)]
    yield from late
    gaps = [check for metric in view.metrics for check in _gap_checks(metric, view)]
    yield from gaps
    if not gaps and not late:
        yield Check(Verdict.OK, "gaps", "no settled day of the last 12 weeks is missing")


def _some(names: Sequence[str], shown: int = 3) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def _freshness_check(fresh: Freshness) -> Check:
    if fresh.age is None:
        return Check(
            Verdict.FAIL, "freshness", "no refresh has got everything yet", "`community-metrics refresh`"
        )
    if fresh.is_stale:
        detail = f"the last successful refresh is {style.age(fresh.age)} old, which is stale"
        return Check(
            Verdict.FAIL, "freshness", detail, "`community-metrics refresh`; `status` shows what failed"
        )
    return Check(Verdict.OK, "freshness", f"last successful refresh {style.age(fresh.age)} ago")


def _gap_checks(metric: MetricFreshness, view: Status) -> Iterator[Check]:
    young = [day for day in metric.missing_days if (today(view.freshness.now) - day).days <= LATE_DAYS]
    asked = [
        day
        for day in metric.missing_days
        if day not in young and _asked_for(day, view.freshness.last_complete_run)
    ]
    old = [day for day in metric.missing_days if day not in young and day not in asked]
    if old:
        detail = f"{metric.metric_id} lacks {style.counted(len(old), 'day')}: {ranges_text(old)}"
        fix = f"`community-metrics refresh --only {metric.metric_id}` fills what {metric.source} still has"
        yield Check(Verdict.FAIL, "gaps", detail, fix)
    if asked:
        detail = f"{metric.metric_id} lacks {ranges_text(asked)}, asked for by the last successful refresh"
        fix = f"nothing to do: {metric.source} did not have it; every refresh asks again while it still may"
        yield Check(Verdict.WARN, "gaps", detail, fix)
    if young:
        detail = f"{metric.metric_id} lacks {ranges_text(young)}"
        yield Check(Verdict.WARN, "gaps", f"{detail}, which {metric.source} may still publish", "wait a day")


def _asked_for(day: date, success: Run | None) -> bool:
    """Say whether the last success asked for the day when it was late no more: the registry lacks it."""
    if success is None or success.window_start is None or success.window_end is None:
        return False
    was_late = (today(success.started_at) - day).days <= LATE_DAYS
    return success.window_start <= day <= success.window_end and not was_late


async def _probe_all(settings: Settings, catalog: Catalog, clock: Clock) -> list[Check]:
    sources = available_sources()
    needed = {sources[metric.source].host for metric in catalog.active if metric.source in sources}
    probed = [_PROBES[key] for key in _PROBES if key in needed]
    rng = random.Random()  # noqa: S311  jitter, not secrets
    async with RegistryClient(settings, clock, rng, limits=PROBE_LIMITS) as client:
        checks = list(await asyncio.gather(*(_probe(client, settings, host, path) for host, path in probed)))
    return checks + [
        Check(
            Verdict.WARN,
            "sources",
            f"{key} comes from a plug-in and was not asked",
            "`community-metrics refresh --dry-run`",
        )
        for key in sorted(needed - _PROBES.keys())
    ]


async def _probe(client: RegistryClient, settings: Settings, host: RegistryHost, path: str) -> Check:
    origin = settings.source_url(host.key)
    stands_in = origin != PUBLIC_ORIGINS[host.key]
    try:
        # an answer that it knows no such package is an answer
        with suppress(UnknownSubject):
            await client.get_json(host, path, dict[str, Any], source=host.key, subject="probe")
    except SourceError as error:
        return Check(Verdict.FAIL, "sources", error.message, _probe_fix(host, stands_in=stands_in))
    via = f", which CM_SOURCE_URL_{host.key.upper()} names" if stands_in else ""
    return Check(Verdict.OK, "sources", f"{host.key} answers at {origin}{via}")


def _probe_fix(host: RegistryHost, *, stands_in: bool) -> str:
    variable = f"CM_SOURCE_URL_{host.key.upper()}"
    if stands_in:
        return f"check the proxy, or unset {variable}"
    hint = ", then CM_GITHUB_TOKEN" if host.key == GITHUB.key else ""
    return f"check the way out to {host.public_origin}{hint}; {variable} names a proxy"


def render_checks(checks: Sequence[Check], signs: Signs) -> RenderableType:
    """Return the checks as they are printed: sign, area, what is, and under it what mends it."""
    marks = {
        Verdict.OK: Text(signs.ok, "green"),
        Verdict.WARN: Text(signs.warn, "bold yellow"),
        Verdict.FAIL: Text(signs.fail, "bold red"),
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for check in checks:
        detail = Text(check.detail)
        if check.fix:
            detail.append(f"\n  Fix: {check.fix}", "dim")
        table.add_row(marks[check.verdict], Text(check.area, "bold"), detail)
    table.add_row("", "", Text(f"\n{_verdict(checks)}", "bold"))
    return table


def _verdict(checks: Sequence[Check]) -> str:
    failed = sum(check.verdict is Verdict.FAIL for check in checks)
    warned = sum(check.verdict is Verdict.WARN for check in checks)
    if failed:
        return f"{style.counted(failed, 'fault')}, {style.counted(warned, 'warning')}."
    return f"Nothing is wrong, {style.counted(warned, 'warning')}." if warned else "Nothing is wrong."


def diagnosis_body(checks: Sequence[Check]) -> schemas.Diagnosis:
    """Return the checks as JSON."""
    return schemas.Diagnosis(
        ok=not is_wrong(checks),
        checks=[
            schemas.Check(verdict=check.verdict.value, area=check.area, detail=check.detail, fix=check.fix)
            for check in checks
        ],
    )
