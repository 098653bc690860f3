"""What a source is: one registry series that turns subjects into observations.

A source knows its registry and nothing of storage. It gets all its metrics at once, because sentinels and
batch queries serve them all, and returns one result for each: one unknown package fails one metric, not the
run. A third party adds a source by an entry point in the group `community_metrics.sources` whose value is an
instance of a class that matches `Source`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from community_metrics.errors import ConfigurationError, InvalidObservation, SourceError, TerminalSourceError
from community_metrics.text import one_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from datetime import date

    from community_metrics.model import Observation, SourceWindow, ValueKind
    from community_metrics.sources.client.client import RegistryClient

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Which days of one metric to fetch. `source` is the name of the source in the catalogue.

    `since` is the first day, None for everything the registry still has; `until` the last, and never later
    than the last completed UTC day. `first_stored_day` is the oldest stored day (None: none), so that zeros
    before a package's first release do not count as real ones. `last_source_ref` is the origin of the newest
    stored row. `previous_subject` is the subject of the stored rows where the catalogue now has another; only
    a source with a true attribute `proves_subject` gets such a request, and it fails unless both are the same
    thing. Only such a source gets `stored_refs`, the `source_ref`s of all its rows of this metric, and
    `sibling_refs`, those of other metrics of the same host and subject that were read no later than the first
    of them.
    """

    metric_id: str
    subject: str
    options: Mapping[str, Any]
    since: date | None
    until: date
    first_stored_day: date | None = None
    last_source_ref: str | None = None
    previous_subject: str | None = None
    stored_refs: frozenset[str] = frozenset()
    sibling_refs: frozenset[str] = frozenset()
    source: str = ""


@dataclass(frozen=True, slots=True)
class FetchResult:
    """The observations of one metric, or the error that prevented them; `notes` are for a person.

    Both are set where the values were returned and a second request failed: the observations are stored, and
    the error makes the run partial.
    """

    metric_id: str
    observations: tuple[Observation, ...] = ()
    error: SourceError | None = None
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """One registry series."""

    name: str
    """The name in the catalogue: `pypistats`."""
    host: str
    """The key of its `RegistryHost`, which has one pace: `github` serves `github` and `github-history`."""
    window: SourceWindow
    """The interval that each of its values covers.

    A source whose values are not of the usual kind of their window has an attribute `kind`, a `ValueKind`
    (`kind_of`). One that counts different units by its options has a method `unit(options)` (`unit_of`).
    """
    family: str
    """The family of the metrics that `catalog add` makes: `downloads`."""
    sdk: str | None
    """The SDK that its packages are for, and the last part of the ids that `catalog add` makes."""
    retention_days: int | None
    """How many completed days the registry still returns; None for everything since the beginning."""
    returns_full_history: bool
    """Whether each request returns all that the registry retains; a job then compares all of it."""

    def validate(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return the faults of a catalogue entry's subject and options, each in one sentence."""
        ...

    def fetch(self, requests: Sequence[FetchRequest], client: RegistryClient) -> AsyncIterator[FetchResult]:
        """Yield one result for each request, as soon as it is known. Raises no `SourceError`."""
        ...


def kind_of(source: Source) -> ValueKind:
    """Return how the values of a source combine over time: its `kind`, else the usual one of its window."""
    kind: ValueKind = getattr(source, "kind", source.window.usual_kind)
    return kind


def unit_of(source: Source, options: Mapping[str, Any]) -> str | None:
    """Return what the values count that these options choose, as `uniques`; None: what the family says.

    Raises:
        ConfigurationError: the source, a plug-in, raised something.
    """
    unit: Callable[[Mapping[str, Any]], str | None] | None = getattr(source, "unit", None)
    try:
        return None if unit is None else unit(options)
    except (Exception, SystemExit) as error:
        fault = f"{type(error).__name__}: {one_line(str(error))}"
        raise ConfigurationError(
            f"The source {source.name!r} has no unit for the options {dict(options)}: {fault}. "
            "Fix: update or uninstall the package that provides it."
        ) from error


def subject_faults(source: Source, subject: str, options: Mapping[str, Any]) -> list[str]:
    """Return the faults that `source` finds in a catalogue entry; one that names it where it cannot tell."""
    try:
        return [one_line(fault) for fault in source.validate(subject, options)]
    except (Exception, SystemExit) as error:  # noqa: BLE001  a plug-in may raise anything
        fault = f"{type(error).__name__}: {one_line(str(error))}"
    whose = f"the source {source.name!r} failed when it checked {subject!r}"
    return [f"{whose}: {fault}. Fix: update or uninstall the package that provides it"]


async def each(
    requests: Sequence[FetchRequest], fetch_one: Callable[[FetchRequest], Awaitable[FetchResult]]
) -> AsyncIterator[FetchResult]:
    """Yield `fetch_one` of each request in turn; whatever it raises becomes that metric's error alone."""
    for request in requests:
        try:
            result = await fetch_one(request)
        except SourceError as error:
            result = FetchResult(request.metric_id, error=error)
        except InvalidObservation as error:
            result = FetchResult(
                request.metric_id, error=invalid_data(error, request.source, request.subject)
            )
        except Exception as error:
            log.exception("metric failed", source=request.source, metric_id=request.metric_id)
            result = FetchResult(request.metric_id, error=unexpected(error, request.source, request.subject))
        yield result


def unexpected(error: BaseException, source: str, subject: str) -> TerminalSourceError:
    """Return the error of a metric whose source raised something that is not a `SourceError`."""
    text = f"the source raised {type(error).__name__}: {error}"
    return TerminalSourceError(text, source=source, subject=subject)


def invalid_data(reason: object, source: str, subject: str) -> TerminalSourceError:
    """Return the error of a metric whose source returned an observation that cannot be stored."""
    return TerminalSourceError(
        f"the source returned an invalid observation, and nothing of this metric was stored: {reason}",
        source=source,
        subject=subject,
    )
