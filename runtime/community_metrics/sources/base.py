"""What a source is: one registry series that turns subjects into observations.

A source knows its registry and nothing of storage. It is handed all metrics of its kind at once, because
sentinels and batch queries serve them all, and answers for each metric apart: one unknown package fails one
metric, not the run. A third party adds a source by an entry point in the group `community_metrics.sources`
whose value is an instance of a class that fits `Source`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from community_metrics.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from datetime import date

    from community_metrics.model import Observation, SourceWindow
    from community_metrics.sources.client.client import RegistryClient


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """What is wanted of one metric.

    `since` is the first day wanted, None for everything the registry still has; `until` the last, and never
    later than the last completed UTC day. `first_stored_day` is the oldest day we hold (None: none), so that
    zeros before a package's first release are not taken for real ones. `last_source_ref` is where the newest
    stored row came from. `known_as` is the subject of the stored rows where the catalogue now writes another;
    only a source with a true attribute `proves_subject` is asked then, and it must answer for the same thing
    or not at all. Only such a source gets `stored_refs`, the `source_ref`s of all rows that it gave this
    metric, and `sibling_refs`, those of other metrics of the same host and subject that were read no later
    than the first of them.
    """

    metric_id: str
    subject: str
    options: Mapping[str, Any]
    since: date | None
    until: date
    first_stored_day: date | None = None
    last_source_ref: str | None = None
    known_as: str | None = None
    stored_refs: frozenset[str] = frozenset()
    sibling_refs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What one metric got: observations, or the error that kept it from them; `notes` are for a person.

    Both stand side by side where the values came and a request beside them failed: the observations are
    stored, and the error makes the run partial.
    """

    metric_id: str
    observations: tuple[Observation, ...] = ()
    error: SourceError | None = None
    notes: tuple[str, ...] = field(default=())


class Source(Protocol):
    """One registry series."""

    name: str
    """As the catalogue writes it: `pypistats`."""
    host: str
    """The key of the origin it asks, one pace for each: `github` serves `github` and `github-history`."""
    window: SourceWindow
    """The interval that each of its values covers."""
    family: str
    """The family that `catalog add` gives its metrics: `downloads`."""
    sdk: str | None
    """The SDK that its packages are for, and the last part of the id that `catalog add` forms."""
    retention_days: int | None
    """How many completed days it still answers for; None for everything since the beginning."""
    answers_whole: bool
    """Whether one request brings all that it retains, whatever was wanted; a job then compares all of it."""

    def faults(self, subject: str, options: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with a catalogue entry's subject and options, each in one sentence."""
        ...

    def fetch(self, requests: Sequence[FetchRequest], client: RegistryClient) -> AsyncIterator[FetchResult]:
        """Yield one result for each request, as soon as it is known. Raises no `SourceError` itself."""
        ...


async def each(
    requests: Sequence[FetchRequest], fetch_one: Callable[[FetchRequest], Awaitable[FetchResult]]
) -> AsyncIterator[FetchResult]:
    """Yield `fetch_one` of each request in turn; a `SourceError` becomes that metric's result alone."""
    for request in requests:
        try:
            result = await fetch_one(request)
        except SourceError as error:
            result = FetchResult(request.metric_id, error=error)
        yield result
