import type { WeeklyMetric } from "../api/types";

export type Named = Pick<WeeklyMetric, "metric_id" | "display_name">;

/** Returns whether a name has every word of a text. */
export function hasEveryWord(name: string, text: string): boolean {
  const named = name.toLowerCase();
  return wordsOf(text).every((word) => named.includes(word));
}

function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
}

/** Returns the metrics whose names or ids have every word of a text; only the one that has it exactly, if any. */
export function matching<T extends Named>(metrics: readonly T[], text: string): readonly T[] {
  const wanted = text.trim().toLowerCase();
  const exact = metrics.filter(
    ({ metric_id, display_name }) =>
      metric_id.toLowerCase() === wanted || display_name.toLowerCase() === wanted,
  );
  if (exact.length > 0) return exact;
  if (wanted === "") return [];
  return metrics.filter(({ metric_id, display_name }) =>
    hasEveryWord(`${metric_id} ${display_name}`, wanted),
  );
}
