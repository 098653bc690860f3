/** Display names of SDKs, families, kinds of points and provenance. */
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
  php: "PHP",
};
const FAMILY_NAMES: Readonly<Record<string, string>> = {
  downloads: "Downloads",
  stars: "Stars",
  stars_retained: "Stars still given",
};
const PROVENANCE_NAMES: Readonly<Record<string, string>> = {
  sample: "sample data",
  csv_seed: "seed file",
  backfill: "filled back",
  api: "registry",
  recomputed: "registry, re-read",
};

/** What every picture and text of numbers says. */
export const NOT_USERS = "Downloads are not users.";

/** The legend's label of each kind of point. */
export const KIND_LABELS: Readonly<Record<PointKind | "restated" | "average" | "yearBefore", string>> = {
  measured: "Complete",
  average: "Average of 7 days, all present",
  yearBefore: "A year before",
  lacking: "Total without a missing period before",
  estimated: "Estimate, excluded from changes and totals",
  incomplete: "Incomplete: some days are missing",
  running: "In progress",
  reset: "Counter reset: no value",
  gap: "Gap: no data",
  restated: "Restated by the registry",
};

/** Returns the display name of an SDK, such as `Node.js`. */
export function sdkName(sdk: string): string {
  return SDK_NAMES[sdk] ?? sdk;
}

/** Returns the display name of a family, such as `Downloads`. */
export function familyName(family: string): string {
  const words = family.replaceAll("_", " ");
  return FAMILY_NAMES[family] ?? `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** Returns the display name of a provenance. */
export function provenanceName(provenance: string | null): string {
  return provenance === null ? "" : (PROVENANCE_NAMES[provenance] ?? provenance);
}

/** Returns the SDK's name if only one of these metrics has it, else the subject. */
export function shortName(metric: NamedMetric, metrics: readonly NamedMetric[]): string {
  if (metric.sdk === null) return metric.subject;
  const isOnly =
    metrics.filter((other) => other.sdk === metric.sdk && other.metric_family === metric.metric_family)
      .length === 1;
  return isOnly ? sdkName(metric.sdk) : metric.subject;
}
