"""`community-metrics status` and `history`: how fresh and whole the data are, how runs ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from community_metrics.cli.render import style
from community_metrics.periods import ONE_DAY, lookback_start, today
from community_metrics.series.failures import grouped_failures
from community_metrics.series.freshness import GAP_WEEKS, behind, freshness, is_stale
from community_metrics.views.outcomes import newest_errors, run_views
from community_metrics.views.runs import newest_success
from community_metrics.views.stored import load_holdings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date, datetime

    from rich.console import RenderableType

    from community_metrics.catalog import Catalog
    from community_metrics.cli.render.style import Signs
    from community_metrics.model import Run
    from community_metrics.series.failures import Failure
    from community_metrics.series.freshness import MetricFreshness, RunView
    from community_metrics.storage import LanceDBReader

RUNS_READ = 100
RUNS_SHOWN = 5
RANGES_SHOWN = 3
BEHIND_MEND = "Run `community-metrics refresh`; where that brings no newer day, the registry itself is late"
_STYLES = {"success": "green", "partial": "yellow", "failed": "red", "abandoned": "red", "running": "cyan"}


@dataclass(frozen=True, slots=True)
class StatusView:
    """Everything that the status says; `runs` newest first."""

    now: datetime
    location: str
    success: Run | None
    metrics: tuple[MetricFreshness, ...]
    runs: tuple[RunView, ...]
    failures: tuple[Failure, ...] = ()


async def load_status(reader: LanceDBReader, catalog: Catalog, *, location: str, now: datetime) -> StatusView:
    """Read how fresh the shown metrics of `catalog` are."""
    holdings = await load_holdings(reader, catalog.shown, lookback_start(now, GAP_WEEKS))
    runs = await reader.runs(limit=RUNS_READ)
    stored = [holding.stored_days for holding in holdings]
    errors = await newest_errors(reader, runs, [metric.metric_id for metric in catalog.shown])
    return StatusView(
        now=now,
        location=location,
        success=await newest_success(reader),
        metrics=tuple(
            freshness(stored, now, {name: outcome.message or "" for name, outcome in errors.items()})
        ),
        failures=tuple(grouped_failures(errors.values())),
        runs=tuple(await run_views(reader, runs[:RUNS_SHOWN], now)),
    )


def day_ranges(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each run of adjoining days; `days` come in order."""
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
    said = [str(a) if a == b else f"{a} to {b}" for a, b in ranges[:shown]]
    rest = len(ranges) - shown
    return ", ".join(said) + (f" and {style.counted(rest, 'more gap')}" if rest > 0 else "")


def behind_texts(view: StatusView) -> list[str]:
    """Return one sentence for each registry of which no recent day is stored."""
    return [
        f"{source} gave no day after {day}, which is {style.counted((today(view.now) - day).days, 'day')} ago"
        for source, day in behind(view.metrics, view.now).items()
    ]


def render_status(view: StatusView, signs: Signs) -> RenderableType:
    """Return the status as it is printed."""
    parts: list[RenderableType] = [_headline(view, signs), _metrics_table(view, signs)]
    parts += [Text(f"{signs.fail} {said}. {BEHIND_MEND}.", "red") for said in behind_texts(view)]
    parts += [
        Text(f"{signs.warn} {metric.metric_id} lacks {ranges_text(metric.missing_days)}", "yellow")
        for metric in view.metrics
        if metric.missing_days
    ]
    parts += [Text(f"{signs.fail} {failure.message}", "red") for failure in view.failures]
    return Group(*parts, Text(), _runs_table(view.runs, signs))


def render_runs(runs: Sequence[RunView], signs: Signs) -> RenderableType:
    """Return runs as a table, newest first, and under it what failed, one line for each cause."""
    failed = [
        Text(
            f"{signs.warn} {view.run.started_at:%Y-%m-%d %H:%M} {view.run.error_summary}".replace(
                "\n", "\n  "
            ),
            _STYLES[view.state],
        )
        for view in runs
        if view.run.error_summary
    ]
    return Group(_runs_table(runs, signs), *([Text(), *failed] if failed else []))


def _runs_table(runs: Sequence[RunView], signs: Signs) -> RenderableType:
    if not runs:
        return Text("No run is recorded yet. `community-metrics refresh` makes the first.", "yellow")
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


def _headline(view: StatusView, signs: Signs) -> Text:
    text = Text(f"{view.location}\n", "dim")
    if view.success is None:
        text.append(f"{signs.warn} No refresh has got everything yet.\n", "bold yellow")
        return text
    ended = view.success.finished_at or view.success.started_at
    said = f"Last successful refresh {style.age(view.now - ended)} ago, {ended:%Y-%m-%d %H:%M} UTC"
    if is_stale(view.success, view.now):
        text.append(f"{signs.fail} Stale. {said}. Run `community-metrics refresh`.\n", "bold red")
    elif behind(view.metrics, view.now):
        text.append(f"{signs.warn} Behind. {said}, but days are missing at the end.\n", "bold yellow")
    else:
        text.append(f"{signs.ok} Fresh. {said}.\n", "bold green")
    return text


def _metrics_table(view: StatusView, signs: Signs) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("metric", no_wrap=True, overflow="ellipsis")
    for name in ("newest day", "settled"):
        table.add_column(name, no_wrap=True)
    table.add_column("missing", justify="right", no_wrap=True)
    table.add_column("read", justify="right", no_wrap=True)
    for metric in view.metrics:
        missing = len(metric.missing_days)
        table.add_row(
            metric.metric_id,
            str(metric.newest_day or signs.none),
            str(metric.settled_through or signs.none),
            Text(f"{missing} d" if missing else signs.none, "yellow" if missing else "dim"),
            f"{style.duration(view.now - metric.observed_at)} ago" if metric.observed_at else signs.none,
        )
    return table


def status_json(view: StatusView) -> dict[str, Any]:
    """Return the status as plain values; the shape is stable and described in `docs/cli.md`."""
    ended = view.success and (view.success.finished_at or view.success.started_at)
    return {
        "generated_at": view.now.isoformat(),
        "storage": view.location,
        "last_success": ended.isoformat() if ended else None,
        "stale": is_stale(view.success, view.now),
        "metrics": [
            {
                "metric_id": metric.metric_id,
                "source": metric.source,
                "newest_day": metric.newest_day.isoformat() if metric.newest_day else None,
                "settled_through": metric.settled_through.isoformat() if metric.settled_through else None,
                "missing_days": [day.isoformat() for day in metric.missing_days],
                "observed_at": metric.observed_at.isoformat() if metric.observed_at else None,
                "last_error": metric.last_error,
            }
            for metric in view.metrics
        ],
        "runs": [run_json(run) for run in view.runs],
    }


def run_json(view: RunView) -> dict[str, Any]:
    """Return one run as plain values."""
    run = view.run
    return {
        "ingestion_run_id": run.ingestion_run_id,
        "job_name": run.job_name,
        "status": view.state,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "rows_inserted": run.rows_inserted,
        "rows_updated": run.rows_updated,
        "rows_unchanged": run.rows_unchanged,
        "window_start": run.window_start.isoformat() if run.window_start else None,
        "window_end": run.window_end.isoformat() if run.window_end else None,
        "error_summary": run.error_summary,
        "failures": [{**asdict(failure), "message": failure.message} for failure in view.failures],
        "scope": run.scope,
    }
