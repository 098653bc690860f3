/** One product: its row, and a chart of each of its families. */
import { useMemo } from "react";
import type { Overview, WeeklyDashboard } from "../api/types";
import { ChartSection } from "./chart-section";
import { DeferredRender } from "./lazy";
import { ProductTable } from "./product-table";
import { SeriesTable } from "./series-table";
import { ViewLink } from "./view-link";

interface Props {
  readonly overview: Overview;
  readonly dashboard: WeeklyDashboard | null;
  readonly product: string;
}

export function ProductPage({ overview, dashboard, product }: Props) {
  const own = useMemo(
    () => ({ ...overview, products: overview.products.filter((row) => row.product === product) }),
    [overview, product],
  );
  const series = useMemo(
    () =>
      dashboard && { ...dashboard, products: dashboard.products.filter((row) => row.product === product) },
    [dashboard, product],
  );
  const [row] = own.products;
  const back = (
    <p className="back">
      <ViewLink changes={{ product: null }}>‹ All products</ViewLink>
    </p>
  );
  if (row === undefined)
    return (
      <>
        {back}
        <h2>There is no product “{product}”</h2>
        <p className="muted">The link may belong to another catalogue.</p>
      </>
    );
  return (
    <>
      {back}
      <h2 className="product-title">{row.display_name}</h2>
      <ProductTable overview={own} />
      {series && (
        <DeferredRender order={0}>
          <ChartSection dashboard={dashboard ?? series} hasCharts product={product} />
        </DeferredRender>
      )}
      {series && (
        <DeferredRender order={1}>
          <SeriesTable dashboard={series} />
        </DeferredRender>
      )}
    </>
  );
}
