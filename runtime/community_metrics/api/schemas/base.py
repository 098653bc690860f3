"""What every body is made of: strict fields, and how fresh the data are."""

from __future__ import annotations

from datetime import datetime
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


class Freshness(Body):
    """How fresh the data of this body are. Instants, never ages: the reader knows what time it is."""

    last_success_at: datetime | None
    """When the last run that collected every metric without an error ended; null when there was none."""
    is_stale: bool
    """Whether that is more than 8 days before the body was made, or never was."""
    storage_reachable: bool = True
    """False when the database did not respond and this is the last good body."""
    data_as_of: datetime | None = None
    """When the database was last known to hold this; null while it responds."""
    versions: Versions
    """Which versions of the tables the body was read from."""
