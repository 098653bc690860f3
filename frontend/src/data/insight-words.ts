/** A short title for each kind of insight, from the numbers that it carries. */
import type { Insight } from "../api/types";
import type { Formats } from "../format/format";

/** A mark for each kind, so that kinds differ without colour. */
export const MARKS: Readonly<Record<Insight["kind"], string>> = {
  headline: "=",
  level_break: "⇥",
  spike: "?",
  dip: "?",
  registry_gap: "!",
  record: "◆",
  milestone: "◆",
  settling: "▼",
  mover: "→",
  restated: "↻",
  disputed: "≠",
  missing: "!",
  silence: "✓",
};

/** Returns the title of an insight about `name`, a metric or a product. */
export function insightTitle(insight: Insight, name: string, format: Formats): string {
  const { numbers } = insight;
  switch (numbers.type) {
    case "mover":
      return `${name} ${format.exactChange(numbers.change)}`;
    case "unusual": {
      const direction = insight.kind === "spike" ? "above" : "below";
      const days = numbers.days.length === 1 ? "one day" : `${numbers.days.length} days`;
      return `${name}: ${days} far ${direction} the usual${numbers.is_one_day ? ", not a trend" : ""}`;
    }
    case "level_break": {
      if (numbers.before === null || numbers.after === null)
        return `${name} is counted in another way since ${format.day(numbers.day)}`;
      const values = `${format.figure(numbers.before)} → ${format.figure(numbers.after)} a week`;
      return `${name} has shifted: ${values} since ${format.day(numbers.day)}`;
    }
    case "record":
      return `${name}: the highest of ${numbers.compared + 1} weeks`;
    case "milestone":
      return `${name} passed ${format.figure(numbers.mark)}`;
    case "settling":
      return `${name} is back to usual after a peak`;
    case "registry_gap":
      return gapTitle(numbers.source, numbers.lacking, numbers.low, format);
    case "disputed": {
      const [first] = numbers.days;
      const days = numbers.days.length === 1 && first ? format.day(first) : `${numbers.days.length} days`;
      return `${name}: ${days} counted otherwise by ${numbers.witness}`;
    }
    case "silence":
      return "Nothing unusual";
    default:
      return name;
  }
}

function gapTitle(
  source: string,
  lacking: readonly string[],
  low: readonly string[],
  format: Formats,
): string {
  const [days, verb] = lacking.length > 0 ? [lacking, "lacks values of"] : [low, "counted little on"];
  const [first] = days;
  return `${source} ${verb} ${days.length === 1 && first ? format.day(first) : `${days.length} days`}`;
}
