/** What a chart claims, what its axis counts, and of which days. */
import type { WeeklyMetric } from "../api/types";
import type { Line } from "../chart/lines";
import type { ChartData } from "../data/chart-data";
import { chartClaim, drawnIn, unclaimed } from "../data/claims";
import { chartSubtitle } from "../data/subtitle";
import { usePage } from "../hooks/contexts";
import type { ChartView } from "./chart-card";

interface Props {
  readonly id: string;
  readonly title: string;
  readonly metrics: readonly WeeklyMetric[];
  readonly lines: readonly Line[];
  readonly chart: ChartData | null;
  readonly view: ChartView;
}

export function ChartHead({ id, title, metrics, lines, chart, view }: Props) {
  const { format } = usePage();
  const isDrawn = chart === null ? () => false : drawnIn(lines, chart, view);
  const claim = chartClaim(metrics, isDrawn, format);
  const reason = claim === null ? unclaimed(metrics, isDrawn, format) : null;
  return (
    <div className="chart-titles">
      {claim !== null && <p className="chart-name">{title}</p>}
      <h3 id={`chart-${id}`}>{claim ?? title}</h3>
      <p className="chart-subtitle">
        {chart && chartSubtitle(lines, chart, view, format)}
        {reason !== null && ` · ${reason}`}
      </p>
    </div>
  );
}
