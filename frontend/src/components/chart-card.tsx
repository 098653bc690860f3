/** One chart with all that belongs to it: legend, drawing, tooltip, notes, files, table. */
import type { ReactNode } from "react";
import { memo, useMemo, useState } from "react";
import { seriesPath } from "../api/paths";
import type { Dashboard, WeeklyMetric } from "../api/types";
import { identitiesOf, type Line, linesOf } from "../chart/lines";
import { type ShownChart, shownChart } from "../data/chart-data";
import { useReader, useViewed } from "../hooks/contexts";
import { useFollowed } from "../hooks/use-deferred";
import { useSeen } from "../hooks/use-near-viewport";
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
  const [ref, isSeen, isNear] = useSeen<HTMLElement>();
  const choice = useFollowed(useChoice(), isNear);
  const identities = useMemo(
    () => identitiesOf(metrics, isMixed),
    [metrics.map((one) => one.metric_id).join(), isMixed],
  );
  const answered = useSeries(isSeen ? metrics.map((metric) => metric.metric_id) : [], choice);
  const chart = useMemo(() => {
    const visible = identities.filter((one) => !choice.hidden.includes(one.id)).map((one) => one.id);
    return answered.dashboard && shownChart(answered.dashboard, visible, choice);
  }, [answered.dashboard, identities, choice]);
  const lines = useMemo(() => (chart ? linesOf(chart, identities) : []), [chart, identities]);
  return (
    <figure className="chart-card card" ref={ref} aria-labelledby={`chart-${id}`}>
      <header className="chart-head">
        <h3 id={`chart-${id}`}>{title}</h3>
        {chart && lines.length > 0 && <ChartActions id={id} title={title} chart={chart} lines={lines} />}
      </header>
      <SeriesLegend identities={identities} />
      {children}
      <Drawn
        id={id}
        title={title}
        chart={chart}
        lines={lines}
        failure={answered.failure}
        isStock={isStockOnly(metrics)}
        isLog={choice.scale === "log"}
        isInSight={isNear}
      />
    </figure>
  );
}

type Choice = Pick<View, "grain" | "range" | "sum" | "scale" | "unit" | "hidden">;

/** Returns what of the view decides a drawing: an open table or another order of its rows does not. */
function useChoice(): Choice {
  const { grain, range, sum, scale, unit, hidden } = useViewed().view;
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
function useSeries(metricIds: readonly string[], { grain, range }: Choice): SeriesState {
  const { now } = useReader();
  const [day] = useState(now);
  const path = metricIds.length === 0 ? null : seriesPath(metricIds, grain, range, day);
  const state = useResource<Dashboard>(path);
  const [last, setLast] = useState<Dashboard | null>(null);
  const fresh = state.phase === "ready" ? state.answer.body : null;
  if (fresh !== null && fresh !== last) setLast(fresh);
  const kept = last?.grain === grain ? last : null;
  return { dashboard: fresh ?? kept, failure: state.phase === "failed" ? state.problem.message : null };
}

function isStockOnly(metrics: readonly WeeklyMetric[]): boolean {
  return metrics.every((metric) => metric.value_kind === "stock");
}

interface DrawnProps {
  readonly id: string;
  readonly title: string;
  readonly chart: ShownChart | null;
  readonly lines: readonly Line[];
  readonly failure: string | null;
  readonly isStock: boolean;
  readonly isLog: boolean;
  readonly isInSight: boolean;
}

const Drawn = memo(function Drawn({ id, title, chart, lines, failure, ...looks }: DrawnProps) {
  const { format, now } = useReader();
  if (failure !== null && chart === null) return <Blank>{failure}</Blank>;
  if (chart === null) return <Blank>Loading…</Blank>;
  if (chart.newest === null) return <p className="muted">Nothing is known of it yet.</p>;
  if (lines.length === 0) return <Blank>All series are switched off; choose one above.</Blank>;
  return (
    <>
      <ChartStage title={title} lines={lines} {...looks} />
      <KindLegend lines={lines} />
      <figcaption className="chart-note">
        Data through {format.day(chart.newest)}, {format.dayAge(chart.newest, now)}
        {lines.some((line) => line.series.points.some((one) => one.kind === "running")) &&
          ", and what is known of the time since"}
      </figcaption>
      <ChartTable id={id} title={title} lines={lines} />
    </>
  );
});

function Blank({ children }: { readonly children: ReactNode }) {
  return (
    <div className="stage is-blank">
      <p className="muted">{children}</p>
    </div>
  );
}
