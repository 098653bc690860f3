/** The options that a user can select. All of them are in the URL, so that a link opens the same view. */

export const GRAINS = ["day", "week", "month"] as const;
export type Grain = (typeof GRAINS)[number];

export interface DateRange {
  /** First and last UTC day, in ISO 8601. */
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
  /** Metrics hidden from the charts. */
  readonly hidden: readonly string[];
  /** Metrics added to a chart that does not show them by default. */
  readonly added: readonly string[];
  readonly compared: readonly string[];
  /** Ids of the charts whose table is open. */
  readonly tables: readonly string[];
  readonly sorts: Readonly<Record<string, Sort>>;
  /** Whether dates and weeks are in ISO 8601 instead of the locale's format. */
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

/** Returns whether two ranges are equal. */
export function isSameRange(a: Range, b: Range): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return a.from === b.from && a.to === b.to;
}
