from __future__ import annotations

import errno
import importlib
import inspect
import pkgutil
from contextlib import suppress
from typing import Any

import lancedb
import pyarrow as pa
import pytest
from lancedb.remote.errors import HttpError, LanceDBClientError, RetryError
from pydantic import SecretStr

from community_metrics.config import Settings, StorageMode
from community_metrics.errors import (
    StorageConflict,
    StorageDenied,
    StorageError,
    StorageNotBootstrapped,
    StorageSchemaMismatch,
    StorageUnavailable,
)
from community_metrics.storage.errors import FOREIGN_ERRORS, Target, translate_errors, translated

KEY = "key-that-nobody-may-see"
LOCAL = Target(Settings(_env_file=None, db_path="/data/metrics"))
BUCKET = Target(
    Settings(_env_file=None, db_path="s3://bucket/x", aws_storage_options={"aws_secret_access_key": KEY})
)
ENTERPRISE = Target(
    Settings(
        _env_file=None,
        storage_mode=StorageMode.ENTERPRISE,
        lancedb_uri="db://metrics",
        lancedb_api_key=SecretStr(KEY),
    )
)


def _classes_of_the_client() -> list[type[Exception]]:
    """Return every exception class defined in lancedb and every one of Arrow's."""
    found: set[type[Exception]] = set()
    for module in pkgutil.walk_packages(lancedb.__path__, "lancedb."):
        with suppress(ImportError):  # some modules need packages that neither we nor lancedb require
            for _, item in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if issubclass(item, Exception) and item.__module__.startswith("lancedb"):
                    found.add(item)
    for _, item in inspect.getmembers(pa.lib, inspect.isclass):
        if issubclass(item, pa.ArrowException) and issubclass(item, Exception):
            found.add(item)
    return sorted(found, key=lambda item: item.__name__)


def _raised(kind: type[Exception], status: int | None = None) -> Exception:
    if issubclass(kind, RetryError):
        return kind(f"failed {KEY}", "request-1", 3, 0, 0, 3, 3, 3, status)
    if issubclass(kind, LanceDBClientError):
        return kind(f"failed {KEY}", "request-1", status)
    return kind(f"failed {KEY}")


def test_the_classes_of_the_client_are_found() -> None:
    assert {HttpError, RetryError, pa.ArrowInvalid} <= set(_classes_of_the_client())


@pytest.mark.parametrize("kind", _classes_of_the_client())
def test_every_exception_of_the_client_is_translated(kind: type[Exception]) -> None:
    assert issubclass(kind, FOREIGN_ERRORS)
    with pytest.raises(StorageError) as caught, translate_errors(ENTERPRISE, "reading stats"):
        raise _raised(kind)
    assert "while reading stats" in str(caught.value)
    assert KEY not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("kind", [HttpError, RetryError])
@pytest.mark.parametrize(
    ("status", "ours", "names"),
    [
        (401, StorageDenied, "CM_LANCEDB_API_KEY"),
        (403, StorageDenied, "CM_LANCEDB_API_KEY"),
        (404, StorageNotBootstrapped, "community-metrics bootstrap"),
        (409, StorageConflict, "run the job again"),
        (429, StorageUnavailable, "later"),
        (500, StorageUnavailable, "later"),
        (503, StorageUnavailable, "later"),
        (504, StorageUnavailable, "later"),
        (400, StorageError, "it was reached, and it refused the request"),
        (302, StorageError, "it was reached, and it refused the request"),
        (422, StorageError, "it was reached, and it refused the request"),
        (501, StorageError, "it was reached, and it refused the request"),
        (None, StorageUnavailable, "CM_LANCEDB_HOST_OVERRIDE"),
    ],
)
def test_the_status_decides_the_error_class(
    kind: type[Exception], status: int | None, ours: type[StorageError], names: str
) -> None:
    error = translated(_raised(kind, status), ENTERPRISE, "reading stats")
    assert type(error) is ours
    assert names in str(error)
    assert KEY not in str(error)


@pytest.mark.parametrize(
    ("target", "raised", "ours", "names"),
    [
        (LOCAL, ValueError("Table 'stats' was not found"), StorageNotBootstrapped, "bootstrap"),
        (LOCAL, ValueError("Table 'stats' already exists"), StorageConflict, "again"),
        (LOCAL, OSError(errno.ENOSPC, "No space left on device"), StorageUnavailable, "disk is full"),
        (
            LOCAL,
            RuntimeError("lance error: IO: No space left on device (os error 28)"),
            StorageUnavailable,
            "disk is full",
        ),
        (LOCAL, PermissionError(errno.EACCES, "Permission denied"), StorageUnavailable, "CM_DB_PATH"),
        (
            LOCAL,
            OSError("Unable to created lance dataset: Not a directory (os error 20)"),
            StorageUnavailable,
            "CM_DB_PATH",
        ),
        (
            LOCAL,
            RuntimeError("lance error: Not found: x/stats.lance/_versions"),
            StorageNotBootstrapped,
            "bootstrap",
        ),
        (
            LOCAL,
            RuntimeError("lance error: Not found: x/stats.lance/data/1.lance"),
            StorageUnavailable,
            "again",
        ),
        (
            LOCAL,
            RuntimeError(
                "lance error: LanceError(IO): Not found: x/stats.lance/_indices/1/page_lookup.lance"
            ),
            StorageUnavailable,
            "community-metrics repair",
        ),
        (
            LOCAL,
            RuntimeError("Generic memory error: Invalid range 0..823 for object of size 40 bytes"),
            StorageUnavailable,
            "community-metrics repair",
        ),
        (
            LOCAL,
            ValueError("file does not appear to be a Lance file (invalid magic: [76, 65, 78, 67])"),
            StorageUnavailable,
            "community-metrics repair",
        ),
        (
            LOCAL,
            RuntimeError("lance error: LanceError(IO): failed to decode Protobuf message"),
            StorageUnavailable,
            "run `community-metrics restore` into a new database",
        ),
        (
            ENTERPRISE,
            HttpError("Failed to parse table description: expected value at line 1", "1", None),
            StorageUnavailable,
            "the response is cut off or cannot be read",
        ),
        (
            ENTERPRISE,
            HttpError("error decoding response body", "1", None),
            StorageUnavailable,
            "the response is cut off or cannot be read",
        ),
        (
            ENTERPRISE,
            HttpError("error sending request for url", "1", None),
            StorageUnavailable,
            "cannot be reached or stopped responding",
        ),
        (
            ENTERPRISE,
            RetryError("Hit retry limit for request_id=1", "1", 0, 2, 0, 3, 2, 2, None),
            StorageUnavailable,
            "cannot be reached or stopped responding",
        ),
        (LOCAL, ValueError("Schema error: No field named revision."), StorageSchemaMismatch, "version"),
        (LOCAL, ValueError('column(s) ["z"] are non-nullable'), StorageSchemaMismatch, "version"),
        (LOCAL, RuntimeError("Retryable commit conflict for version 7"), StorageConflict, "again"),
        (LOCAL, ValueError("Ambiguous merge inserts are prohibited"), StorageConflict, "again"),
        (LOCAL, pa.ArrowInvalid("Integer value out of range"), StorageSchemaMismatch, "columns"),
        (LOCAL, TimeoutError("timed out"), StorageUnavailable, "try again"),
        (
            BUCKET,
            ValueError("Failed: x/_versions RetryError(kind: Connect)"),
            StorageUnavailable,
            "AWS_ENDPOINT_URL",
        ),
        (
            BUCKET,
            OSError("NoSuchBucket: The specified bucket does not exist"),
            StorageUnavailable,
            "CM_DB_PATH",
        ),
        (BUCKET, RuntimeError("S3 returned 403 Forbidden: AccessDenied"), StorageDenied, "AWS_ACCESS_KEY_ID"),
        (BUCKET, RuntimeError(f"SignatureDoesNotMatch {KEY}"), StorageDenied, "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_without_a_status_the_text_decides_the_error_class(
    target: Target, raised: Exception, ours: type[StorageError], names: str
) -> None:
    error = translated(raised, target, "reading stats")
    assert type(error) is ours
    assert names in str(error)
    assert str(target) in str(error)
    assert KEY not in str(error)


@pytest.mark.parametrize("bug", [TypeError("ours"), AttributeError("ours"), AssertionError("ours")])
def test_a_bug_keeps_its_traceback(bug: Exception) -> None:
    def work() -> Any:
        with translate_errors(LOCAL, "reading"):
            raise bug

    with pytest.raises(type(bug), match="ours"):
        work()


def test_an_error_of_ours_is_not_translated() -> None:
    with pytest.raises(StorageConflict, match=r"^already ours$"), translate_errors(LOCAL, "reading"):
        raise StorageConflict("already ours")
