/** What is drawn behind the lines: the running period, and the resets of counters. */
import type { Point } from "../api/types";
import type { ChartPoint } from "../data/chart-data";
import { hatchFill, svgElement } from "./hatch";
import { type Line, lineColour } from "./lines";
import type { Area, Position } from "./scales";

/** Returns the shade of the running period, so that its partial value does not look like a drop. */
export function currentPeriod(
  points: readonly ChartPoint[],
  area: Area,
  xOfDay: (day: string) => number,
  xOfEnd: (point: Point) => number,
): readonly SVGElement[] {
  return points
    .filter((point) => "partial" in point.api)
    .flatMap(({ api }) => {
      const left = xOfDay(api.period_start);
      return [
        svgElement("rect", {
          ...{ x: String(left), width: String(xOfEnd(api) - left) },
          ...{ y: String(area.top), height: String(area.bottom - area.top) },
          fill: hatchFill(),
        }),
        vertical(left, area, { stroke: "var(--muted)", "stroke-opacity": "0.5", "stroke-dasharray": "1,3" }),
      ];
    });
}

/** Returns a vertical line at each reset of a counter, where its line has a gap. */
export function resets(lines: readonly Line[], area: Area, position: Position): readonly SVGElement[] {
  return lines.flatMap((line) =>
    line.series.points.flatMap((point, index) =>
      point.kind === "reset"
        ? [
            vertical(position(point, index), area, {
              stroke: lineColour(line),
              "stroke-dasharray": "2,3",
            }),
          ]
        : [],
    ),
  );
}

function vertical(x: number, area: Area, style: Readonly<Record<string, string>>): SVGElement {
  return svgElement("line", {
    ...{ x1: String(x), x2: String(x), y1: String(area.top), y2: String(area.bottom) },
    ...style,
  });
}
