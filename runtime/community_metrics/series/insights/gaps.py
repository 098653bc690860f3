"""What is not known of a period: days that a registry did not count, missing and restated values. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from community_metrics.model import (
    SETTLING_DAYS,
    UNIQUES,
    InsightKind,
    MissingReason,
    SourceWindow,
    ValueKind,
)
from community_metrics.periods import Grain, days_between
from community_metrics.readings import day_of_number, number_of_day
from community_metrics.series.additive import adds_up
from community_metrics.series.insights.links import outages_link, restatements_link, series_link
from community_metrics.series.insights.material import LEAD_DAYS
from community_metrics.series.insights.model import GapNumbers, Insight, MissingNumbers, RestatedNumbers
from community_metrics.series.insights.rules import FEWEST_TOGETHER
from community_metrics.series.loss import may_be_answered, was_answered
from community_metrics.series.totals import LEAVES_AFTER_DAYS
from community_metrics.text import counted, ranges_text, signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from community_metrics.model import MetricDefinition, StatRow
    from community_metrics.series.insights.material import Material


@dataclass(frozen=True)
class SourceDays:
    """The days of one source around the period: who lacks what, and who was read when it was due.

    `lacking` has the missing days of each daily flow: none before its first or after the newest day of the
    source. `uncounted` are the days that the registry itself did not count, or only in part, `low` those that
    it counted low for everybody, by metric.
    """

    material: Material
    source: str
    newest: int
    lacking: dict[str, frozenset[int]]
    spans: dict[str, tuple[int, int]]
    low: dict[str, frozenset[int]]
    uncounted: frozenset[int]

    @cached_property
    def kept_days(self) -> int | None:
        """How many days after a day its value can be read; None for ever."""
        kept = self.material.retention_days.get(self.source)
        return None if kept is None else max(kept, 1)

    @cached_property
    def lacked(self) -> frozenset[int]:
        """The days that a metric lacks: most sources have none, and then nothing else has to be searched."""
        return frozenset().union(*self.lacking.values())

    def lacked_by(self, day: int) -> list[str]:
        """Return the metrics that lack a day."""
        return [name for name, days in self.lacking.items() if day in days]

    def expected(self, day: int) -> list[str]:
        """Return the metrics that should have a day: those that had one before, and one lately."""
        return [
            name for name, (first, last) in self.spans.items() if first <= day <= last + LEAVES_AFTER_DAYS
        ]

    def is_low(self, day: int) -> bool:
        """Return whether the registry counted a day low for everybody."""
        return any(day in days for days in self.low.values())

    def not_returned(self, day: int) -> list[str]:
        """Return the metrics that should have a day, which the source did not return when it was due."""
        if day not in self.lacked:
            return []
        return [name for name in self.expected(day) if self.is_not_returned(name, day)]

    def is_not_returned(self, name: str, day: int) -> bool:
        """Return whether a metric lacks a day although it was read when the source should have had it."""
        return day in self.lacking[name] and was_answered(
            day_of_number(day), self.material.read_on(name), self.kept_days
        )

    def is_unread(self, name: str, day: int) -> bool:
        """Return whether a metric lacks a day because it was not read while the source should have had it."""
        can_be_read = self.kept_days is None or self.kept_days > SETTLING_DAYS
        is_due = may_be_answered(day_of_number(day), self.material.now)
        return can_be_read and is_due and day in self.lacking[name] and not self.is_not_returned(name, day)

    def uncounted_of(self, day: int) -> list[str]:
        """Return the metrics that lack a day because of the registry: by its own total, or since none has it.

        That we lack a day in all of them is no proof, since we may not have read it. Several must have been
        read when the source should have had it.
        """
        if day not in self.lacked:
            return []
        if day in self.uncounted:
            return self.lacked_by(day)
        returned_by_none = self.not_returned(day)
        is_lacked_by_all = all(day in self.lacking[name] for name in self.expected(day))
        return returned_by_none if is_lacked_by_all and len(returned_by_none) >= FEWEST_TOGETHER else []

    def is_lacked_by_others(self, day: int) -> bool:
        """Return whether the source returned a day for one series at most, so that it has a part of a gap."""
        count = len(self.not_returned(day))
        return count >= FEWEST_TOGETHER and count >= len(self.expected(day)) - 1


def doubtful(material: Material) -> dict[str, date]:
    """Return the metrics of which the rows do not show whether they were read, with the first day since when.

    Only a successful run shows then that the source was asked.
    """
    found: dict[str, date] = {}
    for own in source_days(material, material.first_day + LEAD_DAYS).values():
        late = _late_days(material, own)
        for name, lacking in own.lacking.items():
            days = [day_of_number(day) for day in lacking if own.is_unread(name, day)]
            if late and material.read_on(name)[-1:] <= late[-1:]:
                days.append(late[0])
            if days:
                found[name] = min(days)
    return found


def source_days(material: Material, first: int) -> dict[str, SourceDays]:
    """Return what each source lacks from the day `first` to the end of the period, by source."""
    spans: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for metric in material.with_days:
        if (span := material.spans.get(metric.metric_id)) is not None:
            spans[metric.source][metric.metric_id] = span
    unknown = _unknown_days(material, first)
    low: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for name, day in material.low:
        if name in material.known:
            low[material.known[name].source][name].add(number_of_day(day))
    found = {}
    for source, own in spans.items():
        newest = max(last for _, last in own.values())
        found[source] = SourceDays(
            material=material,
            source=source,
            newest=newest,
            lacking={
                name: frozenset(day for day in unknown.get(name, ()) if begin <= day <= newest)
                for name, (begin, _) in own.items()
            },
            spans=own,
            low={name: frozenset(days) for name, days in low[source].items()},
            uncounted=frozenset(map(number_of_day, material.uncounted.get(source, ()))),
        )
    return found


def _unknown_days(material: Material, first: int) -> dict[str, list[int]]:
    """Return the days without a value from `first` to the end of the period, of each metric that has some."""
    unknown = np.isnan(material.daily[:, first - material.first_day :])
    return {
        material.with_days[row].metric_id: (np.flatnonzero(unknown[row]) + first).tolist()
        for row in np.flatnonzero(unknown.any(axis=1)).tolist()
    }


def registry_gaps(material: Material, sources: dict[str, SourceDays]) -> Iterator[Insight]:
    """Yield the days that a source did not count, grouped by the series that lack them, and low days."""
    for source in sorted(sources):
        own = sources[source]
        yield from _lacking_gaps(material, own)
        if (gap := _low_gap(material, own)) is not None:
            yield gap


def _lacking_gaps(material: Material, own: SourceDays) -> Iterator[Insight]:
    groups: dict[tuple[tuple[str, ...], int], list[int]] = defaultdict(list)
    for day in _days_of(material):
        if lacking := tuple(sorted(own.uncounted_of(day))):
            groups[lacking, len({*lacking, *own.expected(day)})].append(day)
    for (names, series), numbers in sorted(groups.items()):
        days = tuple(map(day_of_number, numbers))
        where = "any of our series" if len(names) == series else f"{len(names)} of {series} series"
        text = f"has no counts for {ranges_text(days)} in {where}"
        is_in_ledger = own.uncounted.issuperset(numbers)
        link = outages_link() if is_in_ledger else series_link(names[0], Grain.DAY, days[0], days[-1])
        yield _gap(material, names, GapNumbers(own.source, days, (), series), text, link)


def _low_gap(material: Material, own: SourceDays) -> Insight | None:
    inside = _days_of(material)
    days = tuple(day_of_number(day) for day in inside if own.is_low(day))
    names = tuple(sorted(name for name, low in own.low.items() if not low.isdisjoint(inside)))
    if not days:
        return None
    text = f"counted {ranges_text(days)} low for everybody"
    link = series_link(names[0], Grain.DAY, days[0], days[-1])
    return _gap(material, names, GapNumbers(own.source, (), days, len(names)), text, link)


def _days_of(material: Material) -> range:
    return range(number_of_day(material.period.start), number_of_day(material.period.end) + 1)


def _gap(material: Material, names: tuple[str, ...], numbers: GapNumbers, text: str, link: str) -> Insight:
    return Insight(
        kind=InsightKind.REGISTRY_GAP,
        rule="lacked-by-all",
        importance=len(numbers.lacking or numbers.low),
        unit="days",
        product=None,
        metric_ids=names,
        period=material.period,
        numbers=numbers,
        sentence=f"{numbers.source} {text}: a gap of the registry, not a change of ours.",
        link=link,
    )


def missing(material: Material, sources: dict[str, SourceDays]) -> Iterator[Insight]:
    """Yield what is not known of the period: one insight for the series that lack the same days."""
    yield from _late(material, sources)
    yield from _missing_days(material, sources)
    yield from _missing_values(material)


def _late_days(material: Material, own: SourceDays) -> list[date]:
    """Return the days of the period after the newest of a source."""
    first = max(number_of_day(material.period.start), own.newest + 1)
    return list(days_between(day_of_number(first), material.period.end))


def _late(material: Material, sources: dict[str, SourceDays]) -> Iterator[Insight]:
    """Yield the days after the newest of each source: those it was asked for, and those it was not."""
    for source in sorted(sources):
        own = sources[source]
        days = _late_days(material, own)
        groups: dict[date | None, list[str]] = defaultdict(list)
        for name in sorted(own.lacking) if days else ():
            groups[next(iter(material.read_on(name)[-1:]), None)].append(name)
        for read_on, names in sorted(groups.items(), key=lambda group: group[1]):
            is_whole = len(names) == len(own.lacking)
            asked = tuple(day for day in days if read_on is not None and day < read_on)
            unread = tuple(days[len(asked) :])
            if asked:
                of_whom = "ours" if is_whole else _listed(material, source, names)
                text = f"{source} has published no value of {of_whom} for {ranges_text(asked)} yet."
                yield _missing(material, names, asked, MissingReason.LATE, text)
            if unread:
                who = source if is_whole else _listed(material, source, names)
                was = "was" if is_whole or len(names) == 1 else "were"
                since = "never read" if read_on is None else f"not read since {read_on}"
                text = f"{who} {was} {since}: nothing is known of {ranges_text(unread)}."
                yield _missing(material, names, unread, MissingReason.UNREAD, text)


def _missing_days(material: Material, sources: dict[str, SourceDays]) -> Iterator[Insight]:
    period, groups = _days_of(material), defaultdict(list)
    for source, own in sources.items():
        uncounted = {day: frozenset(own.uncounted_of(day)) for day in period}
        lacked = ((name, days) for name, days in own.lacking.items() if days)
        for name, lacking in lacked:
            days = [day for day in period if day in lacking and name not in uncounted[day]]
            unread = tuple(day for day in days if own.is_unread(name, day))
            for reason, numbers in (
                (MissingReason.DAYS, tuple(day for day in days if day not in unread)),
                (MissingReason.UNREAD, unread),
            ):
                if numbers:
                    groups[source, numbers, reason].append(name)
    for (source, numbers, reason), names in sorted(groups.items()):
        known = tuple(map(day_of_number, numbers))
        lack = "lacks" if len(names) == 1 else "lack"
        text = f"{_listed(material, source, sorted(names))} {lack} {ranges_text(known)}"
        if reason is MissingReason.UNREAD:
            text += f": {_unread_when(sources[source], len(names), len(known))}"
        yield _missing(material, sorted(names), known, reason, f"{text}.")


def _unread_when(own: SourceDays, names: int, days: int) -> str:
    it_was, it = "it was" if names == 1 else "they were", "it" if days == 1 else "them"
    until = "or more" if own.kept_days is None else f"to {own.kept_days}"
    return f"{it_was} not read {SETTLING_DAYS + 1} {until} days later, when {own.source} should have had {it}"


def _listed(material: Material, source: str, names: Sequence[str]) -> str:
    """Return the names of the first metrics, and how many more there are of the source."""
    shown = ", ".join(material.known[name].display_name for name in names[:FEWEST_TOGETHER])
    more = len(names) - FEWEST_TOGETHER
    return f"{shown} and {more} more of {source}" if more > 0 else shown


def _missing_values(material: Material) -> Iterator[Insight]:
    """Yield the levels, counters, rolling totals and wide flows that have no complete value of the period."""
    grid = material.grid
    for metric in material.ordered:
        row = material.rows[metric.metric_id]
        is_daily = metric.value_kind is ValueKind.FLOW and metric.source_window is SourceWindow.DAY
        if is_daily and metric.metric_id in material.spans:
            continue
        is_own_estimate = grid.fallback[row, -1] == metric.metric_id  # of another window, and known
        if grid.complete[row, -1] or is_own_estimate:
            continue
        name, label = metric.display_name, material.period.label
        if grid.reset[row, -1]:
            text = f"{name}: the counter was reset in {label}, so that its growth is not known."
            yield _missing(material, [metric.metric_id], (), MissingReason.RESET, text)
            continue
        text = f"{name} has no value of {label}: {_unread(metric)}."
        yield _missing(material, [metric.metric_id], (), MissingReason.READING, text)


def _unread(metric: MetricDefinition) -> str:
    match metric.value_kind:
        case ValueKind.LEVEL:
            return "it was not read within 12 hours of its end"
        case ValueKind.COUNTER:
            return "it was not read within 12 hours of both its edges"
        case ValueKind.ROLLING:
            return "no reading of it ends with the period"
        case _:
            return "nothing of it is stored"


def _missing(
    material: Material, names: Sequence[str], days: tuple[date, ...], reason: MissingReason, text: str
) -> Insight:
    period = material.period
    single = material.known[names[0]]
    grain = Grain.DAY if days else period.grain
    return Insight(
        kind=InsightKind.MISSING,
        rule="not-known",
        importance=max(1, len(days)),
        unit="days" if days else "periods",
        product=single.product if len({material.known[name].product for name in names}) == 1 else None,
        metric_ids=tuple(names),
        period=period,
        numbers=MissingNumbers(days, reason),
        sentence=text,
        link=series_link(names[0], _shown(single, grain), period.start, period.end),
    )


def _shown(metric: MetricDefinition, grain: Grain) -> Grain:
    return Grain.DAY if metric.unit == UNIQUES else grain


def restated(material: Material) -> Iterator[Insight]:
    """Yield one insight for each metric whose settled values its source changed since the period began."""
    rows: dict[str, list[StatRow]] = defaultdict(list)
    for row in material.restated:
        if row.metric_id in material.rows:
            rows[row.metric_id].append(row)
    shown = {metric.metric_id for metric in material.metrics}
    for name in sorted(rows.keys() & shown):
        metric, own = material.known[name], sorted(rows[name], key=lambda row: row.period_end)
        differences = [row.value - row.first_value for row in own]
        largest = max(differences, key=lambda value: (abs(value), value))
        can_sum = adds_up(metric) and metric.value_kind is ValueKind.FLOW
        difference = sum(differences) if can_sum else None
        by = f"at most {signed(largest)} {metric.unit}"
        if difference is not None:
            by = f"{signed(difference)} {metric.unit} together"
        if any(row.revision > 1 for row in own):
            by += " since they were first read" if len(own) > 1 else " since it was first read"
        values = ("at least " if material.has_more_restated else "") + counted(len(own), "value")
        yield Insight(
            kind=InsightKind.RESTATED,
            rule="restated-since",
            importance=abs(largest if difference is None else difference),
            unit=metric.unit,
            product=metric.product,
            metric_ids=(name,),
            period=material.period,
            numbers=RestatedNumbers(
                len(own),
                own[0].period_start,
                own[-1].period_end,
                difference,
                largest,
                material.has_more_restated,
            ),
            sentence=f"{metric.source} restated {values} of {metric.display_name} between "
            f"{own[0].period_start} and {own[-1].period_end}: {by}.",
            link=restatements_link(name),
        )
