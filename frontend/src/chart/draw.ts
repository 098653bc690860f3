/** Draws a chart with Observable Plot. Loaded after the first numbers are on screen; nothing else imports Plot. */
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
  /** Downloads start at 0; a level such as stars would be a flat line there. */
  readonly fromZero: boolean;
  readonly short: (value: number) => string;
}

export interface Drawing {
  readonly svg: SVGSVGElement;
  /** Pixels from the left of the chart to each period, in the order of the points. */
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
/** Up to so many periods each point is marked; a longer line has a mark here and there, so that no colour stands alone. */
const MAX_FULLY_MARKED = 60;
const MARKS_ON_LONG_LINE = 10;

/** Returns a new drawing of these lines; they all have the same periods. */
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

/** Marks the period that is not over, so that its small value is never read as a fall. */
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

/** Returns one mark for each way of drawing, over all series: Plot's work grows with the number of marks. */
function seriesMarks(lines: readonly Line[], periods: number, columns: number): Markish[] {
  const drawn = lines.map((line, index) => markData(line, index / lines.length, periods, columns));
  const all = (way: MarkKind): MarkDatum[] => drawn.flatMap((one) => one[way]);
  const place = { x: "x", y: "y" } as const;
  const solid = { ...place, z: "z", stroke: "colour", strokeWidth: 2, strokeLinejoin: "round" } as const;
  const hollow = {
    ...place,
    stroke: "colour",
    strokeWidth: 1.6,
    fill: "var(--card)",
    symbol: "symbol",
  } as const;
  return [
    line(all("measured"), solid),
    line(all("estimated"), { ...solid, strokeDasharray: "5,4" }),
    dot(all("marked"), {
      ...place,
      fill: "colour",
      symbol: "symbol",
      r: periods <= MAX_FULLY_MARKED / 2 ? 3.4 : 2.4,
    }),
    dot(all("loneEstimates"), { ...hollow, r: 4.6, strokeDasharray: "3,2" }),
    dot(all("incomplete"), { ...place, stroke: "colour", strokeWidth: 1.8, symbol: "times", r: 4 }),
    dot(all("running"), { ...hollow, r: 3.6 }),
    dot(all("restated"), { ...place, stroke: "var(--text)", strokeWidth: 1.4, r: 7, fill: "none" }),
  ];
}

type MarkKind = "measured" | "estimated" | "marked" | "loneEstimates" | "incomplete" | "running" | "restated";

/** Returns what each mark draws of one series; `offset` (0 to 1) keeps the marks of several series apart. */
function markData(
  { id, series, colour, symbol }: Line,
  offset: number,
  periods: number,
  columns: number,
): Readonly<Record<MarkKind, MarkDatum[]>> {
  const looks = { colour: `var(--series-${colour})`, symbol };
  const at = (point: ChartPoint, z = ""): MarkDatum => ({
    x: periodMiddle(point.api),
    y: point.displayValue ?? Number.NaN,
    z: `${id} ${z}`,
    ...looks,
  });
  const segments = lineSegments(series.points);
  const joined = (kind: Segment["kind"]): MarkDatum[] =>
    segments.flatMap((segment, index) =>
      segment.kind === kind ? downsample(segment.points, columns).map((point) => at(point, `${index}`)) : [],
    );
  // a dash between two points is easily overlooked
  const short = segments.flatMap((segment) =>
    segment.kind === "estimated" && segment.points.length === 2 ? segment.points : [],
  );
  const lone = isolatedPoints(series.points);
  const alone = (kind: PointKind): MarkDatum[] =>
    lone.filter((point) => point.kind === kind).map((point) => at(point));
  const every = periods <= MAX_FULLY_MARKED ? 1 : Math.ceil(periods / MARKS_ON_LONG_LINE);
  const marks = series.points.filter(
    (point, index) => point.kind === "measured" && index % every === Math.floor(offset * every),
  );
  return {
    measured: joined("measured"),
    estimated: joined("estimated"),
    marked: [...new Set([...marks, ...lone.filter((point) => point.kind === "measured")])]
      .filter((point) => point.displayValue !== null)
      .map((point) => at(point)),
    loneEstimates: [...alone("estimated"), ...short.map((point) => at(point))],
    incomplete: alone("incomplete"),
    running: alone("running"),
    restated: series.points
      .filter((point) => point.api.revised && point.displayValue !== null)
      .map((point) => at(point)),
  };
}
