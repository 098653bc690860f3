import { useState } from "react";
import { seriesPath } from "../api/paths";
import type { Dashboard } from "../api/types";
import type { View } from "../view/view";
import { usePage } from "./contexts";
import { useResource } from "./use-resource";

interface SeriesState {
  readonly dashboard: Dashboard | null;
  readonly error: string | null;
}

/** Fetches the series of a chart; the previous data stays until a new range has loaded. */
export function useSeries(
  metricIds: readonly string[],
  { grain, range }: Pick<View, "grain" | "range">,
): SeriesState {
  const { now } = usePage();
  const [day] = useState(now);
  const path = metricIds.length === 0 ? null : seriesPath(metricIds, grain, range, day);
  const state = useResource<Dashboard>(path);
  const [last, setLast] = useState<Dashboard | null>(null);
  const current = state.phase === "ready" ? state.response.body : null;
  if (current !== null && current !== last) setLast(current);
  const previous = last?.grain === grain ? last : null;
  return { dashboard: current ?? previous, error: state.phase === "failed" ? state.problem.message : null };
}
