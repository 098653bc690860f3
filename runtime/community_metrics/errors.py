"""The one exception tree.

CommunityMetricsError
├── ConfigurationError          a setting, an option or a file a person wrote is wrong (exit 2)
│   ├── CatalogError
│   └── SeedFileError
├── SourceError                 a registry did not give a metric its numbers
│   ├── TransientSourceError    worth another try: 5xx, a cut answer, a page instead of JSON
│   │   ├── SourceRateLimited   the registry asks us to come back later
│   │   └── SourceUnreachable   no answer at all: refused, no such host, no reply in time
│   └── TerminalSourceError     another try changes nothing
│       ├── UnknownSubject      the registry does not know the package or repository
│       ├── SourceDenied        401, 403: a token, a user agent or an address is refused
│       ├── SourceShapeError    the answer is not of the documented shape
│       └── InvalidObservation  an observation that cannot exist, such as -1 downloads
├── StorageError                LanceDB did not do what was asked
│   ├── StorageUnavailable      worth another try later
│   ├── StorageDenied           401, 403
│   ├── StorageSchemaMismatch   another version wrote the database
│   │   ├── StorageNotBootstrapped   the database or one of its tables does not exist yet
│   │   └── UnknownStoredValue  a stored word that this version does not know
│   └── StorageConflict         the write contradicts itself or another writer
├── ViewError                   a view cannot be made for these parameters
│   ├── UnknownName             no metric or product of that id is stored
│   ├── InvalidRange            the first day is after the last
│   └── TooManyPoints           the view would be larger than the caller allows
├── RunLocked                   another run holds the database (exit 75)
├── AddressUnavailable          the API cannot listen on the host, port or unix socket asked for
├── LeaseLost                   the lease of this run is not stored any more; another run holds it
└── RunInterrupted              SIGTERM or Ctrl-C
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


class CommunityMetricsError(Exception):
    """Base of everything this package raises on purpose; its text is one message for a person."""

    exit_code: ClassVar[int] = 1


class ConfigurationError(CommunityMetricsError):
    """What a person wrote (environment, option, file) cannot be used; lists every fault and its mend."""

    exit_code = 2

    def __init__(self, headline: str, faults: list[str] | None = None) -> None:
        self.headline = headline
        self.faults = list(faults or [])
        super().__init__("\n".join([headline, *(f"  - {fault}" for fault in self.faults)]))


class CatalogError(ConfigurationError):
    """The catalogue file has faults; each names its line or entry."""


class SeedFileError(ConfigurationError):
    """A seed file has faults; each names its line. Nothing of it was loaded."""


class SourceError(CommunityMetricsError):
    """A registry did not give the numbers of a metric."""


class TransientSourceError(SourceError):
    """The registry may answer later. `retry_after_s` is the wait it asked for, if it did."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SourceRateLimited(TransientSourceError):  # noqa: N818  the field's word, and the message is the sentence
    """The registry limits us. Without `retry_after_s` it did not say for how long."""


class SourceUnreachable(TransientSourceError):  # noqa: N818
    """The registry gave no answer at all: connection refused, unknown host, no reply in time."""


class TerminalSourceError(SourceError):
    """Asking again would bring the same answer."""


class UnknownSubject(TerminalSourceError):  # noqa: N818
    """The registry does not know this package or repository, or does not show it to us."""


class SourceDenied(TerminalSourceError):  # noqa: N818
    """The registry refuses this token, user agent or address."""


class SourceShapeError(TerminalSourceError):
    """The answer is not of the documented shape; nothing of it is stored. The message names the field."""


class InvalidObservation(TerminalSourceError):  # noqa: N818
    """An observation that cannot exist and was not constructed: `value` is not allowed in `field`."""

    def __init__(self, metric_id: object, field: str, value: object, expected: str) -> None:
        super().__init__(f"Invalid observation of {metric_id}: {field} is {value!r:.200}, not {expected}.")
        self.field = field
        self.value = value


class StorageError(CommunityMetricsError):
    """LanceDB did not do what was asked."""


class StorageUnavailable(StorageError):  # noqa: N818
    """LanceDB cannot be reached, is overloaded, timed out, or its disk is full: try again later."""


class StorageDenied(StorageError):  # noqa: N818
    """LanceDB refuses the key; the message names the variable to check."""


class StorageSchemaMismatch(StorageError):  # noqa: N818
    """Another version wrote the database: its tables have other columns or other words."""


class StorageNotBootstrapped(StorageSchemaMismatch):
    """The database or one of its tables does not exist yet; every job creates what is missing."""


class UnknownStoredValue(StorageSchemaMismatch):
    """A newer version stored a word that this one does not know. The message names no path and no host."""

    def __init__(self, table: str, column: str, value: str, known: Sequence[str]) -> None:
        super().__init__(
            f"The table {table} has a row with {column} {value!r:.100}, which this version does not know; it "
            f"knows {', '.join(known)}. Fix: upgrade to the version of community-metrics that wrote the row."
        )
        self.table = table
        self.column = column
        self.value = value


class StorageConflict(StorageError):  # noqa: N818
    """A write contradicts itself (two rows for one key) or was overtaken by another writer."""


class ViewError(CommunityMetricsError):
    """A view cannot be made for these parameters."""


class UnknownName(ViewError):  # noqa: N818
    """No `kind` (`metric` or `product`) of this id is stored; `similar` are ids that look like it."""

    def __init__(self, kind: str, name: str, similar: Sequence[str]) -> None:
        super().__init__(f"No {kind} {name!r} is stored.")
        self.kind = kind
        self.name = name
        self.similar = tuple(similar)


class InvalidRange(ViewError):  # noqa: N818
    """The first day of a range is after its last."""

    def __init__(self, first: date, last: date) -> None:
        super().__init__(f"{first} is after {last}")
        self.last = last


class TooManyPoints(ViewError):  # noqa: N818
    """The view would have more points than the caller allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The answer would have more than {limit:,} points.")


class RunLocked(CommunityMetricsError):  # noqa: N818
    """Another run holds the database; the message names it."""

    exit_code = 75


class AddressUnavailable(CommunityMetricsError):  # noqa: N818
    """The API cannot listen on this address; the message names the option that chooses another."""


class LeaseLost(CommunityMetricsError):  # noqa: N818
    """The lease of this run is not stored any more: another run took the database over."""


class RunInterrupted(CommunityMetricsError):  # noqa: N818
    """The run was asked to stop by a signal."""
