"""The usual design, as a yardstick: each request reads both tables whole, sums, and fills a model."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import lancedb
from fastapi import FastAPI
from pydantic import BaseModel

from community_metrics.periods import Grain, period_of

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


class UsualPoint(BaseModel):
    """One week."""

    week: str
    value: int
    days_present: int


class UsualMetric(BaseModel):
    """One metric and its weeks."""

    metric_id: str
    display_name: str
    points: list[UsualPoint]


class UsualDashboard(BaseModel):
    """All of it."""

    metrics: list[UsualMetric]


def usual_app(folder: Path, path: str) -> FastAPI:
    """Return an application that answers `path` anew for every request."""
    app = FastAPI()

    @app.get(path, response_model=UsualDashboard)
    async def dashboard() -> UsualDashboard:
        connection = await lancedb.connect_async(folder)
        metrics = await (await connection.open_table("metrics")).query().to_list()
        stats = await (await connection.open_table("stats")).query().to_list()
        weeks = _by_week(stats)
        return UsualDashboard(metrics=[_metric(row, weeks[row["metric_id"]]) for row in metrics])

    return app


def _by_week(stats: list[dict[str, Any]]) -> defaultdict[str, defaultdict[str, list[int]]]:
    weeks: defaultdict[str, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in stats:
        day: date = row["period_end"]
        weeks[row["metric_id"]][period_of(day, Grain.WEEK).label].append(row["value"])
    return weeks


def _metric(row: dict[str, Any], weeks: dict[str, list[int]]) -> UsualMetric:
    points = [
        UsualPoint(week=week, value=sum(values), days_present=len(values))
        for week, values in sorted(weeks.items())
    ]
    return UsualMetric(metric_id=row["metric_id"], display_name=row["display_name"], points=points)
