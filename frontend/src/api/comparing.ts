/**
 * What `/compare` says of some series, put together from what it decides by, for a page without a server.
 *
 * `runtime/community_metrics/series/alike.py` has the rule and every sentence; the tests of both read
 * `comparisons.json`.
 */
import { ApiProblem } from "./problems";
import type { Comparable, Comparison } from "./types";

type Part = Comparable["metrics"][number];
type Days = Pick<Comparison, "period_start" | "period_end">;

/**
 * Returns the answer of a path of `/compare`.
 *
 * @throws ApiProblem for a metric that is not among the parts, and for days that end before they begin.
 */
export function comparisonAt(path: string, parts: Comparable): Comparison {
  const query = new URLSearchParams(path.split("?")[1]);
  const known = new Map(parts.metrics.map((one) => [one.metric_id, one]));
  const metrics = [...new Set(query.getAll("metric_id"))].map((id) => partOf(known, id));
  const end = query.get("to") ?? parts.period_end;
  const starts = metrics.flatMap(({ first_day }) => first_day ?? []).sort();
  const days = { period_start: query.get("from") ?? starts[0] ?? end, period_end: end };
  if (days.period_start > end) {
    throw new ApiProblem("failed", `The days begin on ${days.period_start}, after ${end}, their last one.`);
  }
  return comparison(metrics, days, parts);
}

function partOf(known: ReadonlyMap<string, Part>, id: string): Part {
  const part = known.get(id);
  if (part === undefined) {
    throw new ApiProblem("not-found", `This copy of the page does not have the metric ${id}.`);
  }
  return part;
}

function comparison(metrics: readonly Part[], days: Days, parts: Comparable): Comparison {
  const accepted: Part[] = [];
  const refused: Comparison["refused"] = [];
  for (const one of metrics) {
    const sentence = refusal(one, accepted, days, parts.sentences);
    if (sentence === null) accepted.push(one);
    else refused.push({ metric_id: one.metric_id, sentence });
  }
  const axes = [...new Set(accepted.map(({ unit }) => unit))].map((unit) => ({
    unit,
    metric_ids: accepted.filter((one) => one.unit === unit).map(({ metric_id }) => metric_id),
  }));
  const advice = adviceFor(accepted, axes, parts);
  return { ...days, metrics: accepted, refused, axes, advice, rule: parts.rule, freshness: parts.freshness };
}

/** Returns why a series may not share the chart of the accepted ones; null if it may. */
function refusal(
  one: Part,
  accepted: readonly Part[],
  { period_start, period_end }: Days,
  sentences: Comparable["sentences"],
): string | null {
  const change = one.changes.find(({ day }) => period_start < day && day <= period_end);
  if (change !== undefined) return change.sentence;
  for (const other of accepted) {
    const names = { name: one.display_name, other_name: other.display_name };
    if (one.measure !== other.measure)
      return filled(sentences.unlike, { ...names, measure: one.measure, other_measure: other.measure });
    if (one.source === other.source && one.way !== other.way)
      return filled(sentences.two_ways, { ...names, source: one.source, way: one.way, other_way: other.way });
  }
  return null;
}

function adviceFor(
  accepted: readonly Part[],
  axes: Comparison["axes"],
  { far_apart, sentences }: Comparable,
): Comparison["advice"] {
  if (axes.length > 1) {
    const units = axes.map(({ unit }) => unit).join(", ");
    return { scale: "indexed", sentence: filled(sentences.several_units, { units }) };
  }
  const sized = accepted.filter(({ size }) => size).sort(bySize);
  const [smallest, largest] = [sized[0], sized.at(-1)];
  if (smallest === undefined || largest === undefined || sized.length < accepted.length) return null;
  const [small, large] = [smallest.size ?? 0, largest.size ?? 0];
  if (large < far_apart * small) return null;
  const names = { name: largest.display_name, other_name: smallest.display_name };
  return {
    scale: "log",
    sentence: filled(sentences.far_larger, { ...names, times: rounded(large / small) }),
  };
}

function bySize(one: Part, other: Part): number {
  return (one.size ?? 0) - (other.size ?? 0) || (one.display_name < other.display_name ? -1 : 1);
}

/** Returns a number without decimals; a half is rounded to the even number, as Python does. */
function rounded(value: number): string {
  const below = Math.floor(value);
  const isUp = value - below === 0.5 ? below % 2 === 1 : value - below > 0.5;
  return (isUp ? below + 1 : below).toLocaleString("en-US");
}

/** Returns a sentence with its names in braces replaced. */
function filled(sentence: string, words: Readonly<Record<string, string>>): string {
  return sentence.replaceAll(/\{(\w+)\}/g, (braced, name: string) => words[name] ?? braced);
}
