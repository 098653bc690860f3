/** A chart with its claim, legend, tooltip, events, downloads and table. */
import type { ReactNode } from "react";
import { memo, useMemo } from "react";
import type { WeeklyMetric } from "../api/types";
import { chartLines, type Line, type LineMetric, lineStyles } from "../chart/lines";
import { alignedAtLaunch, type ChartData, chartData, withoutYearBefore } from "../data/chart-data";
import { type ChartEvent, eventsBetween } from "../data/events";
import { emptyText, isByDayOnly, NO_DATA } from "../data/kinds";
import { usePage, useView } from "../hooks/contexts";
import { useDeferred } from "../hooks/use-deferred";
import { useNearViewport } from "../hooks/use-near-viewport";
import { useSeries } from "../hooks/use-series";
import type { DateRange, View } from "../view/view";
import { ChartActions } from "./chart-actions";
import { ChartHead } from "./chart-head";
import { ChartStage } from "./chart-stage";
import { ChartTable } from "./chart-table";
import { SeriesLegend } from "./legend";
import { SmallMultiples } from "./small-multiples";
import { useZoom, ZoomBar } from "./zoom-bar";

interface Props {
  readonly id: string;
  /** What the chart shows: `Lance · Downloads`. */
  readonly title: string;
  readonly metrics: readonly (LineMetric | WeeklyMetric)[];
  /** Whether the series are of several products or families: full names, colours by position. */
  readonly isMixed?: boolean;
  /** Whether it is the chart of a product's page: larger, with each of its series on a scale of its own. */
  readonly isLarge?: boolean;
  /** Whether the series begin together, each at its own first day. */
  readonly isAligned?: boolean;
  readonly events?: readonly ChartEvent[];
  readonly children?: ReactNode;
}

const NO_EVENTS: readonly ChartEvent[] = [];

export function ChartCard({
  id,
  title,
  metrics,
  isMixed = false,
  isLarge = false,
  isAligned = false,
  events = NO_EVENTS,
  children,
}: Props) {
  const [ref, hasBeenNear, isNear] = useNearViewport<HTMLElement>();
  const isDaily = metrics.some(isByDayOnly);
  const view = useDeferred(useChartView(isDaily, isAligned), isNear);
  const zoom = useZoom();
  const styles = useMemo(
    () => lineStyles(metrics, isMixed),
    [metrics.map((metric) => metric.metric_id).join(), isMixed],
  );
  const series = useSeries(hasBeenNear ? metrics.map((metric) => metric.metric_id) : [], view);
  const chart = useMemo(() => {
    const visible = styles.filter((style) => !view.hidden.includes(style.id)).map((style) => style.id);
    const found = series.dashboard && chartData(series.dashboard, visible, view);
    if (found === null || !isMixed) return found;
    // a year before, of series of several products, would be as many lines again
    return isAligned ? alignedAtLaunch(found, firstDays(metrics)) : withoutYearBefore(found);
  }, [series.dashboard, styles, view, isMixed, isAligned, metrics]);
  const isSample = series.dashboard?.freshness.sample ?? false;
  const lines = useMemo(() => (chart ? chartLines(chart, styles) : []), [chart, styles]);
  const shown = useMemo(
    () =>
      chart?.extent && !isAligned ? eventsBetween(events, chart.extent.from, chart.extent.to) : NO_EVENTS,
    [chart, events, isAligned],
  );
  const weekly = metrics.filter((metric): metric is WeeklyMetric => "four_period_change" in metric);
  return (
    <figure
      className={cardClass(isLarge, metrics.length)}
      data-chart={id}
      ref={ref}
      aria-labelledby={`chart-${id}`}
    >
      <header className="chart-head">
        <ChartHead id={id} title={title} metrics={weekly} lines={lines} chart={chart} view={view} />
        {chart && lines.length > 0 && (
          <ChartActions
            id={id}
            title={title}
            metrics={weekly}
            chart={chart}
            lines={lines}
            view={view}
            isSample={isSample}
          />
        )}
      </header>
      {isSample && <p className="chart-note">Sample data</p>}
      <SeriesLegend styles={styles} />
      {children}
      <ZoomBar zoom={zoom} />
      {series.error !== null && chart !== null && (
        <p className="muted" role="status">
          The chart has only what was loaded before: {series.error}
        </p>
      )}
      <ChartBody
        id={id}
        title={title}
        chart={chart}
        lines={lines}
        events={shown}
        error={chart === null ? series.error : null}
        emptyText={emptyText(weekly)}
        isLevel={metrics.every((metric) => metric.value_kind === "level")}
        isLog={view.scale === "log"}
        isVisible={isNear}
        isLarge={isLarge}
        isAligned={isAligned}
        onZoom={zoom.onZoom}
      />
      {isLarge && lines.length > 1 && (
        <SmallMultiples
          title={title}
          lines={lines}
          metrics={weekly}
          isLevel={metrics.every((metric) => metric.value_kind === "level")}
          isLog={view.scale === "log"}
          isVisible={isNear}
        />
      )}
    </figure>
  );
}

/** A chart of several series has the whole width of a product's page, for the names at their ends. */
function cardClass(isLarge: boolean, series: number): string {
  if (!isLarge) return "chart-card card";
  return series > 1 ? "chart-card card is-large is-wide" : "chart-card card is-large";
}

export type ChartView = Pick<View, "grain" | "range" | "sum" | "scale" | "unit" | "hidden" | "week">;

/** Returns the part of the view that the drawing depends on; a chart with uniques is always by day. */
function useChartView(isDaily: boolean, isAligned: boolean): ChartView {
  const { grain: chosen, range: chosenRange, sum, scale, unit, hidden, week } = useView().view;
  const grain = isDaily ? "day" : chosen;
  const range = isAligned ? "all" : chosenRange;
  return useMemo(
    () => ({ grain, range, sum, scale, unit, hidden, week }),
    [grain, range, sum, scale, unit, hidden, week],
  );
}

function firstDays(metrics: readonly (LineMetric | WeeklyMetric)[]): ReadonlyMap<string, string | null> {
  return new Map(
    metrics.map((metric) => [metric.metric_id, ("first_day" in metric && metric.first_day) || null]),
  );
}

interface ChartBodyProps {
  readonly id: string;
  readonly title: string;
  readonly chart: ChartData | null;
  readonly lines: readonly Line[];
  readonly events: readonly ChartEvent[];
  readonly error: string | null;
  readonly emptyText: string;
  readonly isLevel: boolean;
  readonly isLog: boolean;
  readonly isVisible: boolean;
  readonly isLarge: boolean;
  readonly isAligned: boolean;
  readonly onZoom: (range: DateRange) => void;
}

const ChartBody = memo(function ChartBody({
  id,
  title,
  chart,
  lines,
  events,
  error,
  emptyText,
  ...options
}: ChartBodyProps) {
  const { format, now } = usePage();
  if (chart === null) return <Placeholder>{error ?? "Loading…"}</Placeholder>;
  if (chart.latestDay === null)
    return <p className={emptyText === NO_DATA ? "muted is-nothing" : "muted"}>{emptyText}</p>;
  if (lines.length === 0) return <Placeholder>All series are hidden. Select one above.</Placeholder>;
  return (
    <>
      <ChartStage title={title} lines={lines} events={events} {...options} />
      <figcaption className="chart-note">
        Data through {format.day(chart.latestDay)}, {format.dayAge(chart.latestDay, now)}
        {lines.some((line) => line.series.points.some((point) => point.kind === "running")) &&
          ", plus the period in progress"}
      </figcaption>
      <ChartTable id={id} title={title} lines={lines} events={events} isAligned={options.isAligned} />
    </>
  );
});

function Placeholder({ children }: { readonly children: ReactNode }) {
  return (
    <div className="stage is-blank">
      <p className="muted">{children}</p>
    </div>
  );
}
