"""What a source is: one registry series that turns subjects into observations.

A source knows its registry and nothing of storage. It gets all its metrics at once, because sentinels and
batch queries serve them all, and returns one result for each: one unknown package fails one metric, not the
run. A third party adds a source by an entry point in the group `community_metrics.sources` whose value is an
instance of a class that matches `Source`.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  kept requests are read back by these annotations
from dataclasses import dataclass, field
from datetime import date  # noqa: TC003  as above
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from community_metrics.errors import ConfigurationError, InvalidObservation, SourceError, TerminalSourceError
from community_metrics.model import REGISTRY_FAMILY, ValueKind, Visibility
from community_metrics.model.checks import is_metric_id
from community_metrics.text import one_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from community_metrics.model import FoundEvent, LevelBreak, Observation, SourceWindow, TrafficSet
    from community_metrics.sources.client.client import RegistryClient

log = structlog.get_logger(__name__)


EVERYTHING: Final = "__all__"
"""The subject of a registry's own total, which no registry of packages accepts as a name."""


@dataclass(frozen=True, slots=True)
class RegistrySeries:
    """What a registry counts of all its packages by the day: a metric without an entry in the catalogue.

    `source` is the name of the source that reads it, `options` choose it among that source's series.
    """

    metric_id: str
    source: str
    display_name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Which days of one metric to fetch. `source` is the name of the source in the catalogue.

    `since` is the first day, None for everything the registry still has; `until` the last, and never later
    than the last completed UTC day. `first_stored_day` is the oldest stored day (None: none), so that zeros
    before a package's first release do not count as real ones. `last_value`, `last_newest_part` and
    `last_parts_digest` are those of the newest stored row. `previous_subject` is the subject of the stored
    rows where the catalogue now has another; only a source with a true attribute `proves_subject` gets such a
    request, and it fails unless both are the same thing. Only such a source gets `stored_ids`, the
    `subject_id`s of all its rows of this metric (None: a row without one), and `sibling_ids`, those of other
    metrics of the same host and subject that were read no later than the first of them. A source with a true
    attribute `reads_days_once` gets `stored_days`, and requests no day of them again.
    """

    metric_id: str
    subject: str
    options: Mapping[str, Any]
    since: date | None
    until: date
    first_stored_day: date | None = None
    last_value: int | None = None
    last_newest_part: int | None = None
    last_parts_digest: str | None = None
    previous_subject: str | None = None
    stored_ids: frozenset[int | None] = frozenset()
    sibling_ids: frozenset[int | None] = frozenset()
    source: str = ""
    stored_days: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class FetchResult:
    """The observations of one metric, or the error that prevented them; `notes` are for a person.

    Both are set where the values were returned and a second request failed: the observations are stored, and
    the error makes the run partial. `items` are the lists of places that the observations count, by day.
    `events` are what the same answers state of releases; they are stored even where no value was read.
    """

    metric_id: str
    observations: tuple[Observation, ...] = ()
    error: SourceError | None = None
    notes: tuple[str, ...] = ()
    items: tuple[TrafficSet, ...] = ()
    events: tuple[FoundEvent, ...] = ()


class Reader(Protocol):
    """Whatever a run asks over HTTP: a source of values, or a place that states events."""

    name: str
    """The name in the catalogue: `pypistats`."""
    host: str
    """The key of its `RegistryHost`, which has one pace: `github` serves `github` and `github-history`."""

    def fetch(self, requests: Sequence[FetchRequest], client: RegistryClient) -> AsyncIterator[FetchResult]:
        """Yield one result for each request, as soon as it is known. Raises no `SourceError`."""
        ...


class Source(Reader, Protocol):
    """One registry series."""

    window: SourceWindow
    """The interval that each of its values covers.

    A source whose values are not of the usual kind of their window has an attribute `kind`, a `ValueKind`
    (`kind_of`). One that counts different units by its options has a method `unit(options)` (`unit_of`). One
    whose options choose among several series has an attribute `variants`, the options of each series by the
    family of its metrics (`variants_of`). One whose values are not for everybody has an attribute
    `visibility`, a `Visibility` (`visibility_of`). One whose registry has changed its way of counting has an
    attribute `level_breaks`, of `LevelBreak`s (`level_breaks_of`). One whose registry asks to be read at most
    once a day has a true attribute `once_a_day` (`is_read_once_a_day`); each answer of it is complete. One
    whose registry states a total of all packages has a method `registry(options)` that returns its
    `RegistrySeries` (`registry_of`).
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


def kind_of(source: Source) -> ValueKind:
    """Return how the values of a source combine over time: its `kind`, else the usual one of its window."""
    kind: ValueKind = getattr(source, "kind", source.window.usual_kind)
    return kind


def level_breaks_of(source: Source | None, subject: str) -> tuple[LevelBreak, ...]:
    """Return the days from which on a source counts a subject in another way; None has none."""
    breaks: Sequence[LevelBreak] = getattr(source, "level_breaks", ())
    return tuple(one for one in breaks if subject.startswith(one.subjects))


def is_read_once_a_day(source: Source) -> bool:
    """Return whether the registry of a source asks to be read at most once a day: its `once_a_day`."""
    return bool(getattr(source, "once_a_day", False))


def registry_of(source: Source | None, options: Mapping[str, Any]) -> RegistrySeries | None:
    """Return what the registry of a source counts of all packages in the way of these options, if it does.

    Raises:
        ConfigurationError: the source, a plug-in, raised something, or returned no total of a registry.
    """
    registry: Callable[[Mapping[str, Any]], RegistrySeries] | None = getattr(source, "registry", None)
    if source is None or registry is None:
        return None
    try:
        found = registry(options)
        is_total = found.metric_id.startswith(f"{REGISTRY_FAMILY}:") and is_metric_id(found.metric_id)
        fault = "" if is_total else f"its id is {found.metric_id!r}"
    except (Exception, SystemExit) as error:  # noqa: BLE001  a plug-in may raise anything
        fault = f"{type(error).__name__}: {one_line(str(error))}"
    if fault:
        raise ConfigurationError(
            f"The source {source.name!r} has no usable total of its registry: {fault}. "
            "Fix: update or uninstall the package that provides it."
        )
    return found


def reads_days_once(source: Source) -> bool:
    """Return whether a day of the source never changes, so that a stored one is not requested again."""
    return bool(getattr(source, "reads_days_once", False))


def variants_of(source: Source) -> Mapping[str, Mapping[str, Any]]:
    """Return the series of a subject that `catalog add` adds: the options of each, by family."""
    variants: Mapping[str, Mapping[str, Any]] = getattr(source, "variants", {})
    return variants or {source.family: {}}


def first_options(source: Source) -> Mapping[str, Any]:
    """Return the options of a source's first series, for a request that is about the subject alone."""
    return next(iter(variants_of(source).values()))


def visibility_of(source: Source) -> Visibility:
    """Return who may see the values of a source: its `visibility`, else everybody."""
    visibility: Visibility = getattr(source, "visibility", Visibility.PUBLIC)
    return visibility


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


MOST_DAYS_FORGOTTEN: Final = 30
"""A source that retains fewer days forgets: an outage of two weeks would lose some of GitHub's 14."""


def forgets(source: Source) -> bool:
    """Return whether a source cannot be asked again for what it once returned.

    So is every reading of an instant or of a rolling window, and a flow of which fewer than 30 past days can
    be read. Such a source is read daily, and its answers are kept.
    """
    if kind_of(source) is not ValueKind.FLOW:
        return True
    return source.retention_days is not None and source.retention_days < MOST_DAYS_FORGOTTEN


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


class OneByOne:
    """A reader whose requests have nothing in common."""

    async def fetch(
        self, requests: Sequence[FetchRequest], client: RegistryClient
    ) -> AsyncIterator[FetchResult]:
        """Yield one result for each request."""
        async for result in each(requests, lambda request: self.read(request, client)):
            yield result

    async def read(self, request: FetchRequest, client: RegistryClient) -> FetchResult:
        """Return the result of one request.

        Raises:
            SourceError: it has none.
        """
        raise NotImplementedError


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
