/** Groups metrics into charts: one per product and family, in catalogue order. */
import type { WeeklyDashboard, WeeklyMetric, WeeklyProduct } from "../api/types";
import type { View } from "../view/view";

export interface ChartGroup {
  /** For example `downloads:lance`; used in URLs and file names. */
  readonly id: string;
  readonly product: WeeklyProduct;
  readonly family: string;
  readonly metrics: readonly WeeklyMetric[];
}

/** Number of series in a chart before the user adds more. */
export const DEFAULT_SERIES_COUNT = 8;

/** Returns one group per product and family; groups of one family are adjacent. */
export function chartGroups(dashboard: WeeklyDashboard): readonly ChartGroup[] {
  const families = [...new Set(allMetrics(dashboard).map((metric) => metric.metric_family))];
  const groups = families.flatMap((family) =>
    dashboard.products.map((product) => ({
      id: `${family}:${product.product}`,
      product,
      family,
      metrics: product.metrics.filter((metric) => metric.metric_family === family),
    })),
  );
  return groups.filter((group) => group.metrics.length > 0);
}

/** Returns the largest metrics and those the user added, in catalogue order. */
export function chartMetrics(metrics: readonly WeeklyMetric[], view: View): readonly WeeklyMetric[] {
  const size = (metric: WeeklyMetric): number => metric.latest_complete?.value ?? -1;
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
