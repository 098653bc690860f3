import { useMemo } from "react";
import type { WeeklyDashboard } from "../api/types";
import { allMetrics, chartGroups, chartMetrics } from "../data/groups";
import { familyName } from "../data/naming";
import { useView } from "../hooks/contexts";
import { ChartCard } from "./chart-card";
import { MetricPicker } from "./metric-picker";
import { Toolbar } from "./toolbar";

/** One chart per product and family, and one to compare any series. */
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
            title={`${group.product.display_name} · ${familyName(group.family)}`}
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
