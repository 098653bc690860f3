import { expect, test } from "vitest";
import { DEFAULT_VIEW } from "../view/view";
import { type ChartPoint, chartData } from "./chart-data";
import { downsample } from "./downsample";
import { dashboard, metric, week } from "./fixtures";

const values = Array.from({ length: 4_000 }, (_, index) =>
  index === 1_234 ? 9_999 : (index * 7_919) % 1_000,
);
const points: readonly ChartPoint[] =
  chartData(dashboard(metric(values.map((value, index) => week(index, value)))), ["downloads:lance:python"], {
    ...DEFAULT_VIEW,
    range: "all",
  }).series[0]?.points.slice(0, values.length) ?? [];

test("a long line keeps its ends, its peaks and its order, and has at most four points for each column", () => {
  const kept = downsample(points, 100);
  expect(kept.length).toBeLessThanOrEqual(400);
  expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)]);
  expect(kept.map((one) => one.displayValue)).toContain(9_999);
  expect(kept).toEqual(points.filter((one) => kept.includes(one)));
});

test("each column keeps its lowest and its highest point", () => {
  const kept = new Set(downsample(points, 100));
  for (let column = 0; column < 100; column += 1) {
    const all = points.slice(column * 40, column * 40 + 40);
    const some = all.filter((one) => kept.has(one)).map((one) => one.displayValue ?? 0);
    const whole = all.map((one) => one.displayValue ?? 0);
    expect([Math.min(...some), Math.max(...some)]).toEqual([Math.min(...whole), Math.max(...whole)]);
  }
});

test("a short line stays as it is", () => {
  expect(downsample(points.slice(0, 400), 100)).toHaveLength(400);
});
