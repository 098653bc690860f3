"""`docs/data-dictionary.md`, generated from the storage schemas by `python -m tests.support.data_dictionary`.

A new column needs its meaning here, by its name where it means the same everywhere, else by table and name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from community_metrics.backup.manifest import type_name
from community_metrics.storage.schemas import LEASES, TABLES

if TYPE_CHECKING:
    from community_metrics.storage.schemas import AnyTable

PAGE = Path(__file__).parents[2] / "docs" / "data-dictionary.md"
PREFACE = """\
# Data dictionary: the tables as Parquet

Generated from the storage schemas by `python -m tests.support.data_dictionary`; a test fails when this page
is stale.

A [backup](backup.md) has a file for each table, and `/api/v1/export/{table}.parquet` returns `stats`,
`metrics` and `history` (`stats` there also has the unit and the kind of each value). The compression is
zstd. Instants are UTC, in microseconds; days are UTC days. Tables change by added columns only, which are
null for earlier rows. What the numbers mean, and which may be added up, is in [data.md](data.md).

`community-metrics import stats.parquet` loads the values of a file into another database, and
`community-metrics restore` a whole backup.

## Examples

Each one sums the downloads of whole ISO weeks, in a folder with `stats.parquet` and `metrics.parquet` of a
backup. Only flows may be summed; a week without all its seven days is left out: a missing day is not 0.

DuckDB:

```python
import duckdb

weeks = duckdb.sql(\"\"\"
    SELECT metric_id, date_trunc('week', period_end)::DATE AS week, sum(value)::BIGINT AS downloads
    FROM 'stats.parquet' AS stats JOIN 'metrics.parquet' AS metrics USING (metric_id)
    WHERE value_kind = 'flow' AND unit = 'downloads' AND stats.source_window = '1d'
    GROUP BY ALL HAVING count(*) = 7 ORDER BY ALL
\"\"\")
print(weeks)
```

pandas:

```python
import pandas as pd

metrics = pd.read_parquet("metrics.parquet", columns=["metric_id", "value_kind", "unit"])
days = pd.read_parquet("stats.parquet").merge(metrics, on="metric_id")
days = days.query("value_kind == 'flow' and unit == 'downloads' and source_window == '1d'")
week = pd.to_datetime(days["period_end"]).dt.to_period("W-SUN").dt.start_time.dt.date.rename("week")
sums = days.groupby(["metric_id", week])["value"].agg(["sum", "count"])
weeks = sums.query("count == 7")["sum"]
print(weeks)
```

Polars:

```python
import polars as pl

metrics = pl.scan_parquet("metrics.parquet").filter(value_kind="flow", unit="downloads").select("metric_id")
days = pl.scan_parquet("stats.parquet").filter(source_window="1d").join(metrics, on="metric_id")
weeks = (
    days.group_by("metric_id", week=pl.col("period_end").dt.truncate("1w"))
    .agg(downloads=pl.col("value").sum(), days=pl.len())
    .filter(days=7)
    .drop("days")
    .sort("metric_id", "week")
    .collect()
)
print(weeks)
```
"""
TABLE_MEANINGS: Final = {
    "metrics": "One thing that is counted: one source, one subject.",
    "stats": "One value of a metric, and its history.",
    "history": "One execution of a job.",
    "run_outcomes": "How one metric ended in one run.",
    "last_reads": "When the registry of a metric last answered.",
    "raw_answers": "What a source was asked and answered, where it cannot be asked again.",
    "leases": "The run that may write. It is in no backup.",
    "traffic_items": "A list of places without dates, as read on one day.",
    "witness": "What a second witness counted on one day of a metric.",
    "events": "What happened on a day, and who says so.",
    "digests": "What was told of a period, as it was told.",
    "deliveries": "The digest of one period for one target.",
}
MEANINGS: Final = {
    "metric_id": "the metric: family, product and detail, such as `downloads:lance:python`",
    "source_window": "the length of the interval of a value",
    "provenance": "how the value reached the database; a later word outranks an earlier one",
    "observed_at": "when the source returned it",
    "source_ref": "the address that was asked, or file and line",
    "ingestion_run_id": "the run that wrote the row, a key of `history`",
    "run_id": "the run, a key of `history`",
    "error_class": "the kind of the error",
    "grain": "the length of the period",
    "period": "the name of the period, such as `2026-W47`",
    "product": "the id of the product; null: of all products",
    "visibility": "who may see it",
    "metrics.metric_family": "the first part of the id",
    "metrics.product": "the id of the product",
    "metrics.subject": "the name of the package or repository at the source",
    "metrics.sdk": "the language or platform of the package",
    "metrics.source": "where it is read",
    "metrics.value_kind": "how values combine over time; only a `flow` may be summed",
    "metrics.unit": "what is counted",
    "metrics.fallbacks": "metrics that may stand in, as estimates",
    "metrics.display_name": "its name for people",
    "metrics.is_active": "whether it is still read",
    "metrics.created_at": "when it was first stored",
    "metrics.visibility": "who may see it; null: `public`",
    "stats.stat_key": "`metric_id` and `period_end`",
    "stats.period_start": "the first day of the interval",
    "stats.period_end": "the last day of the interval, which belongs to it",
    "stats.value": "the count",
    "stats.status": "whether the source may still change the value",
    "stats.first_value": "the value first stored after its day had settled",
    "stats.revision": "how often the source restated it since",
    "stats.revised_at": "when the last restatement was read",
    "stats.is_reset": "the counter was reset since the reading before; null: no",
    "stats.mark": "what is special about how the value came about",
    "stats.subject_id": "the registry's number of the subject, which outlives its name",
    "stats.newest_part": "of a counter that sums parts: the greatest order among them",
    "stats.parts_digest": "of such a counter: a digest of the names of its parts",
    "history.ingestion_run_id": "the run",
    "history.job_name": "the job",
    "history.started_at": "when it began",
    "history.finished_at": "when it ended; null: it runs, or was killed",
    "history.status": "how it ended",
    "history.rows_inserted": "rows of values that it inserted",
    "history.rows_updated": "rows of values that it changed",
    "history.rows_unchanged": "values that were stored already",
    "history.window_start": "the first day that it read",
    "history.window_end": "the last day that it read",
    "history.error_summary": "what failed, for people",
    "history.scope": "the patterns of `--only`, or the one row that it wrote; null: all metrics",
    "history.metrics_left": "metrics that it left for the next run",
    "history.lookback_weeks": "how many weeks back it read",
    "history.is_aborted": "a signal, or an error that is no metric's, ended it",
    "history.loaded_by": "the run that loaded it from an export; null: a run of this database",
    "run_outcomes.outcome_key": "`run_id` and `metric_id`",
    "run_outcomes.metric_id": "the metric, or a place that states events",
    "run_outcomes.status": "how the metric ended",
    "run_outcomes.message": "the cause of the error",
    "run_outcomes.url": "the address that failed",
    "run_outcomes.observations": "the values that were read",
    "run_outcomes.last_day": "the day of the newest of them",
    "last_reads.metric_id": "the metric, or a place that states events",
    "last_reads.turn_at": "when its turn came, which orders the next run",
    "last_reads.read_at": "when it last answered with values; null: never",
    "raw_answers.answers_key": "`run_id`, `source`, `request_group` and `part`",
    "raw_answers.source": "the source",
    "raw_answers.request_group": "the number of the time that the run asked the source",
    "raw_answers.part": "the number of the row within the group",
    "raw_answers.stored_at": "when the values were stored",
    "raw_answers.content": "requests and answers as JSON, compressed by zlib",
    "leases.resource": "what is held",
    "leases.host": "the machine of the run",
    "leases.pid": "the process of the run",
    "leases.heartbeat_at": "when it was last renewed",
    "leases.expires_at": "when it ends without a renewal",
    "traffic_items.item_key": "`metric_id` and `day`",
    "traffic_items.day": "the day of the reading",
    "traffic_items.names": "the places, in the source's order",
    "traffic_items.titles": "the title of each place; empty: they have none",
    "traffic_items.counts": "the views of each place",
    "traffic_items.uniques": "the visitors of each place",
    "witness.witness_key": "`metric_id` and `day`",
    "witness.day": "the UTC day",
    "witness.witness": "who counted it",
    "witness.value": "the count",
    "events.event_id": "the event",
    "events.day": "the UTC day",
    "events.happened_at": "the instant, where the origin states one",
    "events.kind": "what kind of thing happened",
    "events.title": "what happened",
    "events.url": "a page about it",
    "events.origin": "where it was read",
    "events.metric_id": "the metric whose source stated it",
    "events.author": "the person who says so, of a note only",
    "events.recorded_at": "when it was first stored",
    "events.removed_at": "when it was removed; the row stays",
    "events.removed_by": "who removed it",
    "digests.digest_id": "the digest",
    "digests.period_start": "the first day of the period",
    "digests.period_end": "the last day of the period",
    "digests.products": "the products that it is about; empty: all",
    "digests.edition": "1, and one more for each digest of the period made anew",
    "digests.is_complete": "whether every series had the whole period",
    "digests.title": "its first line",
    "digests.made_at": "when it was made",
    "digests.metric_ids": "the metrics that it names",
    "digests.origins": "the places of events that it names",
    "digests.content": "the whole digest as JSON",
    "deliveries.delivery_key": "`delivery_id`, `grain` and `period`",
    "deliveries.delivery_id": "the target of the catalogue",
    "deliveries.digest_id": "the digest, a key of `digests`",
    "deliveries.state": "how far it has come",
    "deliveries.attempts": "the runs that tried",
    "deliveries.first_attempt_at": "when the first of them tried",
    "deliveries.last_attempt_at": "when the last of them tried",
    "deliveries.next_attempt_at": "when the next run may try",
    "deliveries.message": "the cause of the last error, or what the target left out",
}


def rendered() -> str:
    """Return the page for the current schemas.

    Raises:
        KeyError: a table or a column has no meaning here.
    """
    return PREFACE + "".join(map(_section, TABLES))


def _section(spec: AnyTable) -> str:
    file = "" if spec is LEASES else f" File: `{spec.name}.parquet`."
    lines = ["", f"## `{spec.name}`", "", f"{TABLE_MEANINGS[spec.name]} Key: `{spec.key}`.{file}", ""]
    lines += ["| column | type | null | meaning |", "| --- | --- | --- | --- |"]
    for column in spec.schema:
        own = f"{spec.name}.{column.name}"
        meaning = MEANINGS[own if own in MEANINGS else column.name]
        if column.name in spec.words:
            meaning += ": " + ", ".join(f"`{word}`" for word in spec.words[column.name])
        null = "yes" if column.nullable else "no"
        lines.append(f"| `{column.name}` | {type_name(column.type)} | {null} | {meaning} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
