import type { Sort } from "../view/view";

export interface SortColumn<T> {
  readonly key: string;
  /** The value to sort by; null is last in both directions. A column without this is not sorted. */
  readonly sortValue: ((row: T) => string | number | null) | null;
}

/** Orders names as people do: `Product 19` before `Product 119`. */
const NAMES = new Intl.Collator(undefined, { numeric: true });

/** Returns the rows sorted by a column; null is last in both directions. */
export function sortRows<T>(rows: readonly T[], columns: readonly SortColumn<T>[], sort: Sort): readonly T[] {
  const value = columns.find((column) => column.key === sort.column)?.sortValue;
  if (!value) return rows;
  const sign = sort.descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [first, second] = [value(a), value(b)];
    if (first === null || second === null) return Number(first === null) - Number(second === null);
    if (typeof first === "string" && typeof second === "string") return sign * NAMES.compare(first, second);
    return first === second ? 0 : sign * (first < second ? -1 : 1);
  });
}
