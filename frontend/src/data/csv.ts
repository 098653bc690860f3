/** Exactly what a chart shows, as CSV (RFC 4180): one line for each point, gaps among them. */
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
  "revised",
  "observed_at",
  "duplicated",
] as const;

/** Returns the file; `value` is the API's, `shown` what the chart makes of it (summed up, indexed). */
export function toCsv(chart: ChartData): string {
  const lines = chart.series.flatMap(({ metric, points }) =>
    points.map(({ period, kind, displayValue, point }) => [
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
      point.revised,
      point.observed_at,
      point.duplicated,
    ]),
  );
  return [COLUMNS, ...lines].map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

type Cell = string | number | boolean | null;

/** Quotes where needed; text that a spreadsheet would run as a formula gets an apostrophe in front. */
export function csvCell(value: Cell): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
