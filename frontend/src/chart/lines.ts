/** The lines of a chart: each is a series with a name, colour and mark. */
import type { Metric, Point } from "../api/types";
import type { ChartData, ChartSeries } from "../data/chart-data";
import { shortName } from "../data/naming";
import { assignColours, type SeriesSymbol, seriesSymbol } from "./colours";

export interface LineStyle {
  readonly id: string;
  readonly name: string;
  readonly colour: number;
  readonly symbol: SeriesSymbol;
  /** Whether it is somebody else's metric, which is grey. */
  readonly isWatched: boolean;
}

export interface Line extends LineStyle {
  readonly series: ChartSeries;
}

/** What a chart needs to know of a metric. */
export type LineMetric = Pick<
  Metric,
  "metric_id" | "display_name" | "metric_family" | "subject" | "sdk" | "unit" | "value_kind" | "source_window"
> & {
  readonly watch?: boolean;
  /** The first stored day with a value above 0, where the lines begin together. */
  readonly first_day?: string | null;
};

const DAY_MS = 86_400_000;

/** Returns the style of each metric of a chart; hiding a metric does not change the others. */
export function lineStyles(metrics: readonly LineMetric[], isMixed: boolean): readonly LineStyle[] {
  const own = metrics.filter((metric) => !metric.watch);
  const colours = assignColours(own.map((metric) => (isMixed ? null : metric.sdk)));
  return metrics.map((metric, index) => ({
    id: metric.metric_id,
    name: isMixed ? metric.display_name : shortName(metric, metrics),
    colour: colours[own.indexOf(metric)] ?? 0,
    symbol: seriesSymbol(index),
    isWatched: metric.watch ?? false,
  }));
}

/** Returns the colour of a line: grey for somebody else's metric. */
export function lineColour({ isWatched, colour }: Pick<LineStyle, "isWatched" | "colour">): string {
  return isWatched ? "var(--watched)" : `var(--series-${colour})`;
}

/** Returns the lines of a chart's visible series. */
export function chartLines(chart: ChartData, styles: readonly LineStyle[]): readonly Line[] {
  return chart.series.flatMap((series) => {
    const lineStyle = styles.find((style) => style.id === series.metric.metric_id);
    return lineStyle ? [{ ...lineStyle, series }] : [];
  });
}

/** Returns the line with the most periods: lines that begin together do not end together. */
export function longestLine(lines: readonly Line[]): Line | null {
  return lines.reduce<Line | null>(
    (longest, line) =>
      longest && longest.series.points.length >= line.series.points.length ? longest : line,
    null,
  );
}

/** Returns the middle of a point's period, its x position. */
export function periodMiddle(point: Point): Date {
  return new Date((Date.parse(point.period_start) + periodEnd(point).getTime()) / 2);
}

/** Returns the first instant after a point's period. */
export function periodEnd(point: Point): Date {
  return new Date(Date.parse(point.period_end) + DAY_MS);
}
