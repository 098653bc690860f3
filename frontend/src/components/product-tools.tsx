/** Search and grouping of many products. */
import { useMemo } from "react";
import type { ProductOfWeek } from "../api/types";
import { usefulGroupings } from "../data/product-groups";
import { usePage, useView } from "../hooks/contexts";
import type { Grouping } from "../view/view";

const NAMES: Readonly<Record<Grouping, string>> = {
  none: "not grouped",
  trend: "by four-week change",
  sdk: "by largest SDK",
  unit: "by unit",
};

/** The orders of the table that the header offers, for screens without room for it. */
const ORDERS: readonly (readonly [string, string])[] = [
  ["", "largest first"],
  ["product.asc", "by name"],
  ["change.desc", "rise on week"],
  ["change.asc", "fall on week"],
  ["four.desc", "rise on 4 weeks"],
  ["four.asc", "fall on 4 weeks"],
  ["year.desc", "rise on year"],
  ["year.asc", "fall on year"],
  ["stars.desc", "stars"],
];

interface Props {
  readonly isSearchable: boolean;
  readonly products: readonly ProductOfWeek[];
  readonly search: string;
  readonly onSearch: (text: string) => void;
  /** How many products are found; null without a search. */
  readonly found: number | null;
}

export function ProductTools({ products, isSearchable, search, onSearch, found }: Props) {
  const { view } = useView();
  const { change } = usePage();
  const groupings = useMemo(() => usefulGroupings(products), [products]);
  return (
    <div className={isSearchable ? "product-tools" : "product-tools is-few"}>
      {isSearchable && (
        <input
          type="search"
          aria-label="Search products"
          value={search}
          placeholder={`Search ${products.length} products`}
          onInput={(event) => onSearch(event.currentTarget.value)}
        />
      )}
      <SortSelect />
      {isSearchable && groupings.length > 0 && (
        <select
          aria-label="Group products"
          value={view.grouping}
          onChange={(event) => change({ grouping: event.currentTarget.value as Grouping })}
        >
          {(["none", ...groupings] as const).map((grouping) => (
            <option key={grouping} value={grouping}>
              {NAMES[grouping]}
            </option>
          ))}
        </select>
      )}
      <span className="muted" aria-live="polite">
        {found !== null && `${found} found`}
      </span>
    </div>
  );
}

function SortSelect() {
  const { view } = useView();
  const { change } = usePage();
  const { products: sort, ...others } = view.sorts;
  const order = sort ? `${sort.column}.${sort.descending ? "desc" : "asc"}` : "";
  const sortBy = (value: string): void => {
    const [column = "", direction] = value.split(".");
    const products = { column, descending: direction === "desc" };
    change({ sorts: value === "" ? others : { ...others, products } });
  };
  return (
    <select
      className="product-sort"
      aria-label="Sort products"
      value={order}
      onChange={(event) => sortBy(event.currentTarget.value)}
    >
      {ORDERS.map(([value, name]) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </select>
  );
}
