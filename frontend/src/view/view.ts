/** What a reader has chosen to see: all of it stands in the address, so that a link shows the same. */

export const GRAINS = ["day", "week", "month"] as const;
export type Grain = (typeof GRAINS)[number];

export interface DateRange {
  /** First and last UTC day, ISO. */
  readonly from: string;
  readonly to: string;
}
export const RANGES = ["12w", "1y", "all"] as const;
export type Range = (typeof RANGES)[number] | DateRange;

export const SUMS = ["period", "cumulative"] as const;
export const SCALES = ["linear", "log"] as const;
export const UNITS = ["absolute", "indexed"] as const;

export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

export interface View {
  readonly grain: Grain;
  readonly range: Range;
  readonly sum: (typeof SUMS)[number];
  readonly scale: (typeof SCALES)[number];
  readonly unit: (typeof UNITS)[number];
  /** Metrics that a reader has taken out of the charts. */
  readonly hidden: readonly string[];
  /** Metrics that a reader has put into a chart though it does not show them by itself, or compares. */
  readonly added: readonly string[];
  readonly compared: readonly string[];
  /** Charts whose table is open. */
  readonly tables: readonly string[];
  readonly sorts: Readonly<Record<string, Sort>>;
  /** Dates and weeks in ISO 8601 instead of the reader's own way. */
  readonly iso: boolean;
}

export const DEFAULT_VIEW: View = {
  grain: "week",
  range: "1y",
  sum: "period",
  scale: "linear",
  unit: "absolute",
  hidden: [],
  added: [],
  compared: [],
  tables: [],
  sorts: {},
  iso: false,
};

/** Says whether two ranges show the same. */
export function isSameRange(range: Range, other: Range): boolean {
  if (typeof range === "string" || typeof other === "string") return range === other;
  return range.from === other.from && range.to === other.to;
}
