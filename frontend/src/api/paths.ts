/** Every address this page asks, in one place. */
import type { Grain, Range } from "../view/view";

/** Enough to say all that the first view says: changes and shares reach back further at the API. */
export const OVERVIEW = "/dashboard/weekly?weeks=1";
export const STATUS = "/status";
export const RESTATEMENTS = "/restatements?limit=50";

const ROUTES: Readonly<Record<Grain, readonly [string, string, number, number]>> = {
  // route, parameter, what covers two years, the API's limit
  day: ["daily", "days", 730, 3_660],
  week: ["weekly", "weeks", 104, 520],
  month: ["monthly", "months", 24, 120],
};
const DAYS_OF: Readonly<Record<Grain, number>> = { day: 1, week: 7, month: 28 };
const DAY_MS = 86_400_000;

/**
 * Returns the path of a chart: some metrics at one grain, as far back as the range may need.
 *
 * Two years are asked even for 12 weeks, because the newest data may be old and the view ends with them.
 */
export function seriesPath(metricIds: readonly string[], grain: Grain, range: Range, now: number): string {
  const [route, parameter, defaultCount, limit] = ROUTES[grain];
  const count = Math.min(limit, Math.max(defaultCount, periodsSince(range, grain, now, limit)));
  const ids = metricIds.map((id) => `&metric_id=${encodeURIComponent(id)}`).join("");
  return `/dashboard/${route}?${parameter}=${count}${ids}`;
}

function periodsSince(range: Range, grain: Grain, now: number, limit: number): number {
  if (range === "all") return limit;
  if (typeof range === "string") return 0;
  return Math.ceil((now - Date.parse(range.from)) / DAY_MS / DAYS_OF[grain]) + 1;
}
