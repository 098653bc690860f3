/** A point in words: for the tooltip, the live region and the table, so that all three say the same. */
import type { ChartPoint } from "../data/chart-data";
import { provenanceName } from "../data/naming";
import type { Formats } from "../format/format";
import type { Line } from "./lines";

/** Returns the value as it is written beside a series' name. */
export function valueText(point: ChartPoint | undefined, format: Formats): string {
  if (point === undefined || point.displayValue === null) return "nothing known";
  return `${point.kind === "estimated" ? "≈ " : ""}${format.count(point.displayValue)}`;
}

/** Returns what a reader should know of the value: completeness, provenance, restatement, when it was observed. */
export function pointNotes(point: ChartPoint, isFlow: boolean, format: Formats): readonly string[] {
  const { api } = point;
  if (api.value === null) return [];
  const notes = [];
  if (isFlow && !api.estimated) notes.push(`${api.days_present} of ${api.days_expected} days`);
  if (point.kind === "running") notes.push("still running");
  if (api.estimated) notes.push(`estimate from ${api.fallback_id}`);
  if (api.revised) notes.push("restated");
  if (api.duplicated) notes.push("stored more than once, newest copy");
  if (api.status === "provisional") notes.push("provisional");
  if (api.provenance) notes.push(provenanceName(api.provenance));
  if (api.observed_at) notes.push(`observed ${format.instant(api.observed_at)}`);
  return notes;
}

/** Returns what the live region says of one period: every series, one after the other. */
export function periodAnnouncement(lines: readonly Line[], index: number, format: Formats): string {
  const first = lines[0]?.series.points[index];
  if (first === undefined) return "";
  const values = lines.map((line) => {
    const point = line.series.points[index];
    const marks = point && point.kind !== "measured" && point.kind !== "gap" ? `, ${point.kind}` : "";
    return `${line.name} ${valueText(point, format)}${marks}${point?.api.revised ? ", restated" : ""}`;
  });
  return `${format.period(first.api)}: ${values.join("; ")}.`;
}

/** Returns a sentence that stands for the whole chart: its span and how each series went. */
export function chartSummary(title: string, lines: readonly Line[], format: Formats): string {
  const parts = lines.map((line) => {
    const known = line.series.points.filter(
      (point) => point.displayValue !== null && point.kind !== "running",
    );
    const [first, last] = [known[0], known.at(-1)];
    if (!first || !last) return `${line.name}: nothing known`;
    return `${line.name}: ${valueText(first, format)} in ${format.periodShort(first.api)}, ${valueText(last, format)} in ${format.periodShort(last.api)}`;
  });
  return `${title}. ${parts.join(". ")}.`;
}
