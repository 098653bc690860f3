/** What a metric's kind and unit mean for what the page shows. The API computes; this module only words it. */
import type { Metric, WeeklyMetric } from "../api/types";
import type { View } from "../view/view";

type Counted = Pick<Metric, "unit" | "value_kind" | "source_window">;
type Reading = NonNullable<WeeklyMetric["latest_reading"]>;

const UNIQUES = "uniques";

/** Returns whether the values are of days that do not add up to those of a week or a month. */
export function isByDayOnly(metric: Counted): boolean {
  return metric.unit === UNIQUES && metric.source_window === "1d";
}

/** Returns whether the values of successive periods can be added up. */
export function addsUp(metric: Counted): boolean {
  return (metric.value_kind === "flow" || metric.value_kind === "counter") && metric.unit !== UNIQUES;
}

/** Returns the reading to show in place of the latest complete week; of a counter, only without such a week. */
export function shownReading(metric: WeeklyMetric): Reading | null {
  return metric.value_kind === "counter" && metric.latest_complete ? null : metric.latest_reading;
}

/** Returns the unit of the value to show with the span that it covers: `installs in 30 days`. */
export function unitText(metric: WeeklyMetric): string {
  if (metric.value_kind === "rolling") return `${metric.unit} in ${windowText(metric)}`;
  if (isByDayOnly(metric)) return `${metric.unit} a day`;
  if (metric.value_kind === "counter") return `${metric.unit} ${shownReading(metric) ? "in all" : "a week"}`;
  return metric.value_kind === "level" ? metric.unit : `${metric.unit} a week`;
}

/** Returns what the axis of a chart counts: `downloads a week`, `stars at the end of each month`. */
export function axisText(
  metric: Counted,
  { grain, sum, unit }: Pick<View, "grain" | "sum" | "unit">,
): string {
  if (unit === "indexed") return `${metric.unit}, indexed: the first complete value is 100`;
  if (metric.value_kind === "rolling") return `${metric.unit} in ${windowText(metric)}`;
  if (metric.value_kind === "level") return `${metric.unit} at the end of each ${grain}`;
  if (sum === "cumulative" && addsUp(metric)) return `${metric.unit}, added up since the first day shown`;
  return `${metric.unit} a ${grain}`;
}

/** What a chart says of which nothing is known. */
export const NO_DATA = "No data yet.";

/** Returns what a chart without any value says. */
export function emptyText(metrics: readonly WeeklyMetric[]): string {
  const areRead = metrics.some((metric) => metric.value_kind === "counter" && metric.latest_reading);
  return areRead
    ? "A counter is drawn by its growth, which needs a reading at both edges of a period."
    : NO_DATA;
}

/** Returns what a rolling total is compared with; null for any other metric. */
export function changeBasis(metric: Counted): string | null {
  return metric.value_kind === "rolling" ? `vs ${windowText(metric)} earlier` : null;
}

/** Returns what tells apart metrics of one family that cannot share an axis: unit, level or rolling window. */
export function axisOf(metric: Counted): string {
  if (metric.value_kind === "rolling") return `${metric.unit}, ${windowText(metric)}`;
  return metric.value_kind === "level" ? `${metric.unit}, total` : metric.unit;
}

/** Returns the length of the window as words: `30 days`. */
function windowText(metric: Counted): string {
  return `${Number.parseInt(metric.source_window, 10)} days`;
}
