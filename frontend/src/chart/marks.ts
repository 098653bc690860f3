/** The lines and points of each series: a mark says what kind of value it is. */
import {
  line,
  type SymbolType,
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTimes,
  symbolTriangle,
  symbolWye,
} from "d3-shape";
import {
  type ChartPoint,
  isolatedPoints,
  lineSegments,
  type PointKind,
  type Segment,
} from "../data/chart-data";
import { downsample } from "../data/downsample";
import type { SeriesSymbol } from "./colours";
import { svgElement } from "./hatch";
import { type Line, lineColour } from "./lines";
import type { Position, YScale } from "./scales";

/** A hexagon of the given area, which d3-shape does not have. */
const symbolHexagon: SymbolType = {
  draw(context, size) {
    const radius = Math.sqrt((2 * size) / (3 * Math.sqrt(3)));
    for (let corner = 0; corner < 6; corner += 1) {
      const angle = (Math.PI * (2 * corner - 1)) / 6;
      const [x, y] = [radius * Math.cos(angle), radius * Math.sin(angle)];
      if (corner === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
    context.closePath();
  },
};
const SHAPES: Readonly<Record<SeriesSymbol, SymbolType>> = {
  circle: symbolCircle,
  square: symbolSquare,
  triangle: symbolTriangle,
  diamond: symbolDiamond,
  star: symbolStar,
  wye: symbolWye,
  cross: symbolCross,
  hexagon: symbolHexagon,
};

/** With more periods, only some points have a mark, so that lines still differ without colour. */
const MAX_FULLY_MARKED = 60;
const MARKS_ON_LONG_LINE = 10;
const DASHES: Readonly<Record<Segment["kind"], string | null>> = {
  measured: null,
  estimated: "5,4",
  lacking: "2,4",
};

interface Extent {
  readonly periods: number;
  /** Pixels for the lines: more points are not visible. */
  readonly columns: number;
}

type Attributes = Readonly<Record<string, string>>;

/** Returns the marks of all lines: first what is paler, then the lines, then the points. */
export function seriesMarks(
  lines: readonly Line[],
  position: Position,
  y: YScale,
  extent: Extent,
): readonly SVGElement[] {
  const drawn = lines.map((one, index) => marksOf(one, index / lines.length, position, y, extent));
  const group = (name: string, elements: readonly SVGElement[]): SVGElement => {
    const element = svgElement("g", { class: name });
    element.append(...elements);
    return element;
  };
  return [
    group(
      "mark-year-before",
      drawn.flatMap((one) => one.yearBefore),
    ),
    group(
      "mark-line",
      drawn.flatMap((one) => one.lines),
    ),
    group(
      "mark-average",
      drawn.flatMap((one) => one.average),
    ),
    group(
      "mark-dot",
      drawn.flatMap((one) => one.dots),
    ),
  ];
}

interface SeriesMarks {
  readonly yearBefore: readonly SVGElement[];
  readonly lines: readonly SVGElement[];
  readonly average: readonly SVGElement[];
  readonly dots: readonly SVGElement[];
}

/** Returns the marks of one series; `offset` (0 to 1) staggers the marks of several series. */
function marksOf(one: Line, offset: number, position: Position, y: YScale, extent: Extent): SeriesMarks {
  const colour = lineColour(one);
  const { points, yearBefore } = one.series;
  const xOf = new Map(points.map((point, index) => [point, position(point, index)]));
  const isAveraged = hasAverage(points);
  const path = line<ChartPoint>(
    (point) => xOf.get(point) ?? 0,
    (point) => y(point.displayValue ?? 0),
  );
  const lines = lineSegments(points).map(({ kind, points: own }) => {
    const dashes = DASHES[kind];
    return svgElement("path", {
      d: path([...downsample(own, extent.columns)]) ?? "",
      stroke: colour,
      "stroke-linejoin": "round",
      "stroke-width": isAveraged ? "1" : "2",
      ...(isAveraged ? { "stroke-opacity": "0.5" } : {}),
      ...(dashes === null ? {} : { "stroke-dasharray": dashes }),
    });
  });
  return {
    yearBefore: yearBeforePaths(points, yearBefore, colour, xOf, y),
    lines,
    average: averagePaths(points, colour, xOf, y),
    dots: dotsOf(one, colour, offset, extent.periods, xOf, y),
  };
}

function hasAverage(points: readonly ChartPoint[]): boolean {
  return points.some((point) => point.average !== null);
}

/** Returns the same periods a year before, at the place of this year's; a gap of that year is a gap. */
function yearBeforePaths(
  points: readonly ChartPoint[],
  before: readonly (ChartPoint | null)[],
  colour: string,
  xOf: ReadonlyMap<ChartPoint, number>,
  y: YScale,
): readonly SVGElement[] {
  // beside an average, the average of that year: its days would cross those of this one
  const isAveraged = hasAverage(points);
  const values = points.map((_, index) => {
    const point = before[index] ?? null;
    return (isAveraged ? point?.average : point?.displayValue) ?? null;
  });
  return valuePaths(points, values, xOf, y, {
    stroke: colour,
    "stroke-opacity": "0.4",
    "stroke-width": "1.5",
    "stroke-linejoin": "round",
  });
}

function averagePaths(
  points: readonly ChartPoint[],
  colour: string,
  xOf: ReadonlyMap<ChartPoint, number>,
  y: YScale,
): readonly SVGElement[] {
  const values = points.map((point) => point.average);
  return valuePaths(points, values, xOf, y, {
    stroke: colour,
    "stroke-width": "2.4",
    "stroke-linejoin": "round",
  });
}

/** Returns a path through each run of known values. */
function valuePaths(
  points: readonly ChartPoint[],
  values: readonly (number | null)[],
  xOf: ReadonlyMap<ChartPoint, number>,
  y: YScale,
  style: Attributes,
): readonly SVGElement[] {
  if (values.every((value) => value === null)) return [];
  const indexes = points.map((_, index) => index);
  const d = line<number>(
    (index) => xOf.get(points[index] as ChartPoint) ?? 0,
    (index) => y(values[index] ?? 0),
  ).defined((index) => values[index] !== null)(indexes);
  return [svgElement("path", { d: d ?? "", ...style })];
}

function dotsOf(
  { series, symbol: shape }: Line,
  colour: string,
  offset: number,
  periods: number,
  xOf: ReadonlyMap<ChartPoint, number>,
  y: YScale,
): readonly SVGElement[] {
  const dot = (
    point: ChartPoint,
    radius: number,
    style: Attributes,
    type = SHAPES[shape],
    value = point.displayValue,
  ): SVGElement =>
    svgElement("path", {
      d: symbol(type, Math.PI * radius ** 2)() ?? "",
      transform: `translate(${xOf.get(point) ?? 0},${y(value ?? 0)})`,
      ...style,
    });
  const hollow: Attributes = { stroke: colour, "stroke-width": "1.6", fill: "var(--card)" };
  const segments = lineSegments(series.points);
  // a dashed line between two points is easy to miss
  const shortEstimates = segments.flatMap(({ kind, points }) =>
    kind !== "measured" && points.length === 2 ? points : [],
  );
  const isolated = isolatedPoints(series.points);
  const isolatedOf = (...kinds: PointKind[]): readonly ChartPoint[] =>
    isolated.filter((point) => kinds.includes(point.kind));
  const every = periods <= MAX_FULLY_MARKED ? 1 : Math.ceil(periods / MARKS_ON_LONG_LINE);
  const isAveraged = hasAverage(series.points);
  // beside an average, the marks that tell the lines apart are on it
  const marked = series.points.filter(
    (point, index) =>
      point.kind === "measured" &&
      index % every === Math.floor(offset * every) &&
      (!isAveraged || point.average !== null),
  );
  const own = isolatedOf("measured").filter((point) => !marked.includes(point));
  const radius = periods <= MAX_FULLY_MARKED / 2 ? 3.4 : 2.4;
  return [
    ...[...marked, ...own]
      .filter((point) => point.displayValue !== null)
      .map((point) =>
        dot(point, radius, { fill: colour }, SHAPES[shape], point.average ?? point.displayValue),
      ),
    ...[...isolatedOf("estimated", "lacking"), ...shortEstimates].map((point) =>
      dot(point, 4.6, { ...hollow, "stroke-dasharray": "3,2" }),
    ),
    ...isolatedOf("incomplete").map((point) =>
      dot(point, 4, { stroke: colour, "stroke-width": "1.8" }, symbolTimes),
    ),
    ...isolatedOf("running").map((point) => dot(point, 3.6, hollow)),
    ...series.points
      .filter((point) => point.api.restated && point.displayValue !== null)
      .map((point) => dot(point, 7, { stroke: "var(--text)", "stroke-width": "1.4" }, symbolCircle)),
  ];
}
