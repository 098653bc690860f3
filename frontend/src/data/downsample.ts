/** Fewer points for the same picture: ten years of days have eight for every pixel. */
import type { ShownPoint } from "./chart-data";

/**
 * Returns at most four points for each of `columns` stretches of a line: its first, last, lowest and highest.
 *
 * What a line of full length would paint in a column of pixels is painted by these as well; none is invented.
 */
export function thinned(points: readonly ShownPoint[], columns: number): readonly ShownPoint[] {
  if (points.length <= 4 * columns) return points;
  const width = points.length / columns;
  return Array.from({ length: columns }, (_, column) =>
    outline(points.slice(Math.round(column * width), Math.round((column + 1) * width))),
  ).flat();
}

function outline(points: readonly ShownPoint[]): readonly ShownPoint[] {
  const values = points.map((one) => one.shown ?? 0);
  const kept = new Set([
    0,
    values.indexOf(Math.min(...values)),
    values.indexOf(Math.max(...values)),
    points.length - 1,
  ]);
  return points.filter((_, index) => kept.has(index));
}
