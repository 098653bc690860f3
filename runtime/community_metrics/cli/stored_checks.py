"""The checks of `doctor` that read what is stored: tables, indexes, keys, rules, rows from the future."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from community_metrics.cli.checks import Check, fail, ok
from community_metrics.config import StorageMode
from community_metrics.errors import CommunityMetricsError, StorageNotBootstrapped, UnknownStoredValue
from community_metrics.text import counted
from community_metrics.views.rows import read
from community_metrics.views.status import load_status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.clock import Clock
    from community_metrics.config import Settings
    from community_metrics.storage import LanceDBReader, RowName, Violation
    from community_metrics.views.status import Status

REPAIR = "run `community-metrics repair`"
_ROWS_SHOWN = 3
_ROW_FIX = "something other than this program changed these rows; copy the table from a backup"
_STATS_FIX = "; `community-metrics update-all` reads again what the sources still have"


@dataclass(frozen=True, slots=True)
class Stored:
    """What was found in the database; without a view where an index is damaged, since views read by it."""

    indexes: Mapping[str, str]
    violations: Sequence[Violation] = ()
    future: Sequence[RowName] = ()
    duplicates: Mapping[str, Sequence[str]] = field(default_factory=dict)
    view: Status | None = None
    unknown_word: UnknownStoredValue | None = None


async def stored_checks(
    settings: Settings, catalog: Catalog, clock: Clock
) -> tuple[list[Check], Status | None]:
    """Return the checks of the tables, and the status if it can be read."""

    async def load(reader: LanceDBReader) -> Stored:
        return await _load(reader, catalog, clock.now())

    try:
        stored, versions = await read(settings, load)
    except CommunityMetricsError as error:
        return [fail("storage", str(error), _storage_fix(error, settings))], None
    tables = ", ".join(f"{table} v{version}" for table, version in versions.items())
    return [ok("storage", f"all tables exist ({tables})"), *_checks(stored, clock.now())], stored.view


async def _load(reader: LanceDBReader, catalog: Catalog, now: datetime) -> Stored:
    if indexes := await reader.unusable_indexes():
        return Stored(indexes)
    stored = Stored(
        indexes,
        await reader.violations(),
        await reader.future_rows(now),
        await reader.find_duplicate_keys(),
    )
    try:
        return replace(stored, view=await load_status(reader, catalog, now))
    except UnknownStoredValue as error:
        return replace(stored, unknown_word=error)


def _checks(stored: Stored, now: datetime) -> Iterator[Check]:
    if stored.indexes:
        for name, fault in stored.indexes.items():
            detail = f"the index of {name} is damaged; the rows themselves are readable. {fault}"
            yield fail("indexes", detail, f"{REPAIR}; it builds the index anew from the rows")
        return
    yield ok("indexes", "every index finds the rows that are stored")
    yield _duplicates_check(stored.duplicates)
    yield from _violation_checks(stored)
    yield _future_check(stored.future, now)


def _storage_fix(error: CommunityMetricsError, settings: Settings) -> str:
    is_missing = isinstance(error, StorageNotBootstrapped) and settings.storage_mode is StorageMode.LOCAL
    if not is_missing:
        return ""  # the error names the fix
    return "run `community-metrics seed` to create and fill the database; CM_DB_PATH sets its folder"


def _duplicates_check(duplicates: Mapping[str, Sequence[str]]) -> Check:
    if not duplicates:
        return ok("keys", "every key is stored once")
    detail = "; ".join(
        f"{counted(len(keys), 'key')} stored more than once in {table}, such as {keys[0]}"
        for table, keys in duplicates.items()
    )
    return fail("keys", detail, f"{REPAIR}; it keeps the copy observed last")


def _violation_checks(stored: Stored) -> Iterator[Check]:
    if not stored.violations:
        yield ok("rows", "every stored row keeps the rules of its table")
    for one in stored.violations:
        rest = f" and {one.count - len(one.keys)} more" if one.count > len(one.keys) else ""
        named = f"{', '.join(one.keys)}{rest}"
        if one.word_of and stored.unknown_word is not None:
            yield fail("rows", f"{stored.unknown_word} Rows of {one.table} with unknown words: {named}")
            continue
        detail = f"{counted(one.count, 'row')} of {one.table} without what must hold ({one.rule}): {named}"
        yield fail("rows", detail, _ROW_FIX + (_STATS_FIX if one.table == "stats" else ""))


def _future_check(rows: Sequence[RowName], now: datetime) -> Check:
    if not rows:
        return ok("clock", f"no row is later than this machine's clock, {now:%Y-%m-%d %H:%M} UTC")
    tables = sorted({row.table for row in rows})
    parts = []
    for table in tables:
        keys = [row.key for row in rows if row.table == table]
        rest = f" and {len(keys) - _ROWS_SHOWN} more" if len(keys) > _ROWS_SHOWN else ""
        parts.append(f"{counted(len(keys), 'row')} of {table}: {', '.join(keys[:_ROWS_SHOWN])}{rest}")
    detail = f"later than this machine's clock, {now:%Y-%m-%d %H:%M} UTC: {'; '.join(parts)}"
    return fail(
        "clock", detail, f"correct this machine's clock if it is behind; else {REPAIR}, which deletes them"
    )
