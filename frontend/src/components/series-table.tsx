/** Every series of a product: its newest value by its kind, and how it changed. */
import { useMemo } from "react";
import type { WeeklyDashboard, WeeklyMetric } from "../api/types";
import { allMetrics } from "../data/groups";
import { changeBasis, shownReading, unitText } from "../data/kinds";
import { usePage } from "../hooks/contexts";
import { Change } from "./change";
import { type Column, SortableTable } from "./sortable-table";

export function SeriesTable({ dashboard }: { readonly dashboard: WeeklyDashboard }) {
  const { format } = usePage();
  const rows = useMemo(() => allMetrics(dashboard), [dashboard]);
  const columns: readonly Column<WeeklyMetric>[] = [
    { key: "metric", title: "Series", sortValue: (row) => row.display_name, cell: (row) => row.display_name },
    {
      key: "week",
      title: "Week",
      noWrap: true,
      sortValue: (row) => row.latest_complete?.period_end ?? shownReading(row)?.period_end ?? null,
      cell: (row) => <When metric={row} />,
    },
    {
      key: "value",
      title: "Value",
      isNumber: true,
      sortValue: (row) => shownValue(row),
      cell: (row) => {
        const value = shownValue(row);
        return value === null ? "—" : format.count(value);
      },
    },
    { key: "unit", title: "Unit", noWrap: true, sortValue: (row) => row.unit, cell: unitText },
    {
      key: "change",
      title: "Vs prior week",
      isNumber: true,
      sortValue: (row) => row.change?.fraction ?? null,
      cell: (row) => <WeekChange metric={row} />,
    },
    {
      key: "four",
      title: "Vs prior 4 weeks",
      isNumber: true,
      sortValue: (row) => row.four_period_change?.fraction ?? null,
      cell: (row) => <Change change={row.four_period_change} />,
    },
    {
      key: "year",
      title: "Vs prior year",
      isNumber: true,
      sortValue: (row) => row.year_on_year_change?.fraction ?? null,
      cell: (row) => <Change change={row.year_on_year_change} />,
    },
  ];
  return (
    <section aria-labelledby="series-title" className="card">
      <h2 id="series-title">Series</h2>
      <p className="muted">
        Compares the latest complete week with the week before and with the week 52 weeks earlier, and the
        last 4 weeks with the 4 weeks before. A rolling total is compared only with the reading one window
        earlier. A dash means that a period is incomplete, or that the values do not add up.
      </p>
      <SortableTable
        id="series"
        caption="Values and changes by series"
        columns={columns}
        rows={rows}
        rowKey={(row) => row.metric_id}
      />
    </section>
  );
}

function WeekChange({ metric }: { readonly metric: WeeklyMetric }) {
  const { format } = usePage();
  const basis = changeBasis(metric);
  // a level grows by a little: its difference says more than its percentage, here as in the report
  if (metric.value_kind === "level" && metric.change !== null)
    return <>{format.signedCount(metric.change.absolute)}</>;
  return (
    <>
      <Change change={metric.change} />
      {basis !== null && <span className="muted"> {basis}</span>}
    </>
  );
}

/** The latest complete week, or the last day of a reading without one. */
function When({ metric }: { readonly metric: WeeklyMetric }) {
  const { format } = usePage();
  const reading = shownReading(metric);
  if (metric.latest_complete) return <>{format.periodShort(metric.latest_complete)}</>;
  return <>{reading ? format.day(reading.period_end) : "—"}</>;
}

function shownValue(metric: WeeklyMetric): number | null {
  return metric.latest_complete?.value ?? shownReading(metric)?.value ?? null;
}
