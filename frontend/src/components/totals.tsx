import { memo } from "react";
import type { WeeklyDashboard, WeeklyMetric, WeeklyProduct } from "../api/types";
import { dayRanges } from "../data/day-ranges";
import { allMetrics } from "../data/groups";
import type { Formats } from "../format/format";
import { usePage } from "../hooks/contexts";
import type { Sort } from "../view/view";
import { Change } from "./change";
import { type Column, SortableTable } from "./sortable-table";

/** Downloads of each product over the last 30 days with data for all its packages. */
export const DownloadTotals = memo(function SettledTotals({
  dashboard,
}: {
  readonly dashboard: WeeklyDashboard;
}) {
  const { format } = usePage();
  const rows = dashboard.products.filter((product) => product.downloads_30d !== null);
  if (rows.length === 0) return null;
  const columns: readonly Column<WeeklyProduct>[] = [
    {
      key: "product",
      title: "Product",
      sortValue: (row) => row.display_name,
      cell: (row) => row.display_name,
    },
    {
      key: "downloads",
      title: "Downloads",
      isNumber: true,
      sortValue: (row) => row.downloads_30d?.value ?? null,
      cell: (row) => <DownloadTotal product={row} />,
    },
    {
      key: "days",
      title: "Days",
      isNumber: true,
      sortValue: (row) => row.downloads_30d?.days_present ?? null,
      cell: (row) => `${row.downloads_30d?.days_present} of ${row.downloads_30d?.days_expected}`,
    },
    {
      key: "through",
      title: "Through",
      noWrap: true,
      sortValue: (row) => row.downloads_30d?.period_end ?? null,
      cell: (row) => (row.downloads_30d?.period_end ? format.day(row.downloads_30d.period_end) : "—"),
    },
  ];
  return (
    <section aria-labelledby="downloads-title" className="card">
      <h2 id="downloads-title">Downloads, last 30 complete days</h2>
      <SortableTable
        id="downloads"
        caption="Downloads over the last 30 complete days by product"
        columns={columns}
        rows={rows}
        rowKey={(row) => row.product}
      />
      <p className="chart-note">Includes only days with data for every package of the product.</p>
      {rows.map((product) => (
        <TotalNote key={product.product} product={product} />
      ))}
    </section>
  );
});

/** What a total lacks: days, metrics that it waits for, and metrics that left it. */
function TotalNote({ product }: { readonly product: WeeklyProduct }) {
  const { format } = usePage();
  const total = product.downloads_30d;
  if (total === null) return null;
  const days = dayRanges(total.missing_days).map(({ first, last }) =>
    first === last ? format.day(first) : format.days(first, last),
  );
  const notes = [
    ...(days.length > 0 ? [`lacks ${days.join("; ")}`] : []),
    ...(total.waits_for.length > 0 ? [`waits for ${total.waits_for.join(", ")}`] : []),
    ...total.left_out.map((one) => `leaves out ${leftOut(one, format)}`),
  ];
  if (notes.length === 0) return null;
  return (
    <p className="chart-note">
      {product.display_name} {notes.join("; ")}.
    </p>
  );
}

function leftOut({ metric_id, newest_day }: LeftOut, format: Formats): string {
  const since = newest_day ? `no value after ${format.day(newest_day)}` : "no value";
  return `${metric_id} (${since}, for more than two weeks)`;
}

function DownloadTotal({ product }: { readonly product: WeeklyProduct }) {
  const { format } = usePage();
  const total = product.downloads_30d;
  if (total?.value == null) return <span className="tag">no day has data for every package</span>;
  return <strong>{format.count(total.value)}</strong>;
}

type LeftOut = WeeklyDashboard["stars"]["left_out"][number];

const BY_STARS: Sort = { column: "stars", descending: true };

/** The last reading of every repository's stars, and their total. */
export const StarTotals = memo(function StarTotals({ dashboard }: { readonly dashboard: WeeklyDashboard }) {
  const { format, now } = usePage();
  const { stars } = dashboard;
  const rows = allMetrics(dashboard).filter((metric) => metric.metric_family === "stars");
  if (rows.length === 0) return null;
  const readings = new Map(stars.readings.map((reading) => [reading.metric_id, reading]));
  const columns: readonly Column<WeeklyMetric>[] = [
    { key: "repository", title: "Repository", sortValue: (row) => row.subject, cell: (row) => row.subject },
    {
      key: "stars",
      title: "Stars",
      isNumber: true,
      sortValue: (row) => readings.get(row.metric_id)?.value ?? null,
      cell: (row) => {
        const reading = readings.get(row.metric_id);
        return reading ? (
          <strong>{format.count(reading.value)}</strong>
        ) : (
          <span className="tag">not read yet</span>
        );
      },
    },
    {
      key: "change",
      title: "Weekly change",
      isNumber: true,
      sortValue: (row) => row.change?.fraction ?? null,
      cell: (row) => <Change change={row.change} />,
    },
    {
      key: "read",
      title: "Last read",
      noWrap: true,
      sortValue: (row) => readings.get(row.metric_id)?.observed_at ?? null,
      cell: (row) => {
        const reading = readings.get(row.metric_id);
        return reading ? format.age(reading.observed_at, now) : "—";
      },
    },
  ];
  return (
    <section aria-labelledby="stars-title" className="card">
      <h2 id="stars-title">
        Stars: {stars.value === null ? "—" : format.count(stars.value)} <span className="muted">total</span>
      </h2>
      <SortableTable
        id="stars"
        caption="Stars by repository"
        columns={columns}
        rows={rows}
        rowKey={(row) => row.metric_id}
        initial={BY_STARS}
      />
      {stars.missing.length > 0 && (
        <p className="chart-note">Not read yet and not in the total: {stars.missing.length}.</p>
      )}
      {stars.left_out.length > 0 && (
        <p className="chart-note">
          Not in the total: {stars.left_out.map((one) => leftOut(one, format)).join("; ")}.
        </p>
      )}
    </section>
  );
});
