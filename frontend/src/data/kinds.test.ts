import { expect, test } from "vitest";
import type { WeeklyMetric } from "../api/types";
import { DEFAULT_VIEW } from "../view/view";
import { chartData } from "./chart-data";
import { dashboard, metric, week } from "./fixtures";
import { addsUp, changeBasis, emptyText, isByDayOnly, shownReading, unitText } from "./kinds";

const reading = { metric_id: "x", value: 7, period_end: "2026-11-22", observed_at: "2026-11-23T03:00:00Z" };
const flow = metric([week(0, 1)]);
const pulls = metric([week(0, 1)], { unit: "pulls", value_kind: "counter", latest_reading: reading });
const fresh = { ...pulls, latest_complete: null };
const installs: WeeklyMetric = {
  ...flow,
  unit: "installs",
  value_kind: "rolling",
  source_window: "30d",
  latest_reading: reading,
};
const visitors = metric([], { unit: "uniques", latest_reading: reading });
const forks = metric([], { unit: "forks", value_kind: "level", latest_reading: reading });

test("a unit is shown with the span that its value covers", () => {
  expect([flow, pulls, fresh, installs, visitors, forks].map(unitText)).toEqual([
    "downloads a week",
    "pulls a week",
    "pulls in all",
    "installs in 30 days",
    "uniques a day",
    "forks",
  ]);
});

test("a counter shows its week, and its total while no week is complete", () => {
  expect(
    [flow, pulls, fresh, installs, visitors, forks].map((one) => shownReading(one)?.value ?? null),
  ).toEqual([null, null, 7, 7, 7, 7]);
});

test("only a rolling total is compared with an earlier window", () => {
  expect([flow, pulls, installs, visitors, forks].map(changeBasis)).toEqual([
    null,
    null,
    "vs 30 days earlier",
    null,
    null,
  ]);
});

test("rolling totals, levels and uniques are never added up", () => {
  expect([flow, pulls, installs, visitors, forks].map(addsUp)).toEqual([true, true, false, false, false]);
  for (const one of [installs, visitors, forks]) {
    const points = [week(0, 1), week(1, 2)];
    const summed = chartData(dashboard({ ...one, points }), [one.metric_id], {
      ...DEFAULT_VIEW,
      sum: "cumulative",
    });
    expect(summed.series[0]?.points.map((point) => point.displayValue).slice(0, 2)).toEqual([1, 2]);
  }
});

test("uniques of a day are known by day only", () => {
  expect([flow, visitors, { ...visitors, source_window: "7d" as const }].map(isByDayOnly)).toEqual([
    false,
    true,
    false,
  ]);
});

test("a counter that was reset is a point of its own kind, without a value", () => {
  const reset = week(1, null, { reset: true });
  const chart = chartData(
    dashboard({ ...pulls, points: [week(0, 5), reset] }),
    [pulls.metric_id],
    DEFAULT_VIEW,
  );
  expect(chart.series[0]?.points.map((point) => [point.kind, point.displayValue]).slice(0, 2)).toEqual([
    ["measured", 5],
    ["reset", null],
  ]);
});

test("a chart of a counter that was read once says what it waits for", () => {
  expect(emptyText([fresh])).toContain("needs a reading at both edges");
  expect(emptyText([{ ...fresh, latest_reading: null }])).toBe("No data yet.");
  expect(emptyText([flow])).toBe("No data yet.");
});

test("a level that was read first in the running week has data through the day of its reading", () => {
  const running = { ...week(1, 7, { complete: false }), partial: true as const };
  const chart = chartData(dashboard({ ...forks, running }), [forks.metric_id], {
    ...DEFAULT_VIEW,
    range: "12w",
  });
  expect(chart.latestDay).toBe("2026-11-22");
});
