/** Names for people: of SDKs, families, kinds of points, provenance. */
import type { Metric } from "../api/types";
import type { PointKind } from "./chart-data";

type NamedMetric = Pick<Metric, "metric_id" | "sdk" | "subject" | "display_name" | "metric_family">;

const SDK_NAMES: Readonly<Record<string, string>> = {
  python: "Python",
  nodejs: "Node.js",
  rust: "Rust",
  java: "Java",
  go: "Go",
  ruby: "Ruby",
  dotnet: ".NET",
};
const FAMILY_NAMES: Readonly<Record<string, string>> = {
  downloads: "Downloads",
  stars: "Stars",
  stars_retained: "Stars kept",
};
const PROVENANCE_NAMES: Readonly<Record<string, string>> = {
  csv_seed: "seed file",
  api: "registry",
  recomputed: "registry, read again",
};

/** What each way of drawing means, for somebody who sees such a chart for the first time. */
export const KIND_LABELS: Readonly<Record<PointKind | "restated", string>> = {
  measured: "Measured, complete",
  estimated: "Estimate from a wider reading; in no change or total",
  incomplete: "Days are missing: counts only those known",
  running: "Not over yet: part of a period",
  gap: "Gap: nothing known",
  restated: "The registry changed it later",
};

/** Returns `Python`, or the word of the catalogue. */
export function sdkName(sdk: string): string {
  return SDK_NAMES[sdk] ?? sdk;
}

/** Returns `Downloads`, or the family's id in words. */
export function familyName(family: string): string {
  return FAMILY_NAMES[family] ?? family.replaceAll("_", " ");
}

/** Returns where a value came from, in words. */
export function provenanceName(provenance: string | null): string {
  return provenance === null ? "" : (PROVENANCE_NAMES[provenance] ?? provenance);
}

/** Returns the short name of a metric among its neighbours: the SDK where it is the only one, else the subject. */
export function shortName(metric: NamedMetric, among: readonly NamedMetric[]): string {
  if (metric.sdk === null) return metric.subject;
  const isOnly =
    among.filter((one) => one.sdk === metric.sdk && one.metric_family === metric.metric_family).length === 1;
  return isOnly ? sdkName(metric.sdk) : metric.subject;
}
