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

export const RANGE_NAMES: Readonly<Record<(typeof RANGES)[number], string>> = {
  "12w": "12 weeks",
  "1y": "1 year",
  all: "all days",
};

export const SUMS = ["period", "cumulative"] as const;
export const SCALES = ["linear", "log"] as const;
export const UNITS = ["absolute", "indexed"] as const;

/** What the products of the table are grouped by: what moved, the SDK with the most downloads, or the unit. */
export const GROUPINGS = ["none", "trend", "sdk", "unit"] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

export interface View {
  /** The ISO week of the first screen, such as `2026-W47`; null is the newest. */
  readonly week: string | null;
  /** The product whose page is open; null for all products. */
  readonly product: string | null;
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
  /** Whether compared series begin together, each at its own first day. */
  readonly aligned: boolean;
  /** Ids of the charts whose table is open. */
  readonly tables: readonly string[];
  readonly sorts: Readonly<Record<string, Sort>>;
  readonly grouping: Grouping;
  /** Whether dates and weeks are in ISO 8601 instead of the locale's format. */
  readonly iso: boolean;
}

export const DEFAULT_VIEW: View = {
  week: null,
  product: null,
  grain: "week",
  range: "1y",
  sum: "period",
  scale: "linear",
  unit: "absolute",
  hidden: [],
  added: [],
  compared: [],
  aligned: false,
  tables: [],
  sorts: {},
  grouping: "none",
  iso: false,
};

/** Returns whether two ranges are equal. */
export function isSameRange(a: Range, b: Range): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return a.from === b.from && a.to === b.to;
}
