"""What changed in a period, by printed rules: `insights_of` returns sentences with the numbers they rest on.

Pure. The rules and their parameters are in `rules`, and from there in docs/insights.md.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from community_metrics.model import USUAL_KINDS, InsightKind
from community_metrics.readings import number_of_day
from community_metrics.series.insights.days import Days, unusual_days
from community_metrics.series.insights.disputed import disputed
from community_metrics.series.insights.foremost import MOST_FOREMOST, foremost
from community_metrics.series.insights.gaps import doubtful, missing, registry_gaps, restated
from community_metrics.series.insights.headline import headlines, movers
from community_metrics.series.insights.links import total_link
from community_metrics.series.insights.material import LEAD_DAYS, Material, Release, Total
from community_metrics.series.insights.model import Insight, SilenceNumbers
from community_metrics.series.insights.records import milestones, records, settling
from community_metrics.series.insights.rules import RELEASE_DAYS, RULES, Rule
from community_metrics.series.insights.shifts import level_breaks

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "LEAD_DAYS",
    "MOST_FOREMOST",
    "RELEASE_DAYS",
    "RULES",
    "Insight",
    "Material",
    "Release",
    "Rule",
    "Total",
    "doubtful",
    "foremost",
    "insights_of",
]

_ORDER = list(InsightKind)


def insights_of(material: Material) -> tuple[Insight, ...]:
    """Return the insights of a period that is over: by kind, unit, importance, then metric and day."""
    days = Days(material)
    with ThreadPoolExecutor(max_workers=1) as beside:
        # beside the judgement of the days, which takes about as long: numpy releases the interpreter's lock
        summed = beside.submit(lambda: material.values)
        of_days = [*unusual_days(days), *registry_gaps(material, days.sources)]
        summed.result()
    found = list(
        chain(
            headlines(material),
            level_breaks(material),
            of_days,
            records(material),
            milestones(material),
            settling(material),
            movers(material),
            restated(material),
            disputed(material),
            missing(material, days.sources),
        )
    )
    if all(insight.kind in USUAL_KINDS for insight in found) and material.with_days:
        found.append(_silence(material, days))
    return tuple(_sorted(found))


def _sorted(found: Iterable[Insight]) -> list[Insight]:
    return sorted(
        found,
        key=lambda one: (
            _ORDER.index(one.kind),
            one.kind is InsightKind.HEADLINE and one.product is not None,
            one.unit,
            -one.importance,
            one.metric_ids,
            one.link,
        ),
    )


def _silence(material: Material, days: Days) -> Insight:
    skipped = number_of_day(material.period.start) - days.first
    judged = int(np.count_nonzero(days.judgement.is_judged[:, skipped:].all(axis=1)))
    series, period = len(material.with_days), material.period
    sentence = "Nothing unusual: every series is within its usual range."
    if judged < series:
        sentence = (
            f"Nothing unusual in the {judged} of {series} series of which every day could be judged; "
            "the others are too short or lack days."
        )
    return Insight(
        kind=InsightKind.SILENCE,
        rule="nothing-unusual",
        importance=0,
        unit="series",
        product=None,
        metric_ids=(),
        period=period,
        numbers=SilenceNumbers(judged, series),
        sentence=sentence,
        link=total_link(period, period, None, material.now),
    )
