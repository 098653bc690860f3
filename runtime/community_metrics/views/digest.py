"""A digest of a week, a month or a quarter: what is read for it, and its content.

Reading and computing are two steps, so that the API can compute in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from community_metrics.errors import TooManyEvents
from community_metrics.model import InsightKind, Visibility
from community_metrics.model.digest_content import Digest, GoalLine, Score, Sentence
from community_metrics.periods import Grain
from community_metrics.readings import Readings
from community_metrics.series.digests import (
    APART,
    UNKNOWN,
    digest_name,
    finding_of,
    first_line,
    happenings_of,
    headline_without_change,
    notes_of,
    rules_of,
    score_of,
    since_last,
    values_of,
)
from community_metrics.series.insights import insights_of
from community_metrics.series.insights.links import page_link, status_link
from community_metrics.text import named
from community_metrics.views.digest_charts import DigestCharts, Summed, shares_of, stars_of
from community_metrics.views.events import Events, load_events
from community_metrics.views.goals import load_goals
from community_metrics.views.insights import read_material
from community_metrics.views.product_table import ProductTable, measured_of, table_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition
    from community_metrics.periods import Period
    from community_metrics.series.insights import Insight
    from community_metrics.series.period_totals import PeriodTotal
    from community_metrics.series.totals import LeftOut
    from community_metrics.storage.reader import LanceDBReader
    from community_metrics.views.goals import Goals
    from community_metrics.views.insights import InsightRows
    from community_metrics.views.product_table import ProductOfPeriod

_TOTAL_RULE: Final = "total-of-period"
_ALL: Final = "All products"


@dataclass(frozen=True, slots=True)
class DigestScope:
    """What a digest is about, and for whom: all products without `products`; `edition` counts from 1.

    `page_url` and `api_url` are where the page and the API are; None where that is not known.
    """

    period: Period
    products: tuple[str, ...] = ()
    visibility: Visibility = Visibility.PUBLIC
    edition: int = 1
    page_url: str | None = None
    api_url: str | None = None

    @property
    def digest_id(self) -> str:
        """The id of the digest."""
        return digest_name(self.period, self.products, self.visibility, self.edition)


@dataclass(frozen=True)
class DigestRows:
    """What was read for a digest; `events` is None where the period has too many."""

    scope: DigestScope
    rows: InsightRows
    events: Events | None
    goals: Goals
    previous: Digest | None

    def build(self, versions: Mapping[str, int]) -> Digest:
        """Compute the digest; `versions` are those of the tables that it was read from."""
        material, period, now = self.rows.material, self.scope.period, self.rows.material.now
        scores = [self._score(product) for product in self._products]
        total = self._total
        complete, series = sum(one.complete for one in scores), sum(one.series for one in scores)
        is_over = period.is_over(now)
        insights = self._insights
        goals = self._goals
        rules = [*(one.rule for one in insights), *(one.rule for one in goals), _TOTAL_RULE]
        events, names = self.events, self.rows.stored.product_names
        name = self.rows.stored.catalog.name
        return Digest(
            digest_id=self.scope.digest_id,
            name=name,
            grain=period.grain.value,
            period=period.label,
            period_start=period.start,
            period_end=period.end,
            products=tuple(sorted(self.scope.products)),
            visibility=self.scope.visibility,
            made_at=now,
            is_sample=self.rows.freshness.is_sample,
            is_over=is_over,
            is_complete=is_over and 0 < series == complete,
            complete=complete,
            series=series,
            first_line=first_line(name, period, complete=complete, series=series, is_over=is_over),
            headline=None if total is None else self._headline(total),
            total=total,
            scores=tuple(scores),
            findings=tuple(finding_of(one) for one in insights if one.kind not in APART),
            happenings=() if events is None else happenings_of(events.stated, names),
            has_more_events=events is None,
            notes=() if events is None else notes_of(events.notes, names),
            goals=goals,
            unknown=tuple(self._unknown(insights, scores)),
            restated=tuple(finding_of(one) for one in insights if one.kind is InsightKind.RESTATED),
            since_last=None if self.previous is None else since_last(self.previous, material),
            values=values_of(material, self._counted),
            charts=self._charts.build() if is_over else (),
            shares=() if self._all is None else shares_of(self._all),
            rules=rules_of(rules),
            table_versions=dict(versions),
            link=f"/api/v1/insights?{urlencode(self._query)}" if is_over else status_link(),
            page=page_link(period, self.scope.products[0] if len(self.scope.products) == 1 else None, now),
            page_url=self.scope.page_url,
            api_url=self.scope.api_url,
        )

    def _headline(self, total: Score) -> str | None:
        """Return the sentence of the total's insight; where a series lacks days, one without a change."""
        if not total.is_complete:
            return headline_without_change(total, self.scope.period, self._names)
        return next(one.sentence for one in self._insights if one.kind is InsightKind.HEADLINE)

    @property
    def _query(self) -> list[tuple[str, str]]:
        period = self.scope.period
        products = [("product", product) for product in self.scope.products]
        return [(period.grain.value, period.label), *products]

    @cached_property
    def _insights(self) -> tuple[Insight, ...]:
        """The insights of the period, which say nothing of one that goes on."""
        material = self.rows.material
        return insights_of(material) if material.period.is_over(material.now) else ()

    @cached_property
    def _measured(self) -> dict[str, Sequence[MetricDefinition]]:
        chosen = {metric.product for metric in self.rows.material.metrics}
        return {name: own for name, own in measured_of(self.rows.stored).items() if name in chosen}

    @property
    def _counted(self) -> list[MetricDefinition]:
        stars = [one for one in self.rows.stored.stars if one.product in self._measured]
        return [*(metric for own in self._measured.values() for metric in own), *stars]

    @property
    def _names(self) -> dict[str, str]:
        return {metric.metric_id: metric.display_name for metric in self._counted}

    @cached_property
    def _table(self) -> ProductTable:
        material = self.rows.material
        return ProductTable(
            stored=self.rows.stored,
            period=self.scope.period,
            readings=material.readings,
            newest_stars=Readings.of((), []),  # a reading from after the period is no value of it
            freshness=self.rows.freshness,
            grid=material.grid,
            rows=material.rows,
            shown=1,
        )

    @cached_property
    def _products(self) -> list[ProductOfPeriod]:
        found = [self._table.product(product, own) for product, own in self._measured.items()]
        return sorted(found, key=lambda one: (*table_order(one), one.product))

    def _score(self, view: ProductOfPeriod) -> Score:
        return score_of(
            view.total,
            view.stars.of_period if view.stars else None,
            product=view.product,
            name=view.display_name,
            unit=view.unit,
            left_out=(one.metric_id for one in view.left_out),
            link=self._total_link(view.product),
            page=page_link(self.scope.period, view.product, self.rows.material.now),
        )

    @cached_property
    def _all_downloads(self) -> list[MetricDefinition]:
        downloads = self.rows.stored.downloads
        return [metric for name in self._measured for metric in downloads.get(name, ())]

    @cached_property
    def _all_failed(self) -> list[LeftOut]:
        downloads = self.rows.stored.downloads
        return [one for view in self._products if view.product in downloads for one in view.left_out]

    @cached_property
    def _all(self) -> PeriodTotal | None:
        """The downloads of all products together; None where no product has any."""
        metrics = self._all_downloads
        return self._table.total(metrics, self._all_failed) if metrics else None

    @property
    def _all_name(self) -> str:
        names = [view.display_name for view in self._products]
        return named(names) if self.scope.products or len(names) == 1 else _ALL

    @cached_property
    def _total(self) -> Score | None:
        """The downloads of all products together, with the stars of all."""
        if self._all is None:
            return None
        stars = self._table.stars([one for one in self.rows.stored.stars if one.product in self._measured])
        return score_of(
            self._all,
            stars.of_period if stars else None,
            product=None,
            name=self._all_name,
            unit=self._all_downloads[0].unit,
            left_out=(one.metric_id for one in self._all_failed),
            link=self._total_link(None),
            page=page_link(self.scope.period, None, self.rows.material.now),
        )

    @property
    def _charts(self) -> DigestCharts:
        products = [
            Summed(view.product, view.display_name, _without(self._measured[view.product], view.left_out))
            for view in self._products
        ]
        every = _without(self._all_downloads, self._all_failed)
        names = {view.product: view.display_name for view in self._products}
        stars = [one for one in self.rows.stored.stars if one.product in self._measured]
        return DigestCharts(
            material=self.rows.material,
            period=self.scope.period,
            total=Summed(None, self._all_name, every) if every else None,
            products=[one for one in products if one.metrics],
            stars=stars_of(stars, names),
        )

    def _total_link(self, product: str | None) -> str:
        """Return a path that names the period: a stored one must not lead to later numbers."""
        period = self.scope.period
        if not period.is_over(self.rows.material.now):
            return status_link()
        query = [(period.grain.value, period.label)]
        if period.grain is Grain.WEEK and (product or not self.scope.products):
            return f"/api/v1/overview?{urlencode(query)}"
        chosen = [("product", product)] if product else self._query[1:]
        return f"/api/v1/insights?{urlencode(query + chosen)}"

    @cached_property
    def _goals(self) -> tuple[GoalLine, ...]:
        return tuple(
            GoalLine(
                name=goal.name,
                product=goal.product,
                metric_ids=(*goal.series, *goal.left_out),
                progress=goal.standing.progress.value,
                sentence=goal.sentence,
                rule=goal.rule,
                link=goal.link,
            )
            for goal in self.goals.goals
            if not self.scope.products or goal.product in self.scope.products
        )

    def _unknown(self, insights: Sequence[Insight], scores: Sequence[Score]) -> list[Sentence]:
        """Return what is not known: stale sources, series that failed for long, what the period lacks."""
        used = {metric.source for metric in self.rows.material.metrics}
        stale = [
            Sentence(text=_stale_words(one.source, one.newest_day), metric_ids=(), link=status_link())
            for one in self.rows.freshness.stale
            if one.source in used
        ]
        failed = [
            Sentence(
                text=f"{one.name} is without {named([self._names[name] for name in one.left_out])}, "
                "which failed for more than two weeks.",
                metric_ids=one.left_out,
                link=status_link(),
            )
            for one in scores
            if one.left_out
        ]
        lacking = [
            Sentence(text=one.sentence, metric_ids=one.metric_ids, link=one.link)
            for one in insights
            if one.kind in UNKNOWN
        ]
        return [*stale, *failed, *lacking]


def _without(metrics: Sequence[MetricDefinition], failed: Sequence[LeftOut]) -> tuple[MetricDefinition, ...]:
    excluded = {one.metric_id for one in failed}
    return tuple(metric for metric in metrics if metric.metric_id not in excluded)


def _stale_words(source: str, newest: object) -> str:
    return (
        f"Nothing was ever read from {source}."
        if newest is None
        else f"{source} has no day after {newest}, which is long ago."
    )


async def read_digest(
    reader: LanceDBReader,
    catalog: Catalog,
    now: datetime,
    *,
    scope: DigestScope,
    previous: Digest | None = None,
) -> DigestRows:
    """Read what a digest needs; `previous` is the last one of the same products, if any.

    Raises:
        UnknownName: a product is not stored.
    """
    period, products = scope.period, list(scope.products) or None
    rows = await read_material(reader, catalog, now, period, products)
    try:
        events = await load_events(
            reader, catalog, now, since=period.start, until=period.end, products=products
        )
    except TooManyEvents:
        events = None  # the digest says so
    goals = await load_goals(reader, catalog, now, period=period)
    return DigestRows(scope, rows, events, goals, previous)
