import { memo, useMemo } from "react";
import type { WeeklyDashboard, WeeklyMetric } from "../api/types";
import { allMetrics } from "../data/groups";
import { changeBasis, shownReading, unitText } from "../data/kinds";
import { usePage } from "../hooks/contexts";
import type { Sort } from "../view/view";
import { Change } from "./change";
import { type Column, SortableTable } from "./sortable-table";

const BY_CHANGE: Sort = { column: "change", descending: true };

/** The change of every series between complete weeks. */
export const Movers = memo(function Movers({ dashboard }: { readonly dashboard: WeeklyDashboard }) {
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
      cell: (row) => <Change change={row.change} basis={changeBasis(row)} />,
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
    <section aria-labelledby="movers-title" className="card">
      <h2 id="movers-title">Movers</h2>
      <p className="muted">
        Compares the latest complete week with the week before and with the week 52 weeks earlier, and the
        last 4 weeks with the 4 weeks before. A rolling total is compared only with the reading one window
        earlier. A dash means that a period is incomplete, or that the values do not add up.
      </p>
      <SortableTable
        id="movers"
        caption="Changes by series"
        columns={columns}
        rows={rows}
        rowKey={(row) => row.metric_id}
        initial={BY_CHANGE}
      />
    </section>
  );
});

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
