import { useMemo } from "react";
import type { Point } from "../api/types";
import { periodTitle, valueText } from "../chart/describe";
import { type Line, longestLine } from "../chart/lines";
import type { ChartPoint } from "../data/chart-data";
import { type ChartEvent, eventsBetween, eventText } from "../data/events";
import { usePage, useView } from "../hooks/contexts";
import { useDeferred } from "../hooks/use-deferred";
import type { Sort } from "../view/view";
import { type Column, SortableTable } from "./sortable-table";

interface Props {
  readonly id: string;
  readonly title: string;
  readonly lines: readonly Line[];
  readonly events: readonly ChartEvent[];
  readonly isAligned: boolean;
}

interface Row {
  readonly first: ChartPoint;
  readonly index: number;
}

const LATEST_FIRST: Sort = { column: "period", descending: true };

/** The chart's numbers as a table. */
export function ChartTable(props: Props) {
  const { id, title } = props;
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
      {isShown && <PointTable {...props} />}
    </div>
  );
}

function PointTable({ id, title, lines, events, isAligned }: Props) {
  const { format } = usePage();
  const rows = useMemo(
    () => (longestLine(lines)?.series.points ?? []).map((first, index) => ({ first, index })),
    [lines],
  );
  const period: Column<Row> = {
    key: "period",
    title: "Period",
    sortValue: (row) => (isAligned ? row.index : row.first.api.period_start),
    cell: (row) =>
      isAligned ? periodTitle(lines, row.index, { format, isAligned }) : <Period point={row.first.api} />,
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
  const averages = lines.map(
    (line, index): Column<Row> => ({
      key: `a${index + 1}`,
      title: `${line.name}, 7-day average`,
      isNumber: true,
      sortValue: (row) => line.series.points[row.index]?.average ?? null,
      cell: (row) => <Average value={line.series.points[row.index]?.average ?? null} />,
    }),
  );
  const eventsOf = ({ first }: Row): string =>
    eventsBetween(events, first.api.period_start, first.api.period_end).map(eventText).join("; ");
  const happened: readonly Column<Row>[] =
    events.length === 0
      ? []
      : [{ key: "events", title: "Events", sortValue: (row) => eventsOf(row) || null, cell: eventsOf }];
  return (
    <SortableTable
      id={id}
      caption={title}
      columns={[period, ...values, ...(lines.some(hasAverage) ? averages : []), ...happened]}
      rows={rows}
      rowKey={(row) => row.first.period}
      initial={LATEST_FIRST}
    />
  );
}

function hasAverage({ series }: Line): boolean {
  return series.points.some((point) => point.average !== null);
}

function Average({ value }: { readonly value: number | null }) {
  const { format } = usePage();
  if (value !== null) return <>{format.count(value)}</>;
  return (
    <span className="muted">
      <span aria-hidden="true">·</span>
      <span className="visually-hidden">a day is missing</span>
    </span>
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
    kind === "lacking" ? "lacks a period before" : "",
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
