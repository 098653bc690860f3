/** Which charts there are: one for each product and family, in the order of the catalogue. */
import type { WeeklyDashboard, WeeklyMetric, WeeklyProduct } from "../api/types";
import type { View } from "../view/view";

export interface ChartGroup {
  /** `downloads:lance`; names the chart in addresses and files. */
  readonly id: string;
  readonly product: WeeklyProduct;
  readonly family: string;
  readonly metrics: readonly WeeklyMetric[];
}

/** A chart shows this many series by itself; a reader may add more. */
export const DEFAULT_SERIES_COUNT = 8;

/** Returns one group for each product and family, those of one family side by side. */
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

/** Returns the metrics a chart starts with: the largest, in the order of the catalogue, and those added. */
export function chartMetrics(metrics: readonly WeeklyMetric[], view: View): readonly WeeklyMetric[] {
  const size = (metric: WeeklyMetric): number => metric.latest_complete?.value ?? -1;
  const largest = new Set([...metrics].sort((a, b) => size(b) - size(a)).slice(0, DEFAULT_SERIES_COUNT));
  return metrics.filter((metric) => largest.has(metric) || view.added.includes(metric.metric_id));
}

/** Returns the ids in a view that no metric has: a link from another catalogue, or a typing mistake. */
export function unknownIds(dashboard: WeeklyDashboard, view: View): readonly string[] {
  const known = new Set(dashboard.products.flatMap((product) => product.metrics.map((one) => one.metric_id)));
  return [...new Set([...view.hidden, ...view.added, ...view.compared])].filter((id) => !known.has(id));
}

/** Returns every metric, in the order of the catalogue. */
export function allMetrics(dashboard: WeeklyDashboard): readonly WeeklyMetric[] {
  return dashboard.products.flatMap((product) => product.metrics);
}
