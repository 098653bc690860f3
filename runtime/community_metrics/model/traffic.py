"""Lists of places that traffic came from: the rows of `traffic_items`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from community_metrics.errors import InvalidObservation
from community_metrics.model.checks import are_counts, are_texts, is_aware, is_line, is_metric_id
from community_metrics.model.observations import stat_key


@dataclass(frozen=True, slots=True)
class TrafficSet:
    """A list of places without dates, in the source's order, as read on one UTC day.

    Such as the ten sites from which most visitors of the last 14 days came. A place that is not listed is
    unknown, not 0. `names`, `titles`, `counts` and `uniques` have an item for each place; `titles` is empty
    where places have none. An invalid set cannot be constructed.

    Raises:
        InvalidObservation: a field has a value that no set can have.
    """

    metric_id: str
    day: date
    names: tuple[str, ...]
    titles: tuple[str, ...]
    counts: tuple[int, ...]
    uniques: tuple[int, ...]
    observed_at: datetime
    source_ref: str

    def __post_init__(self) -> None:
        size = len(self.names)
        for field, is_valid, expected in (
            ("metric_id", is_metric_id(self.metric_id), "an id such as referrers:lance:github"),
            ("day", type(self.day) is date, "a date without a time"),
            ("names", are_texts(self.names), "texts"),
            ("titles", are_texts(self.titles) and len(self.titles) in {0, size}, f"empty, or {size} texts"),
            ("counts", are_counts(self.counts, size), f"{size} ints from 0 to 10^13"),
            ("uniques", are_counts(self.uniques, size), f"{size} ints from 0 to 10^13"),
            ("observed_at", is_aware(self.observed_at), "a datetime with a time zone"),
            ("source_ref", is_line(self.source_ref), "one line of printable text"),
        ):
            if not is_valid:
                raise InvalidObservation(self.metric_id, field, getattr(self, field), expected)

    @property
    def item_key(self) -> str:
        """The key of its row in `traffic_items`: one row holds the whole set, so that a merge replaces it."""
        return stat_key(self.metric_id, self.day)


@dataclass(frozen=True, slots=True)
class StoredTrafficSet(TrafficSet):
    """One row of `traffic_items`: a set, and the run that stored it."""

    ingestion_run_id: str
