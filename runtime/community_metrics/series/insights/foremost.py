"""Which insights of a period come first, where there is room for few."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Final

from community_metrics.model import USUAL_KINDS, InsightKind
from community_metrics.series.insights.model import SilenceNumbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.series.insights.model import Insight

MOST_FOREMOST: Final = 4
_MOST_OF_KIND: Final = 2


def foremost(insights: Sequence[Insight]) -> tuple[int, ...]:
    """Return the positions of at most four of the sorted insights, the most important first.

    What is unusual comes first, the largest of each kind before the second of any: a week of many records
    does not hide a gap. Then comes that nothing is unusual, if any series was judged, then the largest
    changes of metrics that no other insight is about. The headline, missing days and restatements are never
    chosen.
    """
    of_kind: defaultdict[InsightKind, list[int]] = defaultdict(list)
    for at in sorted(range(len(insights)), key=lambda at: _unit_rank(insights[at])):
        of_kind[insights[at].kind].append(at)
    kinds = [kind for kind in InsightKind if kind not in USUAL_KINDS]
    rounds = zip_longest(*(of_kind[kind][:_MOST_OF_KIND] for kind in kinds))
    unusual = [at for at in chain.from_iterable(rounds) if at is not None]
    shown = {name for at in unusual[:MOST_FOREMOST] for name in insights[at].metric_ids}
    silence = [at for at in of_kind[InsightKind.SILENCE] if _is_judged(insights[at])]
    movers = [at for at in of_kind[InsightKind.MOVER] if shown.isdisjoint(insights[at].metric_ids)]
    movers.sort(key=lambda at: (_unit_rank(insights[at]), -insights[at].importance))
    return (*unusual, *silence, *movers)[:MOST_FOREMOST]


def _unit_rank(insight: Insight) -> tuple[bool, str]:
    """Return the place of the unit, since the sizes of two units cannot be compared: downloads are first."""
    return insight.unit != "downloads", insight.unit


def _is_judged(silence: Insight) -> bool:
    """Return whether any series was judged: else nothing is known to be usual."""
    return isinstance(silence.numbers, SilenceNumbers) and silence.numbers.judged > 0
