/** Summarises the API's completeness and freshness over all metrics. */
import type { Freshness, ServiceStatus, WeeklyDashboard } from "../api/types";
import { allMetrics } from "./groups";

export interface Completeness {
  readonly complete: number;
  readonly total: number;
}

/** Returns how many download series are complete for the latest week. */
export function completeness(dashboard: WeeklyDashboard): Completeness {
  const flows = allMetrics(dashboard).filter(
    (metric) => metric.metric_family === "downloads" && metric.value_kind === "flow",
  );
  const complete = flows.filter((metric) => metric.latest_complete?.period_end === dashboard.period_end);
  return { complete: complete.length, total: flows.length };
}

/** Returns the last day that every source has published; null if unknown. */
export function publishedThrough(status: ServiceStatus): string | null {
  const days = status.metrics.flatMap((metric) => metric.published_through ?? []);
  return days.sort()[0] ?? null;
}

/** Returns the number of published days missing in the last 12 weeks, over all metrics. */
export function missingDayCount(status: ServiceStatus): number {
  return status.metrics.reduce((sum, metric) => sum + metric.missing_days.length, 0);
}

export type SourceFreshness = Freshness["sources"][number];

/** Returns the sources that are stale now: a body may be kept for days, and sources get stale meanwhile. */
export function staleSources(freshness: Freshness, now: number): readonly SourceFreshness[] {
  return freshness.sources.filter(
    ({ stale_from }) => stale_from !== null && new Date(stale_from).getTime() <= now,
  );
}

/** Returns the names of the sources of which nothing was ever fetched. */
export function neverFetched(freshness: Freshness): readonly string[] {
  return freshness.sources.filter((one) => one.newest_day === null).map((one) => one.source);
}

/** Returns whether the database has neither values nor runs. */
export function isEmpty(dashboard: WeeklyDashboard, status: ServiceStatus | null): boolean {
  if (allMetrics(dashboard).length === 0) return true;
  const hasNumbers = allMetrics(dashboard).some(
    (metric) =>
      metric.latest_complete !== null ||
      metric.latest_reading !== null ||
      metric.points.some((point) => point.value !== null),
  );
  const hasRun = status === null || status.runs.length > 0;
  return !hasNumbers && !hasRun;
}
