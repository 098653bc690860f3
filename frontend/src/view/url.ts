/** Converts a view to a query string and back. Defaults are omitted; invalid parameters are reported. */
import {
  DEFAULT_VIEW,
  GRAINS,
  GROUPINGS,
  RANGES,
  type Range,
  SCALES,
  type Sort,
  SUMS,
  UNITS,
  type View,
} from "./view";

export interface ParsedView {
  readonly view: View;
  /** Invalid parameters, each with the allowed values. */
  readonly invalidParameters: readonly string[];
}

const ISO_DAY = /^\d{4}-\d{2}-\d{2}$/;
const ISO_WEEK = /^\d{4}-W(0[1-9]|[1-4]\d|5[0-3])$/;
const SORT = /^([\w:.@/-]+)\.(\w+)\.(asc|desc)$/;
const MAX_IDS = 40;

/** Returns the view of a query string; unknown parameters such as campaign tags are ignored. */
export function parseView(search: string): ParsedView {
  const parameters = new URLSearchParams(search);
  const invalidParameters: string[] = [];

  function choice<T extends string>(name: string, allowed: readonly T[], defaultValue: T): T {
    const value = parameters.get(name);
    if (value === null) return defaultValue;
    const found = allowed.find((option) => option === value);
    if (found === undefined) invalidParameters.push(`${name}=${value} (allowed: ${allowed.join(", ")})`);
    return found ?? defaultValue;
  }

  const view: View = {
    week: parseWeek(parameters.get("week"), invalidParameters),
    product: parameters.get("product") || null,
    grain: choice("by", GRAINS, DEFAULT_VIEW.grain),
    range: parseRange(parameters, invalidParameters),
    sum: choice("sum", SUMS, DEFAULT_VIEW.sum),
    scale: choice("scale", SCALES, DEFAULT_VIEW.scale),
    unit: choice("unit", UNITS, DEFAULT_VIEW.unit),
    hidden: parseList(parameters.get("hide")),
    added: parseList(parameters.get("add")),
    compared: parseList(parameters.get("compare")),
    aligned: parameters.get("align") === "launch",
    tables: parseList(parameters.get("table")),
    sorts: parseSorts(parameters.get("sort"), invalidParameters),
    grouping: choice("group", GROUPINGS, DEFAULT_VIEW.grouping),
    iso: parameters.get("dates") === "iso",
  };
  return { view, invalidParameters };
}

/** Returns the query string of a view; `""` for the default view. */
export function serializeView(view: View): string {
  const parts: [string, string][] = [];
  const write = (name: string, value: string, defaultValue: string): void => {
    if (value !== defaultValue) parts.push([name, value]);
  };
  write("product", view.product ?? "", "");
  write("week", view.week ?? "", "");
  write("by", view.grain, DEFAULT_VIEW.grain);
  write("range", formatRange(view.range), formatRange(DEFAULT_VIEW.range));
  write("sum", view.sum, DEFAULT_VIEW.sum);
  write("scale", view.scale, DEFAULT_VIEW.scale);
  write("unit", view.unit, DEFAULT_VIEW.unit);
  write("hide", view.hidden.join(","), "");
  write("add", view.added.join(","), "");
  write("compare", view.compared.join(","), "");
  write("align", view.aligned ? "launch" : "", "");
  write("table", view.tables.join(","), "");
  write("sort", formatSorts(view.sorts), "");
  write("group", view.grouping, DEFAULT_VIEW.grouping);
  write("dates", view.iso ? "iso" : "", "");
  const query = parts.map(([name, value]) => `${name}=${encodeReadable(value)}`).join("&");
  return query && `?${query}`;
}

/** Escapes a value but leaves `:`, `,`, `/` and `@` readable. */
function encodeReadable(value: string): string {
  return encodeURIComponent(value).replace(/%(3A|2C|2F|40)/g, (code) => decodeURIComponent(code));
}

function parseWeek(value: string | null, invalidParameters: string[]): string | null {
  if (value === null || ISO_WEEK.test(value)) return value;
  invalidParameters.push(`week=${value} (example: 2026-W47)`);
  return null;
}

function parseList(value: string | null): readonly string[] {
  const names = (value ?? "").split(",").filter((name) => name !== "");
  return [...new Set(names)].slice(0, MAX_IDS);
}

function parseRange(parameters: URLSearchParams, invalidParameters: string[]): Range {
  const value = parameters.get("range");
  if (value === null) return DEFAULT_VIEW.range;
  const named = RANGES.find((range) => range === value);
  if (named !== undefined) return named;
  const [from = "", to = ""] = value.split("..");
  if (isDay(from) && isDay(to) && from <= to) return { from, to };
  invalidParameters.push(
    `range=${value} (allowed: ${RANGES.join(", ")}, or dates such as 2026-01-01..2026-06-30)`,
  );
  return DEFAULT_VIEW.range;
}

/** Returns whether a text is an existing ISO day; `Date.parse` alone turns 31 February into March. */
export function isDay(text: string): boolean {
  const at = ISO_DAY.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

function formatRange(range: Range): string {
  return typeof range === "string" ? range : `${range.from}..${range.to}`;
}

function parseSorts(value: string | null, invalidParameters: string[]): Readonly<Record<string, Sort>> {
  const sorts: Record<string, Sort> = {};
  for (const part of parseList(value)) {
    const [, table, column, order] = SORT.exec(part) ?? [];
    if (table && column) sorts[table] = { column, descending: order === "desc" };
    else invalidParameters.push(`sort=${part} (example: products.change.desc)`);
  }
  return sorts;
}

function formatSorts(sorts: Readonly<Record<string, Sort>>): string {
  return Object.entries(sorts)
    .map(([table, sort]) => `${table}.${sort.column}.${sort.descending ? "desc" : "asc"}`)
    .join(",");
}
