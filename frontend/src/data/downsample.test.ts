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

test("a long line keeps its ends, peaks and order, with at most four points per column", () => {
  const kept = downsample(points, 100);
  expect(kept.length).toBeLessThanOrEqual(400);
  expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)]);
  expect(kept.map((point) => point.displayValue)).toContain(9_999);
  expect(kept).toEqual(points.filter((point) => kept.includes(point)));
});

test("each column keeps its lowest and highest point", () => {
  const kept = new Set(downsample(points, 100));
  for (let column = 0; column < 100; column += 1) {
    const all = points.slice(column * 40, column * 40 + 40);
    const some = all.filter((point) => kept.has(point)).map((point) => point.displayValue ?? 0);
    const whole = all.map((point) => point.displayValue ?? 0);
    expect([Math.min(...some), Math.max(...some)]).toEqual([Math.min(...whole), Math.max(...whole)]);
  }
});

test("a short line is unchanged", () => {
  expect(downsample(points.slice(0, 400), 100)).toHaveLength(400);
});
