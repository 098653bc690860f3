/** Describes points as text, for the tooltip, the live region and the table. */
import type { Dispute } from "../api/types";
import type { ChartPoint, PointKind } from "../data/chart-data";
import { type ChartEvent, eventsBetween, eventText } from "../data/events";
import { provenanceName } from "../data/naming";
import type { Formats } from "../format/format";
import { type Line, longestLine } from "./lines";

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
  if (point.average !== null) notes.push(`7-day average ${format.count(point.average)}`);
  if (point.kind === "lacking") notes.push("total without a missing period before");
  if (point.kind === "running") notes.push("in progress");
  if (api.estimated) notes.push(`estimated from ${api.fallback_id}`);
  if (api.restated) notes.push("restated");
  if (api.duplicated) notes.push("duplicate rows, newest used");
  if (api.status === "provisional") notes.push("provisional");
  if (api.provenance) notes.push(provenanceName(api.provenance));
  if (api.observed_at) notes.push(`read ${format.instant(api.observed_at)}`);
  return notes;
}

/** Returns a note on each day of a point that a second witness counts otherwise, with both values. */
export function disputeNotes(
  point: ChartPoint,
  disputes: readonly Dispute[],
  format: Formats,
): readonly string[] {
  const { period_start, period_end } = point.api;
  return disputes
    .filter(({ day }) => period_start <= day && day <= period_end)
    .map(
      ({ day, value, witness, witness_value }) =>
        `disputed on ${format.day(day)}: ${format.count(value)}, ${witness} counts ${format.count(witness_value)}`,
    );
}

const KIND_NOTES: Readonly<Record<PointKind, string>> = {
  measured: "",
  lacking: ", without a missing period before",
  incomplete: ", incomplete",
  estimated: ", estimated",
  running: ", in progress",
  reset: "",
  gap: "",
};

interface PeriodWords {
  readonly format: Formats;
  /** Whether the lines begin together, so that a position is a number of periods. */
  readonly isAligned: boolean;
}

/** Returns the name of the period at a position: its dates, or how many periods after the start it is. */
export function periodTitle(
  lines: readonly Line[],
  index: number,
  { format, isAligned }: PeriodWords,
): string | null {
  const point = longestLine(lines)?.series.points[index];
  if (point === undefined) return null;
  if (!isAligned) return format.period(point.api);
  const grain = "week" in point.api ? "Week" : "month" in point.api ? "Month" : "Day";
  return `${grain} ${index + 1} since the start`;
}

/** Returns the events of the period at a position. */
export function periodEvents(
  lines: readonly Line[],
  index: number,
  events: readonly ChartEvent[],
): readonly ChartEvent[] {
  const point = lines[0]?.series.points[index];
  return point ? eventsBetween(events, point.api.period_start, point.api.period_end) : [];
}

/** Returns the live region's text for one period: the value of every series, and what happened. */
export function periodAnnouncement(
  lines: readonly Line[],
  index: number,
  words: PeriodWords & { readonly events: readonly ChartEvent[] },
): string {
  const { format, events } = words;
  const title = periodTitle(lines, index, words);
  if (title === null) return "";
  const values = lines.map((line) => {
    const point = line.series.points[index];
    const kind = point ? KIND_NOTES[point.kind] : "";
    return `${line.name} ${valueText(point, format)}${kind}${point?.api.restated ? ", restated" : ""}`;
  });
  const happened = periodEvents(lines, index, events).map(eventText);
  return `${title}: ${values.join("; ")}.${happened.length > 0 ? ` ${happened.join("; ")}.` : ""}`;
}

/** Events that a description names; the flags and the table have all. */
const MOST_DESCRIBED = 12;

/** Returns a text alternative of the chart: the first and last value of each series, and what happened. */
export function chartSummary(
  title: string,
  lines: readonly Line[],
  events: readonly ChartEvent[],
  format: Formats,
): string {
  const parts = lines.map((line) => {
    const known = line.series.points.filter(
      (point) => point.displayValue !== null && point.kind !== "running",
    );
    const [first, last] = [known[0], known.at(-1)];
    if (!first || !last) return `${line.name}: no data`;
    return `${line.name}: ${valueText(first, format)} in ${format.periodShort(first.api)}, ${valueText(last, format)} in ${format.periodShort(last.api)}`;
  });
  const named = events.slice(-MOST_DESCRIBED).map((event) => `${format.day(event.day)} ${eventText(event)}`);
  const latest =
    events.length > MOST_DESCRIBED ? `Latest ${MOST_DESCRIBED} of ${events.length} events` : "Events";
  return `${title}. ${parts.join(". ")}.${named.length > 0 ? ` ${latest}: ${named.join("; ")}.` : ""}`;
}
