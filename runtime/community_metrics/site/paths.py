"""What is frozen: the paths that the page asks for, and the files for everybody else.

`frontend/src/api/paths.ts` has the page's paths, and `frontend/src/api/frozen.ts` their frozen forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from community_metrics.errors import SiteError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from community_metrics.api.schemas.points import Definition

START: Final = (
    "/dashboard/weekly?weeks=1",
    "/definitions",
    "/status",
    "/restatements?limit=50",
    "/outages?format=json",
    "/compare/parts",
)
"""Paths of the page that every site has."""
MOST_POINTS: Final = {"daily": 3_660, "weekly": 520, "monthly": 120}
"""The most periods that the API gives of one series, by the route of the dashboard."""
_PERIODS: Final = {"daily": ("days", 1), "weekly": ("weeks", 7), "monthly": ("months", 28)}


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A file that is not the page's: where it is in the site, and the path that it answers."""

    name: str
    path: str
    title: str


def overview_paths(week: str) -> tuple[str, str]:
    """Return the paths of the first screen of a week, and of what changed in it."""
    return f"/overview?week={week}", f"/insights?week={week}"


def events_path(product: str) -> str:
    """Return the path of what happened to a product."""
    return f"/events?product={quote(product, safe='')}"


def comparison_path(metric_id: str, event_id: str) -> str:
    """Return the path of a metric before and after an event."""
    return f"/before-after?metric_id={quote(metric_id, safe='')}&event_id={quote(event_id, safe='')}"


def dashboard_paths(metric_id: str, first: date, last: date) -> Iterator[tuple[str, str]]:
    """Yield the frozen form of a chart's path by day, week and month, and the path that is asked for it.

    The page cuts what it shows out of the whole history.
    """
    for route, (parameter, days) in _PERIODS.items():
        count = min(MOST_POINTS[route], max(1, -(-((last - first).days + 1) // days)))
        metric = f"metric_id={quote(metric_id, safe='')}"
        yield f"/dashboard/{route}?{metric}", f"/dashboard/{route}?{parameter}={count}&{metric}"


def file_stem(metric_id: str) -> str:
    """Return a metric's id as the name of a file: a colon is no character of one on Windows.

    Raises:
        SiteError: the id could be mistaken for another one's name.
    """
    if "~" in metric_id or "/" in metric_id:
        raise SiteError(f"The metric {metric_id!r} cannot be the name of a file. Nothing was changed.")
    return metric_id.replace(":", "~")


def common_files() -> Iterator[OtherFile]:
    """Yield the files that do not belong to one metric or digest."""
    for name in ("overview", "insights", "definitions", "status", "goals", "events", "restatements"):
        yield OtherFile(f"{name}.json", f"/{name}", name.capitalize())
    for format_ in ("json", "csv"):
        yield OtherFile(f"outages.{format_}", f"/outages?format={format_}", "Outages")
    yield OtherFile("digests.json", "/digests?format=json", "Digests")


def metric_files(metric: Definition, *, by_day_only: bool) -> Iterator[OtherFile]:
    """Yield the files of one metric: its days as data, and its pictures."""
    one, stem, title = metric.metric_id, file_stem(metric.metric_id), metric.display_name
    yield OtherFile(f"series/{stem}.csv", f"/series/{one}?grain=day&format=csv", title)
    grain = "day" if by_day_only else "week"  # by day the JSON of two years takes 250 kB
    yield OtherFile(f"series/{stem}.json", f"/series/{one}?grain={grain}&format=json", title)
    for ending in ("svg", "json"):
        yield OtherFile(f"badge/{stem}.{ending}", f"/badge/{one}.{ending}", title)
    yield OtherFile(f"sparkline/{stem}.svg", f"/sparkline/{one}.svg", title)
    yield OtherFile(f"chart/{stem}.svg", f"/chart/{one}.svg?by={grain}", title)


def digest_files(digest_id: str, title: str) -> Iterator[OtherFile]:
    """Yield a digest as slides, as Markdown and as data."""
    for format_ in ("html", "md", "json"):
        name = f"digests/{digest_id}.{format_}"
        yield OtherFile(name, f"/digests/{quote(digest_id, safe='')}.{format_}", title)
