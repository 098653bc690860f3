/** How whole the newest week is, told from what the API says of each metric. */
import type { ServiceStatus, WeeklyDashboard } from "../api/types";
import { allMetrics } from "./groups";

export interface Completeness {
  readonly complete: number;
  readonly total: number;
}

/** Returns how many download series have the newest week complete. */
export function completeness(dashboard: WeeklyDashboard): Completeness {
  const flows = allMetrics(dashboard).filter((metric) => metric.metric_family === "downloads");
  const complete = flows.filter((metric) => metric.latest_complete?.period_end === dashboard.period_end);
  return { complete: complete.length, total: flows.length };
}

/** Returns the earliest day up to which every source has published; null when none is known. */
export function publishedThrough(status: ServiceStatus): string | null {
  const days = status.metrics.flatMap((metric) => metric.settled_through ?? []);
  return days.sort()[0] ?? null;
}

/** Returns how many settled days of the last 12 weeks are missing, over all metrics. */
export function missingDayCount(status: ServiceStatus): number {
  return status.metrics.reduce((sum, metric) => sum + metric.missing_days.length, 0);
}

/** Says whether there is anything at all to show. */
export function isEmpty(dashboard: WeeklyDashboard, status: ServiceStatus | null): boolean {
  if (allMetrics(dashboard).length === 0) return true;
  const hasNumbers = allMetrics(dashboard).some(
    (metric) => metric.latest_complete !== null || metric.points.some((one) => one.value !== null),
  );
  const hasRun = status === null || status.runs.length > 0;
  return !hasNumbers && !hasRun;
}
