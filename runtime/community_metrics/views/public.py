"""What everybody may see: a reader and a catalogue without the metrics of the team.

The one place that enforces `visibility`. Views get this reader like any other, so that a total, a suggestion,
an export or a view that is written later cannot have more. Every query of a table with metrics is narrowed
before LanceDB runs it, and a table that is not known here reads as empty.
"""

from __future__ import annotations

import re
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from community_metrics.model import (
    DIGEST_JOB,
    EVENT_JOB,
    READING_SEPARATOR,
    RunStatus,
    Visibility,
    is_reading_id,
)
from community_metrics.storage.queries import Query
from community_metrics.storage.reader import LanceDBReader
from community_metrics.storage.schemas import (
    DIGESTS,
    EVENTS,
    HISTORY,
    LAST_READS,
    LEASES,
    METRICS,
    RUN_OUTCOMES,
)
from community_metrics.storage.sql import all_of, any_of, equals, has_any, literal, one_of
from community_metrics.views.public_goals import GoalsByViewer
from community_metrics.views.public_runs import (
    NOT_KNOWN,
    OF_ALL_METRICS,
    outcomes_of,
    public_loaded_run,
    public_run,
    public_scope,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
    from datetime import datetime

    from community_metrics.catalog import Catalog
    from community_metrics.model import MetricDefinition, Run, RunOutcome
    from community_metrics.storage.schemas import AnyTable

_KEY: Final = "public reader"
_RUNS_AT_ONCE: Final = 40
_WITHOUT_METRICS: Final = {HISTORY.name, LEASES.name}
"""Tables that are not narrowed by metric: `runs` rewrites the rows of the first, no view shows the second."""
_WITH_PLACES: Final = {RUN_OUTCOMES.name, LAST_READS.name}
"""Tables in which the reading of a place of events stands beside metrics."""
_BAD: Final = {RunStatus.PARTIAL, RunStatus.FAILED}
_WITHHELD: Final = "The message names what only the team may see."


def seen_by(
    viewer: Visibility, reader: LanceDBReader, catalog: Catalog, *, has_team: bool
) -> tuple[LanceDBReader, Catalog]:
    """Return the reader and the catalogue that a viewer may use: of the team as they are, else narrowed.

    `has_team` says that some viewers have a token: then everybody else never sees how many rows a run wrote,
    of which days, and what narrowed it, whether or not there is a metric of the team. Without tokens these
    are shown unless they may include rows of the team.
    """
    if viewer is Visibility.TEAM:
        return reader, catalog
    return _public_reader(reader, catalog, has_team=has_team), public_catalog(catalog)


def public_catalog(catalog: Catalog) -> Catalog:
    """Return the catalogue without the metrics of the team, and without products that have no other."""
    shown = [metric for metric in catalog.metrics if metric.visibility is Visibility.PUBLIC]
    readings = tuple(place for place in catalog.readings if place.visibility is Visibility.PUBLIC)
    ids, products = {metric.metric_id for metric in shown}, {metric.product for metric in shown}
    goals = tuple(
        goal
        for goal in catalog.goals
        if goal.visibility is Visibility.PUBLIC and (goal.metric_id in ids or goal.product in products)
    )
    if len(shown) == len(catalog.metrics):
        return replace(catalog, readings=readings, goals=goals)
    metrics = [
        metric.model_copy(update={"fallbacks": tuple(name for name in metric.fallbacks if name in ids)})
        for metric in shown
    ]
    kept = tuple(product for product in catalog.products if product.id in products)
    return replace(
        catalog,
        metrics=tuple(metrics),
        products=kept,
        registries=tuple(one for one in catalog.registries if one.visibility is Visibility.PUBLIC),
        registry_ids={name: total for name, total in catalog.registry_ids.items() if name in ids},
        readings=readings,
        goals=goals,
    )


def _public_reader(reader: LanceDBReader, catalog: Catalog, *, has_team: bool) -> LanceDBReader:
    computed = reader.computed
    if computed is not None and _KEY in computed:
        known: LanceDBReader = computed[_KEY]
        return known
    # a subclass of the given reader's own class, which may read in another way
    kind = type(f"Public{type(reader).__name__}", (PublicReader, type(reader)), {})
    public: PublicReader = reader.as_type(kind)
    public.everything = reader
    kept = [metric for metric in catalog.defined if metric.visibility is not Visibility.PUBLIC]
    narrowed = public_catalog(catalog)
    places = narrowed.readings
    public.shown_places = frozenset(place.id for place in places)
    public.kept_origins = frozenset(one.origin for one in catalog.readings) - {one.origin for one in places}
    public.goals = GoalsByViewer.of(catalog.goals, narrowed.goals)
    public.kept_for_team = {metric.metric_id: metric.subject for metric in kept}
    public.collects_for_team = any(metric.is_active for metric in kept)
    public.has_team = has_team
    public.computed = None if computed is None else {}
    if computed is not None:
        computed[_KEY] = public
    return public


def unnarrowed(reader: LanceDBReader) -> LanceDBReader:
    """Return the reader that leaves nothing out, of a public one or of itself."""
    return reader.everything if isinstance(reader, PublicReader) else reader


def is_narrowed(reader: LanceDBReader) -> bool:
    """Return whether a reader is that of everybody: what has no public part is then not shown at all."""
    return isinstance(reader, PublicReader)


class PublicReader(LanceDBReader):
    """Reads as if the database had no metric of the team."""

    everything: LanceDBReader
    """The reader of the same rows that leaves nothing out."""
    kept_for_team: dict[str, str]
    """Subjects of the metrics that the catalogue keeps for the team, by id: it may be ahead of storage."""
    collects_for_team: bool
    """Whether one of these is collected: then the rows of a run may be the team's."""
    has_team: bool
    shown_places: frozenset[str]
    """The ids of the readings of events that the catalogue shows everybody; all others stay hidden."""
    kept_origins: frozenset[str]
    """The origins of the others: an event was stored as public before its feed became the team's."""
    goals: GoalsByViewer
    _of_goals: frozenset[str] | None = None
    _hidden: frozenset[str] | None = None
    _stored: Sequence[MetricDefinition] = ()
    _shown: frozenset[str] = frozenset()
    _is_collected: bool = False
    _names: re.Pattern[str] | None = None

    async def metrics(self) -> list[MetricDefinition]:
        """Return the definitions of public metrics, without fallbacks that are not public."""
        hidden = await self._hidden_ids()  # read with the definitions, which are not read again
        return await self._without_fallbacks([one for one in self._stored if one.metric_id not in hidden])

    async def scan(
        self, table: str, *, columns: Sequence[str] | None = None, where: str | None = None
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        """Yield a table in batches; definitions and runs as `metrics` and `runs` return them."""
        rewritten = table in {METRICS.name, HISTORY.name}
        read = super().scan(table, columns=None if rewritten else columns, where=where)
        async with aclosing(read) as batches:
            async for batch in batches:
                if not rewritten:
                    yield batch
                    continue
                rows = await self._rewritten(table, pa.Table.from_batches([batch]))
                for public in _batches_of(self.scanned_schema(table), rows, columns):
                    yield public

    async def _rewritten(self, table: str, stored: pa.Table) -> Sequence[MetricDefinition | Run]:
        """Return definitions or runs as everybody may see them."""
        if table == METRICS.name:
            return await self._without_fallbacks(METRICS.from_arrow(stored))
        return await self._public_runs(HISTORY.from_arrow(stored))

    def scanned_schema(self, table: str) -> pa.Schema:
        """Return the columns that `scan` yields: what a run says of all its metrics may be null."""
        schema = super().scanned_schema(table)
        if table != HISTORY.name:
            return schema
        return pa.schema(
            [field.with_nullable(field.nullable or field.name in OF_ALL_METRICS) for field in schema]
        )

    async def newest_runs(self) -> list[Run] | None:
        """Return None: a run that is narrowed to public metrics does not say any more whether it read all.

        `runs` searches what is stored.
        """
        return None

    async def run(self, run_id: str) -> Run | None:
        """Return the run with this id as everybody may see it; None if there is none."""
        found = await super().run(run_id)
        return next(iter(await self._public_runs([found] if found else [])), None)

    async def runs(
        self,
        *,
        limit: int,
        statuses: Collection[RunStatus] = (),
        jobs: Collection[str] = (),
        before: datetime | None = None,
        whole_only: bool = False,
        with_loaded: bool = False,
        without: Collection[str] = (),
    ) -> list[Run]:
        """Return up to `limit` runs as everybody may see them, newest first.

        A run in which only metrics of the team failed is a success, so a status is searched in more runs
        than those that are stored with it.
        """
        found: list[Run] = []
        size = max(limit, _RUNS_AT_ONCE)
        stored = statuses if set(statuses) == {RunStatus.RUNNING} else ()
        options: dict[str, Any] = {
            "statuses": stored,
            "jobs": jobs,
            "whole_only": whole_only,
            "with_loaded": with_loaded,
            "without": without,
        }
        while len(found) < limit:
            page = await super().runs(limit=size, before=before, **options)
            shown = await self._public_runs(page)
            found += [run for run in shown if not statuses or run.status in statuses]
            if len(page) < size:
                break
            before = page[-1].started_at
        return found[:limit]

    async def outcomes(self, run_ids: Sequence[str], *, failed_only: bool = False) -> list[RunOutcome]:
        """Return how public metrics ended in these runs; a message that names others is withheld."""
        found = await super().outcomes(run_ids, failed_only=failed_only)
        return [await self._without_names(outcome) for outcome in found]

    async def _select(self, query: Query) -> pa.Table:
        return await super()._select(replace(query, where=await self._public(query.table, query.where)))

    async def _streamed_batches(
        self, spec: AnyTable, columns: Sequence[str], where: str | None, *, rows: int
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        narrowed = await self._public(spec, where)
        async with aclosing(super()._streamed_batches(spec, columns, narrowed, rows=rows)) as batches:
            async for batch in batches:
                yield batch

    async def _paged_batches(
        self, spec: AnyTable, columns: Sequence[str], where: str | None
    ) -> AsyncGenerator[pa.RecordBatch, None]:
        narrowed = await self._public(spec, where)
        async with aclosing(super()._paged_batches(spec, columns, narrowed)) as batches:
            async for batch in batches:
                yield batch

    async def _public(self, spec: AnyTable, where: str | None) -> str | None:
        """Return the condition with the one that leaves out the rows of the team."""
        if spec.name in _WITHOUT_METRICS:
            return where
        if spec is DIGESTS:
            return all_of(where, *await self._public_digests())
        if "metric_id" not in spec.schema.names:
            return "FALSE"
        hidden = await self._hidden_ids()
        if spec is EVENTS:
            return all_of(where, *self._public_events())
        if self.everything.computed is None:
            # no snapshot: a metric that is defined after the definitions were read may be the team's
            shown = self._shown | self.shown_places if spec.name in _WITH_PLACES else self._shown
            return all_of(where, one_of("metric_id", shown) if shown else "FALSE")
        is_shown = f"NOT ({one_of('metric_id', hidden)})" if hidden else None
        return all_of(where, is_shown, self._public_places() if spec.name in _WITH_PLACES else None)

    def _public_places(self) -> str:
        """Return the condition that a row is of a metric, or of a place of events that everybody may see."""
        is_of_metric = f"NOT (metric_id LIKE {literal(f'%{READING_SEPARATOR}%')})"
        places = [one_of("metric_id", self.shown_places)] if self.shown_places else []
        return any_of([is_of_metric, *places])

    def _is_shown(self, name: str) -> bool:
        """Return whether everybody may see how a metric, or the reading of a place of events, ended."""
        return name in self.shown_places if is_reading_id(name) else name not in (self._hidden or ())

    def _public_events(self) -> tuple[str | None, ...]:
        """Return what holds of an event that everybody may see.

        A product without a public metric is not known to them, so neither is what happened to it.
        """
        products = {one.product for one in self._stored if one.metric_id in self._shown}
        return (
            equals("visibility", Visibility.PUBLIC.value),
            f"NOT ({one_of('origin', self.kept_origins)})" if self.kept_origins else None,
            f"metric_id IS NULL OR {one_of('metric_id', self._shown) if self._shown else 'FALSE'}",
            f"product IS NULL OR {one_of('product', products) if products else 'FALSE'}",
        )

    async def _public_digests(self) -> tuple[str | None, ...]:
        """Return what holds of a digest that everybody may see: it names nothing of the team."""
        hidden, of_goals = await self._hidden_ids(), await self._digests_of_kept_goals()
        return (
            equals("visibility", Visibility.PUBLIC.value),
            f"NOT {has_any('metric_ids', hidden)}" if hidden else None,
            f"NOT {has_any('origins', self.kept_origins)}" if self.kept_origins else None,
            f"NOT ({one_of(DIGESTS.key, of_goals)})" if of_goals else None,
        )

    async def _digests_of_kept_goals(self) -> frozenset[str]:
        """Return the digests that were made for everybody before a goal that they name became the team's."""
        if self.goals.kept and self._of_goals is None:
            where = equals("visibility", Visibility.PUBLIC.value)
            batches = self.everything.scan(DIGESTS.name, columns=[DIGESTS.key, "content"], where=where)
            rows = [row async for batch in batches for row in batch.to_pylist()]
            named = [row[DIGESTS.key] for row in rows if self.goals.names_kept(row["content"])]
            self._of_goals = frozenset(named)
        return self._of_goals or frozenset()

    async def _hidden_ids(self) -> frozenset[str]:
        """Return the ids that storage or the catalogue keeps for the team."""
        if self._hidden is None:
            self._stored = stored = await self.everything.metrics()
            kept = [metric for metric in stored if not _is_public(metric)]
            hidden = {metric.metric_id: metric.subject for metric in kept} | self.kept_for_team
            self._is_collected = self.collects_for_team or any(metric.is_active for metric in kept)
            shown = {metric.subject for metric in stored if metric.metric_id not in hidden}
            self._names = _pattern_of({*hidden, *hidden.values()} - shown)
            self._shown = frozenset(metric.metric_id for metric in stored) - hidden.keys()
            self._hidden = frozenset(hidden)
        return self._hidden

    async def _may_count_hidden(self) -> bool:
        """Return whether a run may have counted rows of the team: none has if they were never collected."""
        hidden = await self._hidden_ids()
        if not hidden or self._is_collected:
            return bool(hidden)
        query = Query(LAST_READS, ["metric_id"], 1, one_of("metric_id", hidden))
        return bool((await super()._select(query)).num_rows)

    async def _without_fallbacks(self, metrics: Sequence[MetricDefinition]) -> list[MetricDefinition]:
        hidden = await self._hidden_ids()
        return [
            replace(metric, fallbacks=tuple(name for name in metric.fallbacks if name not in hidden))
            for metric in metrics
        ]

    async def _without_names(self, outcome: RunOutcome) -> RunOutcome:
        """Return the outcome; one request for many subjects may fail with a message that names them all."""
        await self._hidden_ids()
        if self._names is None or not self._names.search(f"{outcome.message} {outcome.url}"):
            return outcome
        return replace(outcome, message=_WITHHELD, url=None)

    async def _public_runs(self, runs: Sequence[Run]) -> list[Run]:
        """Return runs without what they say of the team's metrics, in their order.

        Left out is a run of these alone, unless it was loaded: then nothing here tells that it is one.
        """
        own = await self._public_own_runs([run for run in runs if run.loaded_by is None])
        shown = {run.ingestion_run_id: run for run in own}
        shown |= {run.ingestion_run_id: public_loaded_run(run) for run in runs if run.loaded_by is not None}
        return [shown[run.ingestion_run_id] for run in runs if run.ingestion_run_id in shown]

    async def _public_own_runs(self, runs: Sequence[Run]) -> list[Run]:
        hidden = await self._hidden_ids()
        unseen = await self._unseen_rows(runs)
        seen = [run for run in runs if (run.job_name, run.scope) not in unseen]
        if not hidden and not self.has_team and not self.kept_origins:
            return seen
        shown_ids = [metric.metric_id for metric in await self.metrics()]
        scoped = [replace(run, scope=public_scope(run, shown_ids)) for run in seen]
        kept = [run for run, old in zip(scoped, seen, strict=True) if run.scope or not old.scope]
        ended_badly = [run.ingestion_run_id for run in kept if run.status in _BAD]
        every = await self.everything.outcomes(ended_badly) if ended_badly else []
        shown = [one for one in every if self._is_shown(one.metric_id)]
        public = [await self._without_names(one) for one in shown]
        may_count = self.has_team or bool(self.kept_origins) or await self._may_count_hidden()
        withheld = NOT_KNOWN if may_count else {}
        runs_of = [(run, outcomes_of(run, every), outcomes_of(run, public)) for run in kept]
        return [
            run
            if not withheld and of_all == of_public
            else replace(public_run(run, of_all, of_public), **withheld)
            for run, of_all, of_public in runs_of
        ]

    async def _unseen_rows(self, runs: Sequence[Run]) -> set[tuple[str, str | None]]:
        """Return job and scope of the runs that wrote an event or a digest which not everybody may see."""
        unseen: set[tuple[str, str | None]] = set()
        for job, spec in ((EVENT_JOB, EVENTS), (DIGEST_JOB, DIGESTS)):
            written = {run.scope for run in runs if run.job_name == job and run.scope}
            if written:
                rows = self.scan(spec.name, columns=[spec.key], where=one_of(spec.key, written))
                written -= {name async for batch in rows for name in batch[spec.key].to_pylist()}
            unseen |= {(job, name) for name in written}
        return unseen


def _is_public(metric: MetricDefinition) -> bool:
    return metric.visibility is Visibility.PUBLIC


def _pattern_of(names: Iterable[str]) -> re.Pattern[str] | None:
    """Return what finds one of the names as a whole, in any case; None without names."""
    listed = "|".join(re.escape(name) for name in sorted(names))
    return re.compile(rf"(?<![\w-])(?:{listed})(?![\w-])", re.IGNORECASE) if listed else None


def _batches_of(
    schema: pa.Schema, rows: Sequence[MetricDefinition | Run], columns: Sequence[str] | None
) -> list[pa.RecordBatch]:
    values = {name: [getattr(row, name) for row in rows] for name in schema.names}
    batches: list[pa.RecordBatch] = (
        pa.table(values, schema=schema).select(list(columns or schema.names)).to_batches()
    )
    return batches
