/** Draws a chart with Observable Plot. Loaded after the first numbers are on screen; nothing else imports Plot. */
import { axisX, axisY, dot, gridY, line, type Markish, plot, rect, ruleX } from "@observablehq/plot";
import { lonePoints, type PointKind, type Segment, type ShownPoint, segmentsOf } from "../data/chart-data";
import { thinned } from "../data/downsample";
import { CHART_CLASS } from "./class-name";
import type { SeriesSymbol } from "./colours";
import { addHatch, hatchFill } from "./hatch";
import { addLabels } from "./labels";
import { endOf, type Line, middleOf } from "./lines";

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

interface Drawn {
  readonly x: Date;
  readonly y: number;
  readonly z: string;
  readonly colour: string;
  readonly symbol: SeriesSymbol;
}

const NARROW = 480;
/** Up to so many periods each point is marked; a longer line has a mark here and there, so that no colour stands alone. */
const SPARSE = 60;
const MARKS_OF_A_LONG_LINE = 10;

/** Returns a new drawing of these lines; they all have the same periods. */
export function draw(lines: readonly Line[], options: DrawOptions): Drawing {
  const points = lines[0]?.series.points ?? [];
  const first = points[0];
  const last = points.at(-1);
  const isNarrow = options.width < NARROW;
  const edge = { top: 14, bottom: 36, left: 46, right: isNarrow || lines.length === 1 ? 14 : 96 };
  const svg = plot({
    className: CHART_CLASS,
    width: options.width,
    height: options.height,
    marginTop: edge.top,
    marginBottom: edge.bottom,
    marginLeft: edge.left,
    marginRight: edge.right,
    x: {
      type: "utc",
      ...(first && last ? { domain: [new Date(first.point.period_start), endOf(last.point)] } : {}),
    },
    color: { type: "identity" },
    symbol: { type: "identity" },
    y: { type: options.isLog ? "log" : "linear", zero: options.fromZero && !options.isLog, nice: true },
    marks: [
      ...running(points),
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
      ...marksOf(lines, points.length, options.width - edge.left - edge.right),
    ],
  }) as SVGSVGElement;
  addHatch(svg);
  const x = svg as unknown as { scale: (name: string) => { apply: (value: unknown) => number } };
  const toX = x.scale("x").apply;
  const toY = x.scale("y").apply;
  if (!isNarrow)
    addLabels(svg, lines, {
      x: options.width - edge.right + 8,
      y: toY,
      top: edge.top,
      bottom: options.height - edge.bottom,
    });
  return {
    svg,
    xs: points.map((one) => toX(middleOf(one.point))),
    top: edge.top,
    bottom: options.height - edge.bottom,
    left: edge.left,
    right: options.width - edge.right,
    y: toY,
  };
}

/** Marks the period that is not over, so that its small value is never read as a fall. */
function running(points: readonly ShownPoint[]): Markish[] {
  const band = points.filter((one) => "partial" in one.point);
  return [
    rect(band, {
      x1: (one: ShownPoint) => new Date(one.point.period_start),
      x2: (one: ShownPoint) => endOf(one.point),
      fill: hatchFill(),
      clip: true,
    }),
    ruleX(band, {
      x: (one: ShownPoint) => new Date(one.point.period_start),
      stroke: "var(--muted)",
      strokeOpacity: 0.5,
      strokeDasharray: "1,3",
    }),
  ];
}

/** Returns one mark for each way of drawing, over all series: Plot's work grows with the number of marks. */
function marksOf(lines: readonly Line[], periods: number, columns: number): Markish[] {
  const drawn = lines.map((line, index) => drawnOf(line, index / lines.length, periods, columns));
  const all = (way: Way): Drawn[] => drawn.flatMap((one) => one[way]);
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
    dot(all("marked"), { ...place, fill: "colour", symbol: "symbol", r: periods <= SPARSE / 2 ? 3.4 : 2.4 }),
    dot(all("loneEstimates"), { ...hollow, r: 4.6, strokeDasharray: "3,2" }),
    dot(all("incomplete"), { ...place, stroke: "colour", strokeWidth: 1.8, symbol: "times", r: 4 }),
    dot(all("running"), { ...hollow, r: 3.6 }),
    dot(all("restated"), { ...place, stroke: "var(--text)", strokeWidth: 1.4, r: 7, fill: "none" }),
  ];
}

type Way = "measured" | "estimated" | "marked" | "loneEstimates" | "incomplete" | "running" | "restated";

/** Returns what each mark draws of one series; `offset` (0 to 1) keeps the marks of several series apart. */
function drawnOf(
  { id, series, colour, symbol }: Line,
  offset: number,
  periods: number,
  columns: number,
): Readonly<Record<Way, Drawn[]>> {
  const looks = { colour: `var(--series-${colour})`, symbol };
  const at = (one: ShownPoint, z = ""): Drawn => ({
    x: middleOf(one.point),
    y: one.shown ?? Number.NaN,
    z: `${id} ${z}`,
    ...looks,
  });
  const segments = segmentsOf(series.points);
  const joined = (kind: Segment["kind"]): Drawn[] =>
    segments.flatMap((segment, index) =>
      segment.kind === kind ? thinned(segment.points, columns).map((one) => at(one, `${index}`)) : [],
    );
  // a dash between two points is easily overlooked
  const short = segments.flatMap((one) =>
    one.kind === "estimated" && one.points.length === 2 ? one.points : [],
  );
  const lone = lonePoints(series.points);
  const alone = (kind: PointKind): Drawn[] => lone.filter((one) => one.kind === kind).map((one) => at(one));
  const every = periods <= SPARSE ? 1 : Math.ceil(periods / MARKS_OF_A_LONG_LINE);
  const marks = series.points.filter(
    (one, index) => one.kind === "measured" && index % every === Math.floor(offset * every),
  );
  return {
    measured: joined("measured"),
    estimated: joined("estimated"),
    marked: [...new Set([...marks, ...lone.filter((one) => one.kind === "measured")])]
      .filter((one) => one.shown !== null)
      .map((one) => at(one)),
    loneEstimates: [...alone("estimated"), ...short.map((one) => at(one))],
    incomplete: alone("incomplete"),
    running: alone("running"),
    restated: series.points.filter((one) => one.point.revised && one.shown !== null).map((one) => at(one)),
  };
}
