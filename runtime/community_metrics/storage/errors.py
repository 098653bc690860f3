"""The one place where LanceDB's errors become ours.

LanceDB raises builtin ValueError, RuntimeError and OSError for most things, so that beside the HTTP status
its text is all there is to tell a missing table from a full disk. The texts below are those of lancedb 0.40;
an unknown one still becomes a `StorageError`. No message of ours ever holds the API key.
"""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from community_metrics.config import StorageMode
from community_metrics.errors import (
    StorageConflict,
    StorageDenied,
    StorageError,
    StorageSchemaMismatch,
    StorageUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from community_metrics.config import Settings

FOREIGN_ERRORS: Final = (RuntimeError, ValueError, OSError, KeyError, pa.ArrowException)
"""What LanceDB, its HTTP client and Arrow raise; anything else is a fault of ours and keeps its traceback."""

BOOTSTRAP: Final = "`community-metrics bootstrap` makes the tables"
_TEXT_LIMIT: Final = 400

# fragments of LanceDB's texts, lower case; the first group that matches decides
_DISK_FULL = ("no space left on device", "os error 28", "disk quota exceeded")
_CONFLICT = ("commit conflict", "concurrent writers", "already exists", "ambiguous merge insert")
_SHAPE = (
    "no field named",
    "not found in target schema",
    "does not match existing table schema",
    "must not be nullable",
    "schema error",
    "contained null values",
)
_DENIED = (
    "accessdenied",
    "access denied",
    "403 forbidden",
    "401 unauthorized",
    "invalidaccesskeyid",
    "signaturedoesnotmatch",
    "expiredtoken",
    "could not load credentials",
    "failed to get aws credentials",
)
_NO_BUCKET = ("nosuchbucket", "the specified bucket does not exist")
_NO_TABLE = ("was not found", "_versions")
_CLEANED_UP = ("not found",)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call goes, in the words of the settings; makes every message say where to look."""

    settings: Settings

    @property
    def is_enterprise(self) -> bool:
        """Say whether the database is a LanceDB Enterprise cluster."""
        return self.settings.storage_mode is StorageMode.ENTERPRISE

    def __str__(self) -> str:
        return f"LanceDB at {self.settings.storage_location}"

    @property
    def credentials(self) -> str:
        """The variables that say who we are."""
        if self.is_enterprise:
            return "CM_LANCEDB_API_KEY"
        return "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the role of this machine"

    @property
    def address(self) -> str:
        """The variables that say where the database is."""
        if self.is_enterprise:
            return "CM_LANCEDB_URI and CM_LANCEDB_HOST_OVERRIDE"
        return "CM_DB_PATH and AWS_ENDPOINT_URL" if self.settings.is_s3 else "CM_DB_PATH"

    def redacted(self, error: BaseException) -> str:
        """Return the error's own words, short, on one line, without any key of ours."""
        text = " ".join(str(error).split())[:_TEXT_LIMIT] or type(error).__name__
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> list[str]:
        options = self.settings.aws_storage_options
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        found = [options[name] for name in names if options.get(name)]
        if self.settings.lancedb_api_key is not None:
            found.append(self.settings.lancedb_api_key.get_secret_value())
        return [secret for secret in found if secret]


@contextmanager
def our_errors(place: Place, doing: str) -> Iterator[None]:
    """Turn whatever LanceDB raises inside into a `StorageError`; `doing` completes "while …".

    The original is not chained: the text a server sends back may repeat the key it was given.
    """
    try:
        yield
    except FOREIGN_ERRORS as error:
        raise translated(error, place, doing) from None


def translated(error: BaseException, place: Place, doing: str) -> StorageError:
    """Return our error for one of LanceDB's, Arrow's or the operating system's."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return _from_status(status, error, place, doing)
    return _from_text(error, place, doing)


def _from_status(status: int, error: BaseException, place: Place, doing: str) -> StorageError:
    where = f"{place} answered {status} while {doing}"
    said = f"It said: {place.redacted(error)}"
    match status:
        case 401:
            return StorageDenied(f"{where}: it does not know the key. Check {place.credentials}. {said}")
        case 403:
            return StorageDenied(
                f"{where}: the key may not do that; jobs need the write key, the API the read key. "
                f"Check {place.credentials}. {said}"
            )
        case 404:
            return StorageSchemaMismatch(
                f"{where}: there is no such table. {BOOTSTRAP}; if they exist, check {place.address}. {said}"
            )
        case 409 | 412:
            return StorageConflict(f"{where}: another writer was faster. Run the job again. {said}")
        case 408 | 425 | 429 | 500 | 502 | 503 | 504:
            return StorageUnavailable(f"{where}; it may answer later: run the command again. {said}")
    return _from_text(error, place, doing)


def _from_text(error: BaseException, place: Place, doing: str) -> StorageError:  # noqa: PLR0911  one row of a table each
    text = str(error).lower()
    where = f"{place}, while {doing}"
    said = f"It said: {place.redacted(error)}"
    if _has(text, _DISK_FULL) or getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
        return StorageUnavailable(
            f"{where}: the disk is full. Free some space and run the command again; "
            f"what was stored before is whole. {said}"
        )
    if _has(text, _CONFLICT):
        return StorageConflict(f"{where}: the write met another one. Run the job again. {said}")
    if _has(text, _NO_BUCKET):
        return StorageUnavailable(
            f"{where}: there is no such bucket. Make it, or check {place.address}. {said}"
        )
    if _has(text, _DENIED):
        return StorageDenied(f"{where}: access is refused. Check {place.credentials}. {said}")
    if _has(text, _SHAPE) or isinstance(error, (pa.ArrowInvalid, pa.ArrowTypeError)):
        return StorageSchemaMismatch(
            f"{where}: the columns are not those this version reads and writes. "
            f"Use the version that made the tables, or move the data to new ones. {said}"
        )
    if _has(text, _NO_TABLE):
        return StorageSchemaMismatch(f"{where}: there is no such table. {BOOTSTRAP}. {said}")
    if _has(text, _CLEANED_UP):
        return StorageUnavailable(
            f"{where}: files of an older version were cleaned up while they were read. Try again. {said}"
        )
    if isinstance(error, PermissionError) or "permission denied" in text or "os error 13" in text:
        return StorageUnavailable(f"{where}: this user may not write there. Check {place.address}. {said}")
    if isinstance(error, (OSError, RuntimeError)):
        return StorageUnavailable(
            f"{where}: it cannot be reached or stopped answering. Check {place.address} and try again. {said}"
        )
    return StorageError(f"{where}: LanceDB refused what it was asked, which should not happen. {said}")


def _has(text: str, fragments: tuple[str, ...]) -> bool:
    return any(fragment in text for fragment in fragments)
