import { useMemo } from "react";
import type { WeeklyDashboard } from "../api/types";
import { allMetrics, type ChartGroup, chartGroups, chartMetrics } from "../data/groups";
import { familyName } from "../data/naming";
import { useView } from "../hooks/contexts";
import { ChartCard } from "./chart-card";
import { MetricPicker } from "./metric-picker";
import { Toolbar } from "./toolbar";

/** One chart per product, family and axis, and one to compare any series. */
export function ChartSection({ dashboard }: { readonly dashboard: WeeklyDashboard }) {
  const { view } = useView();
  const groups = useMemo(() => chartGroups(dashboard), [dashboard]);
  return (
    <section aria-labelledby="charts-title" id="charts">
      <h2 id="charts-title">Trends</h2>
      <Toolbar />
      <div className="charts">
        {groups.map((group) => (
          <ChartCard
            key={group.id}
            id={group.id}
            title={chartTitle(group)}
            metrics={chartMetrics(group.metrics, view)}
          >
            {group.metrics.length > chartMetrics(group.metrics, view).length && (
              <MetricPicker label="Add a series" metrics={group.metrics} list="added" />
            )}
          </ChartCard>
        ))}
      </div>
      <Compare dashboard={dashboard} />
    </section>
  );
}

/** Returns the product, the family, and the axis where the family does not say it: `Lance · Views (uniques)`. */
function chartTitle({ product, family, axis }: ChartGroup): string {
  const name = familyName(family);
  const isSaid =
    [`${name.toLowerCase()}, total`, name.toLowerCase()].includes(axis) || family.startsWith(axis);
  return `${product.display_name} · ${name}${isSaid ? "" : ` (${axis})`}`;
}

function Compare({ dashboard }: { readonly dashboard: WeeklyDashboard }) {
  const { view } = useView();
  const metrics = useMemo(() => allMetrics(dashboard), [dashboard]);
  const chosen = view.compared.flatMap((id) => metrics.find((metric) => metric.metric_id === id) ?? []);
  return (
    <section className="compare" aria-labelledby="compare-title">
      <h2 id="compare-title">Compare</h2>
      <p className="muted">
        Compare series across products. “Indexed to 100” compares growth at different scales.
      </p>
      <MetricPicker label="Add a series to compare" metrics={metrics} list="compared" />
      {chosen.length > 0 && <ChartCard id="compare" title="Comparison" metrics={chosen} isMixed />}
    </section>
  );
}
