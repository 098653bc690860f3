/**
 * Converts the API's points into the data that a chart, its table and its files share.
 *
 * The API decides what a week is, whether it is complete and how it changed; this module does not.
 */
import { type Dashboard, type Metric, type Point, periodName } from "../api/types";
import type { DateRange, Grain, Range, View } from "../view/view";
import { addsUp } from "./kinds";

/** How a point is drawn; `KIND_LABELS` has the label of each kind. */
export type PointKind = "measured" | "lacking" | "incomplete" | "estimated" | "running" | "reset" | "gap";

export interface ChartPoint {
  readonly period: string;
  readonly kind: PointKind;
  /** The API's value, or its cumulative or indexed form if the user selected that; null is a gap. */
  readonly displayValue: number | null;
  /** The API's mean of the seven days that end here, indexed like the value; null for any other grain. */
  readonly average: number | null;
  readonly api: Point;
}

export interface ChartSeries {
  readonly metric: Metric;
  readonly points: readonly ChartPoint[];
  /** For each point the one a year earlier; empty where the year is not drawn. */
  readonly yearBefore: readonly (ChartPoint | null)[];
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
/** Periods from one to the same a year earlier, as the API compares them. */
export const YEAR: Readonly<Record<Grain, number>> = { day: 364, week: 52, month: 12 };

/** Returns the day `count` days after an ISO day. */
export function addDays(day: string, count: number): string {
  return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 10);
}

/** Returns the first day of a range that ends at a day; null: of everything. */
export function firstDayOf(range: Range, lastDay: string): string | null {
  if (typeof range !== "string") return range.from;
  return range === "all" ? null : addDays(lastDay, 1 - SPAN_DAYS[range]);
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
  const series = metrics.map((metric) => seriesOf(metric, range, view, YEAR[dashboard.grain]));
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
  return ends.sort().at(-1) ?? runningDay(metrics);
}

/** Returns the last known day of a running period; used if no ended period has a value. */
function runningDay(metrics: readonly Metric[]): string | null {
  const found = metrics.find((metric) => metric.running.value !== null);
  return found ? (found.latest_reading?.period_end ?? found.running.period_start) : null;
}

function allPoints(metric: Metric): readonly Point[] {
  return [...metric.points, metric.running];
}

/** Returns the first and last day of a range; a named range ends at the latest data, not at today. */
function resolveRange(range: Range, metrics: readonly Metric[], latestDay: string): DateRange {
  if (typeof range !== "string") return range;
  const to = metrics.find((metric) => metric.running.value !== null)?.running.period_end ?? latestDay;
  const from = firstDayOf(range, latestDay);
  if (from !== null) return { from, to };
  const starts = metrics.flatMap(
    (metric) => metric.points.find((point) => point.value !== null)?.period_start ?? [],
  );
  return { from: starts.sort()[0] ?? latestDay, to };
}

function seriesOf(metric: Metric, range: DateRange, view: ChartOptions, year: number): ChartSeries {
  const all = allPoints(metric).map((point, index) => chartPoint(point, metric, index));
  const isShown = ({ api }: ChartPoint): boolean =>
    api.period_end >= range.from && api.period_start <= range.to;
  const first = all.findIndex(isShown);
  const points = transform(all.filter(isShown), metric, view);
  const isOneYear = points.length > 1 && points.length <= year + 1;
  if (first < 0 || !isOneYear || view.sum === "cumulative") return { metric, points, yearBefore: [] };
  const base = view.unit === "indexed" ? indexBase(all.filter(isShown)) : null;
  const yearBefore = points.map((_, index) => {
    const before = all[first + index - year];
    if (before === undefined || !isWhole(before) || (view.scale === "log" && !before.displayValue))
      return null;
    return view.unit === "indexed" ? scaled(before, base) : before;
  });
  return { metric, points, yearBefore: yearBefore.some((point) => point !== null) ? yearBefore : [] };
}

function chartPoint(point: Point, metric: Metric, index: number): ChartPoint {
  const averages = "average_7d" in metric ? metric.average_7d : null;
  return {
    period: periodName(point),
    kind: pointKind(point),
    displayValue: point.value,
    average: averages?.[index] ?? null,
    api: point,
  };
}

/** Returns the chart without the year before. */
export function withoutYearBefore(chart: ChartData): ChartData {
  return { ...chart, series: chart.series.map((one) => ({ ...one, yearBefore: [] })) };
}

/** Returns the chart with each series from its first day on, so that all begin together. */
export function alignedAtLaunch(chart: ChartData, firstDays: ReadonlyMap<string, string | null>): ChartData {
  const series = chart.series.map((one) => {
    const first = firstDays.get(one.metric.metric_id) ?? null;
    const from = first === null ? -1 : one.points.findIndex((point) => point.api.period_end >= first);
    return { ...one, points: from < 0 ? [] : one.points.slice(from), yearBefore: [] };
  });
  return { ...chart, series };
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

/**
 * Returns running totals; estimates are excluded and a gap stays a gap.
 *
 * A total after a period that is missing or incomplete is `lacking`: it is less than what was counted.
 */
export function cumulative(points: readonly ChartPoint[]): readonly ChartPoint[] {
  let total = 0;
  let isLacking = false;
  const first = points.findIndex((point) => point.displayValue !== null);
  return points.map((point, index) => {
    if (point.displayValue === null || point.kind === "estimated") {
      isLacking ||= index >= first;
      return { ...point, displayValue: null, average: null };
    }
    total += point.displayValue;
    const kind = isLacking && point.kind === "measured" ? "lacking" : point.kind;
    isLacking ||= point.kind === "incomplete";
    return { ...point, kind, displayValue: total, average: null };
  });
}

/** Scales the points so that the first complete non-zero one is 100; without one, every value is null. */
export function indexedTo100(points: readonly ChartPoint[]): readonly ChartPoint[] {
  const base = indexBase(points);
  return points.map((point) => scaled(point, base));
}

function isWhole({ kind }: ChartPoint): boolean {
  return kind === "measured" || kind === "lacking";
}

/** Returns the first complete non-zero value, which becomes 100; null without one. */
function indexBase(points: readonly ChartPoint[]): number | null {
  return points.find((point) => isWhole(point) && point.displayValue)?.displayValue ?? null;
}

function scaled(point: ChartPoint, base: number | null): ChartPoint {
  const of = (value: number | null): number | null =>
    value === null || base === null ? null : (value / base) * 100;
  return { ...point, displayValue: of(point.displayValue), average: of(point.average) };
}

export interface Segment {
  readonly kind: "measured" | "lacking" | "estimated";
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
  const { kind } = point;
  return kind === "measured" || kind === "lacking" || kind === "estimated" ? kind : null;
}

/** Returns the points that are on no line; each needs a mark to be visible. */
export function isolatedPoints(points: readonly ChartPoint[]): readonly ChartPoint[] {
  const joined = new Set(lineSegments(points).flatMap((segment) => segment.points));
  return points.filter((point) => point.displayValue !== null && !joined.has(point));
}

export interface PeriodRow {
  readonly period: string;
  readonly api: Point;
  /** The point of each series; undefined where a series does not reach so far. */
  readonly points: readonly (ChartPoint | undefined)[];
}

/** Returns the points of all series by period, oldest first: series that begin together have other periods. */
export function periodRows({ series }: ChartData): readonly PeriodRow[] {
  const own = series.map(({ points }) => new Map(points.map((point) => [point.period, point])));
  const periods = new Map(series.flatMap(({ points }) => points.map((point) => [point.period, point.api])));
  return [...periods]
    .sort(([, a], [, b]) => a.period_start.localeCompare(b.period_start))
    .map(([period, api]) => ({ period, api, points: own.map((points) => points.get(period)) }));
}
