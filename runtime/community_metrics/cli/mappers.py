"""From what the commands return to their JSON; where a command has a route, `api.mappers` does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from community_metrics.api.mappers import run_body
from community_metrics.cli import schemas

if TYPE_CHECKING:
    from collections.abc import Iterable

    from community_metrics.catalog import Metric
    from community_metrics.catalog.deliveries import Delivery
    from community_metrics.cli.discovery import Survey
    from community_metrics.discovery import Evidence
    from community_metrics.runs.job import RunReport


def job_run_body(report: RunReport) -> schemas.JobRun:
    """Return how a job ended."""
    plan = report.plan
    return schemas.JobRun(
        run=run_body(report.view),
        dry_run=plan is not None,
        notes=list(report.notes),
        metrics=[
            schemas.MetricOutcome(
                metric_id=outcome.metric_id,
                observations=outcome.observations,
                error=outcome.message,
                notes=[note for metric_id, note in report.metric_notes if metric_id == outcome.metric_id],
            )
            for outcome in report.outcomes
        ],
        plan=plan
        and schemas.Plan.model_validate(
            {"metrics": plan.metrics, "changed_rows": plan.updated}, from_attributes=True
        ),
    )


def catalog_body(metrics: Iterable[Metric], deliveries: Iterable[Delivery] = ()) -> schemas.CatalogMetrics:
    """Return metrics of the catalogue file, and its targets of digests."""
    own = ("metric_id", "display_name", "product", "source", "subject", "sdk", "unit", "value_kind")
    return schemas.CatalogMetrics(
        metrics=[
            schemas.CatalogMetric(
                **{name: getattr(metric, name) for name in (*own, "is_active", "visibility")},
                metric_family=metric.family,
                watch=metric.is_watched,
                source_window=metric.window,
                options=dict(metric.options),
                fallbacks=list(metric.fallbacks),
            )
            for metric in metrics
        ],
        deliveries=[
            schemas.CatalogDelivery(
                id=one.id,
                to=one.to,
                digests=[grain.value for grain in one.digests],
                products=None if one.products is None else list(one.products),
                visibility=one.visibility,
            )
            for one in deliveries
        ],
    )


def discovery_body(survey: Survey) -> schemas.DiscoveredMetrics:
    """Return what was found of an owner, with the commands that would add it."""
    found, links = survey.found, survey.links
    lists = ("read", "forks", "archived", "disabled")
    return schemas.DiscoveredMetrics(
        owner=found.owner,
        is_organisation=found.is_organisation,
        complete=survey.complete,
        stopped=found.stopped,
        listed=found.listed,
        **{name: list(getattr(found, name)) for name in lists},
        proposals=[
            schemas.ProposedMetric(
                spec=one.spec,
                source=one.source,
                subject=one.subject,
                product=one.product,
                unverified=survey.unverified.get(one.spec),
                links_back=links[one.spec].is_back if one.spec in links else None,
                link=links[one.spec].sentence if one.spec in links else None,
                evidence=[_found_at(place) for place in one.evidence],
            )
            for one in survey.proposals
        ],
        not_proposed=[
            schemas.NotProposedName(subject=one.subject, reason=one.reason, evidence=_found_at(one.evidence))
            for one in survey.not_proposed
        ],
        unread=[
            schemas.UnreadRepository(repository=one.repository, reason=one.reason) for one in found.unread
        ],
        commands=survey.commands,
    )


def _found_at(place: Evidence) -> schemas.FoundAt:
    return schemas.FoundAt(repository=place.repository, path=place.path, line=place.line, url=place.url)
