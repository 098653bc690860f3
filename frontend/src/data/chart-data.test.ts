import { expect, test } from "vitest";
import { DEFAULT_VIEW } from "../view/view";
import {
  type ChartPoint,
  chartData,
  cumulative,
  indexedTo100,
  isolatedPoints,
  lineSegments,
} from "./chart-data";
import { dashboard, metric, week } from "./fixtures";

const ID = "downloads:lance:python";
const ESTIMATE = { estimated: true, complete: false, days_present: 0 };
const PARTLY = { complete: false, days_present: 5 };

function pointsOf(...weeks: ReturnType<typeof week>[]): readonly ChartPoint[] {
  const chart = chartData(dashboard(metric(weeks)), [ID], { ...DEFAULT_VIEW, range: "all" });
  return chart.series[0]?.points ?? [];
}
const shownOf = (points: readonly ChartPoint[]) => points.map((one) => one.displayValue);

test("the view ends at the newest data, not at an empty stretch after it", () => {
  const weeks = [week(0, 10), week(1, 20), week(2, null), week(3, null)];
  const chart = chartData(dashboard(metric(weeks)), [ID], { ...DEFAULT_VIEW, range: "12w" });
  expect(chart.latestDay).toBe("2026-09-20");
  expect(chart.series[0]?.points.map((one) => one.period)).toEqual(["2026-W37", "2026-W38"]);
});

test("twelve weeks are twelve weeks and the running one", () => {
  const weeks = Array.from({ length: 20 }, (_, index) => week(index, index));
  const running = { ...week(20, 3, PARTLY), partial: true as const };
  const chart = chartData(dashboard(metric(weeks, { running })), [ID], { ...DEFAULT_VIEW, range: "12w" });
  expect(chart.series[0]?.points).toHaveLength(13);
  expect(chart.series[0]?.points.at(-1)?.kind).toBe("running");
});

test("own dates show every period that holds one of their days, empty ones too", () => {
  const range = { from: "2026-09-15", to: "2026-09-22" };
  const chart = chartData(dashboard(metric([week(0, 1), week(1, null), week(2, 3), week(3, 4)])), [ID], {
    ...DEFAULT_VIEW,
    range,
  });
  expect(chart.series[0]?.points.map((one) => one.displayValue)).toEqual([null, 3]);
});

test("no line joins across a gap, an incomplete week or from an estimate to a measurement", () => {
  const points = pointsOf(
    ...[week(0, 1, ESTIMATE), week(1, 2, ESTIMATE), week(2, 3), week(3, 4), week(4, null), week(5, 6)],
    ...[week(6, 7), week(7, 2, PARTLY), week(8, 9)],
  );
  const joined = lineSegments(points).map(({ kind, points: own }) => [kind, shownOf(own)]);
  expect(joined).toEqual([
    ["estimated", [1, 2]],
    ["measured", [3, 4]],
    ["measured", [6, 7]],
  ]);
  expect(shownOf(isolatedPoints(points))).toEqual([2, 9]);
});

test("a sum leaves estimates out and never fills a gap", () => {
  const points = pointsOf(week(0, 5, ESTIMATE), week(1, 10), week(2, null), week(3, 30));
  expect(shownOf(cumulative(points))).toEqual([null, 10, null, 40]);
});

test("a level is not summed up", () => {
  const stars = metric([week(0, 5), week(1, 6)], { value_kind: "stock" });
  const view = { ...DEFAULT_VIEW, sum: "cumulative" as const };
  expect(shownOf(chartData(dashboard(stars), [ID], view).series[0]?.points ?? [])).toEqual([5, 6]);
});

test("an index starts at the first complete value above 0", () => {
  const points = pointsOf(week(0, 4, PARTLY), week(1, 0), week(2, 50), week(3, 75));
  expect(shownOf(indexedTo100(points))).toEqual([8, 0, 100, 150]);
});

test("without a base an index shows nothing", () => {
  expect(shownOf(indexedTo100(pointsOf(week(0, 4, PARTLY))))).toEqual([null]);
});

test("a logarithmic chart has no place for 0", () => {
  const view = { ...DEFAULT_VIEW, scale: "log" as const };
  const chart = chartData(dashboard(metric([week(0, 0), week(1, 5)])), [ID], view);
  expect(shownOf(chart.series[0]?.points ?? [])).toEqual([null, 5]);
});

test("a metric without any value has no extent and invents none", () => {
  const chart = chartData(dashboard(metric([week(0, null)])), [ID], DEFAULT_VIEW);
  expect(chart).toEqual({ series: [], latestDay: null, extent: null });
});
