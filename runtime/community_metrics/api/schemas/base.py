"""What every body is made of: strict fields, and how fresh the data are."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """Base of every body: unknown fields are an error, so the documented fields are all there are."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Health(Body):
    """The process runs. Storage is not checked."""

    status: Literal["ok"] = "ok"
    """Always `ok`."""


class Ready(Body):
    """Storage responds."""

    status: Literal["ready"] = "ready"
    """Always `ready`; a service that is not responds 503 with the reason."""


class Versions(Body):
    """Versions of the tables that the body was read from; it never mixes two versions of one table."""

    metrics: int
    """Version of the catalogue as stored."""
    stats: int
    """Version of the observations."""
    history: int
    """Version of the runs."""
    run_outcomes: int
    """Version of the outcomes of each metric in each run."""


class SourceFreshness(Body):
    """How fresh the data of one source are."""

    source: str
    """The source: `pypistats`, `npm`, `crates`, `github`, `github-history`, or a plug-in."""
    newest_day: date | None
    """Newest UTC day that was fetched (for a level: the day of its reading); null when there is none."""
    is_stale: bool
    """Whether that is more than 10 days before the body was made."""
    stale_from: datetime | None
    """When it gets or got stale, unless a newer day is fetched before; null when nothing was ever fetched."""


class Freshness(Body):
    """How fresh the data of this body are. Instants, never ages: the reader knows what time it is."""

    last_success_at: datetime | None
    """When the last run that collected every metric without an error ended; null when there was none."""
    read_at: datetime | None
    """When the last run that read something from the registries ended; null when there was none."""
    is_stale: bool
    """Whether one of `sources` is stale, or nothing was ever fetched from any."""
    sample: bool
    """Whether the numbers are invented for a demo: computed from what is stored, which is never mixed."""
    sources: list[SourceFreshness]
    """How fresh each source is, by name; a failed metric does not make a source stale, only its age does."""
    storage_reachable: bool = True
    """False when the database did not respond and this is the last good body."""
    data_as_of: datetime | None = None
    """When the database was last known to hold this; null while it responds."""
    versions: Versions
    """Which versions of the tables the body was read from."""
