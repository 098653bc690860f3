/** A chart's data as CSV (RFC 4180), long or wide, including gaps. Numbers have the minus sign that programs read. */
import { type ChartData, periodRows } from "./chart-data";

const COLUMNS = [
  "metric_id",
  "unit",
  "period",
  "period_start",
  "period_end",
  "value",
  "displayed_value",
  "kind",
  "days_present",
  "days_expected",
  "complete",
  "estimated",
  "fallback_id",
  "provenance",
  "status",
  "restated",
  "observed_at",
  "duplicated",
  "reset",
] as const;

/**
 * Returns the CSV text; `value` is the API's value, `displayed_value` its cumulative or indexed form. Every row of
 * sample data says so, as in the API's files.
 */
export function toCsv(chart: ChartData, isSample: boolean): string {
  const mark = isSample ? [true] : [];
  const rows = chart.series.flatMap(({ metric, points }) =>
    points.map(({ period, kind, displayValue, api: point }) => [
      metric.metric_id,
      metric.unit,
      period,
      point.period_start,
      point.period_end,
      point.value,
      displayValue,
      kind,
      point.days_present,
      point.days_expected,
      point.complete,
      point.estimated,
      point.fallback_id,
      point.provenance,
      point.status,
      point.restated,
      point.observed_at,
      point.duplicated,
      point.reset,
      ...mark,
    ]),
  );
  const columns = isSample ? [...COLUMNS, "sample_data"] : COLUMNS;
  return [columns, ...rows].map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

/**
 * Returns the CSV text with one row for each period, as a spreadsheet draws it: for each series the displayed value
 * and its kind, because a value that is estimated or not complete says so.
 */
export function toWideCsv(chart: ChartData, isSample: boolean): string {
  const mark = isSample ? [true] : [];
  const columns = chart.series.flatMap(({ metric }) => [metric.metric_id, `${metric.metric_id} kind`]);
  const rows = periodRows(chart).map(({ period, api, points }) => [
    period,
    api.period_start,
    api.period_end,
    ...points.flatMap((point) => [point?.displayValue ?? null, point?.kind ?? "gap"]),
    ...mark,
  ]);
  const header = ["period", "period_start", "period_end", ...columns, ...(isSample ? ["sample_data"] : [])];
  return [header, ...rows].map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

type Cell = string | number | boolean | null;

/** Spaces, quotes, controls and marks without width, which a spreadsheet may drop; not tab and line breaks. */
const HIDDEN = String.raw`\u0000-\u0008\u000b\u000c\u000e-\u0020\u0022\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff`;
/**
 * Where a spreadsheet could begin a cell with a formula; the same rule as the API's. Excel splits a file at `;` where
 * the comma is the decimal sign, and then a line break within our quotes begins a row.
 */
const CELL_START = new RegExp(String.raw`(^|[;\t\r\n])(?=[${HIDDEN}]*[=+\-@\uff1d\uff0b\uff0d\uff20])`, "g");

/** Returns a quoted cell; an apostrophe keeps a spreadsheet from running text as a formula. */
export function csvCell(value: Cell): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const text = (/^[\t\r\n]/.test(value) ? "'" : "") + value.replaceAll(CELL_START, "$&'");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
