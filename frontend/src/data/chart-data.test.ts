import { expect, test } from "vitest";
import { DEFAULT_VIEW } from "../view/view";
import {
  alignedAtLaunch,
  type ChartData,
  type ChartPoint,
  chartData,
  cumulative,
  indexedTo100,
  isolatedPoints,
  lineSegments,
  periodRows,
} from "./chart-data";
import { dashboard, metric, week } from "./fixtures";

const ID = "downloads:lance:python";
const ESTIMATE = { estimated: true, complete: false, days_present: 0 };
const INCOMPLETE = { complete: false, days_present: 5 };

function pointsOf(...weeks: ReturnType<typeof week>[]): readonly ChartPoint[] {
  const chart = chartData(dashboard(metric(weeks)), [ID], { ...DEFAULT_VIEW, range: "all" });
  return chart.series[0]?.points ?? [];
}
const valuesOf = (points: readonly ChartPoint[]) => points.map((point) => point.displayValue);

test("a named range ends at the latest data", () => {
  const weeks = [week(0, 10), week(1, 20), week(2, null), week(3, null)];
  const chart = chartData(dashboard(metric(weeks)), [ID], { ...DEFAULT_VIEW, range: "12w" });
  expect(chart.latestDay).toBe("2026-09-20");
  expect(chart.series[0]?.points.map((point) => point.period)).toEqual(["2026-W37", "2026-W38"]);
});

test("a range of 12 weeks has 12 ended weeks and the running week", () => {
  const weeks = Array.from({ length: 20 }, (_, index) => week(index, index));
  const running = { ...week(20, 3, INCOMPLETE), partial: true as const };
  const chart = chartData(dashboard(metric(weeks, { running })), [ID], { ...DEFAULT_VIEW, range: "12w" });
  expect(chart.series[0]?.points).toHaveLength(13);
  expect(chart.series[0]?.points.at(-1)?.kind).toBe("running");
});

test("a custom range includes every period that overlaps it, including empty ones", () => {
  const range = { from: "2026-09-15", to: "2026-09-22" };
  const chart = chartData(dashboard(metric([week(0, 1), week(1, null), week(2, 3), week(3, 4)])), [ID], {
    ...DEFAULT_VIEW,
    range,
  });
  expect(chart.series[0]?.points.map((point) => point.displayValue)).toEqual([null, 3]);
});

test("no line crosses a gap or an incomplete week, or joins an estimate to a measurement", () => {
  const points = pointsOf(
    ...[week(0, 1, ESTIMATE), week(1, 2, ESTIMATE), week(2, 3), week(3, 4), week(4, null), week(5, 6)],
    ...[week(6, 7), week(7, 2, INCOMPLETE), week(8, 9)],
  );
  const joined = lineSegments(points).map(({ kind, points: segment }) => [kind, valuesOf(segment)]);
  expect(joined).toEqual([
    ["estimated", [1, 2]],
    ["measured", [3, 4]],
    ["measured", [6, 7]],
  ]);
  expect(valuesOf(isolatedPoints(points))).toEqual([2, 9]);
});

test("a cumulative sum excludes estimates and keeps gaps", () => {
  const points = pointsOf(week(0, 5, ESTIMATE), week(1, 10), week(2, null), week(3, 30));
  expect(valuesOf(cumulative(points))).toEqual([null, 10, null, 40]);
});

test("a cumulative sum after a missing or incomplete week says that it lacks one", () => {
  const kinds = (points: readonly ChartPoint[]) => cumulative(points).map((point) => point.kind);
  expect(kinds(pointsOf(week(0, 10), week(1, null), week(2, 30)))).toEqual(["measured", "gap", "lacking"]);
  expect(kinds(pointsOf(week(0, 9, INCOMPLETE), week(1, 10)))).toEqual(["incomplete", "lacking"]);
  expect(kinds(pointsOf(week(0, 5, ESTIMATE), week(1, 10)))).toEqual(["estimated", "lacking"]);
  expect(kinds(pointsOf(week(0, 10), week(1, 30)))).toEqual(["measured", "measured"]);
});

test("a level is not cumulative", () => {
  const stars = metric([week(0, 5), week(1, 6)], { value_kind: "level" });
  const view = { ...DEFAULT_VIEW, sum: "cumulative" as const };
  expect(valuesOf(chartData(dashboard(stars), [ID], view).series[0]?.points ?? [])).toEqual([5, 6]);
});

test("an index is 100 at the first complete value above 0", () => {
  const points = pointsOf(week(0, 4, INCOMPLETE), week(1, 0), week(2, 50), week(3, 75));
  expect(valuesOf(indexedTo100(points))).toEqual([8, 0, 100, 150]);
});

test("an index without a base value is empty", () => {
  expect(valuesOf(indexedTo100(pointsOf(week(0, 4, INCOMPLETE))))).toEqual([null]);
});

test("a logarithmic chart omits 0", () => {
  const view = { ...DEFAULT_VIEW, scale: "log" as const };
  const chart = chartData(dashboard(metric([week(0, 0), week(1, 5)])), [ID], view);
  expect(valuesOf(chart.series[0]?.points ?? [])).toEqual([null, 5]);
});

test("a metric without values has no extent", () => {
  const chart = chartData(dashboard(metric([week(0, null)])), [ID], DEFAULT_VIEW);
  expect(chart).toEqual({ series: [], latestDay: null, extent: null });
});

test("series of other periods share a row only where the period is the same", () => {
  const one = (index: number) =>
    ({ period: `2026-W${37 + index}`, api: week(index, 1) }) as unknown as ChartPoint;
  const series = [
    [one(1), one(2)],
    [one(0), one(1)],
  ].map((points) => ({ points }));
  const rows = periodRows({ series } as unknown as ChartData);
  expect(rows.map(({ period, points }) => [period, ...points.map((point) => point !== undefined)])).toEqual([
    ["2026-W37", false, true],
    ["2026-W38", true, true],
    ["2026-W39", true, false],
  ]);
});

test("each point has the one of 52 weeks earlier, and a year that was incomplete has a gap", () => {
  const weeks = Array.from({ length: 106 }, (_, index) =>
    index === 60 ? week(index, 5, INCOMPLETE) : week(index, index),
  );
  const view = { ...DEFAULT_VIEW, range: { from: weeks[54]?.period_start ?? "", to: "2030-01-01" } };
  const { points, yearBefore } = chartData(dashboard(metric(weeks)), [ID], view).series[0] ?? {
    points: [],
    yearBefore: [],
  };
  expect(points).toHaveLength(53);
  expect(yearBefore.map((point) => point?.displayValue ?? null).slice(0, 8)).toEqual([
    ...[2, 3, 4, 5, 6, 7, 8, 9],
  ]);
  const later = { ...view, range: { from: weeks[104]?.period_start ?? "", to: "2030-01-01" } };
  const missing = metric(weeks.map((one, index) => (index === 53 ? week(53, null) : one)));
  const shown = chartData(dashboard(missing), [ID], later).series[0];
  expect(shown?.yearBefore.map((point) => point?.displayValue ?? null)).toEqual([52, null, 54]);
});

test("the year before is indexed by the same value as this year, and is left out of what is added up", () => {
  const weeks = Array.from({ length: 54 }, (_, index) => week(index, index < 52 ? 50 : 200));
  const view = { ...DEFAULT_VIEW, range: { from: weeks[52]?.period_start ?? "", to: "2030-01-01" } };
  const indexed = chartData(dashboard(metric(weeks)), [ID], { ...view, unit: "indexed" }).series[0];
  expect(indexed?.yearBefore[0]?.displayValue).toBe(25);
  const summed = chartData(dashboard(metric(weeks)), [ID], { ...view, sum: "cumulative" }).series[0];
  expect(summed?.yearBefore).toEqual([]);
});

test("series begin together at their own first day, and one without a value has no line", () => {
  const [old, young] = [
    metric([week(0, 5), week(1, 6), week(2, 7)]),
    metric([week(0, null), week(1, null), week(2, 9)], { metric_id: "downloads:lance:rust" }),
  ];
  const chart = chartData(dashboard(old, young), [ID, "downloads:lance:rust"], {
    ...DEFAULT_VIEW,
    range: "all",
  });
  const first = new Map([
    [ID, "2026-09-07"],
    ["downloads:lance:rust", "2026-09-22"],
  ]);
  const aligned = alignedAtLaunch(chart, first).series;
  expect(aligned.map(({ points }) => points[0]?.period)).toEqual(["2026-W37", "2026-W39"]);
  expect(alignedAtLaunch(chart, new Map()).series.map(({ points }) => points)).toEqual([[], []]);
});
