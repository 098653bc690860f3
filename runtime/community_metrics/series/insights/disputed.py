"""Days that a second witness counts otherwise. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from community_metrics.model import InsightKind
from community_metrics.periods import Grain
from community_metrics.series.insights.links import series_link
from community_metrics.series.insights.model import DisputedNumbers, Insight
from community_metrics.text import counted, ranges_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from community_metrics.series.disputes import Dispute
    from community_metrics.series.insights.material import Material


def disputed(material: Material) -> Iterator[Insight]:
    """Yield one insight for each metric with disputed days in the period."""
    groups: dict[str, list[Dispute]] = defaultdict(list)
    for one in material.disputes:
        groups[one.metric_id].append(one)
    for metric in material.ordered:
        own = groups.get(metric.metric_id)
        if not own:
            continue
        days = [one.day for one in own]
        most = max(own, key=lambda one: abs(one.witness_value - one.value))
        yield Insight(
            kind=InsightKind.DISPUTED,
            rule="disputed-days",
            importance=abs(most.witness_value - most.value),
            unit=metric.unit,
            product=metric.product,
            metric_ids=(metric.metric_id,),
            period=material.period,
            numbers=DisputedNumbers(
                tuple(days),
                most.witness.value,
                tuple(one.value for one in own),
                tuple(one.witness_value for one in own),
            ),
            sentence=f"{metric.display_name} is disputed on {counted(len(days), 'day')}, "
            f"{ranges_text(days)}: on {most.day} {metric.source} counts {most.value:,} {metric.unit}, "
            f"{most.witness} {most.witness_value:,}. Nothing is corrected.",
            link=series_link(metric.metric_id, Grain.DAY, material.period.start, material.period.end),
        )
