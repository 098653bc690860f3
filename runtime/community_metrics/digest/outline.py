"""A digest as the parts that every format shows: a table, sections of lines, and what is folded away."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from community_metrics.model import Direction, EventKind
from community_metrics.periods import Grain
from community_metrics.text import counted, named, one_line, signed, without_controls

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from community_metrics.model.digest_content import (
        Digest,
        DigestNote,
        Finding,
        GoalLine,
        Happening,
        Score,
        ScoreChange,
        ScoreStars,
        SinceLast,
    )

NONE: Final = "-"
"""A value or a change that is not known."""
NOT_USERS: Final = "Downloads are not users: build and test machines download too."
_HAPPENED, _SAID = "What happened", "What people say, with their names"
_RESTATED, _NOT_KNOWN = "Restated", "Not known"
SHARED: Final = {(_HAPPENED, _SAID), (_RESTATED, _NOT_KNOWN)}
"""Headings of sections that may be on one slide."""
_OF_KIND: Final = 2
_TITLES: Final = 2
_KINDS: Final = {
    EventKind.RELEASE: "release",
    EventKind.PRE_RELEASE: "preview",
    EventKind.POST: "post",
    EventKind.MENTION: "mention",
    EventKind.OUTAGE: "registry",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence, the address that it rests on, and the rule that it follows; None where there is none."""

    text: str
    url: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A product: every cell as text, `NONE` where nothing is known; `note` says what is not complete.

    `change_direction` and `year_direction` say which way a change goes; None for one of 0, or without one.
    """

    name: str
    value: str
    change: str
    year: str
    stars: str
    note: str
    url: str | None
    change_direction: Direction | None = None
    year_direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its lines; `more` says what is not listed."""

    heading: str
    lines: tuple[Line, ...]
    more: str | None = None


@dataclass(frozen=True, slots=True)
class Outline:
    """A digest in parts. `notice` says that the numbers are invented; `more` counts folded products."""

    first_line: str
    notice: str | None
    headline: str | None
    previous: str
    rows: tuple[Row, ...]
    total: Row | None
    more: str | None
    sections: tuple[Section, ...]
    footer: tuple[Line, ...]


def outline_of(digest: Digest, *, products: int, lines: int) -> Outline:
    """Return the parts of a digest with at most so many products, and lines in each section."""
    scores = digest.scores if digest.is_over else ()
    has_total = digest.total is not None and len(scores) > 1
    return Outline(
        first_line=plain(digest.first_line),
        notice="Sample data: every number is invented." if digest.is_sample else None,
        headline=None if digest.headline is None else plain(digest.headline),
        previous=f"vs {digest.grain} before",
        rows=tuple(_row(score, digest) for score in scores[:products]),
        total=_row(digest.total, digest) if digest.total is not None and has_total else None,
        more=_folded(scores[products:]),
        sections=tuple(section for section in _sections(digest, lines) if section.lines or section.more),
        footer=_footer(digest),
    )


def plain(text: str) -> str:
    """Return text that a terminal, a mail and a page can show in one line, wherever it comes from."""
    return one_line(without_controls(text))


def value_words(score: Score, *, with_unit: bool = False) -> str:
    """Return the value of a product: an estimate says so, and what is no download has its unit."""
    if score.value is None:
        return NONE
    has_unit = score.unit is not None and (with_unit or score.unit != "downloads")
    about = "about " if score.is_estimated else ""
    return f"{about}{score.value:,}{f' {score.unit}' if has_unit else ''}"


def _row(score: Score, digest: Digest) -> Row:
    return Row(
        name=plain(score.name),
        value=value_words(score),
        change=change_words(score.change),
        year=change_words(score.year_on_year),
        stars=NONE if score.stars is None else stars_words(score.stars),
        note=note_of(score),
        url=_url(digest.page_url, score.page),
        change_direction=_direction(score.change),
        year_direction=_direction(score.year_on_year),
    )


def _direction(change: ScoreChange | None) -> Direction | None:
    if change is None or change.absolute == 0:
        return None
    return Direction.UP if change.absolute > 0 else Direction.DOWN


def change_words(change: ScoreChange | None) -> str:
    """Return a change, in its unit and as a fraction."""
    return NONE if change is None else f"{signed(change.absolute)} ({signed(change.fraction, '.1%')})"


def stars_words(stars: ScoreStars) -> str:
    """Return stars with their change, and how many repositories were read where it was not all."""
    change = "" if stars.change is None else f" ({signed(stars.change.absolute)})"
    of = "" if stars.included == stars.repositories else f" of {stars.included}/{stars.repositories}"
    return f"{stars.value:,}{change}{of}"


def note_of(score: Score) -> str:
    """Return what is not complete about a value; empty where all of it is."""
    notes = []
    if score.series and not score.is_complete:
        notes.append(f"{score.complete} of {score.series} series")
    if score.is_estimated:
        notes.append("estimate")
    if score.level_break is not None:
        notes.append(f"counted anew since {score.level_break}")
    return ", ".join(notes)


def _folded(scores: Sequence[Score]) -> str | None:
    if not scores:
        return None
    incomplete = sum(1 for score in scores if score.series and not score.is_complete)
    text = f"and {counted(len(scores), 'more product')}"
    return f"{text}; {incomplete} of them not complete" if incomplete else text


def _sections(digest: Digest, lines: int) -> list[Section]:
    return [
        _found(digest, lines),
        _happened(digest, lines),
        _said(digest, lines),
        _limited("Goals", [_ruled(digest, one) for one in digest.goals], lines),
        _restated(digest, lines),
        _limited(
            _NOT_KNOWN,
            [Line(plain(one.text), _api(digest, one.link)) for one in digest.unknown],
            lines,
        ),
    ]


def _limited(heading: str, lines: Sequence[Line], most: int, noun: str = "more") -> Section:
    rest = len(lines) - most
    return Section(heading, tuple(lines[:most]), f"and {rest:,} {noun}" if rest > 0 else None)


def _found(digest: Digest, most: int) -> Section:
    shown = _chosen(digest.findings, most)
    rest = len(digest.findings) - len(shown)
    lines = tuple(_ruled(digest, one) for one in shown)
    return Section("What changed", lines, f"and {rest:,} more" if rest else None)


def _ruled(digest: Digest, one: Finding | GoalLine) -> Line:
    return Line(plain(one.sentence), _api(digest, one.link), one.rule)


def _chosen(found: Sequence[Finding], most: int) -> list[Finding]:
    """Return the first of each kind, then what there is room for: no kind hides others.

    They are in the order of the kinds, of one kind what is about downloads first.
    """
    kinds = list(dict.fromkeys(finding.kind for finding in found))
    findings = sorted(found, key=lambda one: (kinds.index(one.kind), one.unit != "downloads"))
    counts: Counter[str] = Counter()
    first: list[int] = []
    rest: list[int] = []
    for at, finding in enumerate(findings):
        counts[finding.kind] += 1
        (first if counts[finding.kind] <= _OF_KIND else rest).append(at)
    return [findings[at] for at in sorted([*first, *rest][:most])]


def _happened(digest: Digest, most: int) -> Section:
    heading = _HAPPENED
    if digest.has_more_events:
        return Section(heading, (), "More events than a digest lists; the API has them by day.")
    shown = [one for one in digest.happenings if one.kind is not EventKind.PRE_RELEASE]
    previews = len(digest.happenings) - len(shown)
    section = _limited(heading, [_event_line(one) for one in shown], most)
    texts = [section.more] if section.more else []
    texts += [f"{'and ' if not texts else ''}{counted(previews, 'day')} with previews"] if previews else []
    return Section(heading, section.lines, ", ".join(texts) or None)


def _event_line(one: Happening) -> Line:
    titles = named([plain(title) for title in one.titles], _TITLES)
    about = f"{plain(one.product_name)}, " if one.product_name else ""
    return Line(f"{one.day}  {about}{_KINDS[one.kind]}: {titles}", one.url)


def _said(digest: Digest, most: int) -> Section:
    return _limited(_SAID, [_note_line(one) for one in digest.notes], most)


def _note_line(one: DigestNote) -> Line:
    about = f" ({plain(one.product_name)})" if one.product_name else ""
    return Line(f"{one.day}  {plain(one.author)}: {plain(one.title)}{about}", one.url)


def _restated(digest: Digest, most: int) -> Section:
    since = digest.since_last
    corrected = [] if since is None else list(_since_lines(since, digest))
    restated = [_ruled(digest, one) for one in digest.restated]
    section = _limited(_RESTATED, [*corrected, *restated], most)
    if since is None or (corrected and not since.unchecked):
        return section
    count = counted(since.unchecked, "value")
    unchecked = f"{count} of the digest of {since.period} can no longer be compared"
    kept = f"Nothing that the digest of {since.period} said has changed."
    if since.unchecked:
        kept = f"{unchecked}." if corrected else f"{unchecked}; no other has changed."
    return Section(section.heading, (Line(kept), *section.lines), section.more)


def _since_lines(since: SinceLast, digest: Digest) -> Iterable[Line]:
    for one in since.corrections:
        yield Line(plain(one.sentence), _api(digest, one.link))
    if since.rules:
        yield Line(f"Rules that changed since the digest of {since.period}: {named(since.rules)}.")


def _footer(digest: Digest) -> tuple[Line, ...]:
    page, numbers = _url(digest.page_url, digest.page), _api(digest, digest.link)
    is_mean = digest.grain != Grain.WEEK.value and digest.is_over
    return (
        *((Line(f"{digest.grain.title()}s are compared by their daily mean."),) if is_mean else ()),
        *((Line("The page", page),) if page else ()),
        Line("The numbers", numbers) if numbers else Line(f"The numbers: GET {digest.link}"),
        Line(f"{NOT_USERS} Digest {digest.digest_id}, read at {digest.made_at:%Y-%m-%d %H:%M} UTC."),
    )


def _api(digest: Digest, link: str) -> str | None:
    return _url(digest.api_url, link)


def _url(origin: str | None, path: str) -> str | None:
    return None if origin is None else f"{origin.rstrip('/')}{path}"
