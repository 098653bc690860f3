"""`/badge/{metric_id}.svg` and `/sparkline/{metric_id}.svg`: the newest complete week, for a README."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import params, svg
from community_metrics.api.problems import documented
from community_metrics.api.services import read_view
from community_metrics.model import ValueKind
from community_metrics.views.series import load_last_weeks

if TYPE_CHECKING:
    from community_metrics.views.series import MetricSeries

router = APIRouter(tags=["pictures"])
_WEEKS: Final = 26
_MEDIA_TYPE: Final = "image/svg+xml"
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The picture.", "content": {_MEDIA_TYPE: {"schema": {"type": "string"}}}},
    **documented(401, 404, 422, 500, 503),
}


@router.get("/badge/{metric_id}.svg", response_class=Response, responses=_RESPONSES, operation_id="badge")
async def badge(request: Request, metric_id: params.MetricId, theme: params.Theme = "auto") -> Response:
    """Draw the newest complete week as a badge, or the newest reading of what is read at an instant, by day.

    A value of more than 10 days ago is marked as old. `no data`: none of the last 26 weeks is complete.
    """
    view = await _weeks(request, metric_id)
    return _picture(
        svg.badge(
            label=f"{view.metric.subject} {view.metric.unit}",
            value=_value(view),
            title=_title(view),
            description=_description(view),
            theme=theme,
        )
    )


@router.get(
    "/sparkline/{metric_id}.svg", response_class=Response, responses=_RESPONSES, operation_id="sparkline"
)
async def sparkline(request: Request, metric_id: params.MetricId, theme: params.Theme = "auto") -> Response:
    """Draw the last 26 weeks as a line, uniques by day; what is incomplete or estimated is a gap."""
    view = await _weeks(request, metric_id)
    values = [point.value if point.complete else None for point in view.points]
    return _picture(svg.sparkline(values, title=_title(view), description=_description(view), theme=theme))


async def _weeks(request: Request, metric_id: str) -> MetricSeries:
    return (await read_view(request, partial(load_last_weeks, metric_id=metric_id, weeks=_WEEKS)))[0]


def _value(view: MetricSeries) -> str:
    """Return the value of a badge: `12.3k/week, 2026-W47`, or of a reading `4.32k, 2026-11-23`."""
    old = " (old)" if view.is_old else ""
    if (reading := view.shown_reading) is not None:
        per = {"": "", "day": "/day", "total": " in all"}.get(_span(view), f"/{_span(view)}")
        return f"{svg.short_number(reading.value)}{per}, {reading.period_end}{old}"
    latest = view.latest
    if latest is None or latest.value is None:
        return "no data"
    return f"{svg.short_number(latest.value)}/week, {latest.period.label}{old}"


def _title(view: MetricSeries) -> str:
    words = {"": "at the end of the week", "day": "per day", "total": "per week", "week": "per week"}
    return f"{view.metric.display_name}: {view.metric.unit} {words.get(_span(view), f'in {_span(view)}')}"


def _description(view: MetricSeries) -> str:
    """Return the newest reading or the newest complete week in words."""
    if (reading := view.shown_reading) is not None:
        words = {"": "", "day": f" on {reading.period_end}", "total": " in all"}
        what = words.get(_span(view), f" in the {_span(view)} to {reading.period_end}")
        return f"{reading.value:,}{what}, read on {reading.observed_at:%Y-%m-%d %H:%M} UTC"
    latest = view.latest
    if latest is None or latest.value is None:
        return "no data"
    return f"{latest.value:,} in {latest.period.label}, the newest complete week"


def _span(view: MetricSeries) -> str:
    """Return what a value covers: `week`, `day`, `30 days`, `total` of a counter, nothing for a level."""
    match view.metric.value_kind:
        case ValueKind.LEVEL:
            return ""
        case ValueKind.COUNTER:
            return "total"
        case ValueKind.ROLLING:
            return f"{view.metric.source_window.days} days"
        case _:
            return view.grain.value


def _picture(drawing: str) -> Response:
    policy = {"content-security-policy": svg.CONTENT_SECURITY_POLICY}
    return Response(drawing, media_type=_MEDIA_TYPE, headers=policy)
