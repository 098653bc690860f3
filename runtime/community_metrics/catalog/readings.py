"""What a run reads beside metrics: the places that state events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from community_metrics.model import Visibility, reading_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from community_metrics.catalog.entries import Metric
    from community_metrics.catalog.event_entries import Feed, Mention
    from community_metrics.sources.base import Source

FEEDS: Final = "feed"
MENTIONS: Final = "mention"
RELEASES: Final = "releases"
GITHUB: Final = "github"
_STATES_RELEASES: Final = "github-releases"
"""The source whose own answer has the releases of a repository."""
_REGISTRIES: Final = {"pypistats": "pypi", "npm": "npm-registry"}
"""The registry that has the releases of the packages of a source, which itself has only downloads."""


@dataclass(frozen=True, slots=True)
class EventReading:
    """One place that a run reads events from.

    `reader` is the name of what reads it, `subject` what it is asked for: an address, a text, a package, a
    repository. `metric_id` is the metric that the place belongs to, None for a feed or a mention.
    """

    id: str
    reader: str
    subject: str
    origin: str
    product: str | None
    metric_id: str | None = None
    visibility: Visibility = Visibility.PUBLIC
    is_active: bool = True
    least_points: int = 0


def readings_of(
    metrics: Sequence[Metric],
    feeds: Sequence[Feed],
    mentions: Sequence[Mention],
    sources: Mapping[str, Source],
) -> tuple[EventReading, ...]:
    """Return every place that states events: feeds, mentions, and the releases of what metrics count."""
    known = {metric.product for metric in metrics if metric.visibility is Visibility.PUBLIC}
    hosts = {name: source.host for name, source in sources.items()}
    return (
        *(_of_entry(feed, FEEDS, feed.url, known) for feed in feeds),
        *(
            replace(_of_entry(mention, MENTIONS, mention.text, known), least_points=mention.least_points)
            for mention in mentions
        ),
        *_releases(metrics, hosts),
    )


def _seen_by(entry: Feed | Mention, known: Iterable[str]) -> Visibility:
    """Return who may see an entry's events: a product that only the team sees has no public ones."""
    return entry.visibility if entry.product is None or entry.product in known else Visibility.TEAM


def _of_entry(entry: Feed | Mention, reader: str, subject: str, known: Iterable[str]) -> EventReading:
    return EventReading(
        reading_id(reader, entry.id),
        reader,
        subject,
        f"{reader}:{entry.id}",
        entry.product,
        visibility=_seen_by(entry, known),
        is_active=entry.is_active,
    )


def _releases(metrics: Sequence[Metric], hosts: Mapping[str, str]) -> Iterator[EventReading]:
    """Yield the releases of each repository and package that an active metric counts, each once.

    A public metric of it comes first: what everybody may know of a repository, everybody may know when
    released. Repositories whose releases a metric reads anyway are left out.
    """
    active = [metric for metric in metrics if metric.is_active]
    done = {(GITHUB, one.subject.lower()) for one in active if one.source == _STATES_RELEASES}
    for metric in sorted(active, key=lambda one: one.visibility is Visibility.TEAM):
        is_of_github = hosts.get(metric.source) == GITHUB
        registry = GITHUB if is_of_github else _REGISTRIES.get(metric.source)
        subject = metric.subject.lower() if is_of_github else metric.subject
        if registry is None or (registry, subject) in done:
            continue
        done.add((registry, subject))
        yield EventReading(
            reading_id(RELEASES, registry, metric.subject),
            reading_id(RELEASES, registry),
            metric.subject,
            f"{registry}:{metric.subject}",
            metric.product,
            metric_id=metric.metric_id,
            visibility=metric.visibility,
        )
