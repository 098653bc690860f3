/** Groups the products of the table by what the API says of each; a group has no total of its own. */
import type { ProductOfWeek } from "../api/types";
import { LOUD } from "../format/format";
import type { Grouping } from "../view/view";
import { sdkName } from "./naming";

export interface ProductGroup {
  /** Null where products are not grouped. */
  readonly title: string | null;
  readonly products: readonly ProductOfWeek[];
}

/** A group of which only some rows are drawn. */
export interface ShownGroup extends ProductGroup {
  /** How many products the whole group has. */
  readonly count: number;
  /** The position of the first row that is drawn, among the rows of all groups. */
  readonly at: number;
  /** Whether the row with the title is drawn. */
  readonly hasTitle: boolean;
}

const TRENDS = {
  rising: "Rising: up 10% or more in four weeks",
  falling: "Falling: down 10% or more in four weeks",
  steady: "Steady: within 10% in four weeks",
  unknown: "No change over four weeks is known",
} as const;

/** Returns the groups, each with its products in the given order. */
export function groupProducts(
  products: readonly ProductOfWeek[],
  grouping: Grouping,
): readonly ProductGroup[] {
  if (grouping === "none") return [{ title: null, products }];
  const groups = new Map<string, ProductOfWeek[]>();
  if (grouping === "trend") for (const title of Object.values(TRENDS)) groups.set(title, []);
  for (const product of products) {
    const title = TITLES[grouping](product);
    groups.set(title, [...(groups.get(title) ?? []), product]);
  }
  return [...groups].filter(([, own]) => own.length > 0).map(([title, own]) => ({ title, products: own }));
}

/** Returns the key of each row of the groups: their titles and their products. */
export function rowKeys(groups: readonly ProductGroup[]): readonly string[] {
  return groups.flatMap(({ title, products }) => [
    ...(title === null ? [] : [`group ${title}`]),
    ...products.map(({ product }) => product),
  ]);
}

/** Returns the groups that have any of the rows from `first` up to `end`, with these rows alone. */
export function groupsBetween(
  groups: readonly ProductGroup[],
  first: number,
  end: number,
): readonly ShownGroup[] {
  let start = 0;
  return groups.flatMap(({ title, products }) => {
    const from = start;
    const own = from + (title === null ? 0 : 1);
    start = own + products.length;
    if (start <= first || from >= end) return [];
    return {
      title,
      count: products.length,
      at: Math.max(from, first),
      hasTitle: title !== null && from >= first,
      products: products.slice(Math.max(0, first - own), Math.max(0, end - own)),
    };
  });
}

/** Returns the groupings that make at least two groups. */
export function usefulGroupings(products: readonly ProductOfWeek[]): readonly Grouping[] {
  const candidates: readonly Grouping[] = ["trend", "sdk", "unit"];
  return candidates.filter((grouping) => groupProducts(products, grouping).length > 1);
}

const TITLES: Readonly<Record<Exclude<Grouping, "none">, (product: ProductOfWeek) => string>> = {
  trend: ({ total }) => {
    const change = total?.four_week_change;
    if (!change) return TRENDS.unknown;
    if (Math.abs(change.fraction) < LOUD) return TRENDS.steady;
    return change.fraction > 0 ? TRENDS.rising : TRENDS.falling;
  },
  sdk: ({ total }) => {
    const sdk = total?.sdks[0]?.sdk;
    return sdk ? `Mostly ${sdkName(sdk)}` : "Not by SDK";
  },
  unit: ({ total }) => {
    const unit = total?.unit ?? "nothing that adds up";
    return `${unit.charAt(0).toUpperCase()}${unit.slice(1)}`;
  },
};
