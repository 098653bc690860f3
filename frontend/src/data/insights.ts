/** The insights of the first screen. The API chooses and ranks them; the page only names what they are about. */
import type { Insight, Insights, WeeklyMetric } from "../api/types";

export interface InsightNames {
  readonly metrics: ReadonlyMap<string, Pick<WeeklyMetric, "display_name">>;
  readonly productNames: ReadonlyMap<string, string>;
}

/** Returns the insights that the API puts first, in its order; none of an API that is older than this page. */
export function foremost({ insights, foremost: positions }: Partial<Insights>): readonly Insight[] {
  return (positions ?? []).flatMap((at) => insights?.[at] ?? []);
}

/** Returns what an insight is about: its only metric, or its product. */
export function insightName(insight: Insight, { metrics, productNames }: InsightNames): string {
  const metric = metrics.get(insight.metric_ids[0] ?? "");
  if (insight.metric_ids.length === 1 && metric) return metric.display_name.replace(/ \(.*\)$/, "");
  return productNames.get(insight.product ?? "") ?? "All products";
}
