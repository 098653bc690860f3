"""From views to the bodies of the API; `--json` of the commands prints the same bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from community_metrics.api.delivery_mapper import delivery_body
from community_metrics.api.schemas import (
    base,
    comparisons,
    dashboard,
    digests,
    events,
    goals,
    insights,
    outages,
    overview,
    points,
    status,
    traffic,
)
from community_metrics.model import InsightKind
from community_metrics.periods import Grain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from community_metrics.periods import Period
    from community_metrics.series.disputes import Dispute
    from community_metrics.series.freshness import RunView
    from community_metrics.series.grid import Point
    from community_metrics.series.insights import Insight
    from community_metrics.series.registry import RegistryPoint
    from community_metrics.views.before_after import BeforeAfter
    from community_metrics.views.dashboard import Dashboard, MetricView
    from community_metrics.views.digests import Digests
    from community_metrics.views.events import Events
    from community_metrics.views.goals import Goals, GoalView
    from community_metrics.views.insights import Insights
    from community_metrics.views.outages import Ledger
    from community_metrics.views.overview import Overview
    from community_metrics.views.product_table import ProductOfPeriod, Stars
    from community_metrics.views.registry import BesideRegistry
    from community_metrics.views.runs import Freshness, History
    from community_metrics.views.selection import Definitions, Restatements
    from community_metrics.views.series import MetricSeries
    from community_metrics.views.status import Status
    from community_metrics.views.traffic import TrafficItems

    TableVersions = Mapping[str, int]

V = TypeVar("V", bound=base.Versions)

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
_NUMBERS: Final[Mapping[InsightKind, type[base.Body]]] = {
    InsightKind.HEADLINE: insights.HeadlineNumbers,
    InsightKind.LEVEL_BREAK: insights.ShiftNumbers,
    InsightKind.SPIKE: insights.UnusualNumbers,
    InsightKind.DIP: insights.UnusualNumbers,
    InsightKind.REGISTRY_GAP: insights.GapNumbers,
    InsightKind.RECORD: insights.RecordNumbers,
    InsightKind.MILESTONE: insights.MilestoneNumbers,
    InsightKind.SETTLING: insights.SettlingNumbers,
    InsightKind.MOVER: insights.MoverNumbers,
    InsightKind.RESTATED: insights.RestatedNumbers,
    InsightKind.DISPUTED: insights.DisputedNumbers,
    InsightKind.MISSING: insights.MissingNumbers,
    InsightKind.SILENCE: insights.SilenceNumbers,
}
_INSIGHT_FIELDS: Final = tuple(insights.Insight.model_fields.keys() - {"numbers"})
_COMPARED_FIELDS: Final = tuple(comparisons.BeforeAfter.model_fields.keys() - {"event", "freshness"})
_STANDING_FIELDS: Final = (
    *("progress", "remaining", "weeks_left", "needed_per_week", "recent_per_week", "recent_weeks"),
    *("reason", "forecast", "forecast_reason"),
)
_GOAL_FIELDS: Final = (
    *("name", "product", "unit", "series", "waits_for", "left_out", "level_break"),
    *("sentence", "rule", "link"),
)
_DEFINITION_FIELDS: Final = tuple(points.Definition.model_fields.keys() - {"watch"})
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
        disputes=disputes_body(view.disputes),
        freshness=freshness_body(view.freshness, versions),
    )


def disputed_fields(point: Point, disputes: Sequence[Dispute]) -> dict[str, int | None]:
    """Return how many days of a point are disputed, and of a day what the witness counted."""
    own = [one for one in disputes if point.period.start <= one.day <= point.period.end]
    is_day = point.period.grain is Grain.DAY
    return {
        "disputed_days": len(own),
        "witness_value": own[0].witness_value if own and is_day else None,
    }


def disputes_body(found: Sequence[Dispute]) -> list[points.Dispute]:
    """Return disputed days with both of their values."""
    return [points.Dispute.model_validate(each, from_attributes=True) for each in found]


def beside_registry_body(view: BesideRegistry, versions: TableVersions) -> points.BesideRegistry:
    """Return one metric beside the total of its registry."""
    return points.BesideRegistry(
        metric=points.MetricIdentity.model_validate(view.metric, from_attributes=True),
        registry=points.MetricIdentity.model_validate(view.registry, from_attributes=True),
        grain=view.grain.value,
        points=[points.RegistryPoint(**registry_point_fields(point)) for point in view.points],
        freshness=freshness_body(view.freshness, versions),
    )


def registry_point_fields(point: RegistryPoint) -> dict[str, Any]:
    """Return a point beside a registry as plain values."""
    period = {
        "period": point.period.label,
        "period_start": point.period.start,
        "period_end": point.period.end,
    }
    known = points.RegistryPoint.model_fields.keys() - period.keys()
    return period | {
        name: getattr(point, name) for name in points.RegistryPoint.model_fields if name in known
    }


def outages_body(view: Ledger, versions: TableVersions) -> outages.Outages:
    """Return the outage ledger."""
    return outages.Outages(
        registries=[metric.product for metric in view.registries],
        outages=[outages.Outage.model_validate(one, from_attributes=True) for one in view.outages],
        freshness=freshness_body(view.freshness, versions),
    )


def digests_body(view: Digests, versions: TableVersions) -> digests.DigestList:
    """Return the stored digests."""
    return digests.DigestList(
        digests=[digests.DigestRecord.model_validate(one, from_attributes=True) for one in view.digests],
        has_more=view.has_more,
        freshness=freshness_body(view.freshness, versions),
    )


def insights_body(view: Insights, versions: TableVersions) -> insights.Insights:
    """Return the insights of a period."""
    return insights.Insights.model_validate(
        {
            "grain": view.period.grain.value,
            "period": view.period.label,
            "period_start": view.period.start,
            "period_end": view.period.end,
            "insights": [_insight_fields(one) for one in view.insights],
            "foremost": view.foremost,
            "freshness": freshness_body(view.freshness, versions),
        }
    )


def before_after_body(view: BeforeAfter, versions: TableVersions) -> comparisons.BeforeAfter:
    """Return a metric before and after a day."""
    fields = {name: getattr(view.comparison, name) for name in _COMPARED_FIELDS}
    return comparisons.BeforeAfter.model_validate(
        fields | {"event": view.event, "freshness": freshness_body(view.freshness, versions)},
        from_attributes=True,
    )


def goals_body(view: Goals, versions: TableVersions) -> goals.Goals:
    """Return where the goals stand."""
    return goals.Goals(
        goals=[_goal_body(one) for one in view.goals], freshness=freshness_body(view.freshness, versions)
    )


def overview_body(view: Overview, versions: TableVersions) -> overview.Overview:
    """Return one week of every product."""
    return overview.Overview.model_validate(
        {
            "name": view.name,
            "week": view.week.label,
            "period_start": view.week.start,
            "period_end": view.week.end,
            "previous": view.previous and view.previous.label,
            "next": view.next and view.next.label,
            "weeks": [week.label for week in view.weeks],
            "complete": view.complete,
            "series": view.series,
            "headline": view.headline and _insight_fields(view.headline),
            "products": [_product_fields(product) for product in view.products],
            "stars": _star_fields(view.stars),
            "freshness": freshness_body(view.freshness, versions),
        },
        from_attributes=True,
    )


def definitions_body(view: Definitions, versions: TableVersions) -> points.Definitions:
    """Return the catalogue as stored."""
    metrics = [
        points.Definition.model_validate(
            {name: getattr(metric, name) for name in _DEFINITION_FIELDS}
            | {"watch": metric.metric_id in view.watched}
        )
        for metric in view.metrics
    ]
    return points.Definitions(metrics=metrics, freshness=freshness_body(view.freshness, versions))


def status_body(view: Status, versions: TableVersions) -> status.ServiceStatus:
    """Return how the collecting goes."""
    return status.ServiceStatus(
        last_success_at=view.freshness.last_success_at,
        is_stale=view.freshness.is_stale,
        metrics=[status.MetricStatus.model_validate(metric, from_attributes=True) for metric in view.metrics],
        failures=[status.Failure.model_validate(each, from_attributes=True) for each in view.failures],
        losses=[status.Loss.model_validate(each, from_attributes=True) for each in view.losses],
        places=[status.PlaceStatus.model_validate(each, from_attributes=True) for each in view.places],
        disputes=disputes_body(view.disputes),
        deliveries=None if view.deliveries is None else [delivery_body(one) for one in view.deliveries],
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


def traffic_body(view: TrafficItems, versions: TableVersions) -> traffic.TrafficItems:
    """Return the lists of one metric."""
    fields = traffic.TrafficList.model_fields
    return traffic.TrafficItems(
        metric=points.MetricIdentity.model_validate(view.metric, from_attributes=True),
        lists=[
            traffic.TrafficList.model_validate(
                {name: getattr(one, name) for name in fields}, from_attributes=True
            )
            for one in view.lists
        ],
        freshness=traffic.ListFreshness(
            **_freshness_fields(view.freshness), versions=_versions(traffic.ListVersions, versions)
        ),
    )


def events_body(view: Events, versions: TableVersions) -> events.Events:
    """Return the events of some days, and apart from them the notes by people."""
    of_sources, of_people = events.Event.model_fields, events.Note.model_fields
    return events.Events(
        events=[events.Event(**{name: getattr(one, name) for name in of_sources}) for one in view.stated],
        notes=[events.Note(**{name: getattr(one, name) for name in of_people}) for one in view.notes],
        freshness=events.EventFreshness(
            **_freshness_fields(view.freshness), versions=_versions(events.EventVersions, versions)
        ),
    )


def run_body(view: RunView) -> status.RunRecord:
    """Return one run with its state and the causes of its failures."""
    fields = {name: getattr(view.run, name) for name in _RUN_FIELDS}
    fields |= {"run_id": view.run.ingestion_run_id, "state": view.state, "failures": view.failures}
    return status.RunRecord.model_validate(fields, from_attributes=True)


def freshness_body(view: Freshness, versions: TableVersions) -> base.Freshness:
    """Return how fresh the data are, read from these versions of the tables."""
    return base.Freshness(**_freshness_fields(view), versions=_versions(base.Versions, versions))


def _freshness_fields(view: Freshness) -> dict[str, Any]:
    return {
        "last_success_at": view.last_success_at,
        "read_at": view.read_at,
        "is_stale": view.is_stale,
        "sample": view.is_sample,
        "sources": [base.SourceFreshness.model_validate(one, from_attributes=True) for one in view.sources],
    }


def _versions(kind: type[V], versions: TableVersions) -> V:
    return kind(**{name: versions[name] for name in kind.model_fields})


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


def _goal_body(view: GoalView) -> goals.Goal:
    own = {name: getattr(view, name) for name in _GOAL_FIELDS}
    stands = {name: getattr(view.standing, name) for name in _STANDING_FIELDS}
    of_catalog = {"metric_id": view.goal.metric_id, "value": view.goal.value, "date": view.goal.day}
    counted = {
        "since": view.counted.first,
        "current": view.counted.value,
        "as_of": view.counted.as_of,
        "missing_days": view.counted.missing,
    }
    return goals.Goal.model_validate(own | stands | of_catalog | counted, from_attributes=True)


def _insight_fields(insight: Insight) -> dict[str, Any]:
    numbers = _NUMBERS[insight.kind].model_validate(insight.numbers, from_attributes=True)
    return {name: getattr(insight, name) for name in _INSIGHT_FIELDS} | {"numbers": numbers}


def _product_fields(view: ProductOfPeriod) -> dict[str, Any]:
    total = view.total
    return {
        "product": view.product,
        "display_name": view.display_name,
        "total": total
        and {
            "unit": view.unit,
            "week": total.period and total.period.label,
            "value": total.value,
            "estimated": total.is_estimated,
            "change": total.changes.change,
            "four_week_change": total.changes.trailing,
            "year_on_year_change": total.changes.year_on_year,
            "level_break": total.changes.level_break,
            "sdks": total.parts,
            "weeks": total.totals,
            "estimates": total.estimates,
            "lacking": total.lacking,
            "waits_for": total.waits_for,
            "left_out": view.left_out,
        },
        "stars": _star_fields(view.stars),
        "is_known": view.is_known,
    }


def _star_fields(view: Stars | None) -> dict[str, Any] | None:
    if view is None:
        return None
    of_period = view.of_period
    return {
        "value": view.value,
        "change": of_period and of_period.change,
        "repositories": view.repositories,
        "included": len(of_period.included) if of_period else len(view.read),
        "read_at": None if of_period else min(reading.observed_at for reading in view.read),
    }


def _metric_fields(view: MetricView) -> dict[str, Any]:
    summary = view.summary
    is_daily = view.running.period.grain is Grain.DAY
    return {
        **({"average_7d": view.averages} if is_daily else {}),
        **{name: getattr(view.metric, name) for name in points.MetricIdentity.model_fields},
        "points": _point_columns(view.points.columns()),
        "running": point_fields(view.running),
        "latest_reading": view.latest_reading,
        "latest_complete": summary.latest and point_fields(summary.latest),
        "change": summary.change,
        "four_period_change": summary.trailing,
        "year_on_year_change": summary.year_on_year,
        "share": summary.share,
        "level_break": summary.level_break,
        "disputes": disputes_body(view.disputes),
    }
