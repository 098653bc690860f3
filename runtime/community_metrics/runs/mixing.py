"""Sample data and real numbers never share a database: a run of one kind refuses a database of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.errors import ConfigurationError, StorageNotBootstrapped
from community_metrics.model import Provenance

if TYPE_CHECKING:
    from community_metrics.storage import LanceDBReader


async def require_own_kind(store: LanceDBReader, provenance: Provenance, place: str) -> None:
    """Check that the database at `place` has only values of the kind that this provenance is of.

    Raises:
        ConfigurationError: it has others; nothing was changed.
    """
    is_sample = provenance is Provenance.SAMPLE
    try:
        is_other = await store.holds_values(sample=not is_sample)
    except StorageNotBootstrapped:  # a dry run creates no table
        return
    if is_other and is_sample:
        raise ConfigurationError(
            f"{place} holds real numbers, and sample data is never stored beside them. Nothing was changed. "
            "Fix: run `community-metrics demo`, which uses a database of its own."
        )
    if is_other:
        raise ConfigurationError(
            f"{place} holds the sample data of `community-metrics demo`, and real numbers are never stored "
            "beside it. Nothing was changed. Fix: set CM_DB_PATH to another folder, or unset it."
        )
