"""Badges and sparklines for a README: the newest complete week of a metric, and its last 26."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from community_metrics.api import params  # noqa: TC001  FastAPI reads it at run time
from community_metrics.api.pictures import MEDIA_TYPE, picture
from community_metrics.api.problems import documented
from community_metrics.api.schemas.pictures import EndpointBadge
from community_metrics.api.services import json_response, read_view
from community_metrics.charts import badges
from community_metrics.charts.text import cleaned
from community_metrics.model import ValueKind
from community_metrics.views.series import load_last_weeks

if TYPE_CHECKING:
    from community_metrics.views.series import MetricSeries

router = APIRouter(tags=["pictures"])
_WEEKS: Final = 26
_NO_DATA: Final = "no data"
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The picture.", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
    **documented(401, 404, 422, 500, 503),
}


@router.get("/badge/{metric_id}.svg", response_class=Response, responses=_RESPONSES, operation_id="badge")
async def badge(request: Request, metric_id: params.MetricId, theme: params.Theme = "auto") -> Response:
    """Draw the newest complete week as a badge, or the newest reading of what is read at an instant, by day.

    A value of more than 10 days ago is marked as old. `no data`: none of the last 26 weeks is complete.
    """
    view = await _weeks(request, metric_id)
    return picture(
        badges.badge(
            label=f"{_mark(view)}{view.metric.subject} {view.metric.unit}",
            value=_value(view),
            title=_title(view),
            description=_description(view),
            theme=theme,
        )
    )


@router.get(
    "/badge/{metric_id}.json",
    response_model=EndpointBadge,
    responses=documented(401, 404, 422, 500, 503),
    operation_id="endpointBadge",
)
async def endpoint_badge(request: Request, metric_id: params.MetricId) -> Response:
    """Return what the badge says, in the format of the endpoint badge of shields.io.

    `isError` where there is no value, so that it is never drawn like one.
    """
    view = await _weeks(request, metric_id)
    value = _value(view)
    colour = "inactive" if value == _NO_DATA else "yellow" if view.is_old else "blue"
    return json_response(
        EndpointBadge(
            label=cleaned(f"{_mark(view)}{view.metric.subject} {view.metric.unit}"),
            message=cleaned(value),
            color=colour,
            isError=value == _NO_DATA,
        )
    )


@router.get(
    "/sparkline/{metric_id}.svg", response_class=Response, responses=_RESPONSES, operation_id="sparkline"
)
async def sparkline(request: Request, metric_id: params.MetricId, theme: params.Theme = "auto") -> Response:
    """Draw the last 26 weeks as a line, uniques by day; what is incomplete or estimated is a gap."""
    view = await _weeks(request, metric_id)
    values = [point.value if point.complete else None for point in view.points]
    note = "Sample data" if view.freshness.is_sample else ""
    return picture(
        badges.sparkline(values, title=_title(view), description=_description(view), note=note, theme=theme)
    )


async def _weeks(request: Request, metric_id: str) -> MetricSeries:
    return (await read_view(request, partial(load_last_weeks, metric_id=metric_id, weeks=_WEEKS)))[0]


def _value(view: MetricSeries) -> str:
    """Return the value of a badge: `12.3k/week, 2026-W47`, or of a reading `4.32k, 2026-11-23`."""
    old = " (old)" if view.is_old else ""
    if (reading := view.shown_reading) is not None:
        per = {"": "", "day": "/day", "total": " in all"}.get(_span(view), f"/{_span(view)}")
        return f"{badges.short_number(reading.value)}{per}, {reading.period_end}{old}"
    latest = view.latest
    if latest is None or latest.value is None:
        return _NO_DATA
    return f"{badges.short_number(latest.value)}/week, {latest.period.label}{old}"


def _title(view: MetricSeries) -> str:
    words = {"": "at the end of the week", "day": "per day", "total": "per week", "week": "per week"}
    per = words.get(_span(view), f"in {_span(view)}")
    return f"{_mark(view)}{view.metric.display_name}: {view.metric.unit} {per}"


def _mark(view: MetricSeries) -> str:
    return "Sample data: " if view.freshness.is_sample else ""


def _description(view: MetricSeries) -> str:
    """Return the newest reading or the newest complete week in words."""
    if (reading := view.shown_reading) is not None:
        words = {"": "", "day": f" on {reading.period_end}", "total": " in all"}
        what = words.get(_span(view), f" in the {_span(view)} to {reading.period_end}")
        return f"{reading.value:,}{what}, read on {reading.observed_at:%Y-%m-%d %H:%M} UTC"
    latest = view.latest
    if latest is None or latest.value is None:
        return _NO_DATA
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
