"""Check LanceDB's keys as the deployment uses them: a read with the read key, a write with the write key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from community_metrics.errors import StorageDenied, StorageNotBootstrapped
from community_metrics.model import Lease
from community_metrics.storage import LanceDBReader, LanceDBStore
from community_metrics.storage.reader import DATABASE

if TYPE_CHECKING:
    from community_metrics.config import Settings

READ_KEY: Final = "lancedb-read-key"
WRITE_KEY: Final = "lancedb-write-key"
WRITE_NOT_CHECKED: Final = (
    "The write key is not checked yet, because the database has no tables. Fix: run `community-metrics "
    "bootstrap` with it, then this command again."
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNUSED_LEASE: Final = Lease(DATABASE, "key check", "", 0, _EPOCH, _EPOCH)


async def check_keys(api: Settings, jobs: Settings) -> tuple[str, ...]:
    """Use each key once; return notes about what could not be checked.

    Raises:
        StorageDenied: LanceDB rejects a key; the message has the end of its secret's name.
        StorageError: LanceDB is unreachable, or its answer cannot be used.
    """
    notes: tuple[str, ...] = ()
    for name, check, settings in ((READ_KEY, _read_with, api), (WRITE_KEY, _write_with, jobs)):
        try:
            await check(settings)
        except StorageDenied as error:
            raise StorageDenied(f"{name} was rejected. {error}") from None
        except StorageNotBootstrapped:
            notes = (WRITE_NOT_CHECKED,)  # the key is valid; the first bootstrap creates the tables
    return notes


async def _read_with(settings: Settings) -> None:
    async with LanceDBReader.open(settings) as reader:
        await reader.runs(limit=1)


async def _write_with(settings: Settings) -> None:
    async with LanceDBStore.open(settings) as store:
        # a write that matches no row: it needs write permission, changes nothing and takes no lease
        await store.release_lease(_UNUSED_LEASE, _EPOCH)
