import { memo, useState } from "react";
import { RESTATEMENTS } from "../api/paths";
import type { ResourceState } from "../api/resource";
import type { MetricStatus, Restatements, RunRecord, ServiceStatus } from "../api/types";
import { exceptions, nextLoss } from "../data/exceptions";
import { usePage } from "../hooks/contexts";
import { useNearViewport } from "../hooks/use-near-viewport";
import { useResource } from "../hooks/use-resource";
import { DayList } from "./day-list";
import { Losses } from "./losses";
import { OutagesCard } from "./outages";
import { type Column, SortableTable } from "./sortable-table";

/** The data: what is not good, what is lost next, outages of registries, restatements and runs. */
export const Quality = memo(function Quality({ status }: { readonly status: ResourceState<ServiceStatus> }) {
  return (
    <section aria-labelledby="quality-title" className="quality">
      <h2 id="quality-title">Data</h2>
      {status.phase === "loading" && <p className="muted">Loading…</p>}
      {status.phase === "failed" && <p className="muted">{status.problem.message}</p>}
      {status.phase === "ready" && <Details status={status.response.body} />}
    </section>
  );
});

/** "All good" or the exceptions; the tables open on demand. */
function Details({ status }: { readonly status: ServiceStatus }) {
  const { now } = usePage();
  const found = exceptions(status, now);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <p className={found.length === 0 ? "quality-state is-good" : "quality-state is-warn"}>
        <span aria-hidden="true">{found.length === 0 ? "✓" : "!"}</span>{" "}
        {found.length === 0
          ? "All good: every series is read, the last run succeeded, and no day of the last 12 weeks is missing."
          : `${found.join("; ")}.`}
      </p>
      <NextLoss status={status} />
      <button type="button" className="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? "Hide the details" : "Show series, losses, outages, restatements and runs"}
      </button>
      {isOpen && (
        <>
          <SeriesTable metrics={status.metrics} />
          <Losses losses={status.losses} />
          <OutagesCard />
          <div className="columns">
            <RestatementsCard />
            <RunsCard runs={status.runs} />
          </div>
        </>
      )}
    </>
  );
}

/** What is lost first if nothing is read from now on. */
function NextLoss({ status }: { readonly status: ServiceStatus }) {
  const { format } = usePage();
  const next = nextLoss(status);
  if (next === null) return null;
  return (
    <p className="muted">
      Lost next: {next.metric_id} of {format.day(next.unread_day)}, unless it is read by{" "}
      {format.day(next.lost_on)}.
    </p>
  );
}

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
      cell: (row) => <DayList days={row.missing_days} />,
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
      cell: (row) => (row.rows_inserted === null ? "not shown" : format.count(row.rows_inserted)),
    },
    {
      key: "changed",
      title: "Updated",
      isNumber: true,
      sortValue: (row) => row.rows_updated,
      cell: (row) => (row.rows_updated === null ? "not shown" : format.count(row.rows_updated)),
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
