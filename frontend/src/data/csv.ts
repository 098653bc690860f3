/** A chart's data as CSV (RFC 4180): one row per point, including gaps. */
import type { ChartData } from "./chart-data";

const COLUMNS = [
  "metric_id",
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
] as const;

/** Returns the CSV text; `value` is the API's value, `displayed_value` its cumulative or indexed form. */
export function toCsv(chart: ChartData): string {
  const rows = chart.series.flatMap(({ metric, points }) =>
    points.map(({ period, kind, displayValue, api: point }) => [
      metric.metric_id,
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
    ]),
  );
  return [COLUMNS, ...rows].map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

type Cell = string | number | boolean | null;

/** Returns a quoted cell; an apostrophe keeps a spreadsheet from running text as a formula. */
export function csvCell(value: Cell): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
