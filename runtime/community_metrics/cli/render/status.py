"""How `status` and `history` look on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.periods import ONE_DAY, today
from community_metrics.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from rich.console import RenderableType
    from rich.table import Table

    from community_metrics.cli.render.style import Glyphs
    from community_metrics.series.freshness import RunView
    from community_metrics.views.runs import Freshness
    from community_metrics.views.status import Status

RUNS_SHOWN = 5
RANGES_SHOWN = 3
NAMES_SHOWN = 3
BEHIND_FIX = "run `community-metrics refresh`; if it finds no newer day, the registry is late"
_STYLES = {"success": "green", "partial": "yellow", "failed": "red", "abandoned": "red", "running": "cyan"}


def ranges_text(days: Sequence[date], shown: int = RANGES_SHOWN) -> str:
    """Return days, which are in order, as text: `2026-11-03, 2026-11-07 to 2026-11-09 and 2 more gaps`."""
    ranges: list[tuple[date, date]] = []
    for day in days:
        adjoins = bool(ranges) and day == ranges[-1][1] + ONE_DAY
        ranges.append((ranges.pop()[0] if adjoins else day, day))
    texts = [str(first) if first == last else f"{first} to {last}" for first, last in ranges[:shown]]
    rest = len(ranges) - shown
    return ", ".join(texts) + (f" and {counted(rest, 'more gap')}" if rest > 0 else "")


def named(names: Sequence[str], shown: int = NAMES_SHOWN) -> str:
    """Return names as text: `a, b, c and 2 more`."""
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def stale_texts(fresh: Freshness) -> list[str]:
    """Return which sources are stale or were never fetched, a sentence each."""
    if len(fresh.never_fetched) == len(fresh.sources):
        return ["Nothing has been fetched yet; what is here comes from files."]
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


def render_status(view: Status, location: str, glyphs: Glyphs) -> RenderableType:
    """Return the status of the database at `location` as it is printed."""
    parts: list[RenderableType] = [_headline(view, location, glyphs), _metrics_table(view, glyphs)]
    if not view.freshness.is_stale:  # else the headline has them
        parts += [Text(f"{glyphs.warn} {text}", "yellow") for text in stale_texts(view.freshness)]
    parts += [Text(f"{glyphs.fail} {text}. Fix: {BEHIND_FIX}.", "red") for text in behind_texts(view)]
    parts += [
        Text(f"{glyphs.warn} {metric.metric_id} lacks {ranges_text(metric.missing_days)}", "yellow")
        for metric in view.metrics
        if metric.missing_days
    ]
    parts += [Text(f"{glyphs.fail} {failure.message}", "red") for failure in view.failures]
    return Group(*parts, Text(), _runs_table(view.runs[:RUNS_SHOWN], glyphs))


def render_runs(runs: Sequence[RunView], glyphs: Glyphs) -> RenderableType:
    """Return runs as a table, newest first, with their errors below it."""
    errors = [_errors(view, glyphs) for view in runs if view.run.error_summary]
    return Group(_runs_table(runs, glyphs), *([Text(), *errors] if errors else []))


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


def _metrics_table(view: Status, glyphs: Glyphs) -> Table:
    table = style.plain_table()
    table.add_column("metric", no_wrap=True, overflow="ellipsis")
    for name in ("newest day", "published through"):
        table.add_column(name, no_wrap=True)
    table.add_column("missing", justify="right", no_wrap=True)
    table.add_column("read", justify="right", no_wrap=True)
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
        )
    return table
