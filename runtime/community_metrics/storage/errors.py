"""The translation of LanceDB's errors into ours.

LanceDB raises the builtin ValueError, RuntimeError and OSError for most failures; only the HTTP status and
the text distinguish a missing table from a full disk. The patterns are for lancedb 0.40; an unknown text
still becomes a `StorageError`. No message contains the API key.
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
"""What LanceDB, its HTTP client and Arrow raise; any other exception is a bug and keeps its traceback."""

BOOTSTRAP: Final = "Fix: run `community-metrics bootstrap`, which creates the tables"
_TEXT_LIMIT: Final = 400


@dataclass(frozen=True, slots=True)
class _Rule:
    """The error class for a text of LanceDB, and the cause and fix for the message."""

    pattern: str
    kind: type[StorageError]
    cause: str


_NOT_OUR_COLUMNS: Final = _Rule(
    "no field named|not found in target schema|does not match existing table schema|must not be nullable"
    "|schema error|contained null values|are non-nullable",
    StorageSchemaMismatch,
    "the table does not have the columns of this version. "
    "Fix: install the version that created the table, or move the data to a new database.",
)
_UNREACHABLE: Final = _Rule(
    "error sending request|kind: connect|retryerror|hit retry limit|timed out|dns error",
    StorageUnavailable,
    "it cannot be reached or stopped responding. Fix: check {address} and try again.",
)
_UNREADABLE: Final = _Rule(
    "",
    StorageUnavailable,
    "it responded, but the response is cut off or cannot be read. Fix: try again; then check in {address} "
    "that this is LanceDB Enterprise, that it serves clients of lancedb 0.40, and that no proxy is between.",
)
_DAMAGED: Final = (
    _Rule(
        "/_indices/",
        StorageUnavailable,
        "a file of an index is missing or damaged. Fix: run `community-metrics repair`, which builds the "
        "indexes anew.",
    ),
    _Rule(
        r"invalid range .* for object|invalid magic|not appear to be a lance file|failed to decode"
        "|invalid wire type|corrupt",
        StorageUnavailable,
        "a file is damaged. Fix: run `community-metrics repair`, which builds the indexes anew. If the error "
        "stays, a file with rows is damaged: run `community-metrics restore` into a new database.",
    ),
)
_RULES: Final = (  # the first that matches decides
    _Rule(
        r"no space left on device|os error 28\b|disk quota exceeded",
        StorageUnavailable,
        "the disk is full. Fix: free some space and run the command again; stored rows are intact.",
    ),
    _Rule(
        "commit conflict|concurrent writers|already exists|ambiguous merge insert",
        StorageConflict,
        "another write was faster. Fix: run the job again.",
    ),
    _Rule(
        "nosuchbucket|specified bucket does not exist",
        StorageUnavailable,
        "the bucket does not exist. Fix: create it, or check {address}.",
    ),
    _Rule(
        "access ?denied|403 forbidden|401 unauthorized|invalidaccesskeyid|signaturedoesnotmatch|expiredtoken"
        "|could not load credentials|failed to get aws credentials",
        StorageDenied,
        "access is denied. Fix: check {credentials}.",
    ),
    _UNREACHABLE,
    _NOT_OUR_COLUMNS,
    *_DAMAGED,
    _Rule(
        "was not found|not found: .*_versions",
        StorageNotBootstrapped,
        f"the table does not exist. {BOOTSTRAP}.",
    ),
    _Rule(
        "not found",
        StorageUnavailable,
        "files of an older version were removed while they were read. Fix: try again.",
    ),
    _Rule(
        r"permission denied|os error 13\b",
        StorageUnavailable,
        "this user may not write there. Fix: check {address}.",
    ),
)
_REFUSED: Final = _Rule("", StorageError, "LanceDB refused the request, which should not happen.")
_NOT_SERVED: Final = (
    ": it was reached, and it refused the request. Fix: check that the service serves clients of "
    "lancedb 0.40."
)
_OVERTAKEN: Final = (StorageConflict, ": another write was faster. Fix: run the job again.")
_STATUSES: Final[dict[object, tuple[type[StorageError], str]]] = {
    401: (StorageDenied, ": the key is unknown. Fix: check {credentials}."),
    403: (
        StorageDenied,
        ": the key may not do that; jobs need the write key, the API the read key. Fix: check {credentials}.",
    ),
    404: (
        StorageNotBootstrapped,
        f": the table does not exist. {BOOTSTRAP}; if they exist, check {{address}}.",
    ),
    409: _OVERTAKEN,
    412: _OVERTAKEN,
    **dict.fromkeys(
        (408, 425, 429, 500, 502, 503, 504), (StorageUnavailable, ". Fix: run the command again later.")
    ),
}


@dataclass(frozen=True, slots=True)
class Target:
    """The database that a call goes to, and the variables that configure it, for messages."""

    settings: Settings

    @property
    def is_enterprise(self) -> bool:
        """Whether the database is a LanceDB Enterprise cluster."""
        return self.settings.storage_mode is StorageMode.ENTERPRISE

    def __str__(self) -> str:
        return f"LanceDB at {self.settings.storage_location}"

    @property
    def credentials(self) -> str:
        """The variables with the credentials."""
        if self.is_enterprise:
            return "CM_LANCEDB_API_KEY"
        return "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the role of this machine"

    @property
    def address(self) -> str:
        """The variables with the address."""
        if self.is_enterprise:
            return "CM_LANCEDB_URI and CM_LANCEDB_HOST_OVERRIDE"
        return "CM_DB_PATH and AWS_ENDPOINT_URL" if self.settings.is_s3 else "CM_DB_PATH"

    def redacted(self, error: BaseException) -> str:
        """Return the error's text on one line, cut to a limit, without any key of ours."""
        text = " ".join(str(error).split()) or type(error).__name__
        key = self.settings.lancedb_api_key
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        secrets = [self.settings.aws_storage_options.get(name) for name in names]
        for secret in filter(None, [*secrets, key.get_secret_value() if key else None]):
            text = text.replace(secret, "***")
        return text[:_TEXT_LIMIT]  # cut last, or half a key could remain


@contextmanager
def translate_errors(target: Target, doing: str) -> Iterator[None]:
    """Raise a `StorageError` for what LanceDB raises inside; `doing` completes "while …".

    The original is not chained: the text of a server may repeat the key that was sent to it.
    """
    try:
        yield
    except FOREIGN_ERRORS as error:
        raise translated(error, target, doing) from None


def translated(error: BaseException, target: Target, doing: str) -> StorageError:
    """Return our error for one of LanceDB, Arrow or the operating system."""
    status = getattr(error, "status_code", None)
    names = {"address": target.address, "credentials": target.credentials}
    if status in _STATUSES:
        kind, cause = _STATUSES[status]
        text = f"{target} returned {status} while {doing}{cause.format(**names)}"
        return kind(f"{text} Error: {target.redacted(error)}")
    rule = _rule_for(error, target)
    if status is not None and rule in (_UNREADABLE, _REFUSED):
        text = f"{target} returned {status} while {doing}{_NOT_SERVED}"
        return StorageError(f"{text} Error: {target.redacted(error)}")
    return rule.kind(f"{target}, while {doing}: {rule.cause.format(**names)} Error: {target.redacted(error)}")


def _rule_for(error: BaseException, target: Target) -> _Rule:
    if isinstance(error, (pa.ArrowInvalid, pa.ArrowTypeError)):
        return _NOT_OUR_COLUMNS
    text = " ".join(str(error).lower().split())
    other = _REFUSED
    if isinstance(error, (OSError, RuntimeError)):
        other = _UNREADABLE if target.is_enterprise else _UNREACHABLE
    return next((rule for rule in _RULES if re.search(rule.pattern, text)), other)
