"""`/goals`: where the goals of the catalogue stand."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from community_metrics.api.mappers import goals_body
from community_metrics.api.problems import documented
from community_metrics.api.schemas.goals import Goals
from community_metrics.api.services import json_response, read_view
from community_metrics.views.goals import load_goals

router = APIRouter(tags=["insights"])


@router.get(
    "/goals",
    response_model=Goals,
    responses=documented(401, 422, 500, 503),
    operation_id="goals",
)
async def goals(request: Request) -> Response:
    """Say what each week needs to reach a goal, and whether the recent weeks have it.

    The rules are `needed-per-week` and `seasonal-naive-interval` of docs/insights.md.
    """
    return json_response(goals_body(*await read_view(request, load_goals)))
