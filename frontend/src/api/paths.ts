/** The API paths that this page requests. */
import { firstDayOf, YEAR } from "../data/chart-data";
import type { Grain, Range } from "../view/view";

/** Which series there are; one week is enough, because each chart reads its own points. */
export const SERIES = "/dashboard/weekly?weeks=1";
/** Every metric, those of others among them, which no other body lists. */
export const DEFINITIONS = "/definitions";
export const STATUS = "/status";
export const RESTATEMENTS = "/restatements?limit=50";
export const OUTAGES = "/outages?format=json";

/** Returns the path of the first screen: of a week, or of the newest. */
export function overviewPath(week: string | null): string {
  return week === null ? "/overview" : `/overview?week=${week}`;
}

/** Returns the path of what changed in a week. */
export function insightsPath(week: string): string {
  return `/insights?week=${week}`;
}

/** Returns the path of what may share a chart of a range that ends at a day. */
export function comparePath(metricIds: readonly string[], range: Range, lastDay: string): string {
  const ids = metricIds.map((id) => `metric_id=${encodeURIComponent(id)}`).join("&");
  const from = firstDayOf(range, lastDay);
  // a range beyond the last day has the period in progress too, up to the API's own last day
  const to = typeof range !== "string" && range.to <= lastDay ? range.to : null;
  return `/compare?${ids}${from === null ? "" : `&from=${from}`}${to === null ? "" : `&to=${to}`}`;
}

/** Returns the path of what happened to a product. */
export function eventsPath(product: string): string {
  return `/events?product=${encodeURIComponent(product)}`;
}

/** Returns the path of a metric before and after an event. */
export function beforeAfterPath(metricId: string, eventId: string): string {
  return `/before-after?metric_id=${encodeURIComponent(metricId)}&event_id=${encodeURIComponent(eventId)}`;
}

const ROUTES: Readonly<Record<Grain, readonly [string, string, number, number]>> = {
  // route, parameter, default count (two years), the API's limit
  day: ["daily", "days", 730, 3_660],
  week: ["weekly", "weeks", 104, 520],
  month: ["monthly", "months", 24, 120],
};
/** Points that the API puts into one body. */
const MAX_POINTS = 30_000;
const DAYS_OF: Readonly<Record<Grain, number>> = { day: 1, week: 7, month: 28 };
const DAY_MS = 86_400_000;

/**
 * Returns the path of a chart's data: these metrics at one grain, covering the range.
 *
 * The minimum is two years, because the chart ends at the latest data, which may be old. Many series have fewer
 * periods each, because the API limits the points of one body.
 */
export function seriesPath(metricIds: readonly string[], grain: Grain, range: Range, now: number): string {
  const [route, parameter, defaultCount, most] = ROUTES[grain];
  const limit = Math.min(most, Math.floor(MAX_POINTS / Math.max(1, metricIds.length)));
  const count = Math.min(limit, Math.max(defaultCount, periodCount(range, grain, now, limit)));
  const ids = metricIds.map((id) => `&metric_id=${encodeURIComponent(id)}`).join("");
  return `/dashboard/${route}?${parameter}=${count}${ids}`;
}

function periodCount(range: Range, grain: Grain, now: number, limit: number): number {
  if (range === "all") return limit;
  if (typeof range === "string") return 0;
  // a year more, which is drawn behind the range
  return Math.ceil((now - Date.parse(range.from)) / DAY_MS / DAYS_OF[grain]) + 1 + YEAR[grain];
}
