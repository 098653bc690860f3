/** The API paths that this page requests. */
import type { Grain, Range } from "../view/view";

/** One week is enough for the overview: the API computes changes and shares from earlier weeks. */
export const OVERVIEW = "/dashboard/weekly?weeks=1";
export const STATUS = "/status";
export const RESTATEMENTS = "/restatements?limit=50";

const ROUTES: Readonly<Record<Grain, readonly [string, string, number, number]>> = {
  // route, parameter, default count (two years), the API's limit
  day: ["daily", "days", 730, 3_660],
  week: ["weekly", "weeks", 104, 520],
  month: ["monthly", "months", 24, 120],
};
const DAYS_OF: Readonly<Record<Grain, number>> = { day: 1, week: 7, month: 28 };
const DAY_MS = 86_400_000;

/**
 * Returns the path of a chart's data: these metrics at one grain, covering the range.
 *
 * The minimum is two years, because the chart ends at the latest data, which may be old.
 */
export function seriesPath(metricIds: readonly string[], grain: Grain, range: Range, now: number): string {
  const [route, parameter, defaultCount, limit] = ROUTES[grain];
  const count = Math.min(limit, Math.max(defaultCount, periodCount(range, grain, now, limit)));
  const ids = metricIds.map((id) => `&metric_id=${encodeURIComponent(id)}`).join("");
  return `/dashboard/${route}?${parameter}=${count}${ids}`;
}

function periodCount(range: Range, grain: Grain, now: number, limit: number): number {
  if (range === "all") return limit;
  if (typeof range === "string") return 0;
  return Math.ceil((now - Date.parse(range.from)) / DAY_MS / DAYS_OF[grain]) + 1;
}
