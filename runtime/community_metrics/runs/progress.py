"""The steps of a run while it works; a terminal draws them, a service logs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from community_metrics.errors import SourceError


class Progress(Protocol):
    """Receives the steps of a run."""

    def source_started(self, name: str, total: int) -> None:
        """Note that a source begins with `total` metrics."""
        ...

    def metric_done(self, name: str, metric_id: str, error: SourceError | None) -> None:
        """Note that one metric of a source has its numbers, or an error."""
        ...


class NoProgress:
    """Shows nothing; for callers that read the report instead."""

    def source_started(self, name: str, total: int) -> None:
        """Note nothing."""

    def metric_done(self, name: str, metric_id: str, error: SourceError | None) -> None:
        """Note nothing."""
