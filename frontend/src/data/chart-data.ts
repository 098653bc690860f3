/**
 * Converts the API's points into the data that a chart, its table and its files share.
 *
 * The API decides what a week is, whether it is complete and how it changed; this module does not.
 */
import { type Dashboard, type Metric, type Point, periodName } from "../api/types";
import type { DateRange, Range, View } from "../view/view";
import { addsUp } from "./kinds";

/** How a point is drawn; `KIND_LABELS` has the label of each kind. */
export type PointKind = "measured" | "incomplete" | "estimated" | "running" | "reset" | "gap";

export interface ChartPoint {
  readonly period: string;
  readonly kind: PointKind;
  /** The API's value, or its cumulative or indexed form if the user selected that; null is a gap. */
  readonly displayValue: number | null;
  readonly api: Point;
}

export interface ChartSeries {
  readonly metric: Metric;
  readonly points: readonly ChartPoint[];
}

export interface ChartData {
  readonly series: readonly ChartSeries[];
  /** Last UTC day of the latest ended period that has a value; null without data. */
  readonly latestDay: string | null;
  /** First and last UTC day of the chart; null if it is empty. */
  readonly extent: DateRange | null;
}

/** The options of a view that change a chart's values. */
export type ChartOptions = Pick<View, "range" | "sum" | "scale" | "unit">;

const DAY_MS = 86_400_000;
const SPAN_DAYS = { "12w": 84, "1y": 364 } as const;

/** Returns the day `count` days after an ISO day. */
export function addDays(day: string, count: number): string {
  return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 10);
}

/** Returns the chart data of these metrics. */
export function chartData(dashboard: Dashboard, metricIds: readonly string[], view: ChartOptions): ChartData {
  const byId = new Map(
    dashboard.products.flatMap((product) => product.metrics.map((metric) => [metric.metric_id, metric])),
  );
  const metrics = metricIds.flatMap((id) => byId.get(id) ?? []);
  const latestDay = latestDayOf(metrics);
  const range = latestDay === null ? null : resolveRange(view.range, metrics, latestDay);
  if (range === null) return { series: [], latestDay, extent: null };
  const series = metrics.map((metric) => ({
    metric,
    points: transform(pointsInRange(metric, range), metric, view),
  }));
  return { series, latestDay, extent: chartExtent(series) };
}

/** Returns how a point is drawn. */
export function pointKind(point: Point): PointKind {
  if (point.reset) return "reset";
  if ("partial" in point) return point.value === null ? "gap" : "running";
  if (point.value === null) return "gap";
  if (point.estimated) return "estimated";
  return point.complete ? "measured" : "incomplete";
}

function latestDayOf(metrics: readonly Metric[]): string | null {
  const known = metrics.flatMap((metric) =>
    metric.points.filter((point) => point.value !== null || point.reset),
  );
  const ends = known.map((point) => point.period_end);
  return ends.sort().at(-1) ?? runningStart(metrics);
}

/** Returns the start of a running period; used if no ended period has a value. */
function runningStart(metrics: readonly Metric[]): string | null {
  const running = metrics.find((metric) => metric.running.value !== null)?.running;
  return running ? running.period_start : null;
}

function allPoints(metric: Metric): readonly Point[] {
  return [...metric.points, metric.running];
}

/** Returns the first and last day of a range; a named range ends at the latest data, not at today. */
function resolveRange(range: Range, metrics: readonly Metric[], latestDay: string): DateRange {
  if (typeof range !== "string") return range;
  const to = metrics.find((metric) => metric.running.value !== null)?.running.period_end ?? latestDay;
  if (range !== "all") return { from: addDays(latestDay, 1 - SPAN_DAYS[range]), to };
  const starts = metrics.flatMap(
    (metric) => metric.points.find((point) => point.value !== null)?.period_start ?? [],
  );
  return { from: starts.sort()[0] ?? latestDay, to };
}

function pointsInRange(metric: Metric, range: DateRange): ChartPoint[] {
  return allPoints(metric)
    .filter((point) => point.period_end >= range.from && point.period_start <= range.to)
    .map((point) => ({
      period: periodName(point),
      kind: pointKind(point),
      displayValue: point.value,
      api: point,
    }));
}

function chartExtent(series: readonly ChartSeries[]): DateRange | null {
  const points = series[0]?.points ?? [];
  const [first, last] = [points[0], points.at(-1)];
  return first && last ? { from: first.api.period_start, to: last.api.period_end } : null;
}

function transform(points: readonly ChartPoint[], metric: Metric, view: ChartOptions): readonly ChartPoint[] {
  const summed = view.sum === "cumulative" && addsUp(metric) ? cumulative(points) : points;
  const indexed = view.unit === "indexed" ? indexedTo100(summed) : summed;
  return view.scale === "log"
    ? indexed.map((point) => (point.displayValue === 0 ? { ...point, displayValue: null } : point))
    : indexed;
}

/** Returns running totals; estimates are excluded and a gap stays a gap. */
export function cumulative(points: readonly ChartPoint[]): readonly ChartPoint[] {
  let total = 0;
  return points.map((point) => {
    if (point.displayValue === null || point.kind === "estimated") return { ...point, displayValue: null };
    total += point.displayValue;
    return { ...point, displayValue: total };
  });
}

/** Scales the points so that the first complete non-zero one is 100; without one, every value is null. */
export function indexedTo100(points: readonly ChartPoint[]): readonly ChartPoint[] {
  const base = points.find((point) => point.kind === "measured" && point.displayValue)?.displayValue;
  return points.map((point) => ({
    ...point,
    displayValue: base && point.displayValue !== null ? (point.displayValue / base) * 100 : null,
  }));
}

export interface Segment {
  readonly kind: "measured" | "estimated";
  readonly points: readonly ChartPoint[];
}

/** Returns the runs of two or more adjacent points of one kind; a line is drawn through each. */
export function lineSegments(points: readonly ChartPoint[]): readonly Segment[] {
  const segments: Segment[] = [];
  let start = 0;
  points.forEach((point, index) => {
    if (lineKind(points[index + 1]) === lineKind(point)) return;
    const kind = lineKind(point);
    if (kind !== null && index > start) segments.push({ kind, points: points.slice(start, index + 1) });
    start = index + 1;
  });
  return segments;
}

function lineKind(point: ChartPoint | undefined): Segment["kind"] | null {
  if (point === undefined || point.displayValue === null) return null;
  return point.kind === "measured" || point.kind === "estimated" ? point.kind : null;
}

/** Returns the points that are on no line; each needs a mark to be visible. */
export function isolatedPoints(points: readonly ChartPoint[]): readonly ChartPoint[] {
  const joined = new Set(lineSegments(points).flatMap((segment) => segment.points));
  return points.filter((point) => point.displayValue !== null && !joined.has(point));
}
