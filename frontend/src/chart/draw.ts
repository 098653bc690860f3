/** Draws a chart as SVG. Only this module and those it imports use D3; they load after the first screen. */
import { axes } from "./axes";
import { currentPeriod, resets } from "./bands";
import { addHatch, svgElement } from "./hatch";
import { addLabels, labelWidth } from "./labels";
import { type Line, periodEnd, periodMiddle } from "./lines";
import { seriesMarks } from "./marks";
import { type Area, type Position, scales } from "./scales";

export interface DrawOptions {
  readonly width: number;
  readonly height: number;
  readonly isLog: boolean;
  /** Whether the y axis starts at 0; for a level such as stars, the line would be flat. */
  readonly fromZero: boolean;
  /** One of many small charts beside each other: fewer ticks, and no names at the ends of lines. */
  readonly isSmall: boolean;
  readonly short: (value: number) => string;
  readonly tick: (at: Date, unit: "day" | "month" | "year") => string;
  /** Whether the lines begin together at their own first period, so that the x axis counts periods. */
  readonly isAligned: boolean;
}

export interface Drawing {
  readonly svg: SVGSVGElement;
  /** The x position of each period in pixels. */
  readonly xs: readonly number[];
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
  readonly y: (value: number) => number;
  /** The x position of a day's noon; null where the x axis counts periods. */
  readonly xOfDay: ((day: string) => number) | null;
}

const NARROW_PX = 480;
const WIDE_PX = 800;

/** Draws these lines, which all have the same periods. */
export function draw(lines: readonly Line[], options: DrawOptions): Drawing {
  const area = areaOf(lines, options);
  const points = lines.find((line) => line.series.points.length > 0)?.series.points ?? [];
  const { x, y, xOfDay } = scales(lines, area, options);
  const svg = svgElement("svg", {
    class: "chart-svg",
    width: String(options.width),
    height: String(options.height),
    viewBox: `0 0 ${options.width} ${options.height}`,
    "font-size": "11",
    fill: "none",
  }) as SVGSVGElement;
  addHatch(svg);
  const position: Position = (point, index) =>
    options.isAligned ? x(index + 0.5) : xOfDay(periodMiddle(point.api));
  if (!options.isAligned)
    svg.append(
      ...currentPeriod(
        points,
        area,
        (day) => xOfDay(new Date(day)),
        (end) => xOfDay(periodEnd(end)),
      ),
    );
  svg.append(
    ...axes(area, { x, y }, options),
    ...resets(lines, area, position),
    ...seriesMarks(lines, position, y, { periods: points.length, columns: area.right - area.left }),
  );
  if (options.width >= NARROW_PX && !options.isSmall)
    addLabels(svg, lines, {
      x: area.right + 8,
      y,
      top: area.top,
      bottom: area.bottom,
      isWide: options.width >= WIDE_PX,
    });
  const longest = Math.max(0, ...lines.map((line) => line.series.points.length));
  const xs = options.isAligned
    ? Array.from({ length: longest }, (_, index) => x(index + 0.5))
    : points.map((point, index) => position(point, index));
  const noon = (day: string): number => xOfDay(new Date(`${day}T12:00:00Z`));
  return { svg, xs, ...area, y, xOfDay: options.isAligned ? null : noon };
}

/** Returns the rectangle of the lines; at its right there is room for the names at their ends. */
function areaOf(lines: readonly Line[], { width, height, isSmall }: DrawOptions): Area {
  const hasLabels = width >= NARROW_PX && !isSmall && lines.length > 1;
  const right = hasLabels ? labelWidth(lines, width >= WIDE_PX) : 14;
  return { top: 14, bottom: height - 34, left: isSmall ? 40 : 46, right: width - right };
}
