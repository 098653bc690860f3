"""The charts of a digest in words and dots, from what is stored in it: every format draws the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.charts.drawing import Bar, Bars, Chart, Dot, Flag, Line
from community_metrics.charts.words import with_description
from community_metrics.digest.outline import NOT_USERS, change_words, plain, stars_words, value_words
from community_metrics.model import EventKind
from community_metrics.model.digest_charts import PERIODS
from community_metrics.periods import Grain, last_periods, period_of
from community_metrics.text import counted, named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from community_metrics.model.digest_charts import DigestChart, DigestLine, DigestShare
    from community_metrics.model.digest_content import Digest, Score
    from community_metrics.periods import Period

_SDKS: Final = {
    "python": "Python",
    "nodejs": "Node.js",
    "rust": "Rust",
    "java": "Java",
    "go": "Go",
    "ruby": "Ruby",
    "dotnet": ".NET",
    "php": "PHP",
}
_MOST_SHARES: Final = 12
_MARKED: Final = (EventKind.POST, EventKind.MENTION, EventKind.OUTAGE, EventKind.RELEASE)
"""Kinds of events that are marked, by what a reader of a chart looks for; of previews there are too many."""
_EARLIER: Final = {Grain.WEEK: "52 weeks", Grain.MONTH: "12 months", Grain.QUARTER: "4 quarters"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart or bars, the sentence below its heading, and what its speaker should know."""

    drawing: Chart | Bars
    lead: str
    more: str | None
    notes: tuple[str, ...]


def pictures_of(digest: Digest, rules: Mapping[str, str]) -> Iterator[Picture]:
    """Yield the pictures: the total and its parts, the largest products, stars."""
    yield from (_of_sum(digest, one, rules) for one in digest.charts if one.about == "total")
    if len(digest.shares) > 1:
        yield _of_shares(digest, rules)
    own = [one for one in digest.charts if one.about == "product"]
    yield from (_of_sum(digest, one, rules, is_last=one is own[-1]) for one in own)
    yield from (_of_stars(digest, one) for one in digest.charts if one.about == "stars")


def _of_sum(
    digest: Digest, chart: DigestChart, rules: Mapping[str, str], *, is_last: bool = False
) -> Picture:
    [line] = chart.lines
    score = {one.product: one for one in (digest.total, *digest.scores) if one is not None}[line.product]
    before = [_earlier(digest, line)] if line.year_before else []
    flags = _flags(digest, line.product)
    title = f"{plain(line.name)}: {_value(score, digest) or f'{chart.unit} by {digest.grain}'}"
    more = counted(chart.more, "more product") if is_last and chart.more else None
    notes = [
        rules.get("total-of-period", ""),
        _gaps(digest),
        f"Grey: the same {digest.grain}s a year earlier, {_EARLIER[Grain(digest.grain)]} back."
        if before
        else "",
        NOT_USERS if chart.unit == "downloads" else "",
    ]
    return Picture(
        drawing=_drawn(
            digest, chart, title, earlier=before, flags=flags, notes=_about_sum(digest, chart, score)
        ),
        lead=_lead(score, digest),
        more=f"and {more} without a chart here" if more else None,
        notes=tuple(filter(None, notes)),
    )


def _of_stars(digest: Digest, chart: DigestChart) -> Picture:
    total = digest.total or (digest.scores[0] if len(digest.scores) == 1 else None)
    stars = None if total is None else total.stars
    title = "Stars by product" if len(chart.lines) > 1 else f"{plain(chart.lines[0].name)}: stars"
    note = f"A {digest.grain} has a value if every repository of the product was read at its end."
    notes = [f"{note} {_gaps(digest)}", "The axis may begin above 0: the picture says where."]
    return Picture(
        drawing=_drawn(digest, chart, title, notes=[note]),
        lead="" if stars is None else f"All repositories: {stars_words(stars)}",
        more=f"and {counted(chart.more, 'more product')} with stars" if chart.more else None,
        notes=tuple(notes),
    )


def _of_shares(digest: Digest, rules: Mapping[str, str]) -> Picture:
    shown, rest = digest.shares[:_MOST_SHARES], digest.shares[_MOST_SHARES:]
    bars = [_bar(one) for one in shown]
    folded = sum(one.value for one in rest)
    is_whole = all(one.share is not None for one in digest.shares)
    total = digest.total
    lacking = "" if total is None else f"{total.complete} of {total.series} series are complete"
    lead = (
        f"Parts of all downloads of {digest.period}"
        if is_whole
        else f"Without shares: {lacking}, and what is missing would raise the share of the others."
    )
    notes = [
        "A share is the part of the sum of all series. It is given only where every series is complete.",
        rules.get("total-of-period", ""),
        NOT_USERS,
    ]
    words = "; ".join(f"{one.name}: {one.text}" for one in bars)
    return Picture(
        drawing=Bars("Downloads by SDK", bars, description=f"Downloads in {digest.period}. {words}."),
        lead=lead,
        more=f"and {counted(len(rest), 'more SDK')} with {folded:,} downloads" if rest else None,
        notes=tuple(filter(None, notes)),
    )


def _bar(one: DigestShare) -> Bar:
    name = "No SDK" if one.sdk is None else _SDKS.get(one.sdk, plain(one.sdk))
    return Bar(name, one.value, "" if one.share is None else f"{one.share:.1%}")


def _flags(digest: Digest, product: str | None) -> list[Flag]:
    """Return what is known of days of the period, what people say first; only of the product, if any."""
    notes = [
        Flag(one.day, f"{plain(one.title)} (says {plain(one.author)})")
        for one in digest.notes
        if product in {None, one.product}
    ]
    stated = [one for one in digest.happenings if one.kind in _MARKED and product in {None, one.product}]
    stated.sort(key=lambda one: (_MARKED.index(one.kind), one.day))
    return [*notes, *(Flag(one.day, named([plain(title) for title in one.titles])) for one in stated)]


def _drawn(
    digest: Digest,
    chart: DigestChart,
    title: str,
    *,
    notes: Sequence[str],
    earlier: Sequence[Line] = (),
    flags: Sequence[Flag] = (),
) -> Chart:
    periods = _periods(digest, chart)
    lines = [Line(plain(line.name), [Dot(value) for value in line.values]) for line in chart.lines]
    what = f"{chart.unit} {f'at the end of the {digest.grain}' if chart.is_level else f'per {digest.grain}'}"
    whole = sum(value is not None for value in chart.lines[0].values)
    complete = f" · {whole} of {counted(len(periods), digest.grain)} complete" if len(lines) == 1 else ""
    return with_description(
        Chart(
            title=title,
            subtitle=f"{what} · {periods[0].label} to {periods[-1].label}{complete}",
            periods=periods,
            lines=[*lines, *earlier],
            flags=[
                *(Flag(one.day, f"Counted in another way from here: {one.reason}") for one in chart.breaks),
                *flags,
            ],
            starts_at_zero=not chart.is_level,
            gap="not complete",
            notes=notes,
        )
    )


def _periods(digest: Digest, chart: DigestChart) -> list[Period]:
    return last_periods(period_of(digest.period_start, Grain(digest.grain)), len(chart.periods))


def _earlier(digest: Digest, line: DigestLine) -> Line:
    name = f"{_EARLIER[Grain(digest.grain)]} earlier"
    return Line(name, [Dot(value) for value in line.year_before], is_earlier=True)


def _about_sum(digest: Digest, chart: DigestChart, score: Score) -> list[str]:
    [line] = chart.lines
    names = {value.metric_id: plain(value.name) for value in digest.values}
    several = len(line.metric_ids) > 1
    notes = [f"Sum of {len(line.metric_ids):,} series." if several else ""]
    notes += [f"A {digest.grain} counts only if all of them are complete." if several else ""]
    if len(line.values) < PERIODS[Grain(digest.grain)]:
        all_of = "all of them are" if several else "it is"
        notes.append(f"The line begins with the first {digest.grain} in which {all_of} complete.")
    if line.values[-1] is None and score.lacking:
        missing = named([names.get(one, one) for one in score.lacking])
        notes.append(f"{digest.period} has no value here: {missing} {_is(score.lacking)} not complete.")
    if score.left_out:
        out = named([names.get(one, one) for one in score.left_out])
        notes.append(f"Without {out}, which failed for more than two weeks.")
    if line.year_before and None in line.year_before:
        notes.append(f"Grey has only {digest.grain}s that are complete and were counted in the same way.")
    text = " ".join(filter(None, notes))
    return [text] if text else []


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _value(score: Score, digest: Digest) -> str | None:
    if score.value is None:
        return None
    of = "" if score.is_complete or score.is_estimated else f", {score.complete} of {score.series} series"
    return f"{value_words(score, with_unit=True)} in {digest.period}{of}"


def _lead(score: Score, digest: Digest) -> str:
    """Return the changes of a value, or why there are none."""
    if score.series and not score.is_complete:
        return "Not complete, so no change is given"
    known = [(score.change, f"the {digest.grain} before"), (score.year_on_year, "a year before")]
    words = [f"{change_words(change)} from {base}" for change, base in known if change is not None]
    words += [] if score.level_break is None else [f"counted in another way since {score.level_break}"]
    text = "; ".join(words)
    return text[:1].upper() + text[1:]


def _gaps(digest: Digest) -> str:
    return f"A gap is a {digest.grain} that is not complete: nothing is estimated, no line crosses it."
