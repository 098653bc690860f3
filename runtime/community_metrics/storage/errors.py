"""The translation of LanceDB's errors into ours.

LanceDB raises the builtin ValueError, RuntimeError and OSError for most failures, so only the HTTP status and
the text tell a missing table from a full disk. The patterns below are for lancedb 0.40; an unknown text still
becomes a `StorageError`. No message contains the API key.
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

    pattern: re.Pattern[str]
    kind: type[StorageError]
    cause: str


def _rule(pattern: str, kind: type[StorageError], cause: str) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), kind, cause)


_NOT_OUR_COLUMNS: Final = _rule(
    "no field named|not found in target schema|does not match existing table schema|must not be nullable"
    "|schema error|contained null values|are non-nullable",
    StorageSchemaMismatch,
    "the table does not have the columns of this version. "
    "Fix: install the version that created the table, or move the data to a new database.",
)
_UNREACHABLE: Final = _rule(
    "error sending request|kind: connect|retryerror|timed out|dns error",
    StorageUnavailable,
    "it cannot be reached or stopped responding. Fix: check {address} and try again.",
)
_RULES: Final = (  # the first that matches decides
    _rule(
        r"no space left on device|os error 28\b|disk quota exceeded",
        StorageUnavailable,
        "the disk is full. Fix: free some space and run the command again; stored rows are intact.",
    ),
    _rule(
        "commit conflict|concurrent writers|already exists|ambiguous merge insert",
        StorageConflict,
        "another write was faster. Fix: run the job again.",
    ),
    _rule(
        "nosuchbucket|specified bucket does not exist",
        StorageUnavailable,
        "the bucket does not exist. Fix: create it, or check {address}.",
    ),
    _rule(
        "access ?denied|403 forbidden|401 unauthorized|invalidaccesskeyid|signaturedoesnotmatch|expiredtoken"
        "|could not load credentials|failed to get aws credentials",
        StorageDenied,
        "access is denied. Fix: check {credentials}.",
    ),
    _UNREACHABLE,
    _NOT_OUR_COLUMNS,
    _rule(
        "was not found|not found: .*_versions",
        StorageNotBootstrapped,
        f"the table does not exist. {BOOTSTRAP}.",
    ),
    _rule(
        "not found",
        StorageUnavailable,
        "files of an older version were removed while they were read. Fix: try again.",
    ),
    _rule(
        r"permission denied|os error 13\b",
        StorageUnavailable,
        "this user may not write there. Fix: check {address}.",
    ),
)
_REFUSED: Final = _rule("", StorageError, "LanceDB refused the request, which should not happen.")


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
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text[:_TEXT_LIMIT]  # cut last, or half a key could remain

    def _secrets(self) -> list[str]:
        options = self.settings.aws_storage_options
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        found = [options[name] for name in names if options.get(name)]
        if self.settings.lancedb_api_key is not None:
            found.append(self.settings.lancedb_api_key.get_secret_value())
        return [secret for secret in found if secret]


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
    if isinstance(status, int):
        return _from_status(status, error, target, doing)
    return _from_text(error, target, doing)


def _from_status(status: int, error: BaseException, target: Target, doing: str) -> StorageError:
    where = f"{target} returned {status} while {doing}"
    detail = f"Error: {target.redacted(error)}"
    match status:
        case 401:
            return StorageDenied(f"{where}: the key is unknown. Fix: check {target.credentials}. {detail}")
        case 403:
            return StorageDenied(
                f"{where}: the key may not do that; jobs need the write key, the API the read key. "
                f"Fix: check {target.credentials}. {detail}"
            )
        case 404:
            return StorageNotBootstrapped(
                f"{where}: the table does not exist. {BOOTSTRAP}; if they exist, check {target.address}. "
                f"{detail}"
            )
        case 409 | 412:
            return StorageConflict(f"{where}: another write was faster. Fix: run the job again. {detail}")
        case 408 | 425 | 429 | 500 | 502 | 503 | 504:
            return StorageUnavailable(f"{where}. Fix: run the command again later. {detail}")
    return _from_text(error, target, doing)


def _from_text(error: BaseException, target: Target, doing: str) -> StorageError:
    rule = _rule_for(error)
    cause = rule.cause.format(address=target.address, credentials=target.credentials)
    return rule.kind(f"{target}, while {doing}: {cause} Error: {target.redacted(error)}")


def _rule_for(error: BaseException) -> _Rule:
    if isinstance(error, (pa.ArrowInvalid, pa.ArrowTypeError)):
        return _NOT_OUR_COLUMNS
    text = " ".join(str(error).split())
    for rule in _RULES:
        if rule.pattern.search(text):
            return rule
    return _UNREACHABLE if isinstance(error, (OSError, RuntimeError)) else _REFUSED
