/** Groups metrics into charts: one per product, family and axis, in catalogue order. */
import type { WeeklyDashboard, WeeklyMetric, WeeklyProduct } from "../api/types";
import type { View } from "../view/view";
import { axisOf } from "./kinds";

export interface ChartGroup {
  /** For example `downloads:lance`; used in URLs and file names. */
  readonly id: string;
  /** What the axis counts: `uniques`, `installs, 30 days`. */
  readonly axis: string;
  readonly product: WeeklyProduct;
  readonly family: string;
  readonly metrics: readonly WeeklyMetric[];
}

/** Number of series in a chart before the user adds more. */
export const DEFAULT_SERIES_COUNT = 8;

/** Returns one group per product, family and axis; groups of one family are adjacent. */
export function chartGroups(dashboard: WeeklyDashboard): readonly ChartGroup[] {
  const families = [...new Set(allMetrics(dashboard).map((metric) => metric.metric_family))];
  const groups = families.flatMap((family) =>
    dashboard.products.flatMap((product) => groupsOf(product, family)),
  );
  return groups;
}

/** Values of different units, or of different windows, have charts of their own. */
function groupsOf(product: WeeklyProduct, family: string): readonly ChartGroup[] {
  const metrics = product.metrics.filter((metric) => metric.metric_family === family);
  return [...new Set(metrics.map(axisOf))].map((axis, index) => ({
    id: `${family}:${product.product}${index === 0 ? "" : `:${axis.replaceAll(/[^a-z0-9]+/g, "-")}`}`,
    axis,
    product,
    family,
    metrics: metrics.filter((metric) => axisOf(metric) === axis),
  }));
}

/** Returns whether a series of a chart has a value that is not years old. */
export function hasValue({ metrics }: Pick<ChartGroup, "metrics">): boolean {
  return metrics.some(
    ({ latest_complete, latest_reading, running, points }) =>
      latest_complete !== null ||
      latest_reading !== null ||
      [...points, running].some((point) => point.value !== null),
  );
}

/** Returns the largest metrics and those the user added, in catalogue order. */
export function chartMetrics(metrics: readonly WeeklyMetric[], view: View): readonly WeeklyMetric[] {
  const size = (metric: WeeklyMetric): number =>
    metric.latest_complete?.value ?? metric.latest_reading?.value ?? -1;
  const largest = new Set([...metrics].sort((a, b) => size(b) - size(a)).slice(0, DEFAULT_SERIES_COUNT));
  return metrics.filter((metric) => largest.has(metric) || view.added.includes(metric.metric_id));
}

/** Returns the ids in a view that are not in the catalogue. */
export function unknownIds(dashboard: WeeklyDashboard, view: View): readonly string[] {
  const known = new Set(
    dashboard.products.flatMap((product) => product.metrics.map((metric) => metric.metric_id)),
  );
  return [...new Set([...view.hidden, ...view.added, ...view.compared])].filter((id) => !known.has(id));
}

/** Returns every metric, in catalogue order. */
export function allMetrics(dashboard: WeeklyDashboard): readonly WeeklyMetric[] {
  return dashboard.products.flatMap((product) => product.metrics);
}
