/** A chart with its legend, tooltip, notes, downloads and table. */
import type { ReactNode } from "react";
import { memo, useMemo, useState } from "react";
import { seriesPath } from "../api/paths";
import type { Dashboard, WeeklyMetric } from "../api/types";
import { chartLines, type Line, lineStyles } from "../chart/lines";
import { type ChartData, chartData } from "../data/chart-data";
import { isByDayOnly } from "../data/kinds";
import { usePage, useView } from "../hooks/contexts";
import { useDeferred } from "../hooks/use-deferred";
import { useNearViewport } from "../hooks/use-near-viewport";
import { useResource } from "../hooks/use-resource";
import type { View } from "../view/view";
import { ChartActions } from "./chart-actions";
import { ChartStage } from "./chart-stage";
import { ChartTable } from "./chart-table";
import { KindLegend, SeriesLegend } from "./legend";

interface Props {
  readonly id: string;
  readonly title: string;
  readonly metrics: readonly WeeklyMetric[];
  /** Whether the series are of several products or families: full names, colours by position. */
  readonly isMixed?: boolean;
  readonly children?: ReactNode;
}

export function ChartCard({ id, title, metrics, isMixed = false, children }: Props) {
  const [ref, hasBeenNear, isNear] = useNearViewport<HTMLElement>();
  const isDaily = metrics.some(isByDayOnly);
  const view = useDeferred(useChartView(isDaily), isNear);
  const styles = useMemo(
    () => lineStyles(metrics, isMixed),
    [metrics.map((metric) => metric.metric_id).join(), isMixed],
  );
  const series = useSeries(hasBeenNear ? metrics.map((metric) => metric.metric_id) : [], view);
  const chart = useMemo(() => {
    const visible = styles.filter((style) => !view.hidden.includes(style.id)).map((style) => style.id);
    return series.dashboard && chartData(series.dashboard, visible, view);
  }, [series.dashboard, styles, view]);
  const lines = useMemo(() => (chart ? chartLines(chart, styles) : []), [chart, styles]);
  return (
    <figure className="chart-card card" ref={ref} aria-labelledby={`chart-${id}`}>
      <header className="chart-head">
        <h3 id={`chart-${id}`}>{title}</h3>
        {chart && lines.length > 0 && <ChartActions id={id} title={title} chart={chart} lines={lines} />}
      </header>
      <SeriesLegend styles={styles} />
      {isDaily && <p className="chart-note">By day: uniques do not add up to a week or a month.</p>}
      {children}
      <ChartBody
        id={id}
        title={title}
        chart={chart}
        lines={lines}
        error={series.error}
        isLevel={hasOnlyLevels(metrics)}
        isLog={view.scale === "log"}
        isVisible={isNear}
      />
    </figure>
  );
}

type ChartView = Pick<View, "grain" | "range" | "sum" | "scale" | "unit" | "hidden">;

/** Returns the part of the view that the drawing depends on; a chart with uniques is always by day. */
function useChartView(isDaily: boolean): ChartView {
  const { grain: chosen, range, sum, scale, unit, hidden } = useView().view;
  const grain = isDaily ? "day" : chosen;
  return useMemo(
    () => ({ grain, range, sum, scale, unit, hidden }),
    [grain, range, sum, scale, unit, hidden],
  );
}

interface SeriesState {
  readonly dashboard: Dashboard | null;
  readonly error: string | null;
}

/** Fetches the series of a chart; the previous data stays until a new range has loaded. */
function useSeries(metricIds: readonly string[], { grain, range }: ChartView): SeriesState {
  const { now } = usePage();
  const [day] = useState(now);
  const path = metricIds.length === 0 ? null : seriesPath(metricIds, grain, range, day);
  const state = useResource<Dashboard>(path);
  const [last, setLast] = useState<Dashboard | null>(null);
  const current = state.phase === "ready" ? state.response.body : null;
  if (current !== null && current !== last) setLast(current);
  const previous = last?.grain === grain ? last : null;
  return { dashboard: current ?? previous, error: state.phase === "failed" ? state.problem.message : null };
}

function hasOnlyLevels(metrics: readonly WeeklyMetric[]): boolean {
  return metrics.every((metric) => metric.value_kind === "level");
}

interface ChartBodyProps {
  readonly id: string;
  readonly title: string;
  readonly chart: ChartData | null;
  readonly lines: readonly Line[];
  readonly error: string | null;
  readonly isLevel: boolean;
  readonly isLog: boolean;
  readonly isVisible: boolean;
}

const ChartBody = memo(function ChartBody({ id, title, chart, lines, error, ...options }: ChartBodyProps) {
  const { format, now } = usePage();
  if (error !== null && chart === null) return <Placeholder>{error}</Placeholder>;
  if (chart === null) return <Placeholder>Loading…</Placeholder>;
  if (chart.latestDay === null) return <p className="muted">No data yet.</p>;
  if (lines.length === 0) return <Placeholder>All series are hidden. Select one above.</Placeholder>;
  return (
    <>
      <ChartStage title={title} lines={lines} {...options} />
      <KindLegend lines={lines} />
      <figcaption className="chart-note">
        Data through {format.day(chart.latestDay)}, {format.dayAge(chart.latestDay, now)}
        {lines.some((line) => line.series.points.some((point) => point.kind === "running")) &&
          ", plus the period in progress"}
      </figcaption>
      <ChartTable id={id} title={title} lines={lines} />
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
