"""The only module that imports lancedb, which takes 1.2 s; `connection.client()` imports it when needed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import lancedb
from lancedb.index import BTree
from lancedb.query import ColumnOrdering
from lancedb.remote import ClientConfig, RetryConfig, TimeoutConfig

from community_metrics.config import StorageMode

if TYPE_CHECKING:
    from pathlib import Path

    from community_metrics.config import Settings
    from community_metrics.storage.timeouts import Timeouts

__all__ = ["BTree", "ColumnOrdering", "connect"]
_S3_TIMEOUTS: Final = {
    "connect_timeout": "5s",
    "timeout": "30s",
    "client_max_retries": "2",
    "client_retry_timeout": "30",
}


async def connect(
    settings: Settings, path: str | Path, consistency: timedelta | None, timeouts: Timeouts
) -> Any:
    """Return a connection to the cluster, the bucket, or the folder at `path`."""
    if settings.storage_mode is StorageMode.ENTERPRISE:
        return await lancedb.connect_async(
            settings.lancedb_uri,
            read_consistency_interval=consistency,
            **_enterprise_options(settings, timeouts),
        )
    options = _S3_TIMEOUTS | settings.aws_storage_options if settings.is_s3 else None
    return await lancedb.connect_async(path, storage_options=options, read_consistency_interval=consistency)


def _enterprise_options(settings: Settings, timeouts: Timeouts) -> dict[str, Any]:
    key = settings.lancedb_api_key
    options: dict[str, Any] = {
        "api_key": None if key is None else key.get_secret_value(),
        "host_override": settings.lancedb_host_override,
        "client_config": ClientConfig(
            retry_config=RetryConfig(
                retries=timeouts.tries_on_status,
                connect_retries=timeouts.tries,
                read_retries=timeouts.tries,
                backoff_factor=0.2,
                backoff_jitter=0.1,
            ),
            timeout_config=TimeoutConfig(
                timeout=timedelta(seconds=timeouts.request_s),
                connect_timeout=timedelta(seconds=timeouts.connect_s),
                read_timeout=timedelta(seconds=timeouts.read_s),
            ),
        ),
    }
    if settings.lancedb_region is not None:
        options["region"] = settings.lancedb_region
    return options
