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

const NEWEST_FIRST: Sort = { column: "period", descending: true };

/** The same numbers as the chart, for who reads numbers better than lines. */
export function ChartTable({ id, title, lines }: Props) {
  const { view } = useView();
  const { change } = usePage();
  const isOpen = view.tables.includes(id);
  const isShown = useDeferred(isOpen);
  const toggle = (): void =>
    change({ tables: isOpen ? view.tables.filter((one) => one !== id) : [...view.tables, id] });
  return (
    <div className="behind">
      <button type="button" className="button small" aria-expanded={isOpen} onClick={toggle}>
        {isOpen ? "Hide the table" : "Show as a table"}
        <span className="vh"> of {title}</span>
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
    (line, place): Column<Row> => ({
      key: `s${place + 1}`,
      title: line.name,
      isNumber: true,
      sortValue: (row) => line.series.points[row.index]?.displayValue ?? null,
      cell: (row) => <Value one={line.series.points[row.index]} />,
    }),
  );
  return (
    <SortableTable
      id={id}
      caption={title}
      columns={[period, ...values]}
      rows={rows}
      rowKey={(row) => row.first.period}
      initial={NEWEST_FIRST}
    />
  );
}

/** A period whose week and days may stand on two lines, and break nowhere else. */
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

function Value({ one }: { readonly one: ChartPoint | undefined }) {
  const { format } = usePage();
  if (one === undefined || one.displayValue === null) {
    return (
      <span className="muted">
        <span aria-hidden="true">·</span>
        <span className="vh">nothing known</span>
      </span>
    );
  }
  const { api: point, kind } = one;
  const days =
    kind === "incomplete" || kind === "running" ? `${point.days_present}/${point.days_expected} days` : "";
  const marks = [
    kind === "running" ? "running" : "",
    days,
    point.revised ? "restated" : "",
    point.duplicated ? "stored more than once" : "",
  ].filter((mark) => mark !== "");
  return (
    <>
      {valueText(one, format)}
      {marks.length > 0 && <span className="tag"> {marks.join(", ")}</span>}
    </>
  );
}
