"""`community-metrics status` and `history`: how fresh and whole the data are, how runs ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.periods import ONE_DAY, today

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from rich.console import RenderableType

    from community_metrics.cli.render.style import Signs
    from community_metrics.series.freshness import RunView
    from community_metrics.views.status import Status

RUNS_SHOWN = 5
RANGES_SHOWN = 3
BEHIND_FIX = "Run `community-metrics refresh`; if that finds no newer day, the registry itself is late"
_STYLES = {"success": "green", "partial": "yellow", "failed": "red", "abandoned": "red", "running": "cyan"}


def day_ranges(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each stretch of adjoining days; `days` are in order."""
    first = last = None
    for day in days:
        if last is not None and first is not None and day != last + ONE_DAY:
            yield first, last
            first = day
        first, last = first or day, day
    if first is not None and last is not None:
        yield first, last


def ranges_text(days: Sequence[date], shown: int = RANGES_SHOWN) -> str:
    """Return days as text: `2026-11-03, 2026-11-07 to 2026-11-09 and 2 more gaps`."""
    ranges = list(day_ranges(days))
    texts = [str(a) if a == b else f"{a} to {b}" for a, b in ranges[:shown]]
    rest = len(ranges) - shown
    return ", ".join(texts) + (f" and {style.counted(rest, 'more gap')}" if rest > 0 else "")


def behind_texts(view: Status) -> list[str]:
    """Return one sentence for each registry of which no recent day is stored."""
    now = today(view.freshness.now)
    return [
        f"{source} has published no day after {day}, {style.counted((now - day).days, 'day')} ago"
        for source, day in view.behind.items()
    ]


def render_status(view: Status, location: str, signs: Signs) -> RenderableType:
    """Return the status of the database at `location` as it is printed."""
    parts: list[RenderableType] = [_headline(view, location, signs), _metrics_table(view, signs)]
    parts += [Text(f"{signs.fail} {text}. Fix: {BEHIND_FIX}.", "red") for text in behind_texts(view)]
    parts += [
        Text(f"{signs.warn} {metric.metric_id} lacks {ranges_text(metric.missing_days)}", "yellow")
        for metric in view.metrics
        if metric.missing_days
    ]
    parts += [Text(f"{signs.fail} {failure.message}", "red") for failure in view.failures]
    return Group(*parts, Text(), _runs_table(view.runs[:RUNS_SHOWN], signs))


def render_runs(runs: Sequence[RunView], signs: Signs) -> RenderableType:
    """Return runs as a table, newest first, with their errors below it."""
    errors = [_error(view, signs) for view in runs if view.run.error_summary]
    return Group(_runs_table(runs, signs), *([Text(), *errors] if errors else []))


def _runs_table(runs: Sequence[RunView], signs: Signs) -> RenderableType:
    if not runs:
        return Text("No run is recorded yet. `community-metrics refresh` starts the first.", "yellow")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("started (UTC)", "job", "ended as"):
        table.add_column(name, no_wrap=True)
    for name in ("took", "new", "changed", "equal"):
        table.add_column(name, justify="right", no_wrap=True)
    for view in runs:
        run = view.run
        table.add_row(
            f"{run.started_at:%Y-%m-%d %H:%M}",
            run.job_name,
            Text(view.state, _STYLES[view.state]),
            style.duration(run.finished_at - run.started_at) if run.finished_at else signs.none,
            style.number(run.rows_inserted),
            style.number(run.rows_updated),
            style.number(run.rows_unchanged),
        )
    return table


def _error(view: RunView, signs: Signs) -> Text:
    causes = (view.run.error_summary or "").replace("\n", "\n  ")
    return Text(f"{signs.warn} {view.run.started_at:%Y-%m-%d %H:%M} {causes}", _STYLES[view.state])


def _headline(view: Status, location: str, signs: Signs) -> Text:
    text = Text(f"{location}\n", "dim")
    fresh = view.freshness
    if fresh.last_success_at is None or fresh.age is None:
        return text.append(f"{signs.warn} No refresh has collected every metric yet.\n", "bold yellow")
    last = f"Last successful refresh {style.age(fresh.age)} ago, {fresh.last_success_at:%Y-%m-%d %H:%M} UTC"
    if fresh.is_stale:
        return text.append(f"{signs.fail} Stale. {last}. Fix: run `community-metrics refresh`.\n", "bold red")
    if view.behind:
        return text.append(f"{signs.warn} Behind. {last}, but days are missing at the end.\n", "bold yellow")
    return text.append(f"{signs.ok} Fresh. {last}.\n", "bold green")


def _metrics_table(view: Status, signs: Signs) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("metric", no_wrap=True, overflow="ellipsis")
    for name in ("newest day", "published"):
        table.add_column(name, no_wrap=True)
    table.add_column("missing", justify="right", no_wrap=True)
    table.add_column("read", justify="right", no_wrap=True)
    for metric in view.metrics:
        missing = len(metric.missing_days)
        table.add_row(
            metric.metric_id,
            str(metric.newest_day or signs.none),
            str(metric.published_through or signs.none),
            Text(f"{missing} d" if missing else signs.none, "yellow" if missing else "dim"),
            f"{style.duration(view.freshness.now - metric.observed_at)} ago"
            if metric.observed_at
            else signs.none,
        )
    return table
