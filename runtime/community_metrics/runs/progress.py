"""What a run tells of itself while it works; the terminal draws it, a service logs it."""

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
        """Note that one metric of a source has its numbers, or the error that kept it from them."""
        ...


class NoProgress:
    """Tells nobody; for callers that read the report instead."""

    def source_started(self, name: str, total: int) -> None:
        """Note nothing."""

    def metric_done(self, name: str, metric_id: str, error: SourceError | None) -> None:
        """Note nothing."""
