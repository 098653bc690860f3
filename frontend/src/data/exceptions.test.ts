import { expect, test } from "vitest";
import type { Loss, MetricStatus, RunRecord, ServiceStatus } from "../api/types";
import { exceptions, nextLoss } from "./exceptions";

const NOW = Date.parse("2026-11-23T12:00:00Z");

function status(
  metrics: readonly Partial<MetricStatus>[],
  lostDays: readonly string[] = [],
  states: readonly RunRecord["state"][] = ["success"],
): ServiceStatus {
  const good = { last_error: null, missing_days: [], newest_day: "2026-11-22" };
  return {
    metrics: metrics.map((changes) => ({ ...good, ...changes })),
    losses: [{ lost_days: lostDays } as Loss],
    places: [],
    runs: states.map((state) => ({ state })),
    freshness: { sources: [] },
  } as unknown as ServiceStatus;
}

test("all is good while every series is read without an error, a missing or a lost day", () => {
  expect(exceptions(status([{}, {}]), NOW)).toEqual([]);
});

test("each kind of exception is counted in series", () => {
  const found = exceptions(
    status(
      [{ last_error: "503" }, { missing_days: ["2026-11-20", "2026-11-21"] }, { newest_day: null }],
      ["2026-11-01"],
    ),
    NOW,
  );
  expect(found).toEqual([
    "1 series with an error in the last run",
    "1 series with missing days",
    "1 series never read",
    "1 series with days lost for good",
  ]);
});

test("a feed that cannot be read is an exception, and one that was never read is none", () => {
  const places = [{ last_error: "404" }, { last_error: null }] as ServiceStatus["places"];
  expect(exceptions({ ...status([{}]), places }, NOW)).toEqual(["1 place of events with an error"]);
});

test("the last run that has ended is named where it did not succeed", () => {
  expect(exceptions(status([{}], [], ["running", "partial", "success"]), NOW)).toEqual([
    "the last run was partial",
  ]);
});

test("without a run that has ended, none is said to have succeeded", () => {
  expect(exceptions(status([{}], [], []), NOW)).toEqual(["no run has ended yet"]);
  expect(exceptions(status([{}], [], ["running"]), NOW)).toEqual(["no run has ended yet"]);
});

test("a source is an exception from the instant on at which it gets stale, and one that was never read is one", () => {
  const freshness = {
    sources: [
      { source: "npm", newest_day: "2026-11-10", is_stale: false, stale_from: "2026-11-23T12:00:00Z" },
      { source: "crates", newest_day: "2026-11-20", is_stale: false, stale_from: "2026-12-01T00:00:00Z" },
      { source: "github", newest_day: null, is_stale: false, stale_from: null },
    ],
  } as unknown as ServiceStatus["freshness"];
  const found = { ...status([{}]), freshness };
  expect(exceptions(found, NOW)).toEqual(["no new days from npm", "nothing fetched from github"]);
  expect(exceptions(found, NOW - 1)).toEqual(["nothing fetched from github"]);
});

test("the next loss is the first of the API, and there is none where every source keeps its values", () => {
  const losses = ["views:lance:github", "clones:lance:github"].map((metric_id) => ({ metric_id }) as Loss);
  expect(nextLoss({ losses })?.metric_id).toBe("views:lance:github");
  expect(nextLoss({ losses: [] })).toBeNull();
});
