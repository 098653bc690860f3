"""Which rows of another tool's file are values of a metric."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from community_metrics.errors import SeedFileError
from community_metrics.model import SEED_SOURCE, SourceWindow
from community_metrics.seed.formats import Row
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from community_metrics.catalog import Catalog, Metric
    from community_metrics.seed.formats import Format

_FEW_DAYS = 3
_FIT = {
    "pypistats": ({"pypistats", SEED_SOURCE}, SourceWindow.DAY),
    "npm": ({"npm", SEED_SOURCE}, SourceWindow.DAY),
    "star-history": ({SEED_SOURCE}, SourceWindow.INSTANT),
}
"""The sources and the window of the metrics that a format has values of."""
_OLDEST = datetime(1, 1, 1, tzinfo=UTC)


def selected(
    chosen: Format, text: str, catalog: Catalog, metric: Metric | None, subject: str | None
) -> tuple[list[Row], list[str]]:
    """Return the rows that are values of the metric, with its id as their subject, and notes on the others.

    `subject` is the name in the file of the metric's package or repository, if it is another.

    Raises:
        SeedFileError: a row has a fault, or the file counts something else than the metric.
    """
    read = list(chosen.rows(text))
    if faults := [item for item in read if isinstance(item, str)]:
        raise SeedFileError("", faults)
    rows = [item for item in read if isinstance(item, Row)]
    if metric is not None and not metric.is_active:
        raise _refused(f"{metric.metric_id} is not active. Fix: set `active = true` in {catalog.path}")
    if chosen.name == "export":
        return _of_catalog(rows, metric, catalog)
    if metric is None:
        raise _refused(f"{chosen.title} does not name a metric of the catalogue. Fix: add --metric ID")
    _require_fit(chosen, metric)
    select = {"pypistats": _of_category, "npm": _of_package, "star-history": _of_repository}[chosen.name]
    own, notes = select(rows, metric, subject)
    if metric.window is SourceWindow.DAY:
        _require_daily(own)
    return [replace(row, subject=metric.metric_id) for row in own], notes


def _refused(fault: str) -> SeedFileError:
    return SeedFileError("", [fault])


def _require_fit(chosen: Format, metric: Metric) -> None:
    sources, window = _FIT[chosen.name]
    if metric.source in sources and metric.window is window:
        return
    what = f"{metric.metric_id} holds values of {metric.source} that cover {metric.window.value}"
    if chosen.name == "star-history":
        raise _refused(
            f"{what}, but a star-history file has samples: how many of the stars that still exist had been "
            'given by an instant. Fix: import it into a metric with source = "seed" and window = "instant", '
            f"such as stars_sampled:{metric.product}:github, and make that a fallback of {metric.metric_id}"
        )
    needed = " or ".join(sorted(sources))
    raise _refused(
        f"{what}. Fix: choose a metric whose source is {needed} and whose window is {window.value}"
    )


def _of_category(rows: Sequence[Row], metric: Metric, _subject: str | None) -> tuple[list[Row], list[str]]:
    """Return the rows with or without mirrors, as the metric counts."""
    found = Counter(row.subject for row in rows)
    wanted, other = "without_mirrors", "with_mirrors"
    if metric.options.get("mirrors", False):
        wanted, other = other, wanted
    if breakdown := sorted(found.keys() - {wanted, other}):
        named = ", ".join(breakdown[:3])
        raise _refused(f"it divides the downloads into {named}, …; a metric holds all. Fix: export `overall`")
    if not found[wanted]:
        mine, theirs = wanted.replace("_", " "), other.replace("_", " ")
        option = "true" if other == "with_mirrors" else "false"
        raise _refused(
            f"it has only values {theirs}, and {metric.metric_id} counts {mine}. Fix: import it into another "
            f"metric, with options = {{ mirrors = {option} }}, or export the values {mine}"
        )
    note = f"{counted(found[other], 'value')} {other.replace('_', ' ')} left out: that is another series."
    return [row for row in rows if row.subject == wanted], [note] if found[other] else []


def _of_package(rows: Sequence[Row], metric: Metric, subject: str | None) -> tuple[list[Row], list[str]]:
    """Return the rows of the package without its zeros: a file does not show what they mean."""
    own = _of_subject(rows, subject or metric.subject, spelling=str)
    stated = [row for row in own if row.value > 0]
    note = (
        f"{counted(len(own) - len(stated), 'day')} with 0 left out: npm also writes 0 for a day that it "
        "has lost or not yet published."
    )
    return stated, [note] if len(stated) < len(own) else []


def _of_repository(rows: Sequence[Row], metric: Metric, subject: str | None) -> tuple[list[Row], list[str]]:
    """Return the last sample of each day."""
    own = _of_subject(rows, subject or metric.subject, spelling=str.casefold)
    last = {row.end: row for row in sorted(own, key=lambda row: row.seen_at or _OLDEST)}
    note = f"{counted(len(own) - len(last), 'sample')} left out: a later one of the same day is stored."
    return list(last.values()), [note] if len(last) < len(own) else []


def _of_subject(rows: Sequence[Row], wanted: str, *, spelling: Callable[[str], str]) -> list[Row]:
    own = [row for row in rows if spelling(row.subject) == spelling(wanted)]
    if not own:
        named = ", ".join(sorted({row.subject for row in rows})[:5]) or "nothing"
        raise _refused(
            f"it has values of {named}, not of {wanted}, the subject of the metric. Fix: choose the metric "
            "of that subject, or if both are one thing, add --subject with the name in the file"
        )
    return own


def _of_catalog(rows: Sequence[Row], metric: Metric | None, catalog: Catalog) -> tuple[list[Row], list[str]]:
    """Return the rows of an export, of one metric or of all that the catalogue has."""
    active = {each.metric_id: each for each in catalog.active}
    own = [row for row in rows if metric is None or row.subject == metric.metric_id]
    known = [row for row in own if row.subject in active]
    unknown = sorted({row.subject for row in own} - active.keys())
    if not known:
        named = metric.metric_id if metric else f"an active metric of {catalog.path}"
        raise _refused(f"it has no value of {named}")
    if faults := list(_window_faults(known, active)):
        raise SeedFileError("", faults)
    note = f"The values of metrics that the catalogue does not have were left out: {', '.join(unknown)}."
    return known, [note] if unknown else []


def _window_faults(rows: Sequence[Row], metrics: Mapping[str, Metric]) -> Iterator[str]:
    """Yield a fault for each metric whose values in the file cover other periods than in the catalogue."""
    seen = set()
    for row in rows:
        window = metrics[row.subject].window
        fits = window.spans(row.start, row.end) and row.window in {None, window.value}
        if not fits and row.subject not in seen:
            seen.add(row.subject)
            yield (
                f"line {row.place.lstrip(':')}: the value of {row.subject} covers {row.start} to {row.end}; "
                f"every value of this metric covers {window.value}. What its days were is not known from a "
                "longer period, and is not invented. Fix: load the export of the days, "
                f"/series/{row.subject}?format=csv&grain=day or /export/stats.csv"
            )


def _require_daily(rows: Sequence[Row]) -> None:
    days = sorted({row.end for row in rows})
    steps = [(later - day).days for day, later in pairwise(days)]
    if len(days) >= _FEW_DAYS and min(steps) > 1:
        fault = f"its values are at least {min(steps)} days apart, so they do not count single days"
        raise _refused(f"{fault}. Fix: export it by the day")
