/** One chart with all that belongs to it: legend, drawing, tooltip, notes, files, table. */
import type { ReactNode } from "react";
import { memo, useMemo, useState } from "react";
import { seriesPath } from "../api/paths";
import type { Dashboard, WeeklyMetric } from "../api/types";
import { chartLines, type Line, lineStyles } from "../chart/lines";
import { type ChartData, chartData } from "../data/chart-data";
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
  /** Series of several products or families: named in full, colours by place. */
  readonly isMixed?: boolean;
  readonly children?: ReactNode;
}

export function ChartCard({ id, title, metrics, isMixed = false, children }: Props) {
  const [ref, hasBeenNear, isNear] = useNearViewport<HTMLElement>();
  const view = useDeferred(useChartView(), isNear);
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
      <SeriesLegend identities={styles} />
      {children}
      <Drawn
        id={id}
        title={title}
        chart={chart}
        lines={lines}
        failure={series.failure}
        isLevel={hasOnlyLevels(metrics)}
        isLog={view.scale === "log"}
        isVisible={isNear}
      />
    </figure>
  );
}

type ChartView = Pick<View, "grain" | "range" | "sum" | "scale" | "unit" | "hidden">;

/** Returns what of the view decides a drawing: an open table or another order of its rows does not. */
function useChartView(): ChartView {
  const { grain, range, sum, scale, unit, hidden } = useView().view;
  return useMemo(
    () => ({ grain, range, sum, scale, unit, hidden }),
    [grain, range, sum, scale, unit, hidden],
  );
}

interface SeriesState {
  readonly dashboard: Dashboard | null;
  readonly failure: string | null;
}

/** Follows the series of a chart; while another range is on its way, what was there stays on screen. */
function useSeries(metricIds: readonly string[], { grain, range }: ChartView): SeriesState {
  const { now } = usePage();
  const [day] = useState(now);
  const path = metricIds.length === 0 ? null : seriesPath(metricIds, grain, range, day);
  const state = useResource<Dashboard>(path);
  const [last, setLast] = useState<Dashboard | null>(null);
  const current = state.phase === "ready" ? state.response.body : null;
  if (current !== null && current !== last) setLast(current);
  const previous = last?.grain === grain ? last : null;
  return { dashboard: current ?? previous, failure: state.phase === "failed" ? state.problem.message : null };
}

function hasOnlyLevels(metrics: readonly WeeklyMetric[]): boolean {
  return metrics.every((metric) => metric.value_kind === "stock");
}

interface ChartBodyProps {
  readonly id: string;
  readonly title: string;
  readonly chart: ChartData | null;
  readonly lines: readonly Line[];
  readonly failure: string | null;
  readonly isLevel: boolean;
  readonly isLog: boolean;
  readonly isVisible: boolean;
}

const Drawn = memo(function ChartBody({ id, title, chart, lines, failure, ...looks }: ChartBodyProps) {
  const { format, now } = usePage();
  if (failure !== null && chart === null) return <Placeholder>{failure}</Placeholder>;
  if (chart === null) return <Placeholder>Loading…</Placeholder>;
  if (chart.latestDay === null) return <p className="muted">Nothing is known of it yet.</p>;
  if (lines.length === 0) return <Placeholder>All series are switched off; choose one above.</Placeholder>;
  return (
    <>
      <ChartStage title={title} lines={lines} {...looks} />
      <KindLegend lines={lines} />
      <figcaption className="chart-note">
        Data through {format.day(chart.latestDay)}, {format.dayAge(chart.latestDay, now)}
        {lines.some((line) => line.series.points.some((point) => point.kind === "running")) &&
          ", and what is known of the time since"}
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
