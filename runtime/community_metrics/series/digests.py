"""What a digest says of a period: scores, sentences, and what has changed since the last digest. Pure.

Every number comes from the rules that the page and the API use. What is not complete has no change.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from community_metrics.model import EventKind, InsightKind, Visibility
from community_metrics.model.digest_content import (
    Correction,
    DigestNote,
    Finding,
    Happening,
    RuleOf,
    Score,
    ScoreChange,
    ScoreStars,
    SeriesValue,
    SinceLast,
)
from community_metrics.series import comparison, forecast, goals
from community_metrics.series.insights import RULES
from community_metrics.series.insights.links import series_link
from community_metrics.series.insights.words import amount
from community_metrics.series.withdrawn import opening, withdrawn_milestones
from community_metrics.text import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from community_metrics.model import Event, MetricDefinition
    from community_metrics.model.digest_content import Digest
    from community_metrics.periods import Period
    from community_metrics.series.insights import Insight, Material, Rule
    from community_metrics.series.period_totals import LevelOfPeriod, PeriodTotal

UNKNOWN: Final = frozenset({InsightKind.REGISTRY_GAP, InsightKind.MISSING, InsightKind.DISPUTED})
"""Insights that say what is not known."""
APART: Final = UNKNOWN | {InsightKind.HEADLINE, InsightKind.RESTATED}
"""Insights that are no finding: scores, what is not known and what was restated have their own places."""
_RULES: Final = {rule.rule_id: rule for rule in (*RULES, comparison.RULE, goals.RULE, forecast.RULE)}
_RULES_PAGE: Final = "docs/insights.md"
_JSON: Final = TypeAdapter(dict[str, Any])
_RELEASES: Final = {EventKind.RELEASE, EventKind.PRE_RELEASE}


def digest_name(period: Period, products: Sequence[str], visibility: Visibility, edition: int = 1) -> str:
    """Return the id of a digest: the same for the same period, products, viewers and edition."""
    parts = [period.label]
    if products:
        names = "\0".join(sorted(products)).encode()
        parts.append(f"p{hashlib.blake2b(names, digest_size=4).hexdigest()}")
    if visibility is Visibility.TEAM:
        parts.append(visibility.value)
    if edition > 1:
        parts.append(f"e{edition}")
    return "-".join(parts)


def score_of(
    total: PeriodTotal | None,
    level: LevelOfPeriod | None,
    *,
    product: str | None,
    name: str,
    unit: str | None,
    left_out: Iterable[str],
    link: str,
    page: str,
) -> Score:
    """Return a line of the scorecard: without a change unless every series is complete in the period."""
    lacking = () if total is None else total.lacking
    series = () if total is None else total.metric_ids
    is_complete = bool(series) and not lacking
    changes = total.changes if total is not None and is_complete else None
    change = _change(changes and changes.change)
    year = _change(changes and changes.year_on_year)
    crossed = changes.level_break if changes and (change is None or year is None) else None
    return Score(
        product=product,
        name=name,
        unit=unit,
        value=None if total is None else total.value,
        is_estimated=total is not None and total.is_estimated,
        is_complete=is_complete,
        change=change,
        year_on_year=year,
        complete=len(series) - len(lacking),
        series=len(series),
        lacking=tuple(sorted(lacking)),
        left_out=tuple(sorted(left_out)),
        level_break=None if crossed is None else crossed.day,
        stars=None if level is None else _stars(level),
        link=link,
        page=page,
    )


def _stars(level: LevelOfPeriod) -> ScoreStars:
    return ScoreStars(
        value=level.value,
        change=_change(level.change),
        included=len(level.included),
        repositories=len(level.metric_ids),
    )


def _change(change: Any) -> ScoreChange | None:
    return None if change is None else ScoreChange.model_validate(change)


def headline_without_change(score: Score, period: Period, names: Mapping[str, str]) -> str | None:
    """Return the total in plain English where a series of it is not complete; None without a total.

    `names` has the display names of the series. A total of complete series has the sentence of its insight.
    """
    if score.value is None or score.unit is None or score.is_estimated:
        return None
    lack = "is" if len(score.lacking) == 1 else "are"
    return (
        f"{score.name}: {amount(score.value, score.unit)} in {period.label}, over {score.complete} of "
        f"{score.series} series and so without a change: {named([names[one] for one in score.lacking])} "
        f"{lack} not complete."
    )


def first_line(name: str | None, period: Period, *, complete: int, series: int, is_over: bool) -> str:
    """Return what a digest is about, and whether its period is complete."""
    title = f"{name + ', ' if name else ''}{period.grain} {period.label} ({period.start} to {period.end})"
    title = title[0].upper() + title[1:]
    if not is_over:
        return f"{title} is not over, so nothing of it is complete and no change is given."
    if not series:
        return f"{title}: no series is known."
    if complete < series:
        return (
            f"{title} is not complete: {complete} of {series} series are. What is not complete has no change."
        )
    return f"{title}: complete, {complete} of {series} series."


def finding_of(insight: Insight) -> Finding:
    """Return an insight as data."""
    numbers = _JSON.dump_python(asdict(insight.numbers), mode="json")
    fields = {name: getattr(insight, name) for name in Finding.model_fields if name != "numbers"}
    return Finding(**fields, numbers=numbers)


def happenings_of(events: Iterable[Event], names: Mapping[str, str]) -> tuple[Happening, ...]:
    """Return what sources state, by day: the releases of a product on one day together."""
    groups: dict[tuple[Any, ...], list[Event]] = {}
    for event in sorted(events, key=lambda one: (one.day, one.product or "", one.kind, one.event_id)):
        is_release = event.kind in _RELEASES and event.product is not None
        key = (event.day, event.product, event.kind, "" if is_release else event.event_id)
        groups.setdefault(key, []).append(event)
    return tuple(_happening(own, names) for own in groups.values())


def _happening(events: Sequence[Event], names: Mapping[str, str]) -> Happening:
    first = events[0]
    return Happening(
        day=first.day,
        kind=first.kind,
        product=first.product,
        product_name=_name_of(first, names),
        titles=tuple(sorted({event.title for event in events})),
        places=len({event.origin for event in events}),
        url=next((event.url for event in events if event.url), None),
        origins=tuple(sorted({event.origin for event in events})),
        metric_ids=tuple(sorted({event.metric_id for event in events if event.metric_id is not None})),
    )


def notes_of(notes: Iterable[Event], names: Mapping[str, str]) -> tuple[DigestNote, ...]:
    """Return what people say, by day; an event without an author is no note."""
    return tuple(
        DigestNote(
            day=note.day,
            title=note.title,
            author=note.author,
            product=note.product,
            product_name=_name_of(note, names),
            url=note.url,
        )
        for note in sorted(notes, key=lambda one: (one.day, one.event_id))
        if note.author is not None
    )


def _name_of(event: Event, names: Mapping[str, str]) -> str | None:
    return None if event.product is None else names.get(event.product, event.product)


def values_of(material: Material, metrics: Iterable[MetricDefinition]) -> tuple[SeriesValue, ...]:
    """Return the value of each series in the period, by id; None where it is not complete."""
    known = {metric.metric_id: metric for metric in metrics}
    return tuple(
        SeriesValue(
            metric_id=name,
            name=known[name].display_name,
            source=known[name].source,
            unit=known[name].unit,
            kind=known[name].value_kind,
            value=_value(material, name, -1),
        )
        for name in sorted(known)
    )


def _value(material: Material, metric_id: str, at: int) -> int | None:
    row = material.rows[metric_id]
    return int(material.grid.value[row, at]) if material.grid.complete[row, at] else None


def since_last(previous: Digest, material: Material) -> SinceLast:
    """Return what has changed since a digest of an earlier period, as far back as the material reaches."""
    periods = [one.label for one in material.grid.periods]
    at = periods.index(previous.period) if previous.period in periods else None
    corrections = []
    unchecked = 0
    for value in previous.values:
        if at is None or value.metric_id not in material.rows:
            unchecked += value.value is not None
            continue
        now = _value(material, value.metric_id, at)
        if now != value.value:
            corrections.append(_correction(value, now, material.grid.periods[at], material.period))
    changed = (
        rule.rule_id
        for rule in previous.rules
        if rule.rule_id in _RULES and _RULES[rule.rule_id].version != rule.version
    )
    return SinceLast(
        digest_id=previous.digest_id,
        period=previous.period,
        corrections=(*withdrawn_milestones(previous, material), *sorted(corrections, key=_by_size)),
        rules=tuple(sorted(changed)),
        unchecked=unchecked,
    )


def _correction(value: SeriesValue, now: int | None, period: Period, current: Period) -> Correction:
    before = opening(period, current)
    place = f"{value.name}, {period.label}"
    if value.value is None:
        words = f"{place} is complete now: {amount(now or 0, value.unit)}."
    elif now is None:
        words = f"{before} we said {amount(value.value, value.unit)} ({place}); it is no longer complete."
    else:
        words = (
            f"{before} we said {amount(value.value, value.unit)} ({place}); {value.source} now says {now:,}."
        )
    return Correction(
        metric_id=value.metric_id,
        mark=None,
        said=value.value,
        now=now,
        sentence=words,
        link=series_link(value.metric_id, period.grain, period.start, period.end),
    )


def _by_size(one: Correction) -> tuple[int, int, str]:
    is_known = one.said is not None and one.now is not None
    return (0 if is_known else 1, -abs((one.now or 0) - (one.said or 0)), one.metric_id)


def rules_of(rule_ids: Iterable[str]) -> tuple[RuleOf, ...]:
    """Return rules with their versions, by id."""
    return tuple(_rule_of(_RULES[name]) for name in sorted(set(rule_ids)))


def _rule_of(rule: Rule) -> RuleOf:
    link = f"{_RULES_PAGE}#{rule.rule_id}"
    return RuleOf(rule_id=rule.rule_id, version=rule.version, text=rule.text, link=link)
