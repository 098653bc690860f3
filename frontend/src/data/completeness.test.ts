import { expect, test } from "vitest";
import type { Freshness, MetricStatus, ServiceStatus } from "../api/types";
import {
  completeness,
  isEmpty,
  missingDayCount,
  neverFetched,
  publishedThrough,
  staleSources,
} from "./completeness";
import { dashboard, metric, week } from "./fixtures";

function metricStatus(changes: Partial<MetricStatus>): MetricStatus {
  return {
    metric_id: "downloads:lance:python",
    source: "pypistats",
    newest_day: null,
    published_through: null,
    missing_days: [],
    observed_at: null,
    last_error: null,
    ...changes,
  };
}

function serviceStatus(changes: Partial<ServiceStatus>): ServiceStatus {
  const { freshness } = dashboard();
  return {
    last_success_at: null,
    is_stale: false,
    metrics: [],
    failures: [],
    runs: [],
    freshness,
    ...changes,
  };
}

const RUN = { state: "failed" } as ServiceStatus["runs"][number];

test("only download series whose latest week is complete count as complete", () => {
  const shown = dashboard(
    metric([week(0, 10)]),
    metric([week(0, 10, { complete: false })]),
    metric([week(-1, 10), week(0, null)]), // complete, but not in the latest week
    metric([week(0, 5)], { metric_family: "stars" }),
  );
  expect(completeness(shown)).toEqual({ complete: 1, total: 3 });
  expect(completeness(dashboard())).toEqual({ complete: 0, total: 0 });
});

test.each([
  [["2026-11-22", "2026-11-20", "2026-11-21"], "2026-11-20"],
  [[null, "2026-11-22"], "2026-11-22"],
  [[null], null],
  [[], null],
])("of sources that have published %j, all have published %j", (days, day) => {
  const metrics = days.map((one) => metricStatus({ published_through: one }));
  expect(publishedThrough(serviceStatus({ metrics }))).toBe(day);
});

test("the missing days of all metrics are counted", () => {
  const metrics = [["2026-11-20", "2026-11-21"], [], ["2026-11-20"]].map((days) =>
    metricStatus({ missing_days: days }),
  );
  expect(missingDayCount(serviceStatus({ metrics }))).toBe(3);
  expect(missingDayCount(serviceStatus({}))).toBe(0);
});

test.each([
  { name: "without metrics", shown: dashboard(), runs: [RUN], empty: true },
  { name: "without values and runs", shown: dashboard(metric([week(0, null)])), runs: [], empty: true },
  { name: "with a run", shown: dashboard(metric([week(0, null)])), runs: [RUN], empty: false },
  { name: "with a zero", shown: dashboard(metric([week(0, 0)])), runs: [], empty: false },
  {
    name: "with a value of an incomplete week",
    shown: dashboard(metric([week(0, 3, { complete: false })])),
    runs: [],
    empty: false,
  },
  {
    name: "with a complete week before those shown",
    shown: dashboard(metric([week(0, null)], { latest_complete: week(-1, 3) })),
    runs: [],
    empty: false,
  },
])("a database $name is empty: $empty", ({ shown, runs, empty }) => {
  expect(isEmpty(shown, serviceStatus({ runs }))).toBe(empty);
});

test("without a status nothing is known to be empty", () => {
  expect(isEmpty(dashboard(metric([week(0, null)])), null)).toBe(false);
});

const FRESHNESS: Freshness = {
  ...dashboard().freshness,
  sources: [
    { source: "crates", newest_day: "2026-11-22", is_stale: false, stale_from: "2026-12-03T00:00:00Z" },
    { source: "npm", newest_day: null, is_stale: false, stale_from: null },
  ],
};

function staleAt(instant: string): readonly string[] {
  return staleSources(FRESHNESS, Date.parse(instant)).map((one) => one.source);
}

test("a kept body is stale from the instant that it names", () => {
  expect(staleAt("2026-12-02T23:59:59Z")).toEqual([]);
  expect(staleAt("2026-12-03T00:00:00Z")).toEqual(["crates"]);
});

test("a source of which nothing was fetched is named, and is not stale", () => {
  expect(neverFetched(FRESHNESS)).toEqual(["npm"]);
});
