/** How are we doing, what changed, and every product in one table; the charts follow. */
import { useMemo } from "react";
import type { Overview, WeeklyDashboard } from "../api/types";
import { withValues } from "../data/completeness";
import { allMetrics } from "../data/groups";
import { ChartSection } from "./chart-section";
import { Headline } from "./headline";
import { InsightCards } from "./insight-cards";
import { DeferredRender } from "./lazy";
import { ProductTable } from "./product-table";
import { UnknownProducts } from "./unknown-products";

/** With more products, charts are on the page of each product alone. */
const MOST_WITH_CHARTS = 12;

interface Props {
  readonly overview: Overview;
  readonly dashboard: WeeklyDashboard | null;
}

export function FirstScreen({ overview, dashboard }: Props) {
  const metrics = useMemo(
    () => new Map(dashboard ? allMetrics(dashboard).map((metric) => [metric.metric_id, metric]) : []),
    [dashboard],
  );
  const productNames = useMemo(
    () => new Map(overview.products.map(({ product, display_name }) => [product, display_name])),
    [overview],
  );
  const shown = useMemo(() => withValues(overview), [overview]);
  const unknown = useMemo(
    () => overview.products.filter((row) => !shown.products.includes(row)),
    [overview, shown],
  );
  return (
    <>
      <Headline overview={overview} />
      {(overview.complete > 0 || overview.series === 0) && (
        <InsightCards week={overview.week} metrics={metrics} productNames={productNames} />
      )}
      <ProductTable overview={shown} />
      <UnknownProducts products={unknown} />
      {dashboard && (
        <DeferredRender order={0}>
          <ChartSection
            dashboard={dashboard}
            hasCharts={overview.products.length <= MOST_WITH_CHARTS}
            unknown={unknown}
          />
        </DeferredRender>
      )}
    </>
  );
}
