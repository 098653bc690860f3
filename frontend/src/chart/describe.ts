/** A point in words: for the tooltip, the live region and the table, so that all three say the same. */
import type { ChartPoint } from "../data/chart-data";
import { provenanceName } from "../data/naming";
import type { Formats } from "../format/format";
import type { Line } from "./lines";

/** Returns the value as it is written beside a series' name. */
export function valueText(one: ChartPoint | undefined, format: Formats): string {
  if (one === undefined || one.displayValue === null) return "nothing known";
  return `${one.kind === "estimated" ? "≈ " : ""}${format.count(one.displayValue)}`;
}

/** Returns what a reader should know of the value: completeness, provenance, restatement, when it was observed. */
export function pointNotes(one: ChartPoint, isFlow: boolean, format: Formats): readonly string[] {
  const { point } = one;
  if (point.value === null) return [];
  const notes = [];
  if (isFlow && !point.estimated) notes.push(`${point.days_present} of ${point.days_expected} days`);
  if (one.kind === "running") notes.push("still running");
  if (point.estimated) notes.push(`estimate from ${point.fallback_id}`);
  if (point.revised) notes.push("restated");
  if (point.duplicated) notes.push("stored more than once, newest copy");
  if (point.status === "provisional") notes.push("provisional");
  if (point.provenance) notes.push(provenanceName(point.provenance));
  if (point.observed_at) notes.push(`observed ${format.instant(point.observed_at)}`);
  return notes;
}

/** Returns what the live region says of one period: every series, one after the other. */
export function periodAnnouncement(lines: readonly Line[], index: number, format: Formats): string {
  const first = lines[0]?.series.points[index];
  if (first === undefined) return "";
  const values = lines.map((line) => {
    const one = line.series.points[index];
    const marks = one && one.kind !== "measured" && one.kind !== "gap" ? `, ${one.kind}` : "";
    return `${line.name} ${valueText(one, format)}${marks}${one?.point.revised ? ", restated" : ""}`;
  });
  return `${format.period(first.point)}: ${values.join("; ")}.`;
}

/** Returns a sentence that stands for the whole chart: its span and how each series went. */
export function chartSummary(title: string, lines: readonly Line[], format: Formats): string {
  const parts = lines.map((line) => {
    const known = line.series.points.filter((one) => one.displayValue !== null && one.kind !== "running");
    const [first, last] = [known[0], known.at(-1)];
    if (!first || !last) return `${line.name}: nothing known`;
    return `${line.name}: ${valueText(first, format)} in ${format.periodShort(first.point)}, ${valueText(last, format)} in ${format.periodShort(last.point)}`;
  });
  return `${title}. ${parts.join(". ")}.`;
}
