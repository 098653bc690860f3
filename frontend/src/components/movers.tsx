import { memo, useMemo } from "react";
import type { WeeklyDashboard, WeeklyMetric } from "../api/types";
import { allMetrics } from "../data/groups";
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
      sortValue: (row) => row.latest_complete?.period_end ?? null,
      cell: (row) => (row.latest_complete ? format.periodShort(row.latest_complete) : "—"),
    },
    {
      key: "value",
      title: "Value",
      isNumber: true,
      sortValue: (row) => row.latest_complete?.value ?? null,
      cell: (row) => (row.latest_complete?.value == null ? "—" : format.count(row.latest_complete.value)),
    },
    {
      key: "change",
      title: "Vs prior week",
      isNumber: true,
      sortValue: (row) => row.change?.fraction ?? null,
      cell: (row) => <Change change={row.change} />,
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
        last 4 weeks with the 4 weeks before. A dash means that a period is incomplete.
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
