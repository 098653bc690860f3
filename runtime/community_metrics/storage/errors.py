"""The one place where LanceDB's errors become ours.

LanceDB raises builtin ValueError, RuntimeError and OSError for most things, so that beside the HTTP status
its text is all there is to tell a missing table from a full disk. The patterns below are for lancedb 0.40;
an unknown one still becomes a `StorageError`. No message of ours ever holds the API key.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from community_metrics.config import StorageMode
from community_metrics.errors import (
    StorageConflict,
    StorageDenied,
    StorageError,
    StorageNotBootstrapped,
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


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a text of LanceDB means, and the sentence that mends it."""

    pattern: re.Pattern[str]
    kind: type[StorageError]
    mend: str


def _rule(pattern: str, kind: type[StorageError], mend: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), kind, mend)


_NOT_OUR_COLUMNS: Final = _rule(
    "no field named|not found in target schema|does not match existing table schema|must not be nullable"
    "|schema error|contained null values|are non-nullable",
    StorageSchemaMismatch,
    "the columns are not those this version reads and writes. "
    "Use the version that made the tables, or move the data to new ones.",
)
_UNREACHABLE: Final = _rule(
    "error sending request|kind: connect|retryerror|timed out|dns error",
    StorageUnavailable,
    "it cannot be reached or stopped answering. Check {address} and try again.",
)
_RULES: Final = (  # the first that matches decides
    _rule(
        r"no space left on device|os error 28\b|disk quota exceeded",
        StorageUnavailable,
        "the disk is full. Free some space and run the command again; what was stored before is whole.",
    ),
    _rule(
        "commit conflict|concurrent writers|already exists|ambiguous merge insert",
        StorageConflict,
        "the write met another one. Run the job again.",
    ),
    _rule(
        "nosuchbucket|specified bucket does not exist",
        StorageUnavailable,
        "there is no such bucket. Make it, or check {address}.",
    ),
    _rule(
        "access ?denied|403 forbidden|401 unauthorized|invalidaccesskeyid|signaturedoesnotmatch|expiredtoken"
        "|could not load credentials|failed to get aws credentials",
        StorageDenied,
        "access is refused. Check {credentials}.",
    ),
    _UNREACHABLE,
    _NOT_OUR_COLUMNS,
    _rule(
        "was not found|not found: .*_versions",
        StorageNotBootstrapped,
        f"there is no such table. {BOOTSTRAP}.",
    ),
    _rule(
        "not found",
        StorageUnavailable,
        "files of an older version were cleaned up while they were read. Try again.",
    ),
    _rule(
        r"permission denied|os error 13\b",
        StorageUnavailable,
        "this user may not write there. Check {address}.",
    ),
)
_REFUSED: Final = _rule("", StorageError, "LanceDB refused what it was asked, which should not happen.")


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
        text = " ".join(str(error).split()) or type(error).__name__
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text[:_TEXT_LIMIT]  # cut last, or half a key could stay

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
            return StorageNotBootstrapped(
                f"{where}: there is no such table. {BOOTSTRAP}; if they exist, check {place.address}. {said}"
            )
        case 409 | 412:
            return StorageConflict(f"{where}: another writer was faster. Run the job again. {said}")
        case 408 | 425 | 429 | 500 | 502 | 503 | 504:
            return StorageUnavailable(f"{where}; it may answer later: run the command again. {said}")
    return _from_text(error, place, doing)


def _from_text(error: BaseException, place: Place, doing: str) -> StorageError:
    rule = _rule_for(error)
    mend = rule.mend.format(address=place.address, credentials=place.credentials)
    return rule.kind(f"{place}, while {doing}: {mend} It said: {place.redacted(error)}")


def _rule_for(error: BaseException) -> _Rule:
    if isinstance(error, (pa.ArrowInvalid, pa.ArrowTypeError)):
        return _NOT_OUR_COLUMNS
    text = " ".join(str(error).split())
    for rule in _RULES:
        if rule.pattern.search(text):
            return rule
    return _UNREACHABLE if isinstance(error, (OSError, RuntimeError)) else _REFUSED
