/** What changed in the week: at most four insights, each with its link. */
import { insightsPath } from "../api/paths";
import type { Insight, Insights } from "../api/types";
import { insightTitle, MARKS } from "../data/insight-words";
import { foremost, type InsightNames, insightName } from "../data/insights";
import { usePage } from "../hooks/contexts";
import { useResource } from "../hooks/use-resource";
import { ViewLink } from "./view-link";

interface Props extends InsightNames {
  readonly week: string;
}

export function InsightCards({ week, ...names }: Props) {
  const state = useResource<Insights>(insightsPath(week));
  if (state.phase === "failed")
    return (
      <section className="insights" aria-label="What changed">
        <p className="muted">What changed could not be loaded: {state.problem.message}</p>
      </section>
    );
  const shown = state.phase === "ready" ? foremost(state.response.body) : [];
  return (
    <section className="insights" aria-label="What changed" aria-busy={state.phase === "loading"}>
      <ul>
        {shown.map((insight) => (
          <Card
            key={`${insight.kind}${insight.metric_ids.join()}${insight.sentence}`}
            insight={insight}
            {...names}
          />
        ))}
      </ul>
    </section>
  );
}

function Card({ insight, ...names }: InsightNames & { readonly insight: Insight }) {
  const { format } = usePage();
  const title = insightTitle(insight, insightName(insight, names), format);
  return (
    <li className={`insight is-${insight.kind}`}>
      <h3>
        <span aria-hidden="true">{MARKS[insight.kind]}</span> {title}
      </h3>
      <p>{insight.sentence}</p>
      {insight.kind !== "silence" && <InsightLink insight={insight} title={title} />}
    </li>
  );
}

/** A gap of a registry leads to the data section, any other insight to the days of its product. */
function InsightLink({ insight, title }: { readonly insight: Insight; readonly title: string }) {
  if (insight.kind === "registry_gap" || insight.product === null)
    return (
      <a className="insight-link" href="#quality" aria-label={`Data: ${title}`}>
        Data ›
      </a>
    );
  const isOfDays = insight.kind === "spike" || insight.kind === "dip";
  return (
    <ViewLink
      className="insight-link"
      label={`${isOfDays ? "Days" : "Chart"}: ${title}`}
      changes={{ product: insight.product, ...(isOfDays ? { grain: "day", range: "12w" } : {}) }}
    >
      {isOfDays ? "Days" : "Chart"} ›
    </ViewLink>
  );
}
