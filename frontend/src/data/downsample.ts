/** Fewer points for the same picture: ten years of days have eight for every pixel. */
import type { ChartPoint } from "./chart-data";

/**
 * Returns at most four points for each of `columns` stretches of a line: its first, last, lowest and highest.
 *
 * What a line of full length would paint in a column of pixels is painted by these as well; none is invented.
 */
export function downsample(points: readonly ChartPoint[], columns: number): readonly ChartPoint[] {
  if (points.length <= 4 * columns) return points;
  const width = points.length / columns;
  return Array.from({ length: columns }, (_, column) =>
    extremes(points.slice(Math.round(column * width), Math.round((column + 1) * width))),
  ).flat();
}

function extremes(points: readonly ChartPoint[]): readonly ChartPoint[] {
  const values = points.map((one) => one.displayValue ?? 0);
  const kept = new Set([
    0,
    values.indexOf(Math.min(...values)),
    values.indexOf(Math.max(...values)),
    points.length - 1,
  ]);
  return points.filter((_, index) => kept.has(index));
}
