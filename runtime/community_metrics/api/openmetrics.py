"""Families of samples as text for Prometheus: OpenMetrics 1.0, or the older text format.

`prometheus_client` writes both. Its registry of the whole process is not used: what is written is the view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from community_metrics.api.negotiation import OPENMETRICS
from community_metrics.views.exposition import FamilyKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from community_metrics.views.exposition import Exposition

TEXT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_SUFFIXES: Final = {FamilyKind.GAUGE: "", FamilyKind.COUNTER: "_total", FamilyKind.INFO: "_info"}
"""What a sample's name has after that of its family."""


class _Collector:
    """Hands an exposition to the writers of `prometheus_client`."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition

    def collect(self) -> Iterator[Metric]:
        """Yield each family in the library's type."""
        from prometheus_client import Metric  # noqa: PLC0415  as in `written`

        prefix = "Sample data: " if self._exposition.is_sample else ""
        for family in self._exposition.families:
            metric = Metric(family.name, prefix + family.documentation, family.kind.value, family.unit)
            for sample in family.samples:
                metric.add_sample(f"{family.name}{_SUFFIXES[family.kind]}", dict(sample.labels), sample.value)
            yield metric


def written(exposition: Exposition, media_format: str) -> tuple[bytes, str]:
    """Return the text in the negotiated format, and its media type."""
    from prometheus_client import exposition as text  # noqa: PLC0415  30 ms that only this route needs
    from prometheus_client.openmetrics import exposition as openmetrics  # noqa: PLC0415

    collector = _Collector(exposition)
    if media_format == OPENMETRICS:
        content: bytes = openmetrics.generate_latest(collector)  # type: ignore[no-untyped-call]  # it has no types
        return content, OPENMETRICS_TYPE
    return text.generate_latest(collector), TEXT_TYPE
