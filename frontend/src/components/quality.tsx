import { memo } from "react";
import { RESTATEMENTS } from "../api/paths";
import type { ResourceState } from "../api/resource";
import type { MetricStatus, Restatements, RunRecord, ServiceStatus } from "../api/types";
import { usePage } from "../hooks/contexts";
import { useNearViewport } from "../hooks/use-near-viewport";
import { useResource } from "../hooks/use-resource";
import { type Column, SortableTable } from "./sortable-table";

/** Data quality: freshness, missing days, restatements and runs. */
export const Quality = memo(function Quality({ status }: { readonly status: ResourceState<ServiceStatus> }) {
  return (
    <section aria-labelledby="quality-title" className="quality">
      <h2 id="quality-title">Data quality</h2>
      {status.phase === "loading" && <p className="muted">Loading…</p>}
      {status.phase === "failed" && <p className="muted">{status.problem.message}</p>}
      {status.phase === "ready" && (
        <>
          <SeriesTable metrics={status.response.body.metrics} />
          <div className="columns">
            <RestatementsCard />
            <RunsCard runs={status.response.body.runs} />
          </div>
        </>
      )}
    </section>
  );
});

function SeriesTable({ metrics }: { readonly metrics: readonly MetricStatus[] }) {
  const { format, now } = usePage();
  const columns: readonly Column<MetricStatus>[] = [
    { key: "metric", title: "Series", sortValue: (row) => row.metric_id, cell: (row) => row.metric_id },
    {
      key: "latest",
      title: "Latest day",
      noWrap: true,
      sortValue: (row) => row.newest_day,
      cell: (row) => (row.newest_day ? format.day(row.newest_day) : "none"),
    },
    {
      key: "published",
      title: "Published through",
      noWrap: true,
      sortValue: (row) => row.published_through,
      cell: (row) => (row.published_through ? format.day(row.published_through) : "—"),
    },
    {
      key: "missing",
      title: "Missing days",
      isNumber: true,
      sortValue: (row) => row.missing_days.length,
      cell: (row) => <MissingDays days={row.missing_days} />,
    },
    {
      key: "read",
      title: "Last read",
      noWrap: true,
      sortValue: (row) => row.observed_at,
      cell: (row) => (row.observed_at ? format.age(row.observed_at, now) : "—"),
    },
    {
      key: "error",
      title: "Last error",
      sortValue: (row) => row.last_error,
      cell: (row) => row.last_error ?? <span className="muted is-nowrap">none</span>,
    },
  ];
  return (
    <div className="card">
      <h3>Series</h3>
      <SortableTable
        id="quality"
        caption="Freshness and missing days by series"
        columns={columns}
        rows={metrics}
        rowKey={(row) => row.metric_id}
      />
    </div>
  );
}

function MissingDays({ days }: { readonly days: readonly string[] }) {
  const { format } = usePage();
  if (days.length === 0) return <>0</>;
  return (
    <details className="missing-days">
      <summary>{days.length}</summary>
      {days.map((day) => format.day(day)).join(", ")}
    </details>
  );
}

type Restatement = Restatements["restatements"][number];

function RestatementsCard() {
  const { format } = usePage();
  const [ref, hasBeenNear] = useNearViewport<HTMLDivElement>();
  const response = useResource<Restatements>(hasBeenNear ? RESTATEMENTS : null);
  const rows = response.phase === "ready" ? response.response.body.restatements : [];
  const columns: readonly Column<Restatement>[] = [
    { key: "metric", title: "Series", sortValue: (row) => row.metric_id, cell: (row) => row.metric_id },
    {
      key: "day",
      title: "Day",
      noWrap: true,
      sortValue: (row) => row.period_end,
      cell: (row) => format.day(row.period_end),
    },
    {
      key: "first",
      title: "First",
      isNumber: true,
      sortValue: (row) => row.first_value,
      cell: (row) => format.count(row.first_value),
    },
    {
      key: "value",
      title: "Current",
      isNumber: true,
      sortValue: (row) => row.value,
      cell: (row) => <strong>{format.count(row.value)}</strong>,
    },
    {
      key: "at",
      title: "Restated",
      noWrap: true,
      sortValue: (row) => row.revised_at,
      cell: (row) => format.instant(row.revised_at),
    },
  ];
  return (
    <div className="card" ref={ref}>
      <h3>Restatements</h3>
      <p className="muted">Values that a registry changed after they were final. The first value is kept.</p>
      {response.phase === "failed" && <p className="muted">{response.problem.message}</p>}
      {response.phase === "ready" && rows.length === 0 && <p>No restatements.</p>}
      {rows.length > 0 && (
        <SortableTable
          id="restated"
          caption="Restatements"
          columns={columns}
          rows={rows}
          rowKey={(row) => `${row.metric_id}|${row.period_end}`}
        />
      )}
    </div>
  );
}

const RUN_STATES: Readonly<Record<RunRecord["state"], string>> = {
  success: "✓ success",
  partial: "! partial",
  failed: "× failed",
  running: "… running",
  abandoned: "× abandoned",
};

function RunsCard({ runs }: { readonly runs: readonly RunRecord[] }) {
  const { format } = usePage();
  const columns: readonly Column<RunRecord>[] = [
    { key: "job", title: "Job", sortValue: (row) => row.job_name, cell: (row) => row.job_name },
    {
      key: "started",
      title: "Started",
      noWrap: true,
      sortValue: (row) => row.started_at,
      cell: (row) => format.instant(row.started_at),
    },
    {
      key: "state",
      title: "Status",
      noWrap: true,
      sortValue: (row) => row.state,
      cell: (row) => <span className={`state-${row.state}`}>{RUN_STATES[row.state]}</span>,
    },
    {
      key: "rows",
      title: "Added",
      isNumber: true,
      sortValue: (row) => row.rows_inserted,
      cell: (row) => format.count(row.rows_inserted),
    },
    {
      key: "changed",
      title: "Updated",
      isNumber: true,
      sortValue: (row) => row.rows_updated,
      cell: (row) => format.count(row.rows_updated),
    },
  ];
  return (
    <div className="card">
      <h3>Recent runs</h3>
      {runs.length === 0 ? (
        <p>No runs yet.</p>
      ) : (
        <SortableTable
          id="runs"
          caption="Recent runs"
          columns={columns}
          rows={runs}
          rowKey={(row) => row.run_id}
        />
      )}
    </div>
  );
}
