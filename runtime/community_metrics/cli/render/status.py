"""How `status` and `history` look on a terminal."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.model import Visibility
from community_metrics.periods import today
from community_metrics.text import counted, named, ranges_text
from community_metrics.views.deliveries import (
    delivery_sentence,
    never_sent_sentence,
    not_arrived,
    waiting_sentence,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from rich.console import RenderableType
    from rich.table import Table

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.series.disputes import Dispute
    from community_metrics.series.freshness import RunView
    from community_metrics.series.loss import Loss
    from community_metrics.views.deliveries import TargetStatus
    from community_metrics.views.runs import Freshness
    from community_metrics.views.status import PlaceStatus, Status

RUNS_SHOWN = 5
BEHIND_FIX = "run `community-metrics refresh`; if it finds no newer day, the registry is late"
LOSS_FIX = "run `community-metrics refresh` before that; if the metric fails again, correct its error first"
NEVER_READ = "; it was never read, and loses another day every day"
_STYLES = {"success": "green", "partial": "yellow", "failed": "red", "abandoned": "red", "running": "cyan"}


def stale_texts(fresh: Freshness) -> list[str]:
    """Return which sources are stale or were never fetched, a sentence each."""
    if len(fresh.never_fetched) == len(fresh.sources):
        return ["Nothing has been fetched from a registry yet; any value here comes from a file."]
    stale = [
        f"{source.source} is stale: its newest day is {source.newest_day}, "
        f"{counted((today(fresh.now) - source.newest_day).days, 'day')} ago."
        for source in fresh.stale
        if source.newest_day
    ]
    return [*stale, *(f"Nothing has been fetched from {source} yet." for source in fresh.never_fetched)]


def behind_texts(view: Status) -> list[str]:
    """Return one sentence for each registry without a recent day."""
    return [
        f"{source} has published no day after {day}, {counted(view.days_behind[source], 'day')} ago"
        for source, day in view.behind.items()
    ]


def loss_texts(losses: Iterable[Loss]) -> list[str]:
    """Return which day of which metrics is lost next and when, a sentence for each pair of days."""
    by_days: dict[tuple[date, date, bool], list[str]] = {}
    for loss in losses:
        key = (loss.unread_day, loss.lost_on, loss.last_read_on is None)
        by_days.setdefault(key, []).append(loss.metric_id)
    return [
        f"{named(metric_ids)}: {unread} is lost on {lost_on}{NEVER_READ if is_never_read else ''}"
        for (unread, lost_on, is_never_read), metric_ids in by_days.items()
    ]


def lost_texts(losses: Iterable[Loss]) -> list[str]:
    """Return which days are lost for good, a sentence for the metrics that lost the same days."""
    by_days: dict[tuple[date, ...], list[str]] = {}
    for loss in losses:
        if loss.lost_days:
            by_days.setdefault(loss.lost_days, []).append(loss.metric_id)
    return [
        f"{named(metric_ids)}: {counted(len(days), 'day')} lost for good: {ranges_text(days)}"
        for days, metric_ids in by_days.items()
    ]


def dispute_texts(disputes: Sequence[Dispute]) -> list[str]:
    """Return the disputed days of each metric with both values, a sentence each."""
    texts = []
    for metric_id, found in groupby(disputes, attrgetter("metric_id")):
        days = [f"{one.day} ({one.value:,}, {one.witness} counts {one.witness_value:,})" for one in found]
        texts.append(f"{metric_id} is disputed on {counted(len(days), 'day')}: {named(days)}")
    return texts


def render_status(view: Status, location: str, glyphs: Glyphs) -> RenderableType:
    """Return the status of the database at `location` as it is printed, with each target's last delivery."""
    parts: list[RenderableType] = [
        *style.sample_texts(glyphs, is_sample=view.freshness.is_sample),
        _headline(view, location, glyphs),
        _metrics_table(view, glyphs),
    ]
    if not view.freshness.is_stale:  # else the headline has them
        parts += [Text(f"{glyphs.warn} {text}", "yellow") for text in stale_texts(view.freshness)]
    parts += [Text(f"{glyphs.fail} {text}. Fix: {BEHIND_FIX}.", "red") for text in behind_texts(view)]
    parts += [
        Text(f"{glyphs.warn} {metric.metric_id} lacks {ranges_text(metric.missing_days)}", "yellow")
        for metric in view.metrics
        if metric.missing_days
    ]
    parts += [Text(f"{glyphs.fail} {failure.message}", "red") for failure in view.failures]
    parts += _failed_places(view.places, glyphs)
    parts += [Text(f"{glyphs.warn} {text}", "yellow") for text in dispute_texts(view.disputes)]
    parts += _losses(view, glyphs)
    parts += _deliveries(view.deliveries or (), view.freshness.now, glyphs)
    return Group(*parts, Text(), _runs_table(view.runs[:RUNS_SHOWN], glyphs))


def render_runs(runs: Sequence[RunView], glyphs: Glyphs) -> RenderableType:
    """Return runs as a table, newest first, with their errors below it."""
    errors = [_errors(view, glyphs) for view in runs if view.run.error_summary]
    return Group(_runs_table(runs, glyphs), *([Text(), *errors] if errors else []))


def _failed_places(places: Sequence[PlaceStatus], glyphs: Glyphs) -> list[RenderableType]:
    """Return one line for each cause, however many places failed for it."""
    by_cause: dict[str, list[str]] = {}
    for place in places:
        if place.last_error:
            by_cause.setdefault(place.last_error, []).append(place.place_id)
    return [Text(f"{glyphs.fail} {named(ids)}: {cause}", "red") for cause, ids in by_cause.items()]


def _deliveries(targets: Sequence[TargetStatus], now: datetime, glyphs: Glyphs) -> list[RenderableType]:
    lines = [(delivery_sentence(row), not_arrived(row)) for one in targets for row in one.rows]
    for one in targets:
        lines += [(waiting_sentence(one.target.id, due, now), due.is_overdue(now)) for due in one.waiting]
        lines += [(never_sent_sentence(one.target.id, period), True) for period in one.never_sent]
    parts: list[RenderableType] = [Text("\nDigests", "bold")] if lines else []
    for text, is_bad in lines:
        parts.append(Text(f"{glyphs.warn if is_bad else ' '} {text}", "yellow" if is_bad else "dim"))
    return parts


def _losses(view: Status, glyphs: Glyphs) -> list[RenderableType]:
    """Return what is lost next, the first loss first, then what is lost already."""
    parts: list[RenderableType] = [Text("\nWhat is lost next", "bold")] if view.losses else []
    urgent = view.urgent_losses
    parts += [Text(f"{glyphs.fail} {text}. Fix: {LOSS_FIX}.", "red") for text in loss_texts(urgent)]
    others = [loss for loss in view.losses if loss not in urgent]
    due = [loss for loss in others if loss.is_last_day(view.freshness.now)]
    parts += [Text(f"{glyphs.warn} {text}", "yellow") for text in loss_texts(due)]
    parts += [Text(f"  {text}", "dim") for text in loss_texts(loss for loss in others if loss not in due)]
    return parts + [Text(f"{glyphs.warn} {text}", "yellow") for text in lost_texts(view.losses)]


def _runs_table(runs: Sequence[RunView], glyphs: Glyphs) -> RenderableType:
    if not runs:
        return Text("No run is recorded yet. `community-metrics refresh` starts the first.", "yellow")
    table = style.plain_table()
    for name in ("started (UTC)", "job", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("duration", "new", "changed", "unchanged"):
        table.add_column(name, justify="right", no_wrap=True)
    for view in runs:
        run = view.run
        table.add_row(
            f"{run.started_at:%Y-%m-%d %H:%M}",
            run.job_name,
            Text(view.state, _STYLES[view.state]),
            style.duration(run.finished_at - run.started_at) if run.finished_at else glyphs.none,
            style.number(run.rows_inserted),
            style.number(run.rows_updated),
            style.number(run.rows_unchanged),
        )
    return table


def _errors(view: RunView, glyphs: Glyphs) -> Text:
    causes = [failure.message for failure in view.failures] or [view.run.error_summary or ""]
    lines = "\n  ".join(causes)
    return Text(f"{glyphs.warn} {view.run.started_at:%Y-%m-%d %H:%M} {lines}", _STYLES[view.state])


def _headline(view: Status, location: str, glyphs: Glyphs) -> Text:
    text = Text(f"{location}\n", "dim")
    fresh = view.freshness
    last = "No refresh has collected every metric without an error yet"
    if fresh.last_success_at is not None and fresh.age is not None:
        last = f"Last refresh without an error {style.age(fresh.age)} ago"
        last += f", {fresh.last_success_at:%Y-%m-%d %H:%M} UTC"
    if fresh.is_stale:
        stale = " ".join(stale_texts(fresh))
        fix = "Fix: run `community-metrics refresh`."
        return text.append(f"{glyphs.fail} Stale. {stale} {last}. {fix}\n", "bold red")
    if view.behind:
        return text.append(f"{glyphs.warn} Behind. {last}, but days are missing at the end.\n", "bold yellow")
    return text.append(f"{glyphs.ok} Fresh. {last}.\n", "bold green")


_DAY_WIDTH: Final = len("2026-11-22")
_AGE_WIDTH: Final = len("59 min ago")


def _metrics_table(view: Status, glyphs: Glyphs) -> Table:
    table = style.plain_table()
    table.add_column("metric", no_wrap=True, overflow="ellipsis")
    # least widths, or a narrow terminal would cut every column where only the ids are too long
    for name in ("newest day", "published through"):
        table.add_column(name, no_wrap=True, min_width=max(len(name), _DAY_WIDTH))
    table.add_column("missing", justify="right", no_wrap=True, min_width=len("missing"))
    table.add_column("read", justify="right", no_wrap=True, min_width=_AGE_WIDTH)
    has_team = any(metric.visibility is Visibility.TEAM for metric in view.metrics)
    if has_team:
        table.add_column("visibility", no_wrap=True)
    for metric in view.metrics:
        missing = len(metric.missing_days)
        table.add_row(
            metric.metric_id,
            str(metric.newest_day or glyphs.none),
            str(metric.published_through or glyphs.none),
            Text(f"{missing} d" if missing else glyphs.none, "yellow" if missing else "dim"),
            f"{style.duration(view.freshness.now - metric.observed_at)} ago"
            if metric.observed_at
            else glyphs.none,
            *([style.team_mark(metric.visibility)] if has_team else []),
        )
    return table
