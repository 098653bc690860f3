/**
 * From the API's points to what a chart, its table and its files show: one value that all three read.
 *
 * Nothing here decides what a week is, whether it is complete or how it changed: those are the API's words.
 */
import { type Dashboard, type Metric, type Point, periodName } from "../api/types";
import type { DateRange, Range, View } from "../view/view";

/** How a point is drawn, and what its legend calls it. */
export type PointKind = "measured" | "incomplete" | "estimated" | "running" | "gap";

export interface ChartPoint {
  readonly period: string;
  readonly kind: PointKind;
  /** What the chart shows: the API's value, or summed up or indexed as the reader chose; null is a gap. */
  readonly displayValue: number | null;
  readonly point: Point;
}

export interface ChartSeries {
  readonly metric: Metric;
  readonly points: readonly ChartPoint[];
}

export interface ChartData {
  readonly series: readonly ChartSeries[];
  /** Last UTC day of the newest period that is over and has a value; null when nothing is known. */
  readonly latestDay: string | null;
  /** First and last UTC day that the chart covers; null when it shows nothing. */
  readonly extent: DateRange | null;
}

/** What of a view decides which values are shown. */
export type ChartOptions = Pick<View, "range" | "sum" | "scale" | "unit">;

const DAY_MS = 86_400_000;
const SPAN_DAYS = { "12w": 84, "1y": 364 } as const;

/** Returns the day `count` days after an ISO day. */
export function addDays(day: string, count: number): string {
  return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 10);
}

/** Returns what one chart shows of some metrics of a dashboard. */
export function chartData(dashboard: Dashboard, metricIds: readonly string[], view: ChartOptions): ChartData {
  const byId = new Map(
    dashboard.products.flatMap((product) => product.metrics.map((one) => [one.metric_id, one])),
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

/** Says how a point is to be read. */
export function pointKind(point: Point): PointKind {
  if ("partial" in point) return point.value === null ? "gap" : "running";
  if (point.value === null) return "gap";
  if (point.estimated) return "estimated";
  return point.complete ? "measured" : "incomplete";
}

function latestDayOf(metrics: readonly Metric[]): string | null {
  const known = metrics.flatMap((metric) => metric.points.filter((one) => one.value !== null));
  const ends = known.map((one) => one.period_end);
  return ends.sort().at(-1) ?? runningStart(metrics);
}

/** Returns the day before a running period that alone has values, so that it is shown. */
function runningStart(metrics: readonly Metric[]): string | null {
  const running = metrics.find((metric) => metric.running.value !== null)?.running;
  return running ? running.period_start : null;
}

function allPoints(metric: Metric): readonly Point[] {
  return [...metric.points, metric.running];
}

/** Returns the days shown; a named range ends with the newest data, so that no view ends in an empty stretch. */
function resolveRange(range: Range, metrics: readonly Metric[], latestDay: string): DateRange {
  if (typeof range !== "string") return range;
  const to = metrics.find((metric) => metric.running.value !== null)?.running.period_end ?? latestDay;
  if (range !== "all") return { from: addDays(latestDay, 1 - SPAN_DAYS[range]), to };
  const starts = metrics.flatMap(
    (metric) => metric.points.find((one) => one.value !== null)?.period_start ?? [],
  );
  return { from: starts.sort()[0] ?? latestDay, to };
}

function pointsInRange(metric: Metric, range: DateRange): ChartPoint[] {
  return allPoints(metric)
    .filter((one) => one.period_end >= range.from && one.period_start <= range.to)
    .map((point) => ({
      period: periodName(point),
      kind: pointKind(point),
      displayValue: point.value,
      point,
    }));
}

function chartExtent(series: readonly ChartSeries[]): DateRange | null {
  const points = series[0]?.points ?? [];
  const [first, last] = [points[0], points.at(-1)];
  return first && last ? { from: first.point.period_start, to: last.point.period_end } : null;
}

function transform(points: readonly ChartPoint[], metric: Metric, view: ChartOptions): readonly ChartPoint[] {
  const summed = view.sum === "cumulative" && metric.value_kind === "flow" ? cumulative(points) : points;
  const indexed = view.unit === "indexed" ? indexedTo100(summed) : summed;
  return view.scale === "log"
    ? indexed.map((one) => (one.displayValue === 0 ? { ...one, displayValue: null } : one))
    : indexed;
}

/** Sums what was measured; estimates never enter a total and stay out, a gap stays a gap and adds nothing. */
export function cumulative(points: readonly ChartPoint[]): readonly ChartPoint[] {
  let total = 0;
  return points.map((one) => {
    if (one.displayValue === null || one.kind === "estimated") return { ...one, displayValue: null };
    total += one.displayValue;
    return { ...one, displayValue: total };
  });
}

/** Divides by the first complete point that is not 0, so that it stands at 100; without one nothing is shown. */
export function indexedTo100(points: readonly ChartPoint[]): readonly ChartPoint[] {
  const base = points.find((one) => one.kind === "measured" && one.displayValue)?.displayValue;
  return points.map((one) => ({
    ...one,
    displayValue: base && one.displayValue !== null ? (one.displayValue / base) * 100 : null,
  }));
}

export interface Segment {
  readonly kind: "measured" | "estimated";
  readonly points: readonly ChartPoint[];
}

/** Returns the stretches that a line may join: neighbours of one kind, two or more. Anything else is a gap. */
export function lineSegments(points: readonly ChartPoint[]): readonly Segment[] {
  const segments: Segment[] = [];
  let start = 0;
  points.forEach((one, index) => {
    if (lineKind(points[index + 1]) === lineKind(one)) return;
    const kind = lineKind(one);
    if (kind !== null && index > start) segments.push({ kind, points: points.slice(start, index + 1) });
    start = index + 1;
  });
  return segments;
}

function lineKind(one: ChartPoint | undefined): Segment["kind"] | null {
  if (one === undefined || one.displayValue === null) return null;
  return one.kind === "measured" || one.kind === "estimated" ? one.kind : null;
}

/** Returns the points that no line reaches and that need a mark of their own to be seen. */
export function isolatedPoints(points: readonly ChartPoint[]): readonly ChartPoint[] {
  const joined = new Set(lineSegments(points).flatMap((segment) => segment.points));
  return points.filter((one) => one.displayValue !== null && !joined.has(one));
}
