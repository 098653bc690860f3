/** One chart with all that belongs to it: legend, drawing, tooltip, notes, files, table. */
import type { ReactNode } from "react";
import { useMemo, useState } from "react";
import { seriesPath } from "../api/paths";
import type { Dashboard, WeeklyMetric } from "../api/types";
import { identitiesOf, type Line, linesOf } from "../chart/lines";
import { type ShownChart, shownChart } from "../data/shown";
import { useResource } from "../hooks/use-resource";
import { useSeen } from "../hooks/use-seen";
import { usePage } from "../hooks/view-context";
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
  const { view } = usePage();
  const [ref, isSeen] = useSeen<HTMLElement>();
  const identities = useMemo(
    () => identitiesOf(metrics, isMixed),
    [metrics.map((one) => one.metric_id).join(), isMixed],
  );
  const answered = useSeries(isSeen ? metrics.map((metric) => metric.metric_id) : []);
  const visible = identities.filter((one) => !view.hidden.includes(one.id));
  const { grain, range, sum, scale, unit } = view;
  // an open table or another sort order is part of the view, and no reason to draw again
  const chart = useMemo(
    () =>
      answered.dashboard &&
      shownChart(
        answered.dashboard,
        visible.map((one) => one.id),
        view,
      ),
    [answered.dashboard, visible.map((one) => one.id).join(), grain, range, sum, scale, unit],
  );
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
      />
    </figure>
  );
}

interface SeriesState {
  readonly dashboard: Dashboard | null;
  readonly failure: string | null;
}

/** Follows the series of a chart; while another range is on its way, what was there stays on screen. */
function useSeries(metricIds: readonly string[]): SeriesState {
  const { view, now } = usePage();
  const [day] = useState(now);
  const path = metricIds.length === 0 ? null : seriesPath(metricIds, view.grain, view.range, day);
  const state = useResource<Dashboard>(path);
  const [last, setLast] = useState<Dashboard | null>(null);
  const fresh = state.phase === "ready" ? state.answer.body : null;
  if (fresh !== null && fresh !== last) setLast(fresh);
  const kept = last?.grain === view.grain ? last : null;
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
}

function Drawn({ id, title, chart, lines, failure, isStock }: DrawnProps) {
  const { format, now } = usePage();
  if (failure !== null && chart === null) return <Blank>{failure}</Blank>;
  if (chart === null) return <Blank>Loading…</Blank>;
  if (chart.newest === null) return <p className="muted">Nothing is known of it yet.</p>;
  if (lines.length === 0) return <Blank>All series are switched off; choose one above.</Blank>;
  return (
    <>
      <ChartStage title={title} lines={lines} isStock={isStock} />
      <KindLegend lines={lines} />
      <figcaption className="chart-note">
        Data through {format.day(chart.newest)}, {format.age(`${chart.newest}T24:00:00Z`, now)}
        {lines.some((line) => line.series.points.some((one) => one.kind === "running")) &&
          ", and what is known of the time since"}
      </figcaption>
      <ChartTable id={id} title={title} lines={lines} />
    </>
  );
}

function Blank({ children }: { readonly children: ReactNode }) {
  return (
    <div className="stage is-blank">
      <p className="muted">{children}</p>
    </div>
  );
}
