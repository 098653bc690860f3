"""From views to the bodies of the API; `--json` of the commands prints the same bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from community_metrics.api.schemas import base, dashboard, points, status
from community_metrics.periods import Grain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.freshness import RunView
    from community_metrics.series.grid import Point
    from community_metrics.views.dashboard import Dashboard, MetricView
    from community_metrics.views.runs import Freshness, History
    from community_metrics.views.selection import Restatements
    from community_metrics.views.series import MetricSeries
    from community_metrics.views.status import Status

    TableVersions = Mapping[str, int]

_DASHBOARDS: Final[Mapping[Grain, type[dashboard.Dashboard[Any, Any]]]] = {
    Grain.DAY: dashboard.DailyDashboard,
    Grain.WEEK: dashboard.WeeklyDashboard,
    Grain.MONTH: dashboard.MonthlyDashboard,
}
_POINTS: Final[Mapping[Grain, type[points.DayPoint | points.WeekPoint | points.MonthPoint]]] = {
    Grain.DAY: points.DayPoint,
    Grain.WEEK: points.WeekPoint,
    Grain.MONTH: points.MonthPoint,
}
_POINT_FIELDS: Final = tuple(dashboard.PointColumns.model_fields)
_RUN_FIELDS: Final = tuple(status.RunRecord.model_fields.keys() - {"run_id", "state", "failures"})


def point_fields(point: Point) -> dict[str, Any]:
    """Return a point as plain values: its period's name under the grain's word, then what is known of it."""
    period = point.period
    return {
        period.grain.value: period.start if period.grain is Grain.DAY else period.label,
        "period_start": period.start,
        "period_end": period.end,
        **{name: getattr(point, name) for name in _POINT_FIELDS},
    }


def dashboard_body(view: Dashboard, versions: TableVersions) -> dashboard.Dashboard[Any, Any]:
    """Return the dashboard of the view's grain."""
    products = [
        {
            "product": product.product,
            "display_name": product.display_name,
            "metrics": [_metric_fields(metric) for metric in product.metrics],
            "downloads_30d": product.downloads,
        }
        for product in view.products
    ]
    fields = {
        "period_start": view.periods[0].start,
        "period_end": view.periods[-1].end,
        "periods": _period_columns(view.periods),
        "products": products,
        "stars": view.stars,
        "freshness": freshness_body(view.freshness, versions),
    }
    return _DASHBOARDS[view.periods[0].grain].model_validate(fields, from_attributes=True)


def series_body(view: MetricSeries, versions: TableVersions) -> points.Series:
    """Return one metric between two days."""
    point = _POINTS[view.grain]
    return points.Series(
        metric=points.MetricIdentity.model_validate(view.metric, from_attributes=True),
        grain=view.grain.value,
        points=[point(**point_fields(each)) for each in view.points],
        freshness=freshness_body(view.freshness, versions),
    )


def definitions_body(
    stored: Iterable[MetricDefinition], freshness: Freshness, versions: TableVersions
) -> points.Definitions:
    """Return the catalogue as stored."""
    metrics = [points.Definition.model_validate(metric, from_attributes=True) for metric in stored]
    return points.Definitions(metrics=metrics, freshness=freshness_body(freshness, versions))


def status_body(view: Status, versions: TableVersions) -> status.ServiceStatus:
    """Return how the collecting goes."""
    return status.ServiceStatus(
        last_success_at=view.freshness.last_success_at,
        is_stale=view.freshness.is_stale,
        metrics=[status.MetricStatus.model_validate(metric, from_attributes=True) for metric in view.metrics],
        failures=[status.Failure.model_validate(each, from_attributes=True) for each in view.failures],
        runs=[run_body(one) for one in view.runs],
        freshness=freshness_body(view.freshness, versions),
    )


def history_body(view: History, versions: TableVersions) -> status.History:
    """Return a page of runs."""
    return status.History(
        runs=[run_body(run) for run in view.runs],
        next_before=view.next_before,
        freshness=freshness_body(view.freshness, versions),
    )


def restatements_body(view: Restatements, versions: TableVersions) -> status.Restatements:
    """Return what registries changed."""
    return status.Restatements(
        restatements=[status.Restatement.model_validate(row, from_attributes=True) for row in view.rows],
        has_more=view.has_more,
        freshness=freshness_body(view.freshness, versions),
    )


def run_body(view: RunView) -> status.RunRecord:
    """Return one run with its state and the causes of its failures."""
    fields = {name: getattr(view.run, name) for name in _RUN_FIELDS}
    fields |= {"run_id": view.run.ingestion_run_id, "state": view.state, "failures": view.failures}
    return status.RunRecord.model_validate(fields, from_attributes=True)


def freshness_body(view: Freshness, versions: TableVersions) -> base.Freshness:
    """Return how fresh the data are, read from these versions of the tables."""
    return base.Freshness(
        last_success_at=view.last_success_at,
        is_stale=view.is_stale,
        sources=[base.SourceFreshness.model_validate(one, from_attributes=True) for one in view.sources],
        versions=base.Versions(**{name: versions[name] for name in base.Versions.model_fields}),
    )


def _period_columns(periods: Sequence[Period]) -> dict[str, list[Any]]:
    grain = periods[0].grain
    return {
        grain.value: [period.start if grain is Grain.DAY else period.label for period in periods],
        "period_start": [period.start for period in periods],
        "period_end": [period.end for period in periods],
    }


def _point_columns(columns: Mapping[str, list[Any]]) -> dashboard.PointColumns:
    """Return the columns with each constant once; `value` is a list in any case.

    Not validated, because the items are many; the serializer warns of an item of another type.
    """
    fields: dict[str, Any] = {
        name: column if name == "value" or column.count(column[0]) < len(column) else column[0]
        for name, column in columns.items()
    }
    return dashboard.PointColumns.model_construct(**fields)


def _metric_fields(view: MetricView) -> dict[str, Any]:
    summary = view.summary
    return {
        **{name: getattr(view.metric, name) for name in points.MetricIdentity.model_fields},
        "points": _point_columns(view.points.columns()),
        "running": point_fields(view.running),
        "latest_reading": view.latest_reading,
        "latest_complete": summary.latest and point_fields(summary.latest),
        "change": summary.change,
        "four_period_change": summary.trailing,
        "year_on_year_change": summary.year_on_year,
        "share": summary.share,
    }
