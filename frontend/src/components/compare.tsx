/** Any series beside each other: one axis for each unit, and a sentence for what may not share a chart. */
import { useMemo, useState } from "react";
import { comparePath, DEFINITIONS } from "../api/paths";
import type { Comparison, Definitions, WeeklyDashboard } from "../api/types";
import { allMetrics } from "../data/groups";
import { usePage, useView } from "../hooks/contexts";
import { useResource } from "../hooks/use-resource";
import { ChartCard } from "./chart-card";
import { MetricPicker } from "./metric-picker";

export function Compare({ dashboard }: { readonly dashboard: WeeklyDashboard }) {
  const { view } = useView();
  const { change } = usePage();
  const [isUsed, setUsed] = useState(false);
  const { compared } = view;
  const definitions = useResource<Definitions>(isUsed || compared.length > 0 ? DEFINITIONS : null);
  const metrics = useMemo(() => {
    const stored = definitions.phase === "ready" ? definitions.response.body.metrics : [];
    return [...allMetrics(dashboard), ...stored.filter(({ watch, is_active }) => watch && is_active)];
  }, [dashboard, definitions]);
  const path = comparePath(compared, view.aligned ? "all" : view.range, dashboard.period_end);
  const state = useResource<Comparison>(compared.length === 0 ? null : path);
  const names = new Map(metrics.map(({ metric_id, display_name }) => [metric_id, display_name]));
  return (
    <section className="compare" aria-labelledby="compare-title" id="compare">
      <h2 id="compare-title">Compare</h2>
      <p className="muted">
        Any series of any product, and those of others that the catalogue watches, which are grey and in no
        total.
      </p>
      <MetricPicker
        label="Add a series to compare"
        metrics={metrics}
        list="compared"
        onFocus={() => setUsed(true)}
      />
      {definitions.phase === "failed" && (
        <p className="muted" role="status">
          The list has no series of others: {definitions.problem.message}
        </p>
      )}
      {compared.length > 0 && (
        <ul className="chips" aria-label="Compared series">
          {compared.map((id) => (
            <li key={id}>
              {names.get(id) ?? id}
              <button
                type="button"
                aria-label={`Remove ${names.get(id) ?? id}`}
                onClick={() => change({ compared: compared.filter((other) => other !== id) })}
              >
                <span aria-hidden="true">×</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {state.phase === "failed" && compared.length > 0 && <p className="muted">{state.problem.message}</p>}
      {state.phase === "ready" && compared.length > 0 && <Compared body={state.response.body} />}
    </section>
  );
}

function Compared({ body }: { readonly body: Comparison }) {
  const { view } = useView();
  const { change } = usePage();
  const charts = useMemo(() => chartsOf(body, view.unit === "indexed"), [body, view.unit]);
  return (
    <>
      {body.refused.length > 0 && (
        <ul className="refused" aria-label="Not compared">
          {body.refused.map(({ metric_id, sentence }) => (
            <li key={metric_id}>{sentence}</li>
          ))}
        </ul>
      )}
      <ScaleAdvice body={body} />
      {body.metrics.length > 1 && (
        <label className="align">
          <input
            type="checkbox"
            checked={view.aligned}
            onChange={(event) => change({ aligned: event.currentTarget.checked })}
          />
          Align at launch
          {view.aligned && <span className="muted"> · each series begins at its first stored day</span>}
        </label>
      )}
      {charts.map(({ id, title, metrics }) => (
        <ChartCard key={id} id={id} title={title} metrics={metrics} isMixed isAligned={view.aligned} />
      ))}
    </>
  );
}

interface ComparedChart {
  readonly id: string;
  readonly title: string;
  readonly metrics: Comparison["metrics"];
}

/** Returns one chart for each axis; indexed, all series share one. */
function chartsOf({ metrics, axes }: Comparison, isIndexed: boolean): readonly ComparedChart[] {
  if (metrics.length === 0) return [];
  if (isIndexed || axes.length === 1) return [{ id: "compare", title: "Comparison", metrics }];
  return axes.map(({ unit, metric_ids }, index) => ({
    id: index === 0 ? "compare" : `compare:${unit.replaceAll(" ", "-")}`,
    title: `Comparison · ${unit}`,
    metrics: metrics.filter(({ metric_id }) => metric_ids.includes(metric_id)),
  }));
}

/** The scale on which the API says that the series are better read, while another one is chosen. */
function ScaleAdvice({ body: { advice } }: { readonly body: Comparison }) {
  const { view } = useView();
  const { change } = usePage();
  if (advice === null || view.unit === "indexed" || (advice.scale === "log" && view.scale === "log"))
    return null;
  const isLog = advice.scale === "log";
  return (
    <p className="advice">
      {advice.sentence}{" "}
      <button
        type="button"
        className="button small"
        onClick={() => change(isLog ? { scale: "log" } : { unit: "indexed" })}
      >
        {isLog ? "Use a log scale" : "Index to 100"}
      </button>
    </p>
  );
}
