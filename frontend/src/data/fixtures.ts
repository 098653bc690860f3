/** Builders of points, metrics and dashboards for tests. */
import type { WeeklyDashboard, WeeklyMetric, WeekPoint } from "../api/types";
import { addDays } from "./chart-data";

export const MONDAY = "2026-09-07";

/** Returns a week, complete and measured by default; `index` counts weeks from `MONDAY`. */
export function week(index: number, value: number | null, changes: Partial<WeekPoint> = {}): WeekPoint {
  const start = addDays(MONDAY, index * 7);
  const isKnown = value !== null;
  return {
    week: `2026-W${37 + index}`,
    period_start: start,
    period_end: addDays(start, 6),
    value,
    days_present: isKnown ? 7 : 0,
    days_expected: 7,
    complete: isKnown,
    estimated: false,
    fallback_id: null,
    provenance: isKnown ? "api" : null,
    status: isKnown ? "final" : null,
    restated: false,
    observed_at: isKnown ? `${addDays(start, 8)}T06:00:00Z` : null,
    duplicated: false,
    reset: false,
    ...changes,
  };
}

/** Returns a metric with these weeks, followed by an empty running week. */
export function metric(points: readonly WeekPoint[], changes: Partial<WeeklyMetric> = {}): WeeklyMetric {
  const running = { ...week(points.length, null), partial: true as const };
  return {
    metric_id: "downloads:lance:python",
    display_name: "Lance for Python",
    metric_family: "downloads",
    product: "lance",
    source: "pypistats",
    subject: "pylance",
    sdk: "python",
    unit: "downloads",
    value_kind: "flow",
    source_window: "1d",
    points: [...points],
    running,
    latest_reading: null,
    latest_complete: points.findLast((point) => point.complete) ?? null,
    change: null,
    four_period_change: null,
    year_on_year_change: null,
    level_break: null,
    disputes: [],
    share: null,
    ...changes,
  };
}

/** Returns a dashboard with one product. */
export function dashboard(...metrics: WeeklyMetric[]): WeeklyDashboard {
  const product = { product: "lance", display_name: "Lance", metrics, downloads_30d: null };
  return {
    grain: "week",
    period_start: MONDAY,
    period_end: addDays(MONDAY, 6),
    products: [product],
    stars: { value: null, readings: [], missing: [], left_out: [] },
    freshness: {
      last_success_at: null,
      read_at: null,
      is_stale: false,
      sample: false,
      sources: [],
      storage_reachable: true,
      data_as_of: null,
      versions: { metrics: 1, stats: 1, history: 1, run_outcomes: 1 },
    },
  };
}
