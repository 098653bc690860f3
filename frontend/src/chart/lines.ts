/** The lines of a chart: each is a series with a name, colour and mark. */
import type { Point, WeeklyMetric } from "../api/types";
import type { ChartData, ChartSeries } from "../data/chart-data";
import { shortName } from "../data/naming";
import { assignColours, type SeriesSymbol, seriesSymbol } from "./colours";

export interface LineStyle {
  readonly id: string;
  readonly name: string;
  readonly colour: number;
  readonly symbol: SeriesSymbol;
}

export interface Line extends LineStyle {
  readonly series: ChartSeries;
}

const DAY_MS = 86_400_000;

/** Returns the style of each metric of a chart; hiding a metric does not change the others. */
export function lineStyles(metrics: readonly WeeklyMetric[], isMixed: boolean): readonly LineStyle[] {
  const colours = assignColours(metrics.map((metric) => (isMixed ? null : metric.sdk)));
  return metrics.map((metric, index) => ({
    id: metric.metric_id,
    name: isMixed ? metric.display_name : shortName(metric, metrics),
    colour: colours[index] ?? 0,
    symbol: seriesSymbol(index),
  }));
}

/** Returns the lines of a chart's visible series. */
export function chartLines(chart: ChartData, styles: readonly LineStyle[]): readonly Line[] {
  return chart.series.flatMap((series) => {
    const lineStyle = styles.find((style) => style.id === series.metric.metric_id);
    return lineStyle ? [{ ...lineStyle, series }] : [];
  });
}

/** Returns the middle of a point's period, its x position. */
export function periodMiddle(point: Point): Date {
  return new Date((Date.parse(point.period_start) + periodEnd(point).getTime()) / 2);
}

/** Returns the first instant after a point's period. */
export function periodEnd(point: Point): Date {
  return new Date(Date.parse(point.period_end) + DAY_MS);
}
