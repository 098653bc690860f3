"""The values of the invented metrics, by day: the same for one seed and one day. Pure."""

from __future__ import annotations

import math
import random
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from community_metrics.demo.world import (
    DAYS,
    LOST_BY_REGISTRY,
    LOW_AT_REGISTRY,
    REGISTRY_STORIES,
    RESET,
    SIZES,
    STORIES,
    USUAL_WEEKEND,
    WATCHED_STORIES,
    WEEKEND,
)
from community_metrics.model import UNIQUES, SourceWindow, ValueKind
from community_metrics.periods import ONE_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from community_metrics.catalog import Metric
    from community_metrics.demo.world import Story

_SATURDAY: Final = 6
_NOISE: Final = 0.045
_REGISTRY_NOISE: Final = 0.008
"""All packages together vary less: a registry is judged by its own usual days."""
_FADES_IN_DAYS: Final = 4.0
_LOSSES: Final = ((0.05, 1.6), (1.0, 0.04))
"""The share of a usual day that a level loses, such as stars that are taken back, up to each chance."""
_LISTED_DAYS: Final = 14
"""What a list of referrers or paths covers."""
_LISTS: Final = 30
"""How many days ago the first list was read, since a registry forgets it."""
_TRAFFIC: Final = {"github-traffic", "github-referrers", "github-paths"}
_UNIQUE_SHARE: Final = 0.46
_YEAR: Final = 365.25


def values(metric: Metric, seed: int, today: date) -> dict[date, int]:
    """Return what a metric's source has published up to today, by the last day that a value covers.

    A day without a value is left out: the product did not exist, or the registry lost the day.
    """
    amounts = _amounts(metric, seed, today)
    days = [today - ago * ONE_DAY for ago in range(len(amounts), 0, -1)]
    lost = {today - ago * ONE_DAY for ago in LOST_BY_REGISTRY.get(metric.source, ())}
    if metric.window is SourceWindow.INSTANT:
        totals = _totals(metric, amounts, random.Random(f"{seed}|{metric.metric_id}|totals"))  # noqa: S311
        # the reading at a day's first instant has what was counted until the day before
        return {day + ONE_DAY: total for day, total in zip(days, totals, strict=True)}
    width = metric.window.days or 1
    sums = _sums([round(amount) for amount in amounts], width)
    found = dict(zip(days[width - 1 :], sums, strict=True))
    if metric.window is SourceWindow.WEEK:  # DuckDB's own weeks end with a Saturday
        return {day: value for day, value in found.items() if day.isoweekday() == _SATURDAY}
    return {day: value for day, value in found.items() if day not in lost}


def lists(metric: Metric, seed: int, today: date, names: Sequence[str]) -> dict[date, list[tuple[int, int]]]:
    """Return views and unique visitors of each place, the largest first, by the day of the reading."""
    amounts = _amounts(metric, seed, today)
    found = {}
    for ago in range(_LISTS - 1, -1, -1):
        day, end = today - ago * ONE_DAY, len(amounts) - ago
        views = sum(amounts[max(0, end - _LISTED_DAYS) : end])
        rng = random.Random(f"{seed}|{metric.metric_id}|{day}")  # noqa: S311  invented numbers, not secrets
        shares = [rng.uniform(0.8, 1.2) / (place + 1.5) for place in range(len(names))]
        counts = sorted((round(views * share / sum(shares)) for share in shares), reverse=True)
        found[day] = [(count, round(count * rng.uniform(0.3, 0.6))) for count in counts]
    return found


def _amounts(metric: Metric, seed: int, today: date) -> list[float]:
    """Return what happened on each day up to yesterday, oldest first, before it is rounded or added up."""
    size, story = SIZES[metric.metric_id], story_of(metric)
    launches, spread = _effects(story, today), _REGISTRY_NOISE if _is_registry(metric) else _NOISE
    # views and their uniques, and the lists of where they came from, are of the same visits
    what = str(metric.options.get("count", "views")) if metric.source in _TRAFFIC else metric.metric_id
    rng = random.Random(f"{seed}|{metric.product}|{what}")  # noqa: S311  invented numbers, not secrets
    phase = rng.uniform(0, 2 * math.pi)
    share = _UNIQUE_SHARE if metric.unit == UNIQUES else 1.0
    found = []
    for ago in range(min(DAYS, story.age_days), 0, -1):
        trend = (1 + story.growth) ** (-ago / _YEAR) * (1 + 0.06 * math.sin(phase + ago / 14))
        noise = math.exp(rng.gauss(0, spread))
        amount = size.per_day * share * trend * noise * launches[ago]
        found.append(amount * _calendar(metric, today - ago * ONE_DAY) * _counted(metric, ago))
    return found


def story_of(metric: Metric) -> Story:
    """Return the story of a metric's product, ours or not, or of its registry."""
    return (STORIES | WATCHED_STORIES | REGISTRY_STORIES)[metric.product]


def _is_registry(metric: Metric) -> bool:
    return metric.product in REGISTRY_STORIES


def _effects(story: Story, today: date) -> list[float]:
    """Return how far the launches of a product move each day, by how many days ago it was.

    Days before a launch lack its lift, because a size is that of this week.
    """
    factors = [1.0] * (DAYS + 1)
    for launch in story.launches:
        launched = (today - launch.day(today)).days
        for ago in range(1, DAYS + 1):
            age = launched - ago
            spike = launch.spike * math.exp(-max(age, 0) / _FADES_IN_DAYS)
            factors[ago] *= 1 / (1 + launch.lift) if age < 0 else 1 + spike
    return factors


def _calendar(metric: Metric, day: date) -> float:
    is_holiday = not _is_registry(metric) and (
        (day.month, day.day) >= (12, 24) or day.timetuple().tm_yday == 1
    )
    weekend = WEEKEND.get(metric.source, USUAL_WEEKEND) if day.isoweekday() >= _SATURDAY else 1.0
    return weekend * (0.6 if is_holiday else 1.0)


def _counted(metric: Metric, ago: int) -> float:
    """Return the share of a day that its registry counted."""
    low, share = LOW_AT_REGISTRY.get(metric.source, (0, 1.0))
    return share if ago == low else 1.0


def _totals(metric: Metric, amounts: Sequence[float], rng: random.Random) -> list[int]:
    """Return the total at the end of each day; a level may fall, a counter begins anew after a reset."""
    size, gains = SIZES[metric.metric_id], list(amounts)
    if metric.unit == "open issues":  # opened and closed in turn
        gains = [gain * math.sin(at / 9) * 12 for at, gain in enumerate(gains)]
    elif metric.value_kind is ValueKind.LEVEL:
        gains = [gain - size.per_day * _lost_share(rng) for gain in gains]
    totals = [round(size.before + total) for total in accumulate(gains)]
    if (ago := RESET.get(metric.metric_id)) is not None:
        at = len(totals) - ago
        totals[at:] = [total - totals[at - 1] for total in totals[at:]]
    return totals


def _lost_share(rng: random.Random) -> float:
    chance = rng.random()
    return next(share for limit, share in _LOSSES if chance < limit)


def _sums(amounts: Sequence[int], width: int) -> list[int]:
    """Return the sum of each `width` consecutive days."""
    sums = [0, *accumulate(amounts)]
    return [end - start for start, end in zip(sums, sums[width:], strict=False)]
