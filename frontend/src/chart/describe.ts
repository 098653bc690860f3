/** Describes points as text, for the tooltip, the live region and the table. */
import type { ChartPoint, PointKind } from "../data/chart-data";
import { provenanceName } from "../data/naming";
import type { Formats } from "../format/format";
import type { Line } from "./lines";

/** Returns a point's value as text. */
export function valueText(point: ChartPoint | undefined, format: Formats): string {
  if (point?.kind === "reset") return "counter reset";
  if (point === undefined || point.displayValue === null) return "no data";
  return `${point.kind === "estimated" ? "≈ " : ""}${format.count(point.displayValue)}`;
}

/** Returns notes on a value: completeness, provenance, restatement and the time it was read. */
export function pointNotes(point: ChartPoint, isFlow: boolean, format: Formats): readonly string[] {
  const { api } = point;
  if (api.value === null) return [];
  const notes = [];
  if (isFlow && !api.estimated) notes.push(`${api.days_present} of ${api.days_expected} days`);
  if (point.kind === "running") notes.push("in progress");
  if (api.estimated) notes.push(`estimated from ${api.fallback_id}`);
  if (api.restated) notes.push("restated");
  if (api.duplicated) notes.push("duplicate rows, newest used");
  if (api.status === "provisional") notes.push("provisional");
  if (api.provenance) notes.push(provenanceName(api.provenance));
  if (api.observed_at) notes.push(`read ${format.instant(api.observed_at)}`);
  return notes;
}

const KIND_NOTES: Readonly<Record<PointKind, string>> = {
  measured: "",
  incomplete: ", incomplete",
  estimated: ", estimated",
  running: ", in progress",
  reset: "",
  gap: "",
};

/** Returns the live region's text for one period: the value of every series. */
export function periodAnnouncement(lines: readonly Line[], index: number, format: Formats): string {
  const first = lines[0]?.series.points[index];
  if (first === undefined) return "";
  const values = lines.map((line) => {
    const point = line.series.points[index];
    const kind = point ? KIND_NOTES[point.kind] : "";
    return `${line.name} ${valueText(point, format)}${kind}${point?.api.restated ? ", restated" : ""}`;
  });
  return `${format.period(first.api)}: ${values.join("; ")}.`;
}

/** Returns a text alternative of the chart: the first and last value of each series. */
export function chartSummary(title: string, lines: readonly Line[], format: Formats): string {
  const parts = lines.map((line) => {
    const known = line.series.points.filter(
      (point) => point.displayValue !== null && point.kind !== "running",
    );
    const [first, last] = [known[0], known.at(-1)];
    if (!first || !last) return `${line.name}: no data`;
    return `${line.name}: ${valueText(first, format)} in ${format.periodShort(first.api)}, ${valueText(last, format)} in ${format.periodShort(last.api)}`;
  });
  return `${title}. ${parts.join(". ")}.`;
}
