/** Every series of a chart on a scale of its own, so that a small one is as readable as a large one. */
import { memo, useMemo, useRef } from "react";
import type { WeeklyMetric } from "../api/types";
import { chartSummary } from "../chart/describe";
import { type Line, lineColour } from "../chart/lines";
import { usePage } from "../hooks/contexts";
import { useDrawing, useWidth } from "../hooks/use-drawing";
import { Change } from "./change";

interface Props {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly metrics: readonly WeeklyMetric[];
  readonly isLevel: boolean;
  readonly isLog: boolean;
  readonly isVisible: boolean;
}

const HEIGHT = 150;
const NO_EVENTS = [] as const;

export const SmallMultiples = memo(function SmallMultiples({ title, lines, metrics, ...options }: Props) {
  return (
    <ul className="multiples" aria-label={`${title}, each on its own scale`}>
      {lines.map((line) => (
        <SmallChart
          key={line.id}
          line={line}
          metric={metrics.find((metric) => metric.metric_id === line.id) ?? null}
          {...options}
        />
      ))}
    </ul>
  );
});

interface SmallChartProps extends Pick<Props, "isLevel" | "isLog" | "isVisible"> {
  readonly line: Line;
  readonly metric: WeeklyMetric | null;
}

function SmallChart({ line, metric, isLevel, isLog, isVisible }: SmallChartProps) {
  const { format } = usePage();
  const plot = useRef<HTMLDivElement>(null);
  const width = useWidth(plot);
  const lines = useMemo(() => [line], [line]);
  const { short, tick } = format;
  const options = {
    width,
    height: HEIGHT,
    isLog,
    fromZero: !isLevel,
    isSmall: true,
    isAligned: false,
    short,
    tick,
  };
  useDrawing(plot, lines, options, isVisible);
  const change = metric?.four_period_change ?? null;
  return (
    <li>
      <p className="multiple-head">
        <strong style={{ color: lineColour(line) }}>{line.name}</strong>
        {change && (
          <span>
            <Change change={change} /> <span className="muted">in four weeks</span>
          </span>
        )}
      </p>
      <div className="stage-plot multiple-plot" ref={plot} aria-hidden="true" />
      <p className="visually-hidden">{chartSummary(line.name, lines, NO_EVENTS, format)}</p>
    </li>
  );
}
