/** The one table of products: value, changes, a year of weeks, SDKs and stars; the largest product first. */
import { type ReactNode, useMemo, useRef, useState } from "react";
import type { Overview, ProductOfWeek } from "../api/types";
import { hasEveryWord } from "../data/matching";
import { groupProducts, groupsBetween, rowKeys } from "../data/product-groups";
import { sortRows } from "../data/sort";
import { usePage, useView } from "../hooks/contexts";
import { useDeferred } from "../hooks/use-deferred";
import { useRowWindow } from "../hooks/use-row-window";
import { ProductRow, placeOf, type RowPlace, SdkKey, sdksOf } from "./product-row";
import { ProductTools } from "./product-tools";
import { ariaSort, SortIcon } from "./sortable-table";

interface Column {
  readonly key: string;
  readonly title: string;
  readonly className: string;
  readonly sortValue: ((product: ProductOfWeek) => string | number | null) | null;
}

const COLUMNS: readonly Column[] = [
  { key: "product", title: "Product", className: "", sortValue: (row) => row.display_name },
  { key: "value", title: "Week", className: "is-number", sortValue: (row) => row.total?.value ?? null },
  {
    key: "change",
    title: "on week",
    className: "is-number",
    sortValue: (row) => row.total?.change?.fraction ?? null,
  },
  {
    key: "four",
    title: "on 4 weeks",
    className: "is-number",
    sortValue: (row) => row.total?.four_week_change?.fraction ?? null,
  },
  {
    key: "year",
    title: "on year",
    className: "is-number",
    sortValue: (row) => row.total?.year_on_year_change?.fraction ?? null,
  },
  { key: "weeks", title: "52 weeks", className: "spark-column", sortValue: null },
  { key: "sdks", title: "", className: "sdk-column", sortValue: null },
  {
    key: "stars",
    title: "Stars",
    className: "is-number",
    sortValue: (row) => row.stars?.value ?? null,
  },
];
/** From this number of products on they can be searched and grouped. */
const SEARCHABLE = 12;

export function ProductTable({ overview }: { readonly overview: Overview }) {
  const { view } = useView();
  const { format } = usePage();
  const [search, setSearch] = useState("");
  const wanted = useDeferred(search).trim().toLowerCase();
  const sort = useDeferred(view.sorts.products);
  const grouping = useDeferred(view.grouping);
  const rows = useMemo(() => {
    const found = overview.products.filter((row) =>
      hasEveryWord(`${row.product} ${row.display_name}`, wanted),
    );
    return sort ? sortRows(found, COLUMNS, sort) : found;
  }, [overview, wanted, sort?.column, sort?.descending]);
  const groups = useMemo(() => groupProducts(rows, grouping), [rows, grouping]);
  const keys = useMemo(() => rowKeys(groups), [groups]);
  const table = useRef<HTMLTableElement>(null);
  const { first, end, above, below, measure } = useRowWindow(keys, table);
  const sdks = useMemo(() => sdksOf(overview.products), [overview]);
  const bodies = useMemo(
    () =>
      groupsBetween(groups, first, end).map(({ title, products, count, at, hasTitle }, index, shown) => (
        <tbody
          key={title}
          style={{
            paddingTop: index === 0 ? above : 0,
            paddingBottom: index === shown.length - 1 ? below : 0,
          }}
        >
          {title !== null && hasTitle && (
            <GroupRow title={title} count={count} index={at} measure={measure} />
          )}
          {products.map((product, position) => (
            <ProductRow
              key={product.product}
              product={product}
              week={overview.week}
              sdks={sdks}
              index={at + position + (hasTitle ? 1 : 0)}
              measure={measure}
            />
          ))}
        </tbody>
      )),
    [groups, first, end, above, below, measure, overview, sdks, format],
  );
  return (
    <section className="products card" aria-labelledby="products-title">
      <h2 id="products-title" className="visually-hidden">
        Products
      </h2>
      {overview.products.length > 1 && (
        <ProductTools
          products={overview.products}
          isSearchable={overview.products.length > SEARCHABLE}
          search={search}
          onSearch={setSearch}
          found={wanted === "" ? null : rows.length}
        />
      )}
      <table
        ref={table}
        className={sdks.length > 0 ? "product-table" : "product-table is-without-sdks"}
        aria-rowcount={measure ? keys.length + 1 : undefined}
      >
        <caption className="visually-hidden">Products, {format.week(overview.week)}</caption>
        <thead>
          <tr aria-rowindex={measure ? 1 : undefined}>
            {COLUMNS.map((column) => (
              <Header key={column.key} column={column}>
                {column.key === "sdks" ? <SdkKey sdks={sdks} /> : titleOf(column, overview)}
              </Header>
            ))}
          </tr>
        </thead>
        {bodies}
      </table>
      {rows.length === 0 && <p className="muted">No product is called “{search.trim()}”.</p>}
    </section>
  );
}

interface GroupRowProps extends RowPlace {
  readonly title: string;
  readonly count: number;
}

function GroupRow({ title, count, ...place }: GroupRowProps) {
  return (
    <tr className="group-row" {...placeOf(place)}>
      <th scope="rowgroup" colSpan={COLUMNS.length}>
        {title} <span className="muted">({count})</span>
      </th>
    </tr>
  );
}

/** The unit is in the header where all products have one and there is room. */
function titleOf(column: Column, overview: Overview): ReactNode {
  if (column.key !== "value") return column.title;
  const units = new Set(overview.products.flatMap(({ total }) => total?.unit ?? []));
  const [unit] = units;
  if (units.size !== 1 || !unit) return column.title;
  return (
    <>
      <span className="unit-of-value">{`${unit.charAt(0).toUpperCase()}${unit.slice(1)}, `}</span>week
    </>
  );
}

function Header({ column, children }: { readonly column: Column; readonly children: ReactNode }) {
  const { view } = useView();
  const { change } = usePage();
  const sort = view.sorts.products;
  if (column.sortValue === null)
    return (
      <th scope="col" className={column.className}>
        {children}
      </th>
    );
  const descending = sort?.column === column.key ? !sort.descending : column.key !== "product";
  return (
    <th scope="col" className={column.className} aria-sort={ariaSort(sort, column.key)}>
      <button
        type="button"
        onClick={() => change({ sorts: { ...view.sorts, products: { column: column.key, descending } } })}
      >
        {children}
        {sort?.column === column.key && <SortIcon sort={sort} column={column.key} />}
      </button>
    </th>
  );
}
