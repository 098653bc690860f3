/** What the API's freshness means now. */
import type { Freshness, Overview, ServiceStatus } from "../api/types";

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
export function isEmpty({ products }: Overview, status: ServiceStatus | null): boolean {
  if (products.length === 0) return true;
  const hasNumbers = products.some(
    ({ total, stars }) =>
      stars !== null ||
      [...(total?.weeks ?? []), ...(total?.estimates ?? [])].some((value) => value !== null),
  );
  const hasRun = status === null || status.runs.length > 0;
  return !hasNumbers && !hasRun;
}

/** Returns the overview with the products that have a value; with all of them where none has. */
export function withValues(overview: Overview): Overview {
  const products = overview.products.filter((row) => row.is_known);
  return products.length === 0 ? overview : { ...overview, products };
}
