/** Reduces a long series to the points that are visible: ten years of days have eight points per pixel. */
import type { ChartPoint } from "./chart-data";

/**
 * Returns at most four points per column: the first, last, lowest and highest.
 *
 * The line looks the same, because these four decide which pixels of a column are painted.
 */
export function downsample(points: readonly ChartPoint[], columns: number): readonly ChartPoint[] {
  if (points.length <= 4 * columns) return points;
  const width = points.length / columns;
  return Array.from({ length: columns }, (_, column) =>
    extremes(points.slice(Math.round(column * width), Math.round((column + 1) * width))),
  ).flat();
}

function extremes(points: readonly ChartPoint[]): readonly ChartPoint[] {
  const values = points.map((point) => point.displayValue ?? 0);
  const indexes = new Set([
    0,
    values.indexOf(Math.min(...values)),
    values.indexOf(Math.max(...values)),
    points.length - 1,
  ]);
  return points.filter((_, index) => indexes.has(index));
}
