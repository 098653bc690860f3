import type { Loss } from "../api/types";
import { usePage } from "../hooks/contexts";
import { DayList } from "./day-list";
import { type Column, SortableTable } from "./sortable-table";

/** What each series loses next, because its source keeps a value only for some days; the first loss first. */
export function Losses({ losses }: { readonly losses: readonly Loss[] }) {
  const { format } = usePage();
  if (losses.length === 0) return null;
  const columns: readonly Column<Loss>[] = [
    { key: "metric", title: "Series", sortValue: (row) => row.metric_id, cell: (row) => row.metric_id },
    {
      key: "unread",
      title: "Oldest unread day",
      noWrap: true,
      sortValue: (row) => row.unread_day,
      cell: (row) => format.day(row.unread_day),
    },
    {
      key: "until",
      title: "Is lost on",
      noWrap: true,
      sortValue: (row) => row.lost_on,
      cell: (row) => format.day(row.lost_on),
    },
    {
      key: "lost",
      title: "Days lost for good",
      isNumber: true,
      sortValue: (row) => row.lost_days.length,
      cell: (row) => <DayList days={row.lost_days} />,
    },
  ];
  return (
    <div className="card">
      <h3>What is lost next</h3>
      <p className="muted">
        Some sources keep a value only for days. A day that nobody has read is lost when the last day on which
        its source returns it is over (UTC). Days lost in the last 12 weeks are counted.
      </p>
      <SortableTable
        id="losses"
        caption="What is lost next by series"
        columns={columns}
        rows={losses}
        rowKey={(row) => row.metric_id}
      />
    </div>
  );
}
