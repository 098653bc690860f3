/** What a product's total lacks, so that the table, a text and a slide say the same. */
import type { ProductOfWeek, WeeklyTotal } from "../api/types";
import type { Formats } from "../format/format";
import { sdkName } from "./naming";

export interface TotalNote {
  readonly kind: "none" | "week" | "estimate" | "lacking";
  readonly text: string;
  /** The series that are meant. */
  readonly title?: string;
}

/** Returns another week than this one, and what the value lacks. */
export function notesOf(
  total: WeeklyTotal,
  week: string,
  format: Pick<Formats, "week">,
): readonly TotalNote[] {
  const notes: TotalNote[] = [];
  if (total.week === null) notes.push({ kind: "none", text: "no complete week" });
  else if (total.week !== week) notes.push({ kind: "week", text: format.week(total.week), ...waits(total) });
  const lacking = [...total.lacking, ...total.left_out.map((one) => one.metric_id)];
  if (total.estimated) notes.push({ kind: "estimate", text: "estimate" });
  else if (total.week !== null && lacking.length > 0)
    notes.push({
      kind: "lacking",
      text: `without ${lacking.map(detailName).join(", ")}`,
      title: lacking.join(", "),
    });
  return notes;
}

function waits({ waits_for }: WeeklyTotal): { readonly title?: string } {
  return waits_for.length > 0 ? { title: `Waits for ${waits_for.join(", ")}` } : {};
}

/** Returns the name of a metric within its product: the last part of its id. */
function detailName(metricId: string): string {
  return sdkName(metricId.split(":").at(-1) ?? metricId);
}

/** Returns the unit that all products share; null where they count several things, or nothing. */
export function sharedUnit(products: readonly ProductOfWeek[]): string | null {
  const [unit, ...others] = new Set(products.flatMap(({ total }) => total?.unit ?? []));
  return others.length === 0 ? (unit ?? null) : null;
}

/** Returns the notes on a product's total as text behind its name, such as ` (week 46)`; empty without any. */
export function notesText({ total }: ProductOfWeek, week: string, format: Pick<Formats, "week">): string {
  const notes = total ? notesOf(total, week, format).map(({ text }) => text) : [];
  return notes.length === 0 ? "" : ` (${notes.join(", ")})`;
}

/** Returns a product's value as text, with its unit where products have several. */
export function valueText(
  total: WeeklyTotal | null,
  unit: string | null,
  format: Pick<Formats, "figure">,
): string {
  if (total?.value == null) return "—";
  const value = `${total.estimated ? "≈ " : ""}${format.figure(total.value)}`;
  return unit === null ? `${value} ${total.unit}` : value;
}

/** Returns stars as text, with their change, or that they are not of the end of the week. */
export function starsText(
  stars: ProductOfWeek["stars"],
  format: Pick<Formats, "figure" | "signedCount">,
): string {
  if (stars === null) return "—";
  const change = stars.change === null ? "" : ` ${format.signedCount(stars.change.absolute)}`;
  return `${format.figure(stars.value)}${change}${stars.read_at === null ? "" : " as read"}`;
}
