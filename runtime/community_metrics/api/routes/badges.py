"""`/badge/{metric_id}.svg` and `/sparkline/{metric_id}.svg`: the newest complete week, for a README."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import params, svg
from community_metrics.api.context import now_of
from community_metrics.api.problems import documented
from community_metrics.api.services import read_fresh, services_of
from community_metrics.model import ValueKind
from community_metrics.periods import Grain, last_completed, last_periods
from community_metrics.series.points import latest_complete, points
from community_metrics.views.selection import Stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from community_metrics.model import MetricDefinition
    from community_metrics.series.points import Point
    from community_metrics.storage.reader import LanceDBReader

router = APIRouter(tags=["pictures"])
_WEEKS: Final = 26
_MEDIA_TYPE: Final = "image/svg+xml"
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The picture.", "content": {_MEDIA_TYPE: {"schema": {"type": "string"}}}},
    **documented(401, 404, 422, 500, 503),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a picture is drawn from: a metric and its last weeks, oldest first."""

    metric: MetricDefinition
    weeks: Sequence[Point]

    @property
    def title(self) -> str:
        """What is shown, in words."""
        return f"{self.metric.display_name}: {self.metric.unit} {self.per_week}"

    @property
    def per_week(self) -> str:
        """How the number relates to a week."""
        return "at the end of the week" if self.metric.value_kind is ValueKind.STOCK else "per week"

    @property
    def said(self) -> str:
        """The newest complete week, in words."""
        latest = latest_complete(self.weeks)
        if latest is None or latest.value is None:
            return "no data"
        return f"{latest.value:,} in {latest.period.label}, the newest complete week"


@router.get("/badge/{metric_id}.svg", response_class=Response, responses=_ANSWERS, operation_id="badge")
async def badge(request: Request, metric_id: params.MetricId, theme: params.Theme = "auto") -> Response:
    """Draw the newest complete week as a badge; `no data` where none of the last 26 is complete."""
    drawn = await _drawn(request, metric_id)
    latest = latest_complete(drawn.weeks)
    number = "no data" if latest is None or latest.value is None else svg.short_number(latest.value)
    per_week = "" if drawn.metric.value_kind is ValueKind.STOCK or latest is None else "/week"
    picture = svg.badge(
        label=f"{drawn.metric.subject} {drawn.metric.unit}",
        value=number + per_week,
        title=drawn.title,
        description=drawn.said,
        theme=theme,
    )
    return _picture(picture)


@router.get(
    "/sparkline/{metric_id}.svg", response_class=Response, responses=_ANSWERS, operation_id="sparkline"
)
async def sparkline(request: Request, metric_id: params.MetricId, theme: params.Theme = "auto") -> Response:
    """Draw the last 26 weeks as a line; a week that is incomplete or estimated is a gap."""
    drawn = await _drawn(request, metric_id)
    values = [point.value if point.complete else None for point in drawn.weeks]
    return _picture(svg.sparkline(values, title=drawn.title, description=drawn.said, theme=theme))


def _picture(drawing: str) -> Response:
    policy = {"content-security-policy": svg.CONTENT_SECURITY_POLICY}
    return Response(drawing, media_type=_MEDIA_TYPE, headers=policy)


async def _drawn(request: Request, metric_id: str) -> Drawn:
    now = now_of(request.scope)
    periods = last_periods(last_completed(now, Grain.WEEK), _WEEKS)

    async def read(reader: LanceDBReader) -> Drawn:
        metric = Stored(await reader.metrics(), services_of(request).catalog).metric(metric_id)
        rows = await reader.stats([metric_id], since=periods[0].start)
        return Drawn(metric, points(rows, periods, window=metric.source_window, now=now))

    drawn, _ = await read_fresh(request, read)
    return drawn
