import { useMemo } from "react";
import type { Point } from "../api/types";
import { valueText } from "../chart/describe";
import type { Line } from "../chart/lines";
import type { ChartPoint } from "../data/chart-data";
import { usePage, useView } from "../hooks/contexts";
import { useDeferred } from "../hooks/use-deferred";
import type { Sort } from "../view/view";
import { type Column, SortableTable } from "./sortable-table";

interface Props {
  readonly id: string;
  readonly title: string;
  readonly lines: readonly Line[];
}

interface Row {
  readonly first: ChartPoint;
  readonly index: number;
}

const LATEST_FIRST: Sort = { column: "period", descending: true };

/** The chart's numbers as a table. */
export function ChartTable({ id, title, lines }: Props) {
  const { view } = useView();
  const { change } = usePage();
  const isOpen = view.tables.includes(id);
  const isShown = useDeferred(isOpen);
  const toggle = (): void =>
    change({ tables: isOpen ? view.tables.filter((open) => open !== id) : [...view.tables, id] });
  return (
    <div className="chart-table">
      <button type="button" className="button small" aria-expanded={isOpen} onClick={toggle}>
        {isOpen ? "Hide table" : "Show table"}
        <span className="visually-hidden"> for {title}</span>
      </button>
      {isShown && <PointTable id={id} title={title} lines={lines} />}
    </div>
  );
}

function PointTable({ id, title, lines }: Props) {
  const rows = useMemo(
    () => (lines[0]?.series.points ?? []).map((first, index) => ({ first, index })),
    [lines],
  );
  const period: Column<Row> = {
    key: "period",
    title: "Period",
    sortValue: (row) => row.first.api.period_start,
    cell: (row) => <Period point={row.first.api} />,
  };
  const values = lines.map(
    (line, index): Column<Row> => ({
      key: `s${index + 1}`,
      title: line.name,
      isNumber: true,
      sortValue: (row) => line.series.points[row.index]?.displayValue ?? null,
      cell: (row) => <Value point={line.series.points[row.index]} />,
    }),
  );
  return (
    <SortableTable
      id={id}
      caption={title}
      columns={[period, ...values]}
      rows={rows}
      rowKey={(row) => row.first.period}
      initial={LATEST_FIRST}
    />
  );
}

/** A period; a line break is possible only between the week and its days. */
function Period({ point }: { readonly point: Point }) {
  const { format } = usePage();
  const short = format.periodShort(point);
  if (format.period(point) === short) return <span className="is-nowrap">{short}</span>;
  return (
    <>
      <span className="is-nowrap">{short},</span>{" "}
      <span className="is-nowrap">{format.days(point.period_start, point.period_end)}</span>
    </>
  );
}

function Value({ point }: { readonly point: ChartPoint | undefined }) {
  const { format } = usePage();
  if (point?.kind === "reset") return <span className="tag">{valueText(point, format)}</span>;
  if (point === undefined || point.displayValue === null) {
    return (
      <span className="muted">
        <span aria-hidden="true">·</span>
        <span className="visually-hidden">no data</span>
      </span>
    );
  }
  const { api, kind } = point;
  const days =
    kind === "incomplete" || kind === "running" ? `${api.days_present}/${api.days_expected} days` : "";
  const marks = [
    kind === "running" ? "in progress" : "",
    days,
    api.restated ? "restated" : "",
    api.duplicated ? "duplicate rows" : "",
  ].filter((mark) => mark !== "");
  return (
    <>
      {valueText(point, format)}
      {marks.length > 0 && <span className="tag"> {marks.join(", ")}</span>}
    </>
  );
}
