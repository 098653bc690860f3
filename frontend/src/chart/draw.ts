/** Draws a chart with Observable Plot. Only this module imports Plot, and it loads after the overview renders. */
import { axisX, axisY, dot, gridY, line, type Markish, plot, rect, ruleX } from "@observablehq/plot";
import {
  type ChartPoint,
  isolatedPoints,
  lineSegments,
  type PointKind,
  type Segment,
} from "../data/chart-data";
import { downsample } from "../data/downsample";
import { CHART_CLASS } from "./class-name";
import type { SeriesSymbol } from "./colours";
import { addHatch, hatchFill } from "./hatch";
import { addLabels } from "./labels";
import { type Line, periodEnd, periodMiddle } from "./lines";

export interface DrawOptions {
  readonly width: number;
  readonly height: number;
  readonly isLog: boolean;
  /** Whether the y axis starts at 0; for a level such as stars, the line would be flat. */
  readonly fromZero: boolean;
  readonly short: (value: number) => string;
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
}

interface MarkDatum {
  readonly x: Date;
  readonly y: number;
  readonly z: string;
  readonly colour: string;
  readonly symbol: SeriesSymbol;
}

const NARROW_PX = 480;
/** With more periods, only some points have a mark, so that lines still differ without colour. */
const MAX_FULLY_MARKED = 60;
const MARKS_ON_LONG_LINE = 10;

/** Draws these lines, which all have the same periods. */
export function draw(lines: readonly Line[], options: DrawOptions): Drawing {
  const points = lines[0]?.series.points ?? [];
  const first = points[0];
  const last = points.at(-1);
  const isNarrow = options.width < NARROW_PX;
  const margin = { top: 14, bottom: 36, left: 46, right: isNarrow || lines.length === 1 ? 14 : 96 };
  const svg = plot({
    className: CHART_CLASS,
    width: options.width,
    height: options.height,
    marginTop: margin.top,
    marginBottom: margin.bottom,
    marginLeft: margin.left,
    marginRight: margin.right,
    x: {
      type: "utc",
      ...(first && last ? { domain: [new Date(first.api.period_start), periodEnd(last.api)] } : {}),
    },
    color: { type: "identity" },
    symbol: { type: "identity" },
    y: { type: options.isLog ? "log" : "linear", zero: options.fromZero && !options.isLog, nice: true },
    marks: [
      ...currentPeriodMarks(points),
      ...resetMarks(lines),
      gridY({ stroke: "var(--grid)", strokeOpacity: 1, ticks: 4 }),
      axisY({
        ticks: 4,
        tickSize: 0,
        label: null,
        fill: "var(--muted)",
        fontSize: 11,
        tickFormat: options.short,
      }),
      axisX({
        ticks: Math.max(3, Math.floor(options.width / 110)),
        tickSize: 4,
        label: null,
        color: "var(--muted)",
        fontSize: 11,
      }),
      ...seriesMarks(lines, points.length, options.width - margin.left - margin.right),
    ],
  }) as SVGSVGElement;
  addHatch(svg);
  const x = svg as unknown as { scale: (name: string) => { apply: (value: unknown) => number } };
  const toX = x.scale("x").apply;
  const toY = x.scale("y").apply;
  if (!isNarrow)
    addLabels(svg, lines, {
      x: options.width - margin.right + 8,
      y: toY,
      top: margin.top,
      bottom: options.height - margin.bottom,
    });
  return {
    svg,
    xs: points.map((point) => toX(periodMiddle(point.api))),
    top: margin.top,
    bottom: options.height - margin.bottom,
    left: margin.left,
    right: options.width - margin.right,
    y: toY,
  };
}

/** Returns the marks that shade the running period, so that its partial value does not look like a drop. */
function currentPeriodMarks(points: readonly ChartPoint[]): Markish[] {
  const band = points.filter((point) => "partial" in point.api);
  return [
    rect(band, {
      x1: (point: ChartPoint) => new Date(point.api.period_start),
      x2: (point: ChartPoint) => periodEnd(point.api),
      fill: hatchFill(),
      clip: true,
    }),
    ruleX(band, {
      x: (point: ChartPoint) => new Date(point.api.period_start),
      stroke: "var(--muted)",
      strokeOpacity: 0.5,
      strokeDasharray: "1,3",
    }),
  ];
}

/** Returns a vertical line at each reset of a counter, where its line has a gap. */
function resetMarks(lines: readonly Line[]): Markish[] {
  const resets = lines.flatMap(({ colour, series }) =>
    series.points
      .filter((point) => point.kind === "reset")
      .map((point) => ({ x: periodMiddle(point.api), stroke: `var(--series-${colour})` })),
  );
  return resets.length === 0 ? [] : [ruleX(resets, { x: "x", stroke: "stroke", strokeDasharray: "2,3" })];
}

/** Returns one mark per kind, over all series: Plot's cost grows with the number of marks. */
function seriesMarks(lines: readonly Line[], periods: number, columns: number): Markish[] {
  const data = lines.map((line, index) => markData(line, index / lines.length, periods, columns));
  const all = (kind: MarkKind): MarkDatum[] => data.flatMap((series) => series[kind]);
  const position = { x: "x", y: "y" } as const;
  const solid = { ...position, z: "z", stroke: "colour", strokeWidth: 2, strokeLinejoin: "round" } as const;
  const hollow = {
    ...position,
    stroke: "colour",
    strokeWidth: 1.6,
    fill: "var(--card)",
    symbol: "symbol",
  } as const;
  return [
    line(all("measured"), solid),
    line(all("estimated"), { ...solid, strokeDasharray: "5,4" }),
    dot(all("marked"), {
      ...position,
      fill: "colour",
      symbol: "symbol",
      r: periods <= MAX_FULLY_MARKED / 2 ? 3.4 : 2.4,
    }),
    dot(all("isolatedEstimates"), { ...hollow, r: 4.6, strokeDasharray: "3,2" }),
    dot(all("incomplete"), { ...position, stroke: "colour", strokeWidth: 1.8, symbol: "times", r: 4 }),
    dot(all("running"), { ...hollow, r: 3.6 }),
    dot(all("restated"), { ...position, stroke: "var(--text)", strokeWidth: 1.4, r: 7, fill: "none" }),
  ];
}

type MarkKind =
  | "measured"
  | "estimated"
  | "marked"
  | "isolatedEstimates"
  | "incomplete"
  | "running"
  | "restated";

/** Returns the data of each mark for one series; `offset` (0 to 1) staggers the marks of several series. */
function markData(
  { id, series, colour, symbol }: Line,
  offset: number,
  periods: number,
  columns: number,
): Readonly<Record<MarkKind, MarkDatum[]>> {
  const style = { colour: `var(--series-${colour})`, symbol };
  const datum = (point: ChartPoint, z = ""): MarkDatum => ({
    x: periodMiddle(point.api),
    y: point.displayValue ?? Number.NaN,
    z: `${id} ${z}`,
    ...style,
  });
  const segments = lineSegments(series.points);
  const lineData = (kind: Segment["kind"]): MarkDatum[] =>
    segments.flatMap((segment, index) =>
      segment.kind === kind
        ? downsample(segment.points, columns).map((point) => datum(point, `${index}`))
        : [],
    );
  // a dashed line between two points is easy to miss
  const shortEstimates = segments.flatMap((segment) =>
    segment.kind === "estimated" && segment.points.length === 2 ? segment.points : [],
  );
  const isolated = isolatedPoints(series.points);
  const isolatedData = (kind: PointKind): MarkDatum[] =>
    isolated.filter((point) => point.kind === kind).map((point) => datum(point));
  const every = periods <= MAX_FULLY_MARKED ? 1 : Math.ceil(periods / MARKS_ON_LONG_LINE);
  const marks = series.points.filter(
    (point, index) => point.kind === "measured" && index % every === Math.floor(offset * every),
  );
  return {
    measured: lineData("measured"),
    estimated: lineData("estimated"),
    marked: [...new Set([...marks, ...isolated.filter((point) => point.kind === "measured")])]
      .filter((point) => point.displayValue !== null)
      .map((point) => datum(point)),
    isolatedEstimates: [...isolatedData("estimated"), ...shortEstimates.map((point) => datum(point))],
    incomplete: isolatedData("incomplete"),
    running: isolatedData("running"),
    restated: series.points
      .filter((point) => point.api.restated && point.displayValue !== null)
      .map((point) => datum(point)),
  };
}
