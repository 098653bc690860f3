import { memo } from "react";
import { RESTATEMENTS } from "../api/paths";
import type { ResourceState } from "../api/resource";
import type { MetricStatus, Restatements, RunRecord, ServiceStatus } from "../api/types";
import { useReader } from "../hooks/contexts";
import { useSeen } from "../hooks/use-near-viewport";
import { useResource } from "../hooks/use-resource";
import { type Column, SortableTable } from "./sortable-table";

/** How far the numbers can be trusted: settled days, gaps, restatements, runs. */
export const Quality = memo(function Quality({ status }: { readonly status: ResourceState<ServiceStatus> }) {
  return (
    <section aria-labelledby="quality-title" className="quality">
      <h2 id="quality-title">Data quality</h2>
      {status.phase === "loading" && <p className="muted">Asking…</p>}
      {status.phase === "failed" && <p className="muted">{status.problem.message}</p>}
      {status.phase === "ready" && (
        <>
          <Series metrics={status.answer.body.metrics} />
          <div className="columns">
            <Restated />
            <Runs runs={status.answer.body.runs} />
          </div>
        </>
      )}
    </section>
  );
});

function Series({ metrics }: { readonly metrics: readonly MetricStatus[] }) {
  const { format, now } = useReader();
  const columns: readonly Column<MetricStatus>[] = [
    { key: "metric", title: "Series", by: (row) => row.metric_id, cell: (row) => row.metric_id },
    {
      key: "newest",
      title: "Newest day",
      isWhole: true,
      by: (row) => row.newest_day,
      cell: (row) => (row.newest_day ? format.day(row.newest_day) : "none yet"),
    },
    {
      key: "settled",
      title: "Settled through",
      isWhole: true,
      by: (row) => row.settled_through,
      cell: (row) => (row.settled_through ? format.day(row.settled_through) : "—"),
    },
    {
      key: "gaps",
      title: "Gaps",
      isNumber: true,
      by: (row) => row.missing_days.length,
      cell: (row) => <Gaps days={row.missing_days} />,
    },
    {
      key: "observed",
      title: "Observed",
      isWhole: true,
      by: (row) => row.observed_at,
      cell: (row) => (row.observed_at ? format.age(row.observed_at, now) : "—"),
    },
    {
      key: "error",
      title: "Last run said",
      by: (row) => row.last_error,
      cell: (row) => row.last_error ?? <span className="muted is-whole">nothing wrong</span>,
    },
  ];
  return (
    <div className="card">
      <h3>Series</h3>
      <SortableTable
        id="quality"
        caption="Freshness and gaps of every series"
        columns={columns}
        rows={metrics}
        keyOf={(row) => row.metric_id}
      />
    </div>
  );
}

function Gaps({ days }: { readonly days: readonly string[] }) {
  const { format } = useReader();
  if (days.length === 0) return <>0</>;
  return (
    <details className="gaps">
      <summary>{days.length}</summary>
      {days.map((day) => format.day(day)).join(", ")}
    </details>
  );
}

type Restatement = Restatements["restatements"][number];

function Restated() {
  const { format } = useReader();
  const [ref, isSeen] = useSeen<HTMLDivElement>();
  const asked = useResource<Restatements>(isSeen ? RESTATEMENTS : null);
  const rows = asked.phase === "ready" ? asked.answer.body.restatements : [];
  const columns: readonly Column<Restatement>[] = [
    { key: "metric", title: "Series", by: (row) => row.metric_id, cell: (row) => row.metric_id },
    {
      key: "day",
      title: "Day",
      isWhole: true,
      by: (row) => row.period_end,
      cell: (row) => format.day(row.period_end),
    },
    {
      key: "first",
      title: "First",
      isNumber: true,
      by: (row) => row.first_value,
      cell: (row) => format.count(row.first_value),
    },
    {
      key: "value",
      title: "Now",
      isNumber: true,
      by: (row) => row.value,
      cell: (row) => <strong>{format.count(row.value)}</strong>,
    },
    {
      key: "at",
      title: "Seen",
      isWhole: true,
      by: (row) => row.revised_at,
      cell: (row) => format.instant(row.revised_at),
    },
  ];
  return (
    <div className="card" ref={ref}>
      <h3>Restatements</h3>
      <p className="muted">Values that a registry changed after they were stored; the first one is kept.</p>
      {asked.phase === "failed" && <p className="muted">{asked.problem.message}</p>}
      {asked.phase === "ready" && rows.length === 0 && <p>None.</p>}
      {rows.length > 0 && (
        <SortableTable
          id="restated"
          caption="Restatements"
          columns={columns}
          rows={rows}
          keyOf={(row) => `${row.metric_id}|${row.period_end}`}
        />
      )}
    </div>
  );
}

const STATES: Readonly<Record<RunRecord["state"], string>> = {
  success: "✓ success",
  partial: "! partial",
  failed: "× failed",
  running: "… running",
  abandoned: "× abandoned",
};

function Runs({ runs }: { readonly runs: readonly RunRecord[] }) {
  const { format } = useReader();
  const columns: readonly Column<RunRecord>[] = [
    { key: "job", title: "Job", by: (row) => row.job_name, cell: (row) => row.job_name },
    {
      key: "started",
      title: "Started",
      isWhole: true,
      by: (row) => row.started_at,
      cell: (row) => format.instant(row.started_at),
    },
    {
      key: "state",
      title: "State",
      isWhole: true,
      by: (row) => row.state,
      cell: (row) => <span className={`state-${row.state}`}>{STATES[row.state]}</span>,
    },
    {
      key: "rows",
      title: "New",
      isNumber: true,
      by: (row) => row.rows_inserted,
      cell: (row) => format.count(row.rows_inserted),
    },
    {
      key: "changed",
      title: "Changed",
      isNumber: true,
      by: (row) => row.rows_updated,
      cell: (row) => format.count(row.rows_updated),
    },
  ];
  return (
    <div className="card">
      <h3>Last runs</h3>
      {runs.length === 0 ? (
        <p>None yet.</p>
      ) : (
        <SortableTable
          id="runs"
          caption="Last runs"
          columns={columns}
          rows={runs}
          keyOf={(row) => row.run_id}
        />
      )}
    </div>
  );
}
