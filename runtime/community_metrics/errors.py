"""The one exception tree.

CommunityMetricsError
├── ConfigurationError          a setting, an option or a file that a person wrote is invalid (exit 2)
│   ├── CatalogError
│   ├── SeedFileError
│   └── ExtraMissing            an option needs packages that are not installed
├── SourceError                 a registry did not return the numbers of a metric; carries facts
│   ├── TransientSourceError    a later attempt may succeed: 5xx, a cut response, a page instead of JSON
│   │   ├── SourceRateLimited   the registry limits requests
│   │   └── SourceUnreachable   no response at all: refused, no such host, timeout
│   └── TerminalSourceError     a later attempt returns the same
│       ├── UnknownSubject      the registry has no such package or repository
│       ├── AnotherRepository   the name may belong to another repository than the stored rows
│       ├── SourceDenied        401, 403: a token, a user agent or an address is refused
│       └── SourceShapeError    the response is not of the documented shape
├── DeliveryError               a target did not take a digest
│   ├── TransientDeliveryError  it did not arrive; a later attempt may succeed
│   ├── TerminalDeliveryError   it did not arrive; a later attempt ends the same
│   └── DeliveryUnknown         it may have arrived: the response was lost, or does not say
├── ClockWrong                  this machine's clock is far from the registries'; nothing is stored
├── InvalidObservation          an observation that cannot exist, such as -1 downloads
├── InvalidEvent                an event that cannot exist, such as a note without an author
├── StorageError                a LanceDB operation failed
│   ├── StorageUnavailable      a later attempt may succeed
│   ├── StorageDenied           401, 403
│   ├── StorageSchemaMismatch   another version wrote the database
│   │   ├── StorageNotBootstrapped   the database, or one of its tables, does not exist
│   │   └── UnknownStoredValue  a stored word that this version does not know
│   └── StorageConflict         the write contradicts itself or another writer
├── BackupError                 a backup cannot be made, read or restored
│   ├── BackupUnavailable       its place cannot be read or written
│   ├── NoBackup                there is no complete backup at the place
│   ├── BackupDamaged           a file, its rows or the restored rows are not what the manifest says
│   ├── BackupRefused           a restore of the database is unfinished; nothing was stored
│   └── RestoreRefused          the database has rows that are not in the backup; nothing was changed
├── SiteError                   the static site cannot be made; nothing was changed
├── ViewError                   a view cannot be made for these parameters
│   ├── UnknownName             no metric, product or event of that id is stored
│   ├── InvalidRange            the first day is after the last
│   ├── NotAdditive             the view would be a sum of values that do not add up
│   ├── NotComparable           the values of the metric cannot be compared
│   ├── NotAlike                metrics that count unlike things have no sum
│   ├── DaysMissing             the view would compare days of which some are missing
│   ├── DayOutOfRange           the view has a day that is not over, or from before anything is stored
│   ├── TooManyLines            the chart would have more metrics than fit
│   ├── NoSuchFamily            no chosen metric is of the family
│   ├── TooManyPoints           the view would be larger than the caller allows
│   └── TooManyEvents           the range has more events than the caller allows
├── Busy                        as much work is in progress as memory allows; this work was not started
├── TookTooLong                 the work did not end within its time limit
├── UndoRefused                 what a run wrote cannot be taken back; nothing was changed
├── RunLocked                   another run holds the database (exit 75)
├── AddressUnavailable          the API cannot listen on the given host, port or unix socket
├── LeaseLost                   the lease of this run is no longer stored; another run holds it
└── RunInterrupted              SIGTERM or Ctrl-C
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from community_metrics.text import counted, one_line, ranges_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime, timedelta


class CommunityMetricsError(Exception):
    """Base of all errors that this package raises on purpose; the text is a message for a person."""

    exit_code: ClassVar[int] = 1


class ConfigurationError(CommunityMetricsError):
    """What a person wrote (environment, option, file) is invalid; lists every fault and its fix."""

    exit_code = 2

    def __init__(self, headline: str, faults: list[str] | None = None) -> None:
        self.headline = headline
        self.faults = list(faults or [])
        super().__init__("\n".join([headline, *(f"  - {fault}" for fault in self.faults)]))


class CatalogError(ConfigurationError):
    """The catalogue file has faults; each names its line or entry."""


class SeedFileError(ConfigurationError):
    """A seed file has faults; each names its line. Nothing of it was loaded."""


class ExtraMissing(ConfigurationError):  # noqa: N818  the message is the sentence
    """`what` needs the packages of an extra, which are not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra {extra}. Fix: pip install 'community-metrics[{extra}]'")


@dataclass(eq=False)
class SourceError(CommunityMetricsError):
    """A registry did not return the numbers of a metric. Its texts are made from its facts.

    `detail` is what is wrong, `fix` what to do. `url` is the address of the request, `http_status` the
    status of its response. `attempts` counts the requests that were made; 0: none, because the host failed
    before; None: the error does not come from a request. `retry_after_s` is the wait that the registry
    demands, `retry_at` the instant when it ends.
    """

    problem: ClassVar[str] = ""
    """What is wrong where there is no HTTP status."""

    detail: str = ""
    _: KW_ONLY
    source: str
    subject: str
    url: str | None = None
    http_status: int | None = None
    fix: str | None = None
    attempts: int | None = None
    retry_after_s: float | None = None
    retry_at: datetime | None = None

    def __post_init__(self) -> None:
        """Make every text one printable line: it may hold what a registry or a plug-in sent."""
        self.detail, self.source, self.subject = map(one_line, (self.detail, self.source, self.subject))
        self.url = None if self.url is None else one_line(self.url)
        self.fix = None if self.fix is None else one_line(self.fix)

    @property
    def message(self) -> str:
        """Return the cause; the text is the same for all metrics that fail for it."""
        return self._text(urlsplit(self.url).netloc if self.url else self.source)

    def __str__(self) -> str:
        text = f"{self.source} {self.subject}: {self._text(self.url)}"
        if self.attempts == 0:
            return f"{text}; no request was sent, because an earlier one failed"
        return f"{text}; given up after {self.attempts} attempts" if (self.attempts or 0) > 1 else text

    def _text(self, where: str | None) -> str:
        is_refusal = self.http_status not in {None, HTTPStatus.OK}
        problem = f"returned {self.http_status}" if is_refusal else self.problem
        text = ": ".join(part for part in (f"{where or ''} {problem}".strip(), self.detail) if part)
        if self.retry_at is not None:
            text += f"; it accepts no request before {self.retry_at:%Y-%m-%dT%H:%M:%SZ}"
        return f"{text}. Fix: {self.fix}" if self.fix else text


class TransientSourceError(SourceError):
    """A later request may succeed."""


class SourceRateLimited(TransientSourceError):  # noqa: N818  the field's word, and the message is the sentence
    """The registry limits requests. Without `retry_after_s` the length of the wait is unknown."""


class SourceUnreachable(TransientSourceError):  # noqa: N818
    """The registry did not respond at all: connection refused, unknown host, no response in time."""

    problem = "cannot be reached"


class TimeBudgetUsed(SourceError):  # noqa: N818  as above
    """The run sends no more requests, since its time is used up. The metric is left for the next run."""

    problem = "was not asked"


class TerminalSourceError(SourceError):
    """A later request returns the same."""


class UnknownSubject(TerminalSourceError):  # noqa: N818
    """The registry has no such package or repository, or does not show it to us."""


class AnotherRepository(TerminalSourceError):  # noqa: N818
    """The name belongs to another repository than the stored rows, or nothing proves that it does not."""


class SourceDenied(TerminalSourceError):  # noqa: N818
    """The registry refuses this token, user agent or address."""


class SourceShapeError(TerminalSourceError):
    """The response is not of the documented shape; nothing of it is stored. The detail names the field."""


class DeliveryError(CommunityMetricsError):
    """A target did not take a digest. The message never has the target's address or key.

    `retry_after_s` is the wait that the target demands; None if it demands none.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(one_line(message))
        self.retry_after_s = retry_after_s


class TransientDeliveryError(DeliveryError):
    """The digest did not arrive, and a later attempt may succeed."""


class TerminalDeliveryError(DeliveryError):
    """The digest did not arrive, and a later attempt would end the same."""


class DeliveryUnknown(DeliveryError):  # noqa: N818  the state, and the message is the sentence
    """The digest may have arrived: it was sent, and there is no response, or one that does not exclude it."""


class ClockWrong(CommunityMetricsError):  # noqa: N818
    """The machine's clock read `now` when the registries' read `sent`; nothing of the run was stored."""

    def __init__(self, now: datetime, sent: datetime, hosts: Sequence[str]) -> None:
        side = "ahead of" if now > sent else "behind"
        super().__init__(
            f"This machine's clock is {_duration(abs(now - sent))} {side} the registries' "
            f"({', '.join(hosts)}): it read {now:%Y-%m-%dT%H:%M:%SZ} when a response was sent at "
            f"{sent:%Y-%m-%dT%H:%M:%SZ}. Nothing was stored. Fix: set the clock "
            "(`timedatectl set-ntp true`), then run the job again."
        )
        self.now = now
        self.sent = sent


def _duration(length: timedelta) -> str:
    """Return a length for a person: `400 days`, `23 hours`, `6 minutes`."""
    minutes = round(length.total_seconds() / 60)
    for unit, size in (("days", 24 * 60), ("hours", 60)):
        if minutes >= 2 * size:
            return f"{round(minutes / size)} {unit}"
    return f"{minutes} minutes"


class InvalidObservation(CommunityMetricsError):  # noqa: N818
    """An observation that cannot exist and was not constructed: `value` is not allowed in `field`."""

    def __init__(self, metric_id: object, field: str, value: object, expected: str) -> None:
        super().__init__(f"Invalid observation of {metric_id}: {field} is {value!r:.200}, not {expected}.")
        self.field = field
        self.value = value


class InvalidEvent(CommunityMetricsError):  # noqa: N818
    """An event that cannot exist and was not constructed: the value of `field` is not the `expected` one."""

    def __init__(self, event: object, field: str, expected: str) -> None:
        super().__init__(f"Invalid event {event!r:.200}: {field} must be {expected}.")
        self.field = field
        self.expected = expected


class StorageError(CommunityMetricsError):
    """A LanceDB operation failed."""


class StorageUnavailable(StorageError):  # noqa: N818
    """LanceDB cannot be reached, is overloaded, timed out, or its disk is full: try again later."""


class StorageDenied(StorageError):  # noqa: N818
    """LanceDB refuses the key; the message names the variable to check."""


class StorageSchemaMismatch(StorageError):  # noqa: N818
    """Another version wrote the database: its tables have other columns or other words."""


class StorageNotBootstrapped(StorageSchemaMismatch):
    """The database, or one of its tables, does not exist; every job creates what is missing."""


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


class BackupError(CommunityMetricsError):
    """A backup cannot be made, read or restored."""


class BackupUnavailable(BackupError):  # noqa: N818  the state, and the message is the sentence
    """The folder or bucket of backups cannot be read or written."""


class NoBackup(BackupError):  # noqa: N818
    """The place has no complete backup, or none of this name."""


class BackupDamaged(BackupError):  # noqa: N818
    """A file of a backup, its rows or the restored rows are not what its manifest says."""


class BackupRefused(BackupError):  # noqa: N818
    """The database is being restored, or no run ever wrote to it; nothing was stored."""


class RestoreRefused(BackupError):  # noqa: N818
    """The database has other rows, or the backups are of several others; nothing was changed."""


class SiteError(CommunityMetricsError):
    """The static site cannot be made; the folder is as it was."""


class ViewError(CommunityMetricsError):
    """A view cannot be made for these parameters."""


class UnknownName(ViewError):  # noqa: N818
    """No `kind` (`metric`, `product`, `event`, `digest`) of this id is stored; `similar` are similar ids."""

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


class NotAdditive(ViewError):  # noqa: N818
    """The view would be a sum of values that do not add up; `reason` says why."""

    def __init__(self, metric_id: str, reason: str) -> None:
        super().__init__(f"{metric_id} {reason}")
        self.metric_id = metric_id
        self.reason = reason


class NotComparable(ViewError):  # noqa: N818
    """The values of the metric cannot be compared; `reason` says why."""

    def __init__(self, metric_id: str, reason: str) -> None:
        super().__init__(f"{metric_id} {reason}")
        self.metric_id = metric_id
        self.reason = reason


class NotAlike(ViewError):  # noqa: N818
    """The metrics count unlike things, or one thing twice, so they have no sum; `sentences` say why."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = tuple(sentences)


class DaysMissing(ViewError):  # noqa: N818
    """The view would compare days of which these are missing, and was not asked to skip them."""

    def __init__(self, metric_id: str, days: Sequence[date]) -> None:
        super().__init__(f"{metric_id} lacks {counted(len(days), 'day')}: {ranges_text(days)}")
        self.metric_id = metric_id
        self.days = tuple(days)


class DayOutOfRange(ViewError):  # noqa: N818
    """The days around a day are not over, or from before anything is stored; allowed are `first` to `last`.

    `parameter` is what named the day: `day` or `event_id`.
    """

    def __init__(self, day: date, first: date, last: date, parameter: str) -> None:
        why = "its days after are not over" if day > last else "nothing is stored of its days before"
        super().__init__(f"{day}: {why}")
        self.first = first
        self.last = last
        self.parameter = parameter


class NoRegistryTotal(ViewError):  # noqa: N818
    """A metric has no total of its registry to be compared with: none exists, or none is stored yet."""

    def __init__(self, metric_id: str) -> None:
        super().__init__(f"no total of the registry of {metric_id} is stored")


class PeriodNotOver(ViewError):  # noqa: N818
    """The period is not over, so nothing is said of it; `last` is the newest of its grain that is over."""

    def __init__(self, grain: str, label: str, last: str) -> None:
        super().__init__(f"{label} is not over")
        self.grain = grain
        self.last = last


class TooManyPoints(ViewError):  # noqa: N818
    """The view would have more points than the caller allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The answer would have more than {limit:,} points.")
        self.limit = limit


class TooManyLines(ViewError):  # noqa: N818
    """The chart would have more metrics than can be told apart, or than one total may have."""

    def __init__(self, count: int, limit: int) -> None:
        super().__init__(f"The chart would have {count:,} metrics; at most {limit} fit.")
        self.count = count
        self.limit = limit


class NoSuchFamily(ViewError):  # noqa: N818
    """No shown metric of the chosen ones is of the family; `known` are the families that they have."""

    def __init__(self, family: str, known: Sequence[str]) -> None:
        super().__init__(f"none of the chosen metrics is of the family {family}")
        self.family = family
        self.known = tuple(known)


class TooManyEvents(ViewError):  # noqa: N818
    """The days have more events than the caller allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The answer would have more than {limit:,} events.")


class Busy(CommunityMetricsError):  # noqa: N818
    """As much work is in progress, and waits, as memory allows; this work was not started."""

    def __init__(self) -> None:
        super().__init__("Too much work is in progress. Fix: try again in a few seconds.")


class TookTooLong(CommunityMetricsError):  # noqa: N818
    """The work had its turn and did not end within its time limit."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"The work took longer than {limit_s:g} s.")
        self.limit_s = limit_s


class UndoRefused(CommunityMetricsError):  # noqa: N818
    """What a run wrote cannot be taken back; nothing was changed. `later` are runs that built on it."""

    def __init__(self, message: str, later: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.later = tuple(later)


class RunLocked(CommunityMetricsError):  # noqa: N818
    """Another run holds the database; the message names it."""

    exit_code = 75


class AddressUnavailable(CommunityMetricsError):  # noqa: N818
    """The API cannot listen on this address; the message names the option that sets another."""


class LeaseLost(CommunityMetricsError):  # noqa: N818
    """The lease of this run is no longer stored: another run took the database over."""


class RunInterrupted(CommunityMetricsError):  # noqa: N818
    """A signal stopped the run."""
