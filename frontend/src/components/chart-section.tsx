import { useMemo } from "react";
import { eventsPath } from "../api/paths";
import type { Events, ProductOfWeek, WeeklyDashboard } from "../api/types";
import { chartEvents } from "../data/events";
import { type ChartGroup, chartGroups, chartMetrics, hasValue } from "../data/groups";
import { familyName } from "../data/naming";
import { useView } from "../hooks/contexts";
import { useResource } from "../hooks/use-resource";
import { ChartCard } from "./chart-card";
import { Compare } from "./compare";
import { Key } from "./legend";
import { MetricPicker } from "./metric-picker";
import { Toolbar } from "./toolbar";

interface Props {
  readonly dashboard: WeeklyDashboard;
  /** Whether every series has its chart, or only those that are compared. */
  readonly hasCharts: boolean;
  /** The product whose page it is: its charts are large and have its events; null on the first screen. */
  readonly product?: string | null;
  /** Products of which the first screen knows nothing: a series of theirs without a value has no chart. */
  readonly unknown?: readonly Pick<ProductOfWeek, "product">[];
}

const NONE: readonly never[] = [];

/** One chart per product, family and axis, and one to compare any series; the controls and the key once. */
export function ChartSection({ dashboard, hasCharts, product = null, unknown = NONE }: Props) {
  const { view } = useView();
  const groups = useMemo(() => {
    const all = hasCharts ? chartGroups(dashboard) : [];
    if (product !== null) return all.filter((group) => group.product.product === product);
    const ids = new Set(unknown.map((one) => one.product));
    return all.filter((group) => !ids.has(group.product.product) || hasValue(group));
  }, [dashboard, hasCharts, product, unknown]);
  const { events, error } = useProductEvents(product);
  return (
    <section aria-labelledby="charts-title" id="charts">
      <h2 id="charts-title">Trends</h2>
      <Toolbar />
      <Key />
      {error !== null && (
        <p className="muted" role="status">
          The charts have no events: {error}
        </p>
      )}
      <div className={product === null ? "charts" : "charts is-large"}>
        {groups.map((group) => (
          <ChartCard
            key={group.id}
            id={group.id}
            title={chartTitle(group)}
            metrics={chartMetrics(group.metrics, view)}
            isLarge={product !== null}
            events={events}
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

/** Returns what happened to a product, for the flags of its charts, and why it could not be read. */
function useProductEvents(product: string | null) {
  const state = useResource<Events>(product === null ? null : eventsPath(product));
  const events = useMemo(() => (state.phase === "ready" ? chartEvents(state.response.body) : []), [state]);
  return { events, error: state.phase === "failed" ? state.problem.message : null };
}

/** Returns the product, the family, and the axis where the family does not say it: `Lance · Pulls (images)`. */
function chartTitle({ product, family, axis }: ChartGroup): string {
  const name = familyName(family);
  const isSaid =
    [`${name.toLowerCase()}, total`, name.toLowerCase()].includes(axis) || family.split("_").includes(axis);
  return `${product.display_name} · ${name}${isSaid ? "" : ` (${axis})`}`;
}
